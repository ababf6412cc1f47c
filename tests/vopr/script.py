"""What is to happen in one world, written down before anything happens.

A script is plain data: settings, and acts in order of time. What is drawn while it is played comes
from a stream of its own for each fault, so an act can be left out and the rest stays as it was:
that is how a failure is shrunk.
"""

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple

#: How customers come: over the edge as HTTP brings them, also with orders that are only promised,
#: or as the simulation brings them.
KINDS = ("office", "promises", "twin")

#: A customer with nothing special about them. Times are seconds after they came; None: never.
PLAIN: dict[str, Any] = {
    "item": 1,
    "quantity": 1,
    "key": None,
    "later": False,  # Prefer: respond-async
    "client": "c0",
    "priority": 1,
    "timeout_s": None,
    "body_s": 0.0,
    "unreadable": False,
    "hang_up_s": None,
    "cancel_s": None,
    "turns": 0,  # of the loop, between such a moment and the deed
    "flees": None,  # leaves by itself, so many turns after the nth event of a name
}


class Act(NamedTuple):
    """At `at_s`, `what` is done: an order comes, a fault begins, a knob is turned."""

    at_s: float
    kind: str
    what: dict[str, Any]


@dataclass(frozen=True)
class Script:
    """One world. `knobs` are settings other than the defaults."""

    seed: int
    kind: str = "office"
    knobs: dict[str, Any] = field(default_factory=dict)
    acts: tuple[Act, ...] = ()

    def with_acts(self, acts: list[Act]) -> "Script":
        return replace(self, acts=tuple(acts))

    def with_knobs(self, knobs: dict[str, Any]) -> "Script":
        return replace(self, knobs=knobs)

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Script":
        told = json.loads(text)
        return cls(**{**told, "acts": tuple(Act(*act) for act in told["acts"])})
