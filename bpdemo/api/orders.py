"""`POST /orders` and `GET /orders/{id}`."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response
from starlette.types import Receive

from bpdemo.api.arrival import Arrival, arrival_of
from bpdemo.api.body import parse_as, read_body
from bpdemo.api.documented import answers
from bpdemo.api.errors import CallerGone, ReadTimeout
from bpdemo.api.headers import check
from bpdemo.api.replies import json_reply, order_fields
from bpdemo.api.schemas import OrderBody, OrderOut
from bpdemo.core.errors import WouldExpire
from bpdemo.core.model import OrderRequest
from bpdemo.service.box_office import BoxOffice
from bpdemo.service.intake import CallerLeft, Intake
from bpdemo.service.order_job import Caller, Sale

_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": OrderBody.model_json_schema()}},
    }
}


def orders_router(office: BoxOffice, max_body_bytes: int) -> APIRouter:
    router = APIRouter(tags=["orders"])

    @router.post(
        "/orders",
        status_code=201,
        responses={
            201: {"model": OrderOut},
            **answers(OrderOut, 408, 409, 413, 422, 429, 503, 504),
        },
        openapi_extra=_BODY,
        summary="Place an order, and wait until it is paid and stored.",
    )
    async def place_order(request: Request) -> Response:
        arrival = arrival_of(request.scope)
        caller = arrival.caller
        assert caller is not None, "the door makes one for every POST /orders"
        check(arrival.headers)
        wanted = await _read(arrival, request.receive, max_body_bytes, office.intake)
        sale = await _wait(office.intake, caller, wanted, arrival.wishes.key, request.receive)
        return _sold(sale, caller)

    @router.get(
        "/orders/{id}",
        responses=answers(OrderOut, 404, 422, 429, 503, 504),
        summary="A stored order.",
    )
    async def get_order(request: Request, id: str) -> Response:
        arrival = arrival_of(request.scope)
        check(arrival.headers)
        order = await office.catalogue.find_order(id, arrival.deadline)
        return json_reply(order_fields(order))

    return router


async def _read(
    arrival: Arrival, receive: Receive, max_body_bytes: int, intake: Intake
) -> OrderRequest:
    try:
        body = await read_body(arrival, receive, max_body_bytes)
    except ReadTimeout:
        if arrival.caller and arrival.body_due_s == arrival.deadline.at:
            # His own time ran out first: he is turned away, not told to send faster.
            expired = WouldExpire()
            intake.refuse(arrival.caller, expired)
            raise expired from None
        raise
    order = parse_as(OrderBody, body)
    return OrderRequest(order.item_id, order.quantity)


async def _wait(
    intake: Intake, caller: Caller, wanted: OrderRequest, key: str | None, receive: Receive
) -> Sale:
    """The sale. Raises what became of the order instead, `CallerGone` if nobody waits for it."""
    watch = asyncio.ensure_future(_watch(intake, caller, receive))
    try:
        await intake.admit(caller, wanted, key)
        return await caller.answer
    except CallerLeft:
        raise CallerGone from None
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if caller.left and task and not task.cancelling():  # only the answer was cancelled
            raise CallerGone from None
        intake.hang_up(caller)  # and with the request, which took its answer along
        raise
    finally:
        watch.cancel()


async def _watch(intake: Intake, caller: Caller, receive: Receive) -> None:
    """Nothing but a hang-up can come after the body."""
    while (await receive())["type"] != "http.disconnect":
        pass
    intake.hang_up(caller)


def _sold(sale: Sale, caller: Caller) -> Response:
    order, replayed = sale
    if caller.first and not replayed:
        return json_reply(order_fields(order), 201, {"Location": f"/orders/{order.id}"})
    return json_reply(order_fields(order))
