"""What the capacity that a service tells is about."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from bpdemo.plan.request import Request

ORDERS: Final = "POST /orders"


def has_capacity_for(service: object, request: Request | None, user: str | Path | None) -> bool:
    """Whether what the service says of its capacity is about what is sent to it.

    A box office, which is known by its settings, tells its capacity for orders; what was said of
    any other service is about the requests that it takes.
    """
    if not getattr(service, "settings", None):
        return True
    return user is None and (request is None or request.name.partition("?")[0] == ORDERS)
