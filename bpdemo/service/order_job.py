"""Callers of `POST /orders`, and the jobs they wait for: one job may have several callers."""

import asyncio
from contextvars import Context, copy_context
from typing import Literal, NamedTuple

from bpdemo.core.model import Order, OrderRequest
from bpdemo.flow.deadline import Deadline

Phase = Literal["waiting", "queued", "running", "over"]


class Sale(NamedTuple):
    """What a job that ends well gives: an order, and whether it had been stored before.

    The order is pending where it was promised only.
    """

    order: Order
    replayed: bool


class Caller:
    """One caller, from the door's yes to the answer. The ledger moves it; others only read.

    `answer` holds the sale or the error. It is cancelled when the caller leaves.
    """

    __slots__ = (
        "answer", "deadline", "expired", "first", "job", "left", "phase", "priority", "queue_s",
        "request_id", "service_s", "task", "timer", "was_admitted",
    )  # fmt: skip

    def __init__(self, request_id: str, deadline: Deadline, priority: int) -> None:
        self.request_id = request_id
        self.deadline = deadline
        self.priority = priority
        self.answer: asyncio.Future[Sale] = asyncio.get_running_loop().create_future()
        self.phase: Phase = "waiting"
        self.job: OrderJob | None = None  # from admission on, unless it was answered at once
        self.first = False  # the one whose request made the job
        self.was_admitted = False
        self.left = False
        self.expired = False  # answered at the deadline while the job ran on
        self.task: asyncio.Task[object] | None = None  # set while it waits for a place
        self.timer: asyncio.TimerHandle | None = None
        self.queue_s = 0.0
        self.service_s = 0.0

    def tell(self, result: Sale | BaseException) -> None:
        """Answer, unless that was done."""
        if self.answer.done():
            return
        if isinstance(result, BaseException):
            self.answer.set_exception(result)
        else:
            self.answer.set_result(result)

    def disown(self) -> None:
        """Nobody will look at the answer any more."""
        if not self.answer.cancel() and not self.answer.cancelled():
            self.answer.exception()  # looked at, so that asyncio does not complain


class OrderJob:
    """One order to be worked on, in the context of the caller who asked first."""

    __slots__ = ("callers", "came_s", "context", "durable", "key", "started_s", "wanted")

    def __init__(
        self, wanted: OrderRequest, key: str | None, came_s: float, *, durable: bool = False
    ) -> None:
        self.wanted = wanted
        self.key = key
        self.context: Context = copy_context()
        self.callers: list[Caller] = []  # those who still wait for it
        self.came_s = came_s
        self.durable = durable  # to be accepted now and processed later
        self.started_s: float | None = None  # None while it is queued

    @property
    def deadline(self) -> Deadline:
        """The latest of the callers': the work is worth doing until then."""
        callers = self.callers
        if len(callers) == 1:  # nearly always
            return callers[0].deadline
        return max(caller.deadline for caller in callers)
