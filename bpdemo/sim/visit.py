"""One request without HTTP: the door's checks in the door's order, then a place and the answer."""

from __future__ import annotations

import asyncio

from bpdemo.core.errors import Draining, Refused
from bpdemo.core.model import OrderRequest
from bpdemo.service.box_office import BoxOffice
from bpdemo.service.order_job import Caller, Sale

REQUEST_ID = "virtual"


async def visit(
    office: BoxOffice,
    wanted: OrderRequest,
    key: str | None,
    client: str,
    priority: int,
    patience_s: float | None,
) -> Sale:
    """The sale. Raises what the order ended with instead; cancelling it is hanging up."""
    now = asyncio.get_running_loop().time()
    try:
        if office.state != "open":
            raise Draining
        inside = office.gate.enter(client)
    except Refused as refused:
        office.intake.reject(REQUEST_ID, refused)
        raise
    status: int | None = None
    try:
        caller = office.intake.receive(REQUEST_ID, office.deadline(now, patience_s), priority)
        sale = await _be_served(office, caller, wanted, key)
        status = 201
        return sale
    finally:
        inside.end(status)


async def _be_served(
    office: BoxOffice, caller: Caller, wanted: OrderRequest, key: str | None
) -> Sale:
    try:
        await office.intake.admit(caller, wanted, key)
        return await caller.answer
    except asyncio.CancelledError:
        office.intake.hang_up(caller)
        raise
    finally:
        office.intake.part(caller)
