"""The service's HTTP edge without HTTP: what the door and the routes do for a request, through the
same entrance, with the same words for every answer, and with no byte sent.

A customer and their request are two things here, as they are over a network. The customer may leave
at any moment; the request is over when the service is done with it, and holds its permit until
then. Whether the service heeds a hang-up is its own affair (`drop_on_disconnect`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Final, NamedTuple

from bpdemo.core.errors import Refused
from bpdemo.core.model import OrderRequest
from bpdemo.core.reasons import answer_to
from bpdemo.plan.fates import CALLER_LEFT
from bpdemo.plan.plan import Plan
from bpdemo.plan.visits import Visit
from bpdemo.service.box_office import BoxOffice
from bpdemo.service.entrance import Entrance, Stay, sale_to, share_of, status_of
from bpdemo.service.intake import CallerLeft
from bpdemo.service.order_job import Sale
from bpdemo.sim.held import HeldTasks

REQUEST_ID: Final = "virtual"
#: All customers who give no name come from one address.
ADDRESS: Final = "127.0.0.1"
#: How much sooner a customer's time is up than that of their request, which starts on its arrival.
#: Without it the two would fall into one moment, and rounding would say which comes first.
ON_THE_WAY_S: Final = 1e-6
SHARE_OF_ADDRESS: Final = share_of(None, ADDRESS)


class Answer(NamedTuple):
    """What the load generator would read of an answer; `source` is where an item came from."""

    status: int
    reason: str = ""
    retry_after_s: float | None = None
    source: str = ""


#: Of a tuple, in half of the time.
new_request: Final = partial(tuple.__new__, OrderRequest)
#: Those that say nothing but what became of the order.
PLAIN: Final = {status: Answer(status) for status in (200, 201, 202)}
LEFT: Final = Answer(CALLER_LEFT, "caller_left")


class Edge:
    """Takes requests for one service. Each is answered with what its customer hears."""

    def __init__(self, office: BoxOffice) -> None:
        self._office = office
        self.intake = office.intake
        self._entrance = Entrance(office)
        self._loop = asyncio.get_running_loop()
        self._serving = HeldTasks()

    def take(
        self, visit: Visit, plan: Plan, gives_up_s: float, hear: Callable[[Answer], object]
    ) -> Hearing | None:
        """`POST /orders`. The customer leaves at `gives_up_s`, on the loop's clock.

        `hear` is called once: with a refusal at once, and then None is returned; else later.
        """
        told_ms, priority = plan.told_timeout_ms, int(visit.priority or 1)
        timeout_s = told_ms / 1000 if told_ms else None
        try:
            stay = self._enter(visit.client, timeout_s, priority, is_order=True)
        except Refused as refused:
            hear(self.told(refused))
            return None
        asking = Asking(hear, self, stay, new_request((visit.item, 1)), visit.key or None)
        asking.leaves_at(gives_up_s)
        if self.intake.policy.when_full == "block":
            asking.wait()
        else:  # a turn later, too, as a body is read after its head
            self._loop.call_soon(asking.place)
        return asking

    async def order(self, visit: Visit, plan: Plan, gives_up_s: float) -> Answer:
        """The same, waited for."""
        answer: asyncio.Future[Answer] = self._loop.create_future()
        return await _heard(answer, self.take(visit, plan, gives_up_s, _telling(answer)))

    async def look(self, item_id: int, gives_up_s: float) -> Answer:
        """`GET /items/{id}`. The service does not listen for a hang-up here."""
        try:
            stay = self._enter("", None, 1, is_order=False)
        except Refused as refused:
            return self.told(refused)

        async def find() -> Answer:
            _, source = await self._office.catalogue.find_item(item_id, stay.deadline)
            return Answer(200, source=source)

        answer: asyncio.Future[Answer] = self._loop.create_future()
        hearing = Hearing(_telling(answer))
        hearing.leaves_at(gives_up_s)
        self.serve(find(), stay, hearing)
        return await _heard(answer, hearing)

    def _enter(
        self, client: str, timeout_s: float | None, priority: int, *, is_order: bool
    ) -> Stay:
        share = share_of(client, ADDRESS) if client else SHARE_OF_ADDRESS
        now = self._loop.time()
        return self._entrance.enter(REQUEST_ID, share, now, timeout_s, priority, is_order=is_order)

    def serve(self, work: Coroutine[Any, Any, Answer], stay: Stay, hearing: Hearing) -> None:
        """The request to its end, whether its customer still waits or not."""

        async def serve() -> None:
            answer: Answer | None = None
            try:
                try:
                    answer = await work
                except CallerLeft:
                    pass
                except Exception as error:
                    answer = self.told(error)
                finally:
                    hearing.end(stay, answer)
            except Exception as error:
                # Told now: nobody awaits this task, and its end would be told with the next
                # collection of garbage, which may come after the run.
                self._loop.call_exception_handler(
                    {"message": "A request could not be ended.", "exception": error}
                )

        self._serving.add(self._loop.create_task(serve()))

    def told(self, error: BaseException) -> Answer:
        """What is answered where that was raised."""
        status, told, retry_after_s = answer_to(error, self._office.advice.retry_after_s)
        if status == 409:
            return Answer(status)  # sold out is an answer like another, and has no reason
        return Answer(status, told.reason, retry_after_s)


class Hearing:
    """What a customer hears, once: the answer, or that they have left."""

    __slots__ = ("_hear", "_is_over", "_timer")

    def __init__(self, hear: Callable[[Answer], object]) -> None:
        self._timer: asyncio.TimerHandle | None = None
        self._hear = hear
        self._is_over = False

    def leaves_at(self, gives_up_s: float) -> None:
        """They wait until then."""
        loop = asyncio.get_running_loop()
        self._timer = loop.call_at(gives_up_s - ON_THE_WAY_S, self.leave)

    def end(self, stay: Stay, answer: Answer | None) -> None:
        """The service is done: None if it heard that nobody waits any more."""
        if answer is None:
            stay.end(None)
        else:
            stay.end(answer.status, answer.reason)
            self.tell(answer)

    def tell(self, answer: Answer) -> None:
        """The answer, if the customer is still there. They act on it when the service is done
        with this moment, as those do who hear of it over a network.
        """
        if not self._is_over:
            self.close()
            asyncio.get_running_loop().call_soon(self._hear, answer)

    def leave(self) -> None:
        """Their time is up."""
        if not self._is_over:
            self.tell(LEFT)
            self.hang_up()

    def hang_up(self) -> None:
        """The service does not listen for that, unless an order is asked for."""

    def close(self) -> None:
        """Nobody listens any more."""
        self._is_over = True
        if self._timer:
            self._timer.cancel()


class Asking(Hearing):
    """One who asks for an order. A task is made for them only where they wait for a place: one who
    has it needs nothing but to be told what the worker made of it."""

    __slots__ = ("_caller", "_edge", "_key", "_stay", "_wanted")

    def __init__(
        self,
        hear: Callable[[Answer], object],
        edge: Edge,
        stay: Stay,
        wanted: OrderRequest,
        key: str | None,
    ) -> None:
        self._hear = hear  # `super().__init__` would take as long as all of this
        self._is_over = False
        self._timer = None
        assert stay.caller is not None, "the entrance makes one for every order"
        self._caller = stay.caller
        self._edge = edge
        self._stay = stay
        self._wanted = wanted
        self._key = key

    def place(self) -> None:
        """Take a place at once, or wait for it."""
        try:
            has_place = self._edge.intake.try_admit(self._caller, self._wanted, self._key)
        except CallerLeft:
            self.end(self._stay, None)
            return
        except Exception as error:
            self.end(self._stay, self._edge.told(error))
            return
        if has_place:
            self._caller.answer.add_done_callback(self._answered)
        else:
            self.wait()

    def wait(self) -> None:
        """Ask in a task of its own, which may wait."""
        self._edge.serve(self._wait(), self._stay, self)

    def hang_up(self) -> None:
        self._edge.intake.hang_up(self._caller)

    def _answered(self, sale: asyncio.Future[Sale]) -> None:
        answer: Answer | None = None
        if not sale.cancelled():  # or they have left
            error = sale.exception()
            answer = self._edge.told(error) if error else self._sold(sale.result())
        self.end(self._stay, answer)

    async def _wait(self) -> Answer:
        return self._sold(await sale_to(self._caller, self._wanted, self._key, self._edge.intake))

    def _sold(self, sale: Sale) -> Answer:
        return PLAIN[status_of(sale, self._caller)]


async def _heard(answer: asyncio.Future[Answer], hearing: Hearing | None) -> Answer:
    try:
        return await answer
    finally:
        if hearing:
            hearing.close()


def _telling(answer: asyncio.Future[Answer]) -> Callable[[Answer], None]:
    def tell(told: Answer) -> None:
        if not answer.done():  # who waited for it may have been cancelled meanwhile
            answer.set_result(told)

    return tell
