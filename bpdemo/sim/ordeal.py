"""One ordeal: a service under a steady load, a dependency that is slow for a while, and whether the
service is *stuck* when that is over.

Stuck: from 30 to 60 s after the trigger, no more than half of the orders are served in time. A run
is not played to its end where the end is certain before:

- *recovered*, once the service is as it was before the trigger: nobody waits, neither in the queue
  nor for another try, every breaker is closed, and the orders of the last second were served. What
  comes later would be another story, in which this trigger has no part.
- *stuck*, once the queue is so long that it outlives the window, or grows so fast that only a
  chance below e⁻¹⁴ would empty it (`_outlives`).
- either, once the orders of the window that are over have decided it, whatever the rest does.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any, Final

from bpdemo.assembly.office import Assembly
from bpdemo.core.settings import Settings
from bpdemo.plan.arrivals import arrivals
from bpdemo.plan.fates import OK
from bpdemo.plan.plan import Plan
from bpdemo.sim.crowd import Crowd
from bpdemo.sim.play import Play
from bpdemo.sim.virtual_time import Steps

#: Before the trigger: long enough for the queue to be what it is at that load.
WARM_S: Final = 4.0
#: The window after the trigger, in which it is judged.
FROM_S: Final = 30.0
UNTIL_S: Final = 60.0
#: How much slower the payment is, unless told otherwise: four fifths of the capacity are gone.
SLOW_TIMES: Final = 5.0

LOOK_S: Final = 0.1
SERVED_AGAIN: Final = 0.9
SURE: Final = 14.0
#: Of service times that are not constant: at least the squared coefficient of variation of each
#: distribution there is.
SCATTER: Final = 4.0


@dataclass(frozen=True, slots=True)
class Trigger:
    """`knobs` as they stand while it lasts; after that they are as before."""

    knobs: Mapping[str, Any]

    @classmethod
    def slow_payment(cls, settings: Settings, times: float = SLOW_TIMES) -> Trigger:
        """Payments take so many times as long."""
        return cls({"payment_latency_s": settings.payment_latency_s * times})

    def changes(self, settings: Settings, seconds: float) -> list[tuple[float, dict[str, Any]]]:
        """On after `WARM_S`, and off `seconds` later: the `changes` of a load, here or live."""
        before = {name: getattr(settings, name) for name in self.knobs}
        return [(WARM_S, dict(self.knobs)), (WARM_S + seconds, before)]


class Ordeal(Play):
    """A play that may end early, since it only has to say whether the service is stuck."""

    def __init__(self, ready: Play, trigger_s: float) -> None:
        """`ready` lasts until `UNTIL_S` after the trigger, which begins at `WARM_S`."""
        super().__init__(ready.settings, ready.plan, ready._changes, ready._turns, ready.bin_s)
        self._over_s = WARM_S + trigger_s
        self._outlasts = _Outlasting(ready.settings, ready.plan)
        self._assembly: Assembly | None = None
        self._looked_at = 0
        self._served = self._lost = 0
        self._all: int | None = None

    def judge(self, *, to_the_end: bool = False) -> bool:
        """Whether it is stuck. `to_the_end`: play it all, however certain it is before."""
        with Steps(self.run()) as steps:
            done = steps.advance(self._over_s + 1.0)
            while not done:
                done = steps.advance(LOOK_S)
                if not to_the_end and (known := self._known(steps.now_s)) is not None:
                    return known
        self._look()
        return self._served <= self._lost

    async def _sample(self, assembly: Assembly, crowd: Crowd) -> None:
        self._assembly = assembly
        await super()._sample(assembly, crowd)

    def _known(self, now_s: float) -> bool | None:
        """The verdict, if nothing can change it any more."""
        is_healthy = self._look()
        if now_s > self._over_s + FROM_S:
            if 2 * self._served > self._in_window():
                return False
            if 2 * self._lost >= self._in_window():
                return True
        if is_healthy and self._is_as_before():
            return False
        assert self._assembly is not None, "it has begun"
        after_s = now_s - self._over_s
        return True if self._outlasts(self._assembly.office.queue_depth, after_s) else None

    def _look(self) -> bool:
        """Take in the orders that have ended. Whether those of the last second were served."""
        ended = self.orders[self._looked_at :]
        self._looked_at += len(ended)
        for order in ended:
            if order.t_s >= self._over_s + FROM_S:
                if order.fate == OK:
                    self._served += 1
                else:
                    self._lost += 1
        recent = self.orders[-max(8, int(self.plan.rate_per_s)) :]
        return sum(order.fate == OK for order in recent) >= SERVED_AGAIN * len(recent)

    def _is_as_before(self) -> bool:
        assert self._assembly is not None, "it has begun"
        assert self._crowd is not None
        office = self._assembly.office
        return (
            office.queue_depth == 0
            and office.in_flight <= office.workers
            and self._crowd.ordering <= office.workers_busy
            and set(office.breaker_states().values()) == {"closed"}
        )

    def _in_window(self) -> int:
        """How many orders are due in it."""
        if self._all is None:
            plan, chance = self.plan, random.Random(f"arrivals {self.plan.seed}")
            due = arrivals(plan.scenario, plan.rate_per_s, plan.seconds, chance)
            self._all = sum(t_s >= self._over_s + FROM_S for t_s in due)
        return self._all


class _Outlasting:
    """Whether a queue will keep everybody waiting too long until the window is over.

    Asked only where it can be known: oldest first, without a bound, nobody dropped, and clients who
    try again at once as often as they may. Then an order that finds more work in the queue than its
    client waits for comes n times, n = retries + 1; with work n·ρ arriving and 1 done a second the
    queue drifts by n·ρ - 1, and its work varies by n²·ρ/capacity a second. That it ever falls by x
    against an upward drift d has the chance exp(-2·d·x/variance) (a Brownian motion's).
    """

    def __init__(self, settings: Settings, plan: Plan) -> None:
        self._capacity_per_s = capacity = settings.nominal_capacity or inf
        self._is_known = _is_plain(settings, plan)
        load, times = plan.rate_per_s / capacity, plan.retries + 1
        self._drift = times * load - 1
        scatter = 0.0 if settings.payment_latency_distribution == "constant" else SCATTER
        self._variance = times**2 * load * (1 + scatter) / capacity
        # Until every order comes as often as it may, the queue may fall; and it must stay too long.
        self._spare_s = plan.client_timeout_s * (1 + plan.retries * max(0.0, 1 - load))
        self._timeout_s = plan.client_timeout_s

    def __call__(self, depth: int, after_s: float) -> bool:
        if not self._is_known:
            return False
        work_s = depth / self._capacity_per_s
        if after_s + work_s - self._timeout_s > (FROM_S + UNTIL_S) / 2 + 1:
            return True  # even if nobody else came
        above_s = work_s - self._spare_s
        return self._drift > 0 < above_s and 2 * self._drift * above_s > SURE * self._variance


def _is_plain(settings: Settings, plan: Plan) -> bool:
    knobs = (
        settings.queue_discipline == "fifo",
        settings.queue_capacity == -1,
        settings.limit_algorithm == "fixed",
        not settings.max_in_flight,
        not settings.client_max_in_flight,
        not settings.request_timeout_s,
        not settings.drop_on_disconnect,
        not settings.breaker_enabled,
        not plan.send_deadline,
        plan.backoff == "none",
        plan.retry_budget is None,
        plan.retry_policy is None,
        not plan.browse_per_s,
    )
    return all(knobs)
