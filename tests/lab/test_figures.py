"""A figure that cannot be is refused before anything runs, in one line: argument, value, range.

The same for `simulate`, `load`, `size` and the theory; and numbers of numpy are numbers.
"""

import json
import math
import sys
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from bpdemo.core.errors import SettingsInvalid
from bpdemo.core.settings import Settings
from bpdemo.lab import load, simulate, size, theory
from bpdemo.plan.arguments import DEFAULTS, plan_of
from bpdemo.plan.plan import Plan

NO_NUMBERS: list[Any] = [
    math.nan, math.inf, -math.inf, -1, 10**400, "fast", "8", True, [], {}, 1j, object(),
    np.float64("nan"), np.float32("inf"), np.int64(-1), np.True_, np.array([1, 2]),
    Decimal("nan"), Decimal(2),
]  # fmt: skip
NUMBERS = ("times", "rate", "seconds", "client_timeout_s", "retry_budget", "browse_per_s", "bin_s")
WHOLE = ("retries", "item_id")
FLAGS = ("send_deadline", "send_keys")
WORDS = ("scenario", "backoff", "jitter", "retry_policy", "by")
MIXES = ("clients", "priorities")
SHORT: dict[str, Any] = {"seconds": 0.2, "bin_s": 0.1}


class Target:
    """A service with settings at an address where nothing listens."""

    url = "http://127.0.0.1:9"
    capacity_per_s = 20.0
    settings = Settings(workers=2)


def simulated(**figures: Any) -> Any:
    return simulate({"workers": 2}, **SHORT | figures)


def loaded(**figures: Any) -> Any:
    return load(Target(), **SHORT | figures)


LOADS = [simulated, loaded]


def refused(function: Callable[..., Any], name: str, value: Any) -> str:
    """What it says, which is one line that names the argument and the value."""
    with pytest.raises(ValueError, match=name) as caught:
        function(**{name: value})
    said = str(caught.value)
    assert repr(value) in said
    assert "\n" not in said.replace(repr(value), "")
    return said.replace(repr(value), "")


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("function", LOADS)
def test_what_is_no_number_of_a_load_is_named_with_its_range(function, name):
    """NaN, infinities, negative ones, words, too large for a float, and numpy's likes of them."""
    for value in NO_NUMBERS:
        assert "must be a number from" in refused(function, name, value)


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("function", LOADS)
def test_what_is_no_whole_number_of_a_load_is_named_with_its_range(function, name):
    """Nor is there half a retry or half an item."""
    for value in [*NO_NUMBERS, 1.5, np.float64(1.5)]:
        assert "must be a whole number from" in refused(function, name, value)


@pytest.mark.parametrize("function", LOADS)
def test_a_seed_is_a_whole_number(function):
    """Any whole number, the negative and the huge ones included; nothing else."""
    for value in NO_NUMBERS:
        if type(value) in (int, np.int64):
            continue
        assert "must be a whole number" in refused(function, "seed", value)
    assert simulated(seed=np.int64(-1)).summary == simulated(seed=-1).summary


def test_processes_are_whole():
    """One and a half of them cannot be started."""
    for value in [*NO_NUMBERS, 1.5, 0, 65]:
        assert "must be a whole number from 1 to 64" in refused(loaded, "processes", value)


@pytest.mark.parametrize("name", FLAGS)
@pytest.mark.parametrize("function", LOADS)
def test_yes_and_no_are_true_and_false(function, name):
    """A word that is no no would otherwise count as a yes."""
    for value in [0, 1, "yes", None, math.nan, np.int64(1)]:
        assert "must be True or False" in refused(function, name, value)


@pytest.mark.parametrize("name", WORDS)
@pytest.mark.parametrize("function", LOADS)
def test_what_is_no_choice_is_told_the_choices(function, name):
    """Whatever its type."""
    for value in [3, math.nan, [], "some word", np.array([1, 2])]:
        assert "must be one of" in refused(function, name, value)


@pytest.mark.parametrize("name", MIXES)
@pytest.mark.parametrize("function", LOADS)
def test_a_mix_is_a_mapping(function, name):
    """Of labels to weights, and says so."""
    for value in [3, math.nan, [], "some word", np.array([1, 2])]:
        assert "must be a mapping of labels to weights" in refused(function, name, value)


@pytest.mark.parametrize("name", MIXES)
@pytest.mark.parametrize("function", LOADS)
def test_a_weight_is_a_number(function, name):
    """The label stands beside it."""
    for weight in NO_NUMBERS:
        with pytest.raises(
            ValueError, match=f"^{name}: the weight of '?3'? must be a number from 0"
        ):
            function(**{name: {3: weight}})
        with pytest.raises(ValueError, match=f"^{name} must have a weight above 0"):
            function(**{name: {3: 0}})


@pytest.mark.parametrize("function", LOADS)
def test_what_is_no_change_is_shown_one(function):
    """A pair of a time and knobs."""
    for value in [3, None, math.nan, "soon", [3], [(1, 2)], [(1,)]]:
        with pytest.raises(ValueError, match=r"changes must be pairs .* such as"):
            function(changes=value)


@pytest.mark.parametrize("function", LOADS)
def test_a_change_has_its_time_within_the_load(function):
    """And not at no time at all."""
    for at_s in NO_NUMBERS:
        with pytest.raises(ValueError, match=r"changes: each time must be a number from 0 to 0\.2"):
            function(changes=[(at_s, {"workers": 3})])


@pytest.mark.parametrize(
    ("knobs", "told"),
    [
        ({"workers": math.nan}, "workers: nan is not a whole number from 1 to 1024"),
        ({"payment_latency_s": "slow"}, "payment_latency_s: 'slow' is not a number from 0 to 3600"),
        ({"wrkers": 3}, "did you mean workers"),
        ({"store": "memory"}, "cannot be changed while the service runs"),
    ],
)
@pytest.mark.parametrize("function", LOADS)
def test_a_knob_that_cannot_turn_is_told_before_the_load_begins(function, knobs, told):
    """In the middle of a live load only a thread would hear of it."""
    with pytest.raises(SettingsInvalid, match=told):
        function(changes=[(0.1, knobs)])


@pytest.mark.parametrize("name", ["workers", "service_s", "deadline_s"])
def test_what_is_no_figure_of_ones_own_system_is_named(name):
    """By `size`, as by a load."""
    figures = {"workers": 8, "service_s": 0.04, "deadline_s": 0.5}
    for value in [*NO_NUMBERS, 0, None]:
        assert "must be a" in refused(lambda **wrong: size(**figures | wrong), name, value)


def test_half_a_worker_and_a_deadline_as_short_as_the_service_are_refused():
    """Each by its own name."""
    with pytest.raises(
        ValueError, match=r"workers must be a whole number from 1 to 1024, not 2\.5"
    ):
        size(workers=2.5, service_s=0.04, deadline_s=0.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"deadline_s must be above service_s \(0\.5\), not 0\.5"):
        size(workers=8, service_s=0.5, deadline_s=0.5)


@pytest.mark.parametrize("name", ["arrival_rate", "service_rate", "servers", "capacity"])
def test_what_is_no_figure_of_a_queue_is_named_with_its_range(name):
    """`mmck`; what is too large for a float, or to be added up, is out of range as well."""
    figures = {"arrival_rate": 5, "service_rate": 3, "servers": 2, "capacity": 8}
    for value in NO_NUMBERS:
        said = refused(lambda **wrong: theory.mmck(**figures | wrong), name, value)
        assert "must be finite and" in said or "must be a whole number ≥" in said


@pytest.mark.parametrize("name", ["arrival_rate_per_s", "mean_time_s"])
def test_littles_law_names_it_too(name):
    """A law of finite rates and times."""
    figures = {"arrival_rate_per_s": 5, "mean_time_s": 3}
    for value in NO_NUMBERS:
        assert "must be finite and ≥ 0" in refused(
            lambda **w: theory.little(**figures | w), name, value
        )


def test_a_vast_room_takes_no_longer_than_its_likely_states():
    """Two million places below capacity: where states become too unlikely for a float it ends."""
    small, vast = theory.mmck(5, 3, 2, 4_000), theory.mmck(5, 3, 2, theory.MOST)
    assert vast == small
    weights = list(theory._weights(5 / 3, 2, theory.MOST))
    assert len(weights) < 5_000
    assert min(weight for _, weight in weights) >= sys.float_info.min


@pytest.mark.parametrize("kind", [np.int64, np.uint8, np.float32, np.float64, np.array])
def test_numbers_of_numpy_are_numbers(kind):
    """A sweep over an array gives the run that the same numbers of Python's give, as JSON too."""
    figures: dict[str, Any] = {
        "rate": 9,
        "seconds": 2,
        "client_timeout_s": 1,
        "retries": 2,
        "retry_budget": 1,
    }
    figures |= {"browse_per_s": 3, "item_id": 4, "seed": 5, "bin_s": 1}
    numpys: Any = {name: kind(value) for name, value in figures.items()}
    assert simulate({}, **numpys).summary == simulate({}, **figures).summary
    plan = plan_of({**DEFAULTS, **numpys, "clients": {"a": kind(2)}}, None)
    assert Plan.from_json(plan.to_json()) == plan
    assert json.loads(plan.to_json())["clients"] == [["a", 2.0]]
    advice = size(workers=kind(8), service_s=kind(1), deadline_s=kind(9))
    assert json.dumps(advice.knobs) == json.dumps(size(workers=8, service_s=1, deadline_s=9).knobs)


def test_a_knob_of_numpy_turns():
    """While all else is taken strictly: `"8"` and 8.5 are no numbers of workers."""
    turned = Settings().changed({"workers": np.int64(4), "payment_latency_s": np.float32(0.5)})
    assert (turned.workers, turned.payment_latency_s) == (4, 0.5)
    assert type(turned.workers) is int
    assert not Settings().changed({"breaker_enabled": np.False_}).breaker_enabled
    for wrong in ("4", 4.5, np.float64(4), np.True_, math.nan):
        with pytest.raises(SettingsInvalid, match="workers"):
            Settings().changed({"workers": wrong})
    at_s: Any = np.float32(1)
    run = simulate({}, rate=5, seconds=2, changes=[(at_s, {"workers": np.arange(4, 5)[0]})])
    assert len(run.records) > 0
