"""Facts about a run. Plain Python: a browser, where there is no numpy, notes them too."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

#: The settings of a service that the picture may want to tell.
PICTURED: Final = (
    "workers",
    "queue_capacity",
    "queue_policy",
    "request_timeout_s",
    "limit_algorithm",
)


Summary = dict[str, float]
"""A run in numbers; `summary_of` says what each means."""


@dataclass(frozen=True, slots=True)
class Meta:
    """Facts about a run. `capacity_per_s` None if unknown; `virtual` for simulated time.

    `planned` orders should have been sent, `sent` were. `marks` are (t_s, text) of knobs
    turned by hand; those that show in the samples are found without being named. `turns` are
    (t_s, capacity_per_s) since then, where a knob changed it. `cell` is the number
    of the notebook's cell that drove the load. `beside`: so many loads of others were seen
    on this machine when it began or ended.
    """

    name: str = "service"
    scenario: str = "steady"
    seconds: float = 10.0
    bin_s: float = 0.5
    rate_per_s: float = 0.0
    capacity_per_s: float | None = None
    client_timeout_s: float = 0.5
    seed: int = 0
    planned: int = 0
    sent: int = 0
    loop_lag_p99_s: float | None = None
    clock_jump_s: float = 0.0
    clocks_apart_s: float = 0.0
    lost: tuple[str, ...] = ()
    virtual: bool = False
    cell: int | None = None
    beside: int = 0
    marks: tuple[tuple[float, str], ...] = ()
    turns: tuple[tuple[float, float], ...] = ()
    browse: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def capacities(self) -> list[tuple[float, float]]:
        """(from t_s, capacity_per_s), as far as it is known, in the order of time."""
        known = [] if self.capacity_per_s is None else [(0.0, self.capacity_per_s)]
        return [*known, *(turn for turn in self.turns if turn[0] < self.seconds)]
