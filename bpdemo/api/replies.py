"""Answers that are a yes."""

from typing import Any

from pydantic_core import to_json
from starlette.responses import Response

from bpdemo.core.model import Item, Order


def json_reply(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(to_json(content), status, headers, media_type="application/json")


def item_fields(item: Item) -> dict[str, Any]:
    return item._asdict()


def order_fields(order: Order) -> dict[str, Any]:
    """An order as its owner sees it: without the key."""
    fields = {
        "id": order.id,
        "item_id": order.item_id,
        "quantity": order.quantity,
        "amount_cents": order.amount_cents,
        "status": order.status,
        "created_at": order.created_at.isoformat(),
    }
    return fields if order.reason is None else fields | {"reason": order.reason}
