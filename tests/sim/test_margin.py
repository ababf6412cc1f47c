"""The largest trigger survived: per load, per seed, and what is refused."""

from math import inf, nan
from typing import Any

import pytest

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
    """Within 5%, in a dozen trials or so, none of them longer than the most."""
    told = Told(from_s)
    found_s = stuck_from_s(told, 0, most_s=60.0, guess_s=guess_s)
    assert from_s / WITHIN <= found_s <= from_s * WITHIN
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
        ({"trigger": Trigger({})}, "trigger must change a knob"),
        ({"trigger": Trigger({"workers": 2})}, "trigger must change a knob: workers=2"),
        ({"trigger": Trigger({"nosuch": 1})}, "nosuch"),
        ({"trigger": Trigger({"seed": 1})}, "seed"),
        ({"trigger": Trigger({"payment_latency_s": nan})}, "payment_latency_s"),
    ],
)
def test_what_cannot_be_asked_is_named(wrong: dict[str, Any], named: str) -> None:
    """Before anything is tried."""
    with pytest.raises((ValueError, SettingsInvalid), match=named):
        margin(NAIVE, each=lambda *_: pytest.fail("tried"), **wrong)


def test_a_database_cannot_be_simulated() -> None:
    """It would need real time."""
    with pytest.raises(SettingsInvalid, match="store"):
        margin({"store": "embedded"}, loads=[0.5], seeds=1)
