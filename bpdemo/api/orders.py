"""`POST /orders` and `GET /orders/{id}`."""

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response
from starlette.types import Receive

from bpdemo.api import paths
from bpdemo.api.arrival import Arrival, arrival_of
from bpdemo.api.body import parse_as, read_body
from bpdemo.api.connection.hang_up import Listening
from bpdemo.api.documented import Responses, answers
from bpdemo.api.errors import CallerGone, ReadTimeout
from bpdemo.api.headers import check
from bpdemo.api.prefer import RESPOND_ASYNC, prefers_async
from bpdemo.api.replies import json_reply, order_fields
from bpdemo.api.schemas import OrderBody, OrderOut
from bpdemo.api.straight import StraightRoute
from bpdemo.core.errors import InvalidRequest, WouldExpire
from bpdemo.core.model import Order, OrderRequest
from bpdemo.service.box_office import BoxOffice
from bpdemo.service.entrance import sale_to, status_of
from bpdemo.service.intake import CallerLeft, Intake
from bpdemo.service.order_job import Sale

_ASKED: dict[str, Any] = {
    "parameters": [
        {
            "name": "Prefer",
            "in": "header",
            "description": "`respond-async`: do not wait until the order is paid and stored, but "
            "take a 202 and ask for it later. Needs an `Idempotency-Key`. Ignored by a service "
            "whose store is in memory, as is every other preference (RFC 7240).",
            "schema": {"type": "string"},
            "examples": {RESPOND_ASYNC: {"value": RESPOND_ASYNC}},
        }
    ],
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": OrderBody.model_json_schema()}},
    },
}
_LOCATION = {"Location": {"required": True, "schema": {"type": "string"}}}
_PENDING: Responses = {
    202: {
        "model": OrderOut,
        "description": "The order is promised and waits for a worker; ask for it at `Location`.",
        "headers": {
            **_LOCATION,
            "Preference-Applied": {"schema": {"type": "string", "const": RESPOND_ASYNC}},
        },
    }
}


#: In the first its worker hears that the job is over and takes the next; that begins in the second.
TURNS_TO_BEGIN = 2


def orders_router(office: BoxOffice, max_body_bytes: int) -> APIRouter:
    router = APIRouter(tags=["orders"], route_class=StraightRoute)

    @router.post(
        paths.ORDERS,
        status_code=201,
        responses={
            201: {"model": OrderOut, "headers": _LOCATION},
            **_PENDING,
            **answers(OrderOut, 408, 409, 413, 422, 429, 503, 504),
        },
        openapi_extra=_ASKED,
        summary="Place an order, and wait until it is paid and stored, or prefer not to.",
    )
    async def place_order(request: Request) -> Response:
        arrival = arrival_of(request.scope)
        caller = arrival.caller
        assert caller is not None, "the door makes one for every POST /orders"
        check(arrival.headers)
        durable = office.can_promise and prefers_async(arrival.headers)
        if durable and not arrival.wishes.key:
            raise InvalidRequest("Idempotency-Key", f"is needed with Prefer: {RESPOND_ASYNC}")
        wanted = await _read(arrival, request.receive, max_body_bytes, office.intake)
        sale = await _wait(office.intake, arrival, wanted, request, durable=durable)
        await _let_the_next_begin()
        status = status_of(sale, caller)
        return _promised(sale.order, durable) if status == 202 else _sold(sale.order, status)

    @router.get(
        paths.ORDER,
        responses=answers(OrderOut, 404, 422, 429, 503, 504),
        summary="An order: sold, promised, or failed after it was promised.",
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
            # Their own time ran out first: they are refused, not told to send faster.
            expired = WouldExpire()
            intake.refuse(arrival.caller, expired)
            raise expired from None
        raise
    order = parse_as(OrderBody, body)
    return OrderRequest(order.item_id, order.quantity)


async def _wait(
    intake: Intake, arrival: Arrival, wanted: OrderRequest, request: Request, *, durable: bool
) -> Sale:
    """The sale. Raises what became of the order instead, `CallerGone` if nobody waits for it."""
    caller = arrival.caller
    assert caller is not None
    try:
        with Listening(
            request.scope,
            request.receive,
            lambda: intake.hang_up(caller),
            lambda: intake.policy.drop_on_disconnect,
        ):
            return await sale_to(caller, wanted, arrival.wishes.key, intake, durable=durable)
    except CallerLeft:
        raise CallerGone from None


async def _let_the_next_begin() -> None:
    """Hold the answer back until the worker that has just become free has begun its next order.

    It needs two turns of the loop for that, and to write an answer takes longer than both: of
    workers that finish in the same moment the last would otherwise stand still until the answers of
    all are written [8 workers of 40 ms sold 0.96 of their capacity, and so 0.975].
    """
    for _ in range(TURNS_TO_BEGIN):
        await asyncio.sleep(0)


def _promised(order: Order, preferred: bool) -> Response:
    """Also for one who did not ask for it: their key is promised, so there is nothing to wait for.

    An order that has failed by now tells why; anyone who reads the status alone will ask, and hear.
    """
    headers = {"Location": paths.ORDER.format(id=order.id)}
    if preferred:
        headers["Preference-Applied"] = RESPOND_ASYNC
    return json_reply(order_fields(order), 202, headers)


def _sold(order: Order, status: int) -> Response:
    headers = {"Location": paths.ORDER.format(id=order.id)} if status == 201 else None
    return json_reply(order_fields(order), status, headers)
