"""How long an order waits below capacity: M/M/c as lines, the service in virtual time as points.

Waits are in service times, so that they hold for a service of any speed. Source of the lines:
`bpdemo.sim.theory`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bpdemo.core.counted import counted
from bpdemo.core.settings import Settings
from bpdemo.core.slips import forgiving
from bpdemo.lab.services.simulation import simulate
from bpdemo.picture.lines import line_figure
from bpdemo.sim.theory import mmck

if TYPE_CHECKING:
    import plotly.graph_objects as go

SERVICE_S: Final = 0.04
MEASURED_AT: Final = (0.5, 0.8, 0.9)
DRAWN_AT: Final = tuple(share / 100 for share in range(2, 96))
ORDERS: Final = 3000


@dataclass(frozen=True, slots=True)
class HockeyStick:
    """Mean waits by number of workers, then by utilisation, in service times.

    A point's utilisation is the one that was measured: random arrivals never offer quite the load
    that was meant, and close to capacity a little makes a difference.
    """

    exact: Mapping[int, Mapping[float, float]]
    measured: Mapping[int, Mapping[float, float]]

    @property
    def apart(self) -> float:
        """How far points and lines are apart: the mean over all points, as a share of the line."""
        gaps = [
            abs(wait / mean_wait(workers, at) - 1)
            for workers, points in self.measured.items()
            for at, wait in points.items()
            if wait > 0.1  # where hardly anybody waits, a share of that says nothing
        ]
        return sum(gaps) / len(gaps)

    @property
    def sentence(self) -> str:
        """The result in words."""
        workers = max(self.exact)
        told = ", ".join(f"{mean_wait(workers, at):.2g} at {at:.0%}" for at in (0.5, 0.8, 0.95))
        return f"Mean wait with {counted(workers, 'worker')}, in service times: {told} utilisation"

    def figure(self) -> go.Figure:
        """Lines are theory, points are simulated."""
        return line_figure(
            {counted(workers, "worker"): line for workers, line in self.exact.items()},
            points={counted(workers, "worker"): at for workers, at in self.measured.items()},
            title=f"{self.sentence}. Lines are theory, points are simulated",
            x="utilisation (share of capacity that is used)",
            y="mean wait (service times)",
            most_y=10,
            simulated=True,
        )


@forgiving
def hockey_stick(workers: Sequence[int] = (1, 2, 8), seed: int = 0) -> HockeyStick:
    """Play the service, without a bound and with service times that vary as in the theory.

    `ORDERS` are few: with another `seed` a point at 90% may be a third off its line.
    """
    return HockeyStick(
        exact={count: {at: mean_wait(count, at) for at in DRAWN_AT} for count in workers},
        measured={
            count: dict(_measured(count, at, seed) for at in MEASURED_AT) for count in workers
        },
    )


def mean_wait(workers: int, utilisation: float) -> float:
    """By M/M/c, in service times."""
    return mmck(utilisation * workers, 1, workers, None).mean_wait_s


def _measured(workers: int, utilisation: float, seed: int) -> tuple[float, float]:
    service = Settings.unprotected(
        workers=workers,
        payment_latency_s=SERVICE_S,
        payment_latency_distribution="exponential",
        store_latency_s=0,
    )
    seconds = ORDERS * SERVICE_S / (utilisation * workers)
    run = simulate(service, times=utilisation, seconds=seconds, client_timeout_s=600, seed=seed)
    used = float(run.frame["workers_busy"].mean()) / workers
    return used, float(run.records.latency_s.mean()) / SERVICE_S - 1
