"""A customer, and what they were told."""

import asyncio
from math import inf
from typing import Any

from bpdemo.core.model import Order, OrderRequest
from bpdemo.service.order_job import Caller, OrderJob

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
