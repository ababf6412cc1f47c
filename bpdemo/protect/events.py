"""What happens to each request, as small frozen facts for metrics. All durations are in seconds.

    (arrives) ─┬─▶ Admitted ──▶ SlotFreed
               ├─▶ Rejected
               └─▶ Waiting ──▶ Admitted, Rejected or Left

`rule` is the prefix of the rule that decided, `*` for the one of all other paths: a closed set, fit
to be a label. `inside` and `waiting` are how many requests are, of that rule, now that it happened.
"""

from typing import NamedTuple, Protocol


class Waiting(NamedTuple):
    """No slot is free, so a request waits for one."""

    rule: str
    inside: int
    waiting: int


class Admitted(NamedTuple):
    """A request has a slot, after `waited_s` (0: at once)."""

    rule: str
    inside: int
    waiting: int
    waited_s: float


class Rejected(NamedTuple):
    """A request was rejected: `queue_full`, `queue_timeout` or `would_expire`."""

    rule: str
    inside: int
    waiting: int
    waited_s: float
    reason: str


class Left(NamedTuple):
    """A caller hung up while they waited, or the server gave the request up."""

    rule: str
    inside: int
    waiting: int
    waited_s: float


class SlotFreed(NamedTuple):
    """A slot is free again, `held_s` after its request was admitted.

    `status` is what the application answered; None if it raised, or was cancelled, before that.
    `limit` is the concurrency limit from here on.
    """

    rule: str
    inside: int
    waiting: int
    held_s: float
    status: int | None
    limit: float


AdmissionEvent = Waiting | Admitted | Rejected | Left | SlotFreed


class AdmissionObserver(Protocol):
    """Hears what happens, in the event loop: it must not block."""

    def observe(self, event: AdmissionEvent, /) -> None: ...
