"""A witness of a run: the way of each single attempt through the service, step by step.

    arrived ──▶ placed ──▶ began ──▶ left
       └──────────── heard ────────────┘

A caller may hear what became of them long before their job leaves the service: that is work which
nobody waits for. The witness only listens; the run is the same to the last order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from bpdemo.assembly.office import Assembly
from bpdemo.core.events import Event, OrderEnded
from bpdemo.plan.fates import fate_of
from bpdemo.plan.plan import Plan
from bpdemo.plan.visits import Visit
from bpdemo.service.box_office import BoxOffice
from bpdemo.service.entrance import Stay
from bpdemo.service.order_job import Caller, OrderJob
from bpdemo.sim.crowd import Crowd
from bpdemo.sim.visit import Answer, Edge

UNKNOWN: Final = -1
"""The fate of an attempt that is not over."""


class Journey(NamedTuple):
    """One attempt, in seconds from the start of the run; None for a step that never came.

    `placed_s`: it had a place, waiting or at a worker. `left_s`: that place was free again.
    `is_retried`: another attempt of the same order (`order` counts them) followed.
    """

    order: int
    arrived_s: float
    placed_s: float | None
    began_s: float | None
    left_s: float | None
    heard_s: float | None
    fate: int
    is_retried: bool


@dataclass(slots=True, eq=False)
class _Seen:
    """What is known of an attempt so far."""

    visit: Visit
    arrived_s: float
    caller: Caller | None = None
    heard_s: float | None = None
    fate: int = UNKNOWN


class Witness:
    """Hears one run. `journeys` may be asked meanwhile, and when it is over."""

    def __init__(self) -> None:
        self._seen: list[_Seen] = []
        self._left_s: dict[OrderJob, float] = {}
        self._crowd: Crowd | None = None
        self.is_over = False  # the last answer was heard

    def crowd(self, plan: Plan, assembly: Assembly) -> Crowd:
        """The crowd that carries out the plan before these eyes."""
        self._crowd = _SeenCrowd(plan, assembly, self)
        return self._crowd

    def observe(self, event: Event, /) -> None:
        """A caller's order has ended: with the last of a job's callers its place is free.

        What is shed because the run is over was never seen to leave.
        """
        if isinstance(event, OrderEnded) and self._crowd and not self.is_over:
            caller = self._seen[int(event.request_id)].caller
            if caller and caller.job:
                self._left_s[caller.job] = self._crowd.now_s

    def begin(self, visit: Visit, arrived_s: float) -> _Seen:
        seen = _Seen(visit, arrived_s)
        self._seen.append(seen)
        return seen

    def enter(self, caller: Caller) -> None:
        """The attempt that began last has come through the door."""
        # The name by which the ledger tells of this caller's end.
        caller.request_id = str(len(self._seen) - 1)
        self._seen[-1].caller = caller

    @property
    def attempts(self) -> int:
        """How many there were so far."""
        return len(self._seen)

    def journeys(self) -> list[Journey]:
        """In the order in which the attempts were made."""
        # By the object: two users of a closed loop may come at the same moment.
        orders: dict[int, int] = {}
        last = {id(seen.visit): number for number, seen in enumerate(self._seen)}
        return [
            Journey(
                orders.setdefault(id(seen.visit), len(orders)),
                seen.arrived_s,
                *self._places(seen.caller),
                seen.heard_s,
                seen.fate,
                last[id(seen.visit)] != number,
            )
            for number, seen in enumerate(self._seen)
        ]

    def _places(self, caller: Caller | None) -> tuple[float | None, float | None, float | None]:
        # One who joined the job of another attempt has no place of its own.
        if caller is None or caller.job is None or not caller.first or self._crowd is None:
            return None, None, None
        job, start_s = caller.job, self._crowd.start_s
        began_s = None if job.started_s is None else job.started_s - start_s
        return job.came_s - start_s, began_s, self._left_s.get(job)


class _SeenCrowd(Crowd):
    """Tells the witness of each attempt, and of what is heard of it."""

    def __init__(self, plan: Plan, assembly: Assembly, witness: Witness) -> None:
        super().__init__(plan, assembly, _SeenEdge(assembly.office, witness))
        self._witness = witness

    async def run(self) -> None:
        await super().run()
        self._witness.is_over = True

    def ask(self, visit: Visit, due_s: float, hear: Callable[[Answer], None]) -> None:
        seen = self._witness.begin(visit, self.now_s)
        timeout_s = self._plan.client_timeout_s

        def heard(answer: Answer) -> None:
            seen.heard_s = now_s = self.now_s
            seen.fate = fate_of(answer.status, answer.reason, now_s - due_s, timeout_s)
            hear(answer)

        super().ask(visit, due_s, heard)


class _SeenEdge(Edge):
    """Tells the witness who has come through the door."""

    def __init__(self, office: BoxOffice, witness: Witness) -> None:
        super().__init__(office)
        self._witness = witness

    def _enter(self, *args: Any, **kwargs: Any) -> Stay:
        stay = super()._enter(*args, **kwargs)
        if stay.caller:
            self._witness.enter(stay.caller)
        return stay
