"""How long each load lasts, and what is looked at of it. Pure.

A queue without a bound takes a while until its wait has passed the client timeout, and looks well
until then: the longer clients wait, the longer it takes. What a verdict rests on begins after that,
so that it is the same whether clients wait for a tenth of a second or for half a minute.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: Offered, as multiples of the capacity, beside clients that leave.
STAYING: Final = 0.5
LEAVING: Final = 1.0
OVERLOAD: Final = 5.0

SETTLED_S: Final = 7.0
"""So much of a load is looked at."""
FILL_MIN_S: Final = 1.0
SPIKE_MIN_S: Final = 15.0
LEAVE_S: Final = 0.010
#: No load generator hangs up sooner.
LEAVE_MIN_S: Final = 0.001


@dataclass(frozen=True, slots=True)
class Lengths:
    """All in seconds. At twice the capacity the wait of a queue without a bound has passed the
    client timeout after one timeout, beside leavers (1.5×) after two: `fill_s` and
    `beside_fill_s` lie beyond that, and are not looked at. A spike, the middle third of `spike_s`,
    lets such a wait grow to twice the timeout. `leave_s`: how soon leavers hang up, which is before
    they could have been served; None for a service so fast that nobody can."""

    fill_s: float
    load_s: float
    spike_s: float
    beside_fill_s: float
    beside_s: float
    leave_s: float | None

    @classmethod
    def of(cls, client_timeout_s: float, rest_s: float) -> Lengths:
        """`rest_s`: how long a single request takes at rest."""
        fill_s = max(FILL_MIN_S, 1.5 * client_timeout_s)
        beside_fill_s = max(FILL_MIN_S, 2.5 * client_timeout_s)
        leave_s = min(LEAVE_S, rest_s / 2)
        return cls(
            fill_s=fill_s,
            load_s=fill_s + SETTLED_S,
            spike_s=max(SPIKE_MIN_S, 1.5 * client_timeout_s),
            beside_fill_s=beside_fill_s,
            beside_s=beside_fill_s + SETTLED_S,
            leave_s=leave_s if leave_s >= LEAVE_MIN_S else None,
        )

    @property
    def all_s(self) -> float:
        """Of all five loads together."""
        return 3 * self.load_s + self.spike_s + self.beside_s
