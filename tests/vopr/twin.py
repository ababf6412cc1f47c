"""Customers as the simulation brings them: through its edge, which has no HTTP either."""

import asyncio
from collections.abc import Callable
from typing import Any

from bpdemo.plan.plan import Plan
from bpdemo.plan.visits import Visit
from bpdemo.sim import visit as edge
from tests.vopr.anatomy import Anatomy
from tests.vopr.customer import CANCELLED, LEFT, Customer
from tests.vopr.doorway import Doorway
from tests.vopr.verdicts import Diary, Verdicts

#: For a customer who would wait for ever.
FOR_EVER_S = 1e6


class TwinDoorway(Doorway):
    """One ticket each, no slow bodies; a customer who leaves does so at a moment fixed before."""

    def __init__(
        self, anatomy: Anatomy, clock: Callable[[], float], verdicts: Verdicts, diary: Diary
    ) -> None:
        super().__init__(anatomy, clock, verdicts, diary)
        self._edge: Any = edge.Edge(anatomy.office)
        self._edge._entrance = self.entrance

    def hangs_up(self, one: Customer) -> None:
        """They leave by themselves."""

    async def be_served(self, one: Customer) -> None:
        what, timeout_s = one.what, one.what["timeout_s"]
        visit = Visit(one.came_s, one.wanted.item_id, what["client"], str(what["priority"]),
                      one.key or "")  # fmt: skip
        tells = timeout_s is not None
        plan = Plan(1.0, client_timeout_s=max(timeout_s or 1.0, 0.001), send_deadline=tells)
        if plan.told_timeout_ms:
            told_s = plan.told_timeout_ms / 1000
            one.deadline_s = self._office.deadline(one.came_s, told_s).at
        leaves_s = what["hang_up_s"]
        waits_s = FOR_EVER_S if leaves_s is None else leaves_s
        self.entrance.now_comes = one
        try:
            answer = await self._edge.order(visit, plan, one.came_s + waits_s)
        except asyncio.CancelledError:
            self.end(one, CANCELLED)
            raise
        if answer == edge.LEFT:
            self.end(one, LEFT)
            return
        one.reason = answer.reason or ("sold_out" if answer.status == 409 else None)
        if answer.retry_after_s is not None:
            one.retry_after = b"%d" % answer.retry_after_s
        self.end(one, answer.status)
