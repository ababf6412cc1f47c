"""One ordeal: a service under a steady load, a dependency that is slow for a while, and whether the
service is *stuck* when that is over.

Stuck: from 30 to 60 s after the trigger, no more than half of the orders are served in time. A run
is not played to its end where the end is certain before: once the orders of the window that are
over have decided it, whatever the rest does, or once it can be proven how it goes on
(`foresight.py`).
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from bpdemo.assembly.office import Assembly
from bpdemo.core.errors import SettingsInvalid
from bpdemo.core.settings import Settings
from bpdemo.plan.arrivals import arrivals
from bpdemo.plan.fates import OK
from bpdemo.sim.crowd import Crowd
from bpdemo.sim.foresight import Foresight
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


@dataclass(frozen=True, slots=True)
class Trigger:
    """`knobs` as they stand while it lasts; after that they are as before."""

    knobs: Mapping[str, Any]

    @classmethod
    def slow_payment(cls, settings: Settings, times: float = SLOW_TIMES) -> Trigger:
        """Payments take so many times as long. `SettingsInvalid` where they take no time."""
        if not settings.payment_latency_s:
            told = "0 makes no payment that could be slower; it must be above 0 and up to 3600"
            raise SettingsInvalid("payment_latency_s", told)
        return cls({"payment_latency_s": settings.payment_latency_s * times})

    def require_effect(self, settings: Settings) -> None:
        """ValueError if these settings would not notice it; `SettingsInvalid` if no knob can be
        turned so."""
        if settings.changed(self.knobs) == settings:
            told = ", ".join(f"{name}={value!r}" for name, value in self.knobs.items())
            raise ValueError(f"trigger must change a knob: {told or 'it has none'} changes nothing")

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
        plan = ready.plan
        chance = random.Random(f"arrivals {plan.seed}")
        due_s = list(arrivals(plan.scenario, plan.rate_per_s, plan.seconds, chance))
        #: How many orders are due in the window.
        self._in_window = sum(t_s >= self._over_s + FROM_S for t_s in due_s)
        knobs = ready._changes[0][1] if ready._changes else {}
        self._foresight = Foresight(
            ready.settings, plan, knobs, self._over_s, due_s, self._in_window
        )
        self._assembly: Assembly | None = None
        self._looked_at = 0
        self._served = self._lost = 0

    def judge(self, *, to_the_end: bool = False) -> bool:
        """Whether it is stuck. `to_the_end`: play it all, however certain it is before."""
        with Steps(self.run()) as steps:
            done = steps.advance(self._over_s + 1.0)
            while not done:
                done = steps.advance(LOOK_S)
                if not to_the_end and (known := self._known(steps.now_s)) is not None:
                    return known
        self._look()
        return self._lost > 0 and self._served <= self._lost

    async def _sample(self, assembly: Assembly, crowd: Crowd) -> None:
        self._assembly = assembly
        await super()._sample(assembly, crowd)

    def _known(self, now_s: float) -> bool | None:
        """The verdict, if nothing can change it any more."""
        self._look()
        if 2 * self._served > self._in_window or not self._in_window:
            return False
        if 2 * self._lost >= self._in_window:
            return True
        if self._is_as_before() and self._foresight.stays_well(now_s):
            return False
        assert self._assembly is not None, "it has begun"
        depth = self._assembly.office.queue_depth
        return True if self._foresight.stays_stuck(now_s, depth) else None

    def _look(self) -> None:
        """Take in the orders that have ended."""
        ended = self.orders[self._looked_at :]
        self._looked_at += len(ended)
        for order in ended:
            if order.t_s >= self._over_s + FROM_S:
                if order.fate == OK:
                    self._served += 1
                else:
                    self._lost += 1

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
