"""The service's HTTP edge without HTTP: what the door and the routes do for a request, through the
same entrance, with the same words for every answer, and with no byte sent.

A customer and their request are two things here, as they are over a network. The customer may leave
at any moment; the request is over when the service is done with it, and holds its permit until
then. Whether the service heeds a hang-up is its own affair (`drop_on_disconnect`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
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

REQUEST_ID: Final = "virtual"
#: All customers who give no name come from one address.
ADDRESS: Final = "127.0.0.1"
#: How much sooner a customer's time is up than that of their request, which starts on its arrival.
#: Without it the two would fall into one moment, and rounding would say which comes first.
ON_THE_WAY_S: Final = 1e-6


class Answer(NamedTuple):
    """What the load generator would read of an answer; `source` is where an item came from."""

    status: int
    reason: str = ""
    retry_after_s: float | None = None
    source: str = ""


LEFT: Final = Answer(CALLER_LEFT, "caller_left")


class Edge:
    """Takes requests for one service. Each is answered with what its customer hears."""

    def __init__(self, office: BoxOffice) -> None:
        self._office = office
        self._entrance = Entrance(office)
        self._loop = asyncio.get_running_loop()
        self._serving: set[asyncio.Task[None]] = set()

    async def order(self, visit: Visit, plan: Plan, gives_up_s: float) -> Answer:
        """`POST /orders`. The customer leaves at `gives_up_s`, on the loop's clock."""
        told_ms, priority = plan.told_timeout_ms, int(visit.priority or 1)
        timeout_s = told_ms / 1000 if told_ms else None
        try:
            stay = self._enter(visit.client, timeout_s, priority, is_order=True)
        except Refused as refused:
            return self._told(refused)
        caller, intake = stay.caller, self._office.intake
        assert caller is not None, "the entrance makes one for every order"

        async def place() -> Answer:
            wanted = OrderRequest(visit.item, 1)
            sale = await sale_to(caller, wanted, visit.key or None, intake)
            return Answer(status_of(sale, caller))

        return await self._heard(place(), stay, gives_up_s, lambda: intake.hang_up(caller))

    async def look(self, item_id: int, gives_up_s: float) -> Answer:
        """`GET /items/{id}`. The service does not listen for a hang-up here."""
        try:
            stay = self._enter("", None, 1, is_order=False)
        except Refused as refused:
            return self._told(refused)

        async def find() -> Answer:
            _, source = await self._office.catalogue.find_item(item_id, stay.deadline)
            return Answer(200, source=source)

        return await self._heard(find(), stay, gives_up_s, lambda: None)

    def _enter(
        self, client: str, timeout_s: float | None, priority: int, *, is_order: bool
    ) -> Stay:
        share = share_of(client or None, ADDRESS)
        now = self._loop.time()
        return self._entrance.enter(REQUEST_ID, share, now, timeout_s, priority, is_order=is_order)

    async def _heard(
        self,
        work: Coroutine[Any, Any, Answer],
        stay: Stay,
        gives_up_s: float,
        hang_up: Callable[[], None],
    ) -> Answer:
        """What the customer hears of it, who waits until `gives_up_s`."""
        heard: asyncio.Future[Answer] = self._loop.create_future()

        def leave() -> None:
            if not heard.done():
                heard.set_result(LEFT)
                hang_up()

        timer = self._loop.call_at(gives_up_s - ON_THE_WAY_S, leave)
        serving = self._loop.create_task(self._serve(work, stay, heard))
        self._serving.add(serving)
        serving.add_done_callback(self._serving.discard)
        try:
            return await heard
        finally:
            timer.cancel()

    async def _serve(
        self, work: Coroutine[Any, Any, Answer], stay: Stay, heard: asyncio.Future[Answer]
    ) -> None:
        """The request to its end, whether its customer still waits or not."""
        answer: Answer | None = None
        try:
            answer = await work
        except CallerLeft:
            pass
        except Exception as error:
            answer = self._told(error)
        finally:
            stay.end(answer.status, answer.reason) if answer else stay.end(None)
        if answer and not heard.done():
            heard.set_result(answer)

    def _told(self, error: BaseException) -> Answer:
        status, told, retry_after_s = answer_to(error, self._office.advice.retry_after_s)
        if status == 409:
            return Answer(status)  # sold out is an answer like another, and has no reason
        return Answer(status, told.reason, retry_after_s)
