"""The largest trigger survived: per load, per seed, and what is refused."""

from collections.abc import Iterable
from math import inf, nan, sqrt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpdemo.core.errors import SettingsInvalid
from bpdemo.core.settings import Settings
from bpdemo.sim.margin import LEAST_S, WITHIN, Asked, Margin, MarginAt, margin, stuck_from_s
from bpdemo.sim.ordeal import Trigger

#: Two workers: a quarter of the orders.
NAIVE = Settings.unprotected(workers=2)


class Told(Asked):
    """Sticks from a length on, with no run at all; notes what was asked."""

    def __init__(self, from_s: float) -> None:
        super().__init__(NAIVE, Trigger({}), 0.5, None, {})
        object.__setattr__(self, "from_s", from_s)
        object.__setattr__(self, "tried", [])

    def is_stuck(self, trigger_s: float, seed: int) -> bool:
        self.tried.append(trigger_s)  # type: ignore[attr-defined]
        return trigger_s >= self.from_s  # type: ignore[attr-defined]


@pytest.mark.parametrize("guess_s", [0.05, 0.3, 1.0, 7.0, 60.0])
@pytest.mark.parametrize("from_s", [0.06, 0.31, 1.0, 2.9, 17.0, 59.0])
def test_the_search_finds_the_length_wherever_it_begins(from_s: float, guess_s: float) -> None:
    """In the middle of two lengths 5% apart, in a dozen trials or so, none longer than the most."""
    told = Told(from_s)
    found_s = stuck_from_s(told, 0, most_s=60.0, guess_s=guess_s)
    off = sqrt(WITHIN) + 1e-9
    assert from_s / off <= found_s <= from_s * off
    tried: list[float] = told.tried  # type: ignore[attr-defined]
    assert max(tried) <= 60.0
    assert len(tried) <= 16


def test_what_never_sticks_is_asked_up_to_the_most() -> None:
    """And what always does, down to the least."""
    never, always = Told(inf), Told(0.0)
    assert stuck_from_s(never, 0, most_s=60.0, guess_s=1.0) == inf
    assert max(never.tried) == 60.0  # type: ignore[attr-defined]
    assert stuck_from_s(always, 0, most_s=60.0, guess_s=1.0) == 0.0


def test_the_edge_is_where_half_of_the_seeds_stick() -> None:
    """And the band where one in ten and nine in ten do."""
    at = MarginAt(0.5, (1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, inf))
    assert at.edge_s == 1.4
    assert at.stuck_share(1.4) == 5 / 9
    assert at.stuck_share(1.39) == 4 / 9
    assert at.band_s == (1.0, inf)
    whole = Margin((at,), 60.0, 3, {})
    assert whole.edges_s == {0.5: 1.4}
    assert whole.map([0.9, 1.0, 60.0]) == {0.5: [0.0, 1 / 9, 8 / 9]}
    assert whole[0.5] is at
    with pytest.raises(KeyError):
        whole[0.6]


def test_a_service_that_collapses_by_itself_is_told_as_such() -> None:
    """One worker at 90% makes half of the orders wait too long with no trigger at all; and what
    sticks after the least trigger only does not."""
    slow = Settings.unprotected(workers=1, payment_latency_s=0.1)
    found = margin(slow, loads=[0.9], seeds=1, retries=3)
    assert found[0.9].stuck_from_s == (0.0,)
    assert found[0.9].collapses
    assert found.sentence == "The service collapses by itself at 90% load."
    assert stuck_from_s(Told(0.01), 0, most_s=60.0, guess_s=1.0) == LEAST_S


def test_each_kind_of_load_has_its_sentence() -> None:
    """What collapses is not said to stick after a trigger of no length."""
    at = (MarginAt(0.5, (inf,)), MarginAt(0.7, (1.5,)), MarginAt(0.9, (0.0,)))
    assert Margin(at, 60.0, 3, {}).sentence == (
        "The service collapses by itself at 90% load. "
        "The service stays stuck after a trigger of 1.5 s at 70% load."
    )


def test_a_heavier_load_survives_less() -> None:
    """And `tell` hears of each load in turn."""
    heard: list[float] = []
    found = margin(
        NAIVE, loads=(0.5, 0.8), seeds=1, retries=3, tell=lambda at: heard.append(at.load)
    )
    assert heard == [0.5, 0.8]
    assert 0.2 < found.edges_s[0.8] < found.edges_s[0.5] < 3.0
    assert "at 50% load" in found.sentence


def test_the_protected_service_survives_what_the_naive_does_not() -> None:
    """Two seconds at 70%; the naive one sticks for good."""
    assert margin(NAIVE, loads=[0.7], seeds=1, most_s=2.0).edges_s[0.7] < 1.0
    protected = margin(Settings(workers=2), loads=[0.7], seeds=1, most_s=2.0)
    assert protected.edges_s == {0.7: inf}
    assert protected.sentence == (
        "A trigger of 2 s is survived at each load that was tried, up to 70% of capacity."
    )


SURVIVED = "A trigger of 5 s is survived at each load that was tried, up to "


@pytest.mark.parametrize(
    ("at", "told"),
    [
        ([MarginAt(0.3, (inf,) * 9)], f"{SURVIVED}30% of capacity."),
        (
            [MarginAt(0.3, (inf,) * 9), MarginAt(0.35, (0.65, 0.7, *(inf,) * 7))],
            "At 35% load 2 of 9 runs stayed stuck, from 0.65 s on.",
        ),
        (
            [MarginAt(0.35, (0.65, inf, inf)), MarginAt(0.4, (0.3, inf, inf))],
            "At 35% load 1 of 3 runs stayed stuck, from 0.65 s on; "
            "at 40% load 1 of 3 runs stayed stuck, from 0.3 s on.",
        ),
        (
            [MarginAt(0.35, (0.65, inf, inf)), MarginAt(0.7, (1.0, 1.5, inf))],
            "The service stays stuck after a trigger of 1.5 s at 70% load. "
            "At 35% load 1 of 3 runs stayed stuck, from 0.65 s on.",
        ),
        (
            [MarginAt(0.35, (0.0, inf, inf)), MarginAt(0.9, (0.0, 0.0, inf))],
            "The service collapses by itself at 90% load. "
            "At 35% load 1 of 3 runs was stuck with no trigger at all.",
        ),
        (
            [MarginAt(0.35, (0.0, 0.7, inf, inf, inf))],
            "At 35% load 2 of 5 runs stayed stuck, 1 of them with no trigger at all and the rest "
            "from 0.7 s on.",
        ),
        (
            [MarginAt(0.7, (0.0, 1.5, 2.0))],
            "The service stays stuck after a trigger of 1.5 s at 70% load. "
            "At 70% load 1 of 3 runs was stuck with no trigger at all.",
        ),
        (
            [MarginAt(0.9, (inf,)), MarginAt(1.2, (inf,))],
            f"{SURVIVED}90% of capacity. At 120% load the service is overloaded without any "
            "trigger, and its queue may only need longer than a run to show it.",
        ),
        (
            [MarginAt(0.01, (inf,), 14.1)],
            "At 1% load fewer than 20 orders come in the 30 s that are judged, too few to tell "
            "anything but chance.",
        ),
    ],
)
def test_what_sticks_now_and_then_is_told(at: list[MarginAt], told: str) -> None:
    """And what says little of triggers is never called survived."""
    assert Margin(tuple(at), 5.0, 3, {}).sentence == told


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0.3, 0.7, 1.0, 1.2]),
            st.lists(st.sampled_from([0.0, 0.3, 1.0, inf]), min_size=1, max_size=9),
            st.sampled_from([0.0, 19.9, 20.0, inf]),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_survived_is_said_only_where_no_run_stuck(
    drawn: list[tuple[float, list[float], float]],
) -> None:
    """And there always is something to say; each load at which a run stuck is named."""
    at = tuple(MarginAt(load, tuple(sorted(stuck)), orders) for load, stuck, orders in drawn)
    sentence = Margin(at, 5.0, 3, {}).sentence
    never = all(from_s == inf for _, stuck, _ in drawn for from_s in stuck)
    sure = any(load <= 1 and orders >= 20 for load, _, orders in drawn)
    assert ("is survived" in sentence) is (never and sure)
    assert sentence
    for load, stuck, _ in drawn:
        assert min(stuck) == inf or f"{load:.0%}" in sentence


def test_a_load_beyond_the_capacity_is_not_called_survived() -> None:
    """Slow payments and patient clients: no run is long enough for the queue to show it."""
    slow = Settings.unprotected(workers=1, payment_latency_s=5.0)
    found = margin(slow, loads=[1.2], seeds=1, most_s=1.0, client_timeout_s=60)
    assert found[1.2].is_survived
    assert found[1.2].orders == pytest.approx(1.2 * slow.nominal_capacity * 30)
    assert "is survived" not in found.sentence
    assert "At 120% load the service is overloaded without any trigger" in found.sentence
    assert "At 120% load fewer than 20 orders come" in found.sentence


@pytest.mark.parametrize(
    ("settings", "arguments", "named"),
    [
        pytest.param({}, {"client_timeout_s": 0.04}, "client_timeout_s must be longer", id="wait"),
        pytest.param(
            {"payment_latency_s": 0.6}, {}, "client_timeout_s must be longer than .*, not 0.5",
            id="slow",
        ),
        pytest.param({"request_timeout_s": 0.03}, {}, "no order is served within", id="own limit"),
        pytest.param({"attempt_timeout_s": 0.03}, {}, "no order is served within", id="attempts"),
        pytest.param({"payment_outage": True}, {}, "no order is served within", id="outage"),
        pytest.param({"payment_failure_rate": 1.0}, {}, "no order is served within", id="fails"),
        pytest.param({"initial_stock": 5}, {}, "initial_stock must be at least", id="stock"),
        pytest.param({"initial_stock": 0}, {}, "initial_stock must be at least", id="none"),
        pytest.param(
            {"initial_stock": 1000}, {"item_id": 7}, "initial_stock must be", id="one item"
        ),
        pytest.param(
            {}, {"retries": 0, "retry_policy": "grpc_tokens"}, "retries must be at least 1",
            id="idle policy",
        ),
    ],
)  # fmt: skip
def test_a_service_of_which_no_margin_can_be_told_is_refused(
    settings: dict[str, Any], arguments: dict[str, Any], named: str
) -> None:
    """It serves nobody, or sells out: no trigger makes a difference, and nothing is searched."""
    naive = Settings.unprotected(**{"workers": 2, **settings})
    with pytest.raises(ValueError, match=named) as refused:
        margin(naive, loads=[0.5], most_s=2.0, each=lambda *_: pytest.fail("searched"), **arguments)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("settings", "arguments"),
    [
        pytest.param({"initial_stock": 200}, {}, id="stock for each item"),
        pytest.param(
            {"payment_latency_distribution": "exponential", "payment_latency_s": 0.6}, {},
            id="now and then in time",
        ),
        pytest.param({}, {"retries": 0, "retry_policy": "sre_throttling"}, id="policy"),
    ],
)  # fmt: skip
def test_a_service_that_serves_some_is_asked(
    settings: dict[str, Any], arguments: dict[str, Any]
) -> None:
    """What is refused is refused for cause: these are searched."""
    searched: list[int] = []

    def each(_: object, seeds: Iterable[int]) -> list[float]:
        searched.extend(seeds)
        return [inf for _ in searched]

    naive = Settings.unprotected(**{"workers": 2, **settings})
    margin(naive, loads=[0.5], most_s=2.0, seeds=2, each=each, **arguments)
    assert searched == [0, 1]


@pytest.mark.parametrize("own", [None, 0, 7])
def test_a_seed_of_the_service_is_its_own_in_every_run(own: int | None) -> None:
    """As `simulate` has it: only the clients differ then. Without one both have that of the run."""
    settings = Settings.unprotected(workers=2, seed=own)
    asked = Asked(settings, Trigger.slow_payment(settings), 0.5, None, {"retries": 3})
    for seed in range(3):
        ordeal = asked.ordeal(1.0, seed)
        assert ordeal.settings.seed == (seed if own is None else own)
        assert ordeal.plan.seed == seed


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"times": 2.0}, "times is set by `margin` itself"),
        ({"changes": [(1, {})]}, "changes is set by `margin` itself"),
        ({"loads": [0.0]}, "loads must be"),
        ({"seeds": 0}, "seeds must be"),
        ({"most_s": -1}, "most_s must be"),
        ({"retries": -1, "loads": [0.5]}, "retries must be"),
        ({"retry_policy": "finagle", "loads": [0.5]}, "retry_policy must be one of sre_"),
        ({"loads": []}, "loads must be"),
        ({"loads": [nan]}, "loads must be"),
        *(({"capacity_per_s": wrong}, "capacity_per_s must be") for wrong in (0, -5, nan, "20")),
        ({"loads": 0.5}, "loads must be shares of the capacity"),
        ({"loads": "0.5"}, "loads must be shares of the capacity"),
        ({"trigger": {"payment_latency_s": 0.2}}, "trigger must be a Trigger"),
        ({"trigger": Trigger({})}, "trigger must change a knob"),
        ({"trigger": Trigger({"workers": 2})}, "trigger must change a knob: workers=2"),
        ({"trigger": Trigger({"nosuch": 1})}, "nosuch"),
        ({"trigger": Trigger({"seed": 1})}, "seed"),
        ({"trigger": Trigger({"payment_latency_s": nan})}, "payment_latency_s"),
    ],
)
def test_what_cannot_be_asked_is_named(wrong: dict[str, Any], named: str) -> None:
    """Before anything is tried."""
    with pytest.raises((ValueError, TypeError, SettingsInvalid), match=named):
        margin(NAIVE, each=lambda *_: pytest.fail("tried"), **wrong)


def test_a_database_cannot_be_simulated() -> None:
    """It would need real time."""
    with pytest.raises(SettingsInvalid, match="store"):
        margin({"store": "embedded"}, loads=[0.5], seeds=1)
