"""Controlled delay: a queue may absorb a burst, but not stand.

A good queue drains now and then. One that has not been empty for `interval_s` is a *standing*
queue: it adds delay to everyone and serves no burst. Then whatever has waited longer than
`target_s` is shed, oldest first, so that the workers' time goes to callers who still wait.

This is the server-side form of B. Maurer, "Fail at Scale", ACM Queue 13(8), 2015. The original
by Nichols and Jacobson (RFC 8289) sheds ever faster until senders slow down; customers do not.
"""

from dataclasses import dataclass

from bpdemo.core.ranges import require_number


@dataclass(frozen=True, slots=True, kw_only=True)
class CoDelPolicy:
    """A queue not empty for `interval_s` is standing; a wait of `target_s` is still fine in it.

    The target is at most the interval: a wait that is longer than a queue needs to count as
    standing cannot be fine in one.
    """

    target_s: float
    interval_s: float

    def __post_init__(self) -> None:
        require_number("interval_s", self.interval_s)
        require_number("target_s", self.target_s)
        if self.target_s > self.interval_s:
            raise ValueError(f"target_s: {self.target_s} is above interval_s ({self.interval_s})")


class CoDel:
    """Judges one queue; must hear whenever that is empty."""

    __slots__ = ("_last_empty_s", "policy")

    def __init__(self, policy: CoDelPolicy, now: float) -> None:
        self.policy = policy
        self._last_empty_s = now

    def saw_empty(self, now: float) -> None:
        self._last_empty_s = now

    def sheds(self, waited_s: float, now: float) -> bool:
        """Whether a job that has waited `waited_s` should be shed, not started."""
        standing = now - self._last_empty_s > self.policy.interval_s
        return standing and waited_s > self.policy.target_s
