"""The way in and the way out of every limited request, over HTTP and in virtual time alike.

    draining → client share → edge limit → (an order) circuit, queue, time → inside ──▶ end

The HTTP edge and the simulation both come through here, so that neither the order of the checks nor
the end of a permit can differ between them.
"""

import asyncio

from bpdemo.core.errors import Draining, Refused
from bpdemo.core.model import OrderRequest
from bpdemo.flow.deadline import Deadline
from bpdemo.service.box_office import BoxOffice
from bpdemo.service.gate import GatePass
from bpdemo.service.intake import CallerLeft, Intake
from bpdemo.service.order_job import Caller, Sale


def share_of(client: str | None, peer: str | None) -> str:
    """Whose share of the service a request counts against: that of the client it names, else of
    the address it comes from. The two kinds are kept apart: nobody can pose as another's address.
    """
    if client is not None:
        return f"id {client}"
    return "peer" if peer is None else f"peer {peer}"


class Stay:
    """One request inside the service: `end` it exactly once, whatever became of it."""

    __slots__ = ("_intake", "_visit", "caller", "deadline")

    def __init__(
        self, visit: GatePass, intake: Intake, deadline: Deadline, caller: Caller | None
    ) -> None:
        self._visit = visit
        self._intake = intake
        self.deadline = deadline
        self.caller = caller  # of an order; reads have none

    def end(self, status: int | None, reason: str | None = None) -> None:
        """The request is over: answered with `status` (None: never), a problem with its `reason`.

        Not before: a caller who has left and whom the service works for all the same is still
        inside, and counts against every limit.
        """
        caller, placed_s = self.caller, None
        if caller is not None:
            self._intake.part(caller)
            if caller.first and caller.job:  # those who joined another's job have no place
                placed_s = caller.job.came_s
        self._visit.end(status, reason, placed_s)


class Entrance:
    """Where requests for items and orders come in."""

    __slots__ = ("_office",)

    def __init__(self, office: BoxOffice) -> None:
        self._office = office

    def check_open(self, request_id: str, *, is_order: bool) -> None:
        """Raises `Draining`, and books it for an order."""
        if self._office.state != "open":
            raise self._booked(Draining(), request_id, is_order)

    def enter(
        self,
        request_id: str,
        client: str,
        arrived_s: float,
        client_timeout_s: float | None = None,
        priority: int = 1,
        *,
        is_order: bool,
    ) -> Stay:
        """Let a request in. Raises `Refused`, and books it for an order.

        `client` is whose share it counts against; `client_timeout_s` is how long the caller says
        that they wait, from `arrived_s` on.
        """
        office = self._office
        self.check_open(request_id, is_order=is_order)
        try:
            visit = office.gate.enter(client, is_order=is_order)
        except Refused as refused:
            raise self._booked(refused, request_id, is_order) from None
        try:
            deadline = office.deadline(arrived_s, client_timeout_s)
            caller = office.intake.receive(request_id, deadline, priority) if is_order else None
        except BaseException:
            visit.end(None)
            raise
        return Stay(visit, office.intake, deadline, caller)

    def _booked(self, refused: Refused, request_id: str, is_order: bool) -> Refused:
        if is_order:
            self._office.intake.reject(request_id, refused)
        return refused


async def sale_to(
    caller: Caller, wanted: OrderRequest, key: str | None, intake: Intake, *, durable: bool = False
) -> Sale:
    """Find the caller a place, and wait for what the worker makes of it.

    Raises what became of the order instead, and `CallerLeft` if nobody waits for it any more.
    Cancelling it is the server's giving up the request: it counts as a hang-up.
    """
    try:
        await intake.admit(caller, wanted, key, durable=durable)
        return await caller.answer
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if caller.left and task and not task.cancelling():  # only the answer was cancelled
            raise CallerLeft from None
        intake.hang_up(caller)  # and with the request, which took its answer along
        raise


def status_of(sale: Sale, caller: Caller) -> int:
    """201 to the caller whose request made the order, 200 to those who repeat it or joined it.

    202 where the order is promised only.
    """
    if sale.order.status != "confirmed":
        return 202
    return 201 if caller.first and not sale.replayed else 200
