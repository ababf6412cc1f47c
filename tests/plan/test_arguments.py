"""One typed set of arguments for whatever carries out a load."""

import inspect
from collections.abc import Callable
from typing import Any, Unpack, get_type_hints

import pytest

from bpdemo.lab.services.simulation import simulate
from bpdemo.load.loads import load
from bpdemo.plan.arguments import DEFAULTS, NAMES, LoadArguments, plan_of, takes_load
from bpdemo.plan.plan import Plan
from bpdemo.sim.play import play, prepare

CARRIERS = [load, simulate, prepare, play]


@takes_load(seconds=3.0)
def carrier(
    target: str, *, name: str = "it", **arguments: Unpack[LoadArguments]
) -> tuple[str, str, LoadArguments]:
    """A load that is only told of."""
    return target, name, arguments


@pytest.mark.parametrize("function", CARRIERS, ids=lambda f: f.__name__)
def test_both_show_every_parameter_with_its_default(function: Callable[..., Any]) -> None:
    """`help(load)` and a completion by Tab know them all; only the usual length differs."""
    parameters = inspect.signature(function).parameters
    shown = {name: parameters[name].default for name in NAMES}
    assert {**shown, "seconds": None} == {**DEFAULTS, "seconds": None}
    assert all(parameters[name].annotation for name in NAMES)
    assert all(each.kind is not each.VAR_KEYWORD for each in parameters.values())


def test_defaults_are_of_their_types_and_complete() -> None:
    """A name in the types without a default, or the other way round, is found."""
    assert set(DEFAULTS) == set(get_type_hints(LoadArguments)) == set(NAMES)


def test_what_is_not_given_is_the_default() -> None:
    """The function finds every argument, its own defaults in the place of the usual ones."""
    target, name, arguments = carrier("there", rate=5.0)
    assert (target, name) == ("there", "it")
    assert arguments == {**DEFAULTS, "seconds": 3.0, "rate": 5.0}


@pytest.mark.parametrize(
    ("slip", "told"),
    [
        ({"second": 3}, "'second'. Did you mean seconds?"),
        ({"client_timeout_ms": 3}, "Did you mean client_timeout_s?"),
        ({"patience_s": 3}, "patience_s"),
        ({"nam": "x"}, "Did you mean name?"),
        ({"xyzzy": 1}, "it takes target, times, rate"),
    ],
)
def test_a_misspelt_argument_is_answered_with_the_nearest(slip: dict[str, Any], told: str) -> None:
    """TypeError in one line, before anything is sent."""
    with pytest.raises(TypeError, match=r"^carrier\(\) got an unexpected keyword") as slipped:
        carrier("there", **slip)
    assert told in str(slipped.value)


@pytest.mark.parametrize("function", CARRIERS, ids=lambda f: f.__name__)
def test_a_slip_is_found_in_each_of_them(function: Callable[..., Any]) -> None:
    """Whether it is called by way of the lab or straight from its file."""
    with pytest.raises(TypeError, match="Did you mean scenario"):
        function({}, scenaro="spike")


def test_a_plan_has_what_was_asked_for() -> None:
    """Each argument reaches the plan under its own name: none is lost or swapped on the way."""
    asked: LoadArguments = {
        "times": 3.0, "seconds": 7.0, "scenario": "spike", "seed": 5, "client_timeout_s": 0.7,
        "send_deadline": True, "send_keys": True, "retries": 2, "backoff": "exponential",
        "jitter": "equal", "retry_budget": 0.3, "retry_policy": "aws_bucket",
        "browse_per_s": 9.0, "item_id": 4,
        "clients": {"fair": 2}, "priorities": {3: 1},
    }  # fmt: skip
    plan = plan_of({**DEFAULTS, **asked}, 100.0)
    assert plan == Plan(
        rate_per_s=300.0, seconds=7.0, scenario="spike", seed=5, client_timeout_s=0.7,
        send_deadline=True, send_keys=True, retries=2, backoff="exponential", jitter="equal",
        retry_budget=0.3, retry_policy="aws_bucket", browse_per_s=9.0, item_id=4,
        clients=(("fair", 2.0),), priorities=(("3", 1.0),),
    )  # fmt: skip
