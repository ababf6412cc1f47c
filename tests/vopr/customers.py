"""Customers, who come as the HTTP edge brings them: through the gate, the door, the line."""

import asyncio
from math import inf
from typing import Any

from bpdemo.api.errors import ReadTimeout
from bpdemo.api.problems import Problems
from bpdemo.core.errors import BoxOfficeError, Draining, InvalidRequest, Refused, WouldExpire
from bpdemo.core.model import Order, OrderRequest
from bpdemo.service.intake import CallerLeft
from bpdemo.service.order_job import Caller, OrderJob, Sale
from tests.vopr.anatomy import Anatomy
from tests.vopr.verdicts import Diary, Verdicts

READ_TIMEOUT_S = 5.0
SOLD = (200, 201)
PROMISED = 202
LEFT, CANCELLED = "left", "cancelled"


class Customer:
    """One `POST /orders`. `status` is HTTP's, or `left` or `cancelled`; None meanwhile."""

    def __init__(self, number: int, what: dict[str, Any]) -> None:
        self.id = f"r{number}"
        self.what = what
        self.wanted = OrderRequest(what["item"], what["quantity"])
        self.key: str | None = what["key"]
        self.status: int | str | None = None
        self.reason: str | None = None
        self.order: Order | None = None
        self.retry_after: bytes | None = None
        self.came_s = self.answered_s = self.deadline_s = inf
        self.caller: Caller | None = None
        self.hung_up = asyncio.Event()
        self.task: asyncio.Task[None] | None = None

    @property
    def job(self) -> OrderJob | None:
        """The work that was done for them, alone or with others."""
        return self.caller.job if self.caller else None

    @property
    def was_admitted(self) -> bool:
        return self.caller is not None and self.caller.was_admitted

    @property
    def is_sold(self) -> bool:
        return self.status in SOLD

    @property
    def was_refused(self) -> bool:
        return self.status in (429, 503)

    @property
    def was_told_no(self) -> bool:
        """A definite no: nothing came of it, nor ever will."""
        return self.was_refused or self.status in (408, 409, 413, 422)


class Doorway:
    """Does what door and route do for an order, without HTTP."""

    def __init__(self, anatomy: Anatomy, clock: Any, verdicts: Verdicts, diary: Diary) -> None:
        self.inside = 0  # by its own count
        self.customers: list[Customer] = []
        self._anatomy = anatomy
        self._office = anatomy.office
        self._clock = clock
        self._verdicts = verdicts
        self._diary = diary
        self._problems = Problems(self._office.advice.retry_after_s)
        self.may_break = True  # whether a dependency may raise what is not ours
        self.drain_ends_s = inf  # until then a drain drops nobody

    def comes(self, what: dict[str, Any]) -> Customer:
        one = Customer(len(self.customers), what)
        self.customers.append(one)
        one.task = asyncio.get_running_loop().create_task(self.visit(one), name=one.id)
        return one

    def hangs_up(self, one: Customer) -> None:
        one.hung_up.set()
        if one.caller is not None and one.status is None:
            self._office.intake.hang_up(one.caller)

    async def visit(self, one: Customer) -> None:
        office = self._office
        one.came_s = self._clock()
        deadline = office.deadline(one.came_s, one.what["timeout_s"])
        one.deadline_s = deadline.at
        try:
            if office.state != "open":
                raise Draining
            stay = office.gate.enter(one.what["client"])
        except Refused as refused:
            office.intake.reject(one.id, refused)
            self._tell_no(one, refused)
            return
        self.inside += 1
        idle, full = self._anatomy.idle, self._anatomy.is_full
        try:
            one.caller = office.intake.receive(one.id, deadline, one.what["priority"])
        except Refused as refused:
            self.inside -= 1
            stay.end(None)
            self._check_refusal(one, refused, idle, full)
            self._tell_no(one, refused)
            return
        try:
            await self._be_served(one, one.caller)
        finally:
            office.intake.part(one.caller)
            self.inside -= 1
            stay.end(one.status if isinstance(one.status, int) else None)

    async def _be_served(self, one: Customer, caller: Caller) -> None:
        try:
            await self._send_body(one, caller)
            idle, full = self._anatomy.idle, self._anatomy.is_full
            durable = self._office.can_promise and one.what["later"]
            try:
                await self._office.intake.admit(caller, one.wanted, one.key, durable=durable)
            except Refused as refused:
                if self._office.intake.policy.when_full == "reject":
                    self._check_refusal(one, refused, idle, full)
                raise
            self._tell(one, await caller.answer)
        except CallerLeft:
            self._end(one, LEFT)
        except asyncio.CancelledError:
            me = asyncio.current_task()
            if caller.left and me and not me.cancelling():
                self._end(one, LEFT)
                return
            self._office.intake.hang_up(caller)
            self._end(one, CANCELLED)
            raise
        except Exception as error:
            self._tell_no(one, error)

    async def _send_body(self, one: Customer, caller: Caller) -> None:
        if one.what["body_s"]:
            due_s = min(one.came_s + READ_TIMEOUT_S, one.deadline_s)
            ends_s = min(one.came_s + one.what["body_s"], due_s)
            try:
                async with asyncio.timeout_at(ends_s):
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

    def _check_refusal(self, one: Customer, refused: Refused, idle: int, full: bool) -> None:
        """Whether it was refused for a reason that was there, as far as one can see from here."""
        expect, waiters = self._verdicts.expect, self._anatomy.queue.waiting
        if refused.reason == "queue_full":
            expect(full or waiters, "refused as full, and there is a place", one.id)
        if refused.reason == "would_expire" and not waiters and self._clock() < one.deadline_s:
            expect(idle <= 0, "refused for want of time while a worker idles", one.id)

    def _tell(self, one: Customer, sale: Sale) -> None:
        one.order = sale.order
        if sale.order.status != "confirmed":
            self._end(one, PROMISED)
        else:
            first = one.caller is not None and one.caller.first and not sale.replayed
            self._end(one, 201 if first else 200)

    def _tell_no(self, one: Customer, error: BaseException) -> None:
        ours = isinstance(error, BoxOfficeError) or self.may_break
        self._verdicts.expect(ours, "an error that nobody injected", repr(error))
        one.reason = getattr(error, "reason", "internal_error")
        status, headers, _ = self._problems.of(error)
        one.retry_after = dict(headers).get(b"retry-after")
        self._end(one, status)

    def _end(self, one: Customer, status: int | str) -> None:
        one.status, one.answered_s = status, self._clock()
        self._diary.note("told", one.id, status, one.reason, one.order and one.order.id)
