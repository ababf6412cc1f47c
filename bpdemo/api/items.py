"""`GET /items` and `GET /items/{id}`: the read-heavy side."""

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import WithJsonSchema
from starlette.responses import Response

from bpdemo.api import paths
from bpdemo.api.arrival import arrival_of
from bpdemo.api.documented import answers
from bpdemo.api.headers import check
from bpdemo.api.query import read_query
from bpdemo.api.replies import item_fields, json_reply
from bpdemo.api.schemas import LARGEST_ID, ItemOut, ItemsOut
from bpdemo.core.errors import InvalidRequest, NotFound
from bpdemo.core.events import CACHE_RESULTS
from bpdemo.service.catalogue import Catalogue

_PAGE = {
    "parameters": [
        {
            "name": "limit",
            "in": "query",
            "schema": {"type": "integer", "minimum": 1, "maximum": 100, "default": 20},
        },
        {
            "name": "after",
            "in": "query",
            "schema": {"type": "integer", "minimum": 0, "maximum": LARGEST_ID, "default": 0},
        },
    ]
}

_SOURCE = {"X-Cache": {"required": True, "schema": {"type": "string", "enum": list(CACHE_RESULTS)}}}
#: Read by ourselves, so that what is wrong with it is told as all else is.
ItemId = Annotated[str, WithJsonSchema({"type": "integer", "minimum": 1})]


def items_router(catalogue: Catalogue) -> APIRouter:
    router = APIRouter(tags=["items"])

    @router.get(
        paths.ITEMS,
        responses=answers(ItemsOut, 422, 429, 503, 504),
        openapi_extra=_PAGE,
        summary="The catalogue, a page at a time.",
    )
    async def list_items(request: Request) -> Response:
        arrival = arrival_of(request.scope)
        check(arrival.headers)
        limit = read_query(request, "limit", default=20, low=1, high=100)
        after = read_query(request, "after", default=0, low=0, high=LARGEST_ID)
        items, next_after = await catalogue.list_items(limit, after, arrival.deadline)
        return json_reply({"items": [item_fields(item) for item in items], "next": next_after})

    @router.get(
        paths.ITEM,
        responses={
            **answers(ItemOut, 404, 422, 429, 503, 504),
            200: {"model": ItemOut, "headers": _SOURCE},
        },
        summary="One item, from the cache where possible.",
    )
    async def get_item(request: Request, id: ItemId) -> Response:
        arrival = arrival_of(request.scope)
        check(arrival.headers)
        item, source = await catalogue.find_item(_item_id(id), arrival.deadline)
        return json_reply(item_fields(item), headers={"X-Cache": source})

    return router


def _item_id(text: str) -> int:
    if not (text.isascii() and text.removeprefix("-").isdigit()):
        raise InvalidRequest("id", "is not a whole number")
    # Before int(): a number of thousands of digits is refused by Python itself.
    item_id = int(text) if len(text) <= 10 else LARGEST_ID + 1
    if not 1 <= item_id <= LARGEST_ID:
        raise NotFound
    return item_id
