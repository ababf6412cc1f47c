"""How customers come: as the HTTP edge brings them, through gate, door and line."""

import asyncio
from collections.abc import Callable
from math import inf
from typing import Any

from bpdemo.api.errors import ReadTimeout
from bpdemo.api.problems import Problems
from bpdemo.core.errors import BoxOfficeError, InvalidRequest, Refused, WouldExpire
from bpdemo.service.entrance import sale_to, status_of
from bpdemo.service.intake import CallerLeft
from bpdemo.service.order_job import Caller
from tests.vopr.anatomy import Anatomy
from tests.vopr.customer import CANCELLED, LEFT, Customer
from tests.vopr.entrance import WatchedEntrance
from tests.vopr.verdicts import Diary, Verdicts

READ_TIMEOUT_S = 5.0


class Doorway:
    """Does what the HTTP edge does for an order, through the same entrance, without HTTP."""

    def __init__(
        self, anatomy: Anatomy, clock: Callable[[], float], verdicts: Verdicts, diary: Diary
    ) -> None:
        self.customers: list[Customer] = []
        self.may_break = True  # whether a dependency may raise what is not ours
        self.may_cancel = True  # or end with a CancelledError of its own
        self.drain_ends_s = inf  # until then a drain drops nobody
        self.entrance = WatchedEntrance(anatomy, clock, verdicts)
        self._office = anatomy.office
        self._clock = clock
        self._verdicts = verdicts
        self._diary = diary
        self._problems = Problems(self._office.advice.retry_after_s)

    def comes(self, what: dict[str, Any]) -> Customer:
        one = Customer(len(self.customers), what)
        self.customers.append(one)
        one.task = asyncio.get_running_loop().create_task(self._visit(one), name=one.id)
        return one

    def hangs_up(self, one: Customer) -> None:
        one.hung_up.set()
        if one.caller is not None and one.status is None:
            self._office.intake.hang_up(one.caller)

    async def _visit(self, one: Customer) -> None:
        one.came_s = self._clock()
        one.deadline_s = self._office.deadline(one.came_s, one.what["timeout_s"]).at
        await self.be_served(one)

    async def be_served(self, one: Customer) -> None:
        what = one.what
        try:
            stay = self.entrance.let_in(one)
        except Refused as refused:
            self._tell_no(one, refused)
            return
        assert stay.caller is not None
        try:
            await self._send_body(one, stay.caller)
            intake, durable = self._office.intake, self._office.can_promise and what["later"]
            with self.entrance.watching_place(one):
                sale = await sale_to(stay.caller, one.wanted, one.key, intake, durable=durable)
            one.order = sale.order
            self.end(one, status_of(sale, stay.caller))
        except CallerLeft:
            self.end(one, LEFT)
        except asyncio.CancelledError:
            self.end(one, CANCELLED)
            raise
        except Exception as error:
            self._tell_no(one, error)
        finally:
            stay.end(one.status if isinstance(one.status, int) else None)

    async def _send_body(self, one: Customer, caller: Caller) -> None:
        if one.what["body_s"]:
            due_s = min(one.came_s + READ_TIMEOUT_S, one.deadline_s)
            try:
                async with asyncio.timeout_at(min(one.came_s + one.what["body_s"], due_s)):
                    await one.hung_up.wait()
                raise CallerLeft
            except TimeoutError:
                pass
            if one.came_s + one.what["body_s"] > due_s:
                if due_s != one.deadline_s:
                    raise ReadTimeout
                self._office.intake.refuse(caller, refused := WouldExpire())
                raise refused
        if one.what["unreadable"]:
            raise InvalidRequest("quantity", "is not a whole number")

    def _tell_no(self, one: Customer, error: BaseException) -> None:
        ours = isinstance(error, BoxOfficeError) or self.may_break
        self._verdicts.expect(ours, "an error that nobody injected", repr(error))
        self.check_cause(error)
        one.reason = getattr(error, "reason", "internal_error")
        status, headers, _ = self._problems.of(error)
        one.retry_after = dict(headers).get(b"retry-after")
        self.end(one, status)

    def check_cause(self, error: BaseException) -> None:
        """Nobody is told of a load that was cancelled, where the store cancels nothing."""
        real = self.may_cancel or not isinstance(error.__cause__, asyncio.CancelledError)
        self._verdicts.expect(real, "told of a cancellation that nobody asked for", repr(error))

    def end(self, one: Customer, status: int | str) -> None:
        one.status, one.answered_s = status, self._clock()
        self._diary.note("told", one.id, status, one.reason, one.order and one.order.id)
