"""07e: callers with a trace id each, one asyncio.Queue, and workers that run the answer's jobs.

Everything runs under virtual time. What counts is the context in which an order was handled.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final

from bpdemo.lab.exercises.exercise import NotYet
from bpdemo.lab.lessons.trace_ids import NO_TRACE, trace_id

CarriedJob = Callable[[], Awaitable[object]]

WORKERS, ORDERS, HANDLING_S = 2, 6, 0.1
#: A library keeps its own in the context as well, and the answer does not know of it.
customer: Final = ContextVar[int]("customer", default=0)


class Declined(Exception):
    """The payment of one order."""


def trace_of(order: int) -> str:
    return f"trace-{order}"


@dataclass
class TicketCounter:
    """Handles orders, and writes down in whose context it did."""

    declines: int = 0
    called_as: dict[int, str] = field(default_factory=dict)
    handled_as: dict[int, tuple[str, int]] = field(default_factory=dict)
    ended: list[int] = field(default_factory=list)
    cancelled: list[int] = field(default_factory=list)

    def handle(self, order: int) -> Coroutine[Any, Any, None]:
        self.called_as[order] = trace_id.get()
        return self._handle(order)

    async def _handle(self, order: int) -> None:
        try:
            await asyncio.sleep(HANDLING_S)
        except asyncio.CancelledError:
            self.cancelled.append(order)
            raise
        self.handled_as[order] = (trace_id.get(), customer.get())
        self.ended.append(order)
        if order == self.declines:
            raise Declined


def judge_carry(carry: Any) -> str:
    """A crowd of callers; then one whose order fails, and one whose worker is stopped."""
    from bpdemo.sim import virtual_time

    return virtual_time.run(_judge(carry))


async def _judge(carry: Any) -> str:
    counter = TicketCounter()
    left_behind = await _crowd(carry, counter)
    for order in range(1, ORDERS + 1):
        _judge_trace(counter, order)
    if left_behind:
        raise NotYet(
            expected=f"between two jobs, the worker's own trace id is still {NO_TRACE!r}.",
            seen=f"after a job, the worker went on as {left_behind[0]!r}.",
            why="what you set in the worker's context stays there. Whatever the worker logs next "
            "carries this caller's id, and so does a job that has no id of its own.",
            look="Give the job a context of its own instead of changing the worker's.",
        )
    if lost := [order for order, (_, who) in counter.handled_as.items() if who != order]:
        raise NotYet(
            expected="the job carries everything in the caller's context, not the trace id alone.",
            seen=f"order {lost[0]} was handled as {trace_of(lost[0])!r}, but another variable of "
            "its caller's context was empty.",
            why="OpenTelemetry keeps its span in the context and structlog its fields, in "
            "variables whose names you do not know.",
            look="`contextvars.copy_context()` copies all of them at once.",
        )
    await _judge_failure(carry)
    await _judge_stop(carry)
    return (
        f"{ORDERS} orders went through one `asyncio.Queue` and {WORKERS} workers: each was handled "
        "under its caller's trace id, a failure and a cancellation came through, and the workers "
        "kept a context of their own."
    )


def _judge_trace(counter: TicketCounter, order: int) -> None:
    wanted = trace_of(order)
    seen, _ = counter.handled_as[order]
    if seen == wanted:
        return
    if counter.called_as[order] == wanted:
        why = (
            "`handle(order)` only makes a coroutine, and a coroutine has no context of its own: it "
            "runs in that of the task that awaits it, and here that was the worker."
        )
        look = "A *task* has a context: `asyncio.create_task(…, context=…)`."
    else:
        why = (
            "a worker is a task, and a task runs in a copy of the context in which it was created: "
            "when the service started, and there was no request yet. The queue hands over the "
            "order and nothing else."
        )
        look = (
            "`carry` runs in the caller's context, and the job in the worker's. Which of the two "
            "has to call `contextvars.copy_context()`?"
        )
    of_nobody = ", which stands for no trace" if seen == NO_TRACE else ""
    raise NotYet(
        expected=f"order {order} is handled as {wanted!r}, the trace id of its caller.",
        seen=f"it was handled as {seen!r}{of_nobody}.",
        why=why,
        look=look,
    )


async def _crowd(carry: Any, counter: TicketCounter) -> list[str]:
    """All callers at once. The trace ids that the workers had after a job and should not have."""
    queue: asyncio.Queue[tuple[int, CarriedJob]] = asyncio.Queue()
    left_behind: list[str] = []
    told: list[BaseException] = []

    async def work() -> None:
        while True:
            order, job = await queue.get()
            try:
                await _run(job, counter, order)
            except Exception as error:
                told.append(error)
            if trace_id.get() != NO_TRACE:
                left_behind.append(trace_id.get())
            queue.task_done()

    workers = [asyncio.ensure_future(work()) for _ in range(WORKERS)]
    await asyncio.gather(*(_call(carry, counter, order, queue) for order in range(1, ORDERS + 1)))
    await queue.join()
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    if told:
        raise told[0]
    return left_behind


async def _call(
    carry: Any, counter: TicketCounter, order: int, queue: asyncio.Queue[tuple[int, CarriedJob]]
) -> None:
    """One request: `gather` gives it a context of its own."""
    trace_id.set(trace_of(order))
    customer.set(order)
    queue.put_nowait((order, await _job(carry, counter, order)))


async def _job(carry: Any, counter: TicketCounter, order: int) -> CarriedJob:
    job = carry(counter.handle, order)
    if inspect.isawaitable(job):
        is_async = inspect.iscoroutinefunction(carry.function)
        made = "is an `async def`, so it returns" if is_async else "returned"
        with contextlib.suppress(Exception):
            await job  # or Python complains that nobody did
        raise NotYet(
            expected="`carry` returns a function, which the worker calls later: `await job()`.",
            seen=f"`carry` {made} a coroutine, and that can only be awaited.",
            why="the route must not wait here, and the worker calls what it finds in the queue.",
            look="Write `def carry(…)` with an `async def job():` inside, and `return job` without "
            "brackets.",
        )
    if not callable(job):
        raise NotYet(
            expected="`carry` returns a function, which the worker calls later: `await job()`.",
            seen=f"it returned {job!r}.",
            why="the worker finds nothing in the queue that it could run.",
            look="Does `carry` end in `return job`?",
        )
    return job  # type: ignore[no-any-return]


async def _run(job: CarriedJob, counter: TicketCounter, order: int) -> None:
    going = job()
    if not inspect.isawaitable(going):
        raise NotYet(
            expected="the job can be awaited: `await job()`.",
            seen=f"`job()` returned {going!r}.",
            why="the worker has to wait for the order, or it takes the next one at once.",
            look="Is the inner function an `async def job():`?",
        )
    await going
    if order not in counter.ended:
        raise NotYet(
            expected="`await job()` lasts until the order has been handled.",
            seen=f"it ended at once, and order {order} was still in progress or never begun.",
            why=f"a worker that does not wait takes the next order at once. {WORKERS} workers then "
            "handle any number at a time, and the bound on concurrency is gone.",
            look="Inside the job, `await` the task that you create.",
        )


async def _judge_failure(carry: Any) -> None:
    counter = TicketCounter(declines=1)
    job = await _job(carry, counter, 1)
    try:
        await job()
    except Declined:
        return
    raise NotYet(
        expected="when `handle` raises, `await job()` raises the same exception in the worker.",
        seen="the payment was declined, and the worker did not hear of it.",
        why="a failure that nobody hears of is answered as a success, or never.",
        look="Let the exception through: no `try` around it, and `await task` instead of "
        "`asyncio.wait`.",
    )


async def _judge_stop(carry: Any) -> None:
    counter = TicketCounter()

    async def work() -> None:
        job = await _job(carry, counter, 1)
        await job()

    worker = asyncio.ensure_future(work())
    await asyncio.sleep(HANDLING_S / 2)
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)
    await asyncio.sleep(HANDLING_S)
    if not counter.cancelled:
        raise NotYet(
            expected="when the worker is cancelled, so is the order that it handles.",
            seen="the worker was gone, and its order went on.",
            why="at a shutdown, nobody waits for such work or even knows of it.",
            look="`await task` passes a cancellation on to the task; `asyncio.shield` keeps it "
            "away.",
        )
