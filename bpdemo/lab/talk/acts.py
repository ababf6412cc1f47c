"""The five acts of the talk: which service, which load, and what the room sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import as_file, files
from typing import Any, Final

from bpdemo.core.choices import Profile
from bpdemo.load.run import LoadRun

FULL_S: Final = 24.0
"""An act: short enough that nobody looks at the clock, long enough for a service to recover."""


@dataclass(frozen=True, slots=True)
class Act:
    """One act: what it `says` when the curtain rises, and what it says `after` that share of it.

    The room is asked what it expects, so nothing is told before it is to be seen. `changes` turn
    knobs at shares of the length too, so that a short act tells the same.
    """

    key: str
    name: str
    says: str
    after: tuple[float, str] | None
    profile: Profile
    load: Mapping[str, Any]
    knobs: Mapping[str, Any] = field(default_factory=dict)
    changes: tuple[tuple[float, Mapping[str, Any]], ...] = ()

    def how(self, seconds: float) -> dict[str, Any]:
        """The arguments of `load` for an act of that length."""
        turns = [(share * seconds, knobs) for share, knobs in self.changes]
        return {"seconds": seconds, "changes": turns, **self.load}


SLOW: Final = {"payment_latency_s": 0.3}
USUAL: Final = {"payment_latency_s": 0.04}
SPIKE: Final = {"scenario": "spike", "times": 3.0}

ACTS: Final = (
    Act(
        "1",
        "calm",
        "Half as many orders arrive as it can serve.",
        None,
        "unprotected",
        {"times": 0.5},
    ),
    Act(
        "2",
        "naive spike",
        "For eight seconds three times as many arrive as it can serve, and it accepts them all.",
        (
            0.75,
            "The crowd has gone, and requests are still late: it works for people who have left.",
        ),
        "unprotected",
        SPIKE,
    ),
    Act(
        "3",
        "bound",
        "The same crowd, but only eight may wait: the rest are shed at once.",
        (0.75, "The crowd has gone, and it has served orders all the while."),
        "protected",
        SPIKE,
        {"queue_capacity": 8},
    ),
    Act(
        "4",
        "retry storm",
        "Payment will be slow for three seconds, and everybody retries.",
        (0.6, "The cause is gone, but the storm stays: it keeps itself alive."),
        "unprotected",
        {"times": 0.7, "retries": 3},
        changes=((0.25, SLOW), (0.375, USUAL)),
    ),
    Act(
        "5",
        "payment dies",
        "Payment will go down, and come back. A breaker stands before it.",
        (
            0.75,
            "The breaker opened and shed requests at once, sent trial requests, and closed again.",
        ),
        "protected",
        {"times": 0.7},
        {"queue_capacity": 8, "breaker_open_s": 2.0, "breaker_window_s": 3.0},
        ((0.25, {"payment_outage": True}), (0.6, {"payment_outage": False})),
    ),
)
BY_KEY: Final = {act.key: act for act in ACTS}


def recording(act: Act) -> LoadRun:
    """A run of this act, recorded from a real load and shipped with the package."""
    with as_file(files("bpdemo.lab.talk") / "recordings" / f"act_{act.key}.json.gz") as path:
        return LoadRun.open(path)
