"""The worker pool: N tasks that take jobs from one queue, and no more than N jobs at once."""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, Generic, Protocol, TypeVar

from bpdemo.flow.queue import BoundedQueue
from bpdemo.flow.seats import Seats


class Job(Protocol):
    """What can be worked on. It runs in `context`, where its trace and log ids live."""

    @property
    def context(self) -> Context: ...

    def __hash__(self) -> int: ...


J = TypeVar("J", bound=Job)


class WorkerPool(Generic[J]):
    """Runs `handle(job, waited_s)` for each job of the queue.

    A handler that raises, whatever it raises, costs its own job only: `on_crash(job, error)`
    hears of it (and must not raise), and the worker takes the next one.
    """

    def __init__(
        self,
        size: int,
        queue: BoundedQueue[J],
        handle: Callable[[J, float], Coroutine[Any, Any, None]],
        on_crash: Callable[[J, BaseException], None],
        seats: Seats,
    ) -> None:
        seats.total = size
        self._seats = seats
        self._queue = queue
        self._handle = handle
        self._on_crash = on_crash
        self._workers: set[asyncio.Task[None]] = set()
        self._idle: set[asyncio.Task[None]] = set()

    @property
    def size(self) -> int:
        return self._seats.total

    @property
    def busy(self) -> int:
        return self._seats.busy

    def start(self) -> None:
        """Hire the workers; needs a running loop."""
        self._hire()

    def resize(self, size: int) -> None:
        """Grow at once; shrink by letting idle workers go now and busy ones after their job."""
        self._seats.total = size
        if self._workers:
            self._hire()
            self._dismiss_idle(len(self._workers) - size)
        self._queue.place_freed()

    async def stop(self) -> None:
        """Let every worker go; jobs in progress are cancelled. Drain first to spare them."""
        self._seats.total = 0
        workers = list(self._workers)
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

    def _hire(self) -> None:
        while len(self._workers) < self.size:
            worker = asyncio.create_task(self._work(), name="worker")
            self._workers.add(worker)
            self._idle.add(worker)
            worker.add_done_callback(self._depart)

    def _dismiss_idle(self, surplus: int) -> None:
        # Taken off the books at once: a second resize must not count them as workers.
        for worker in list(self._idle)[: max(0, surplus)]:
            self._depart(worker)
            worker.cancel()

    def _depart(self, worker: "asyncio.Task[None]") -> None:
        self._workers.discard(worker)
        self._idle.discard(worker)

    async def _work(self) -> None:
        me = asyncio.current_task()
        assert me is not None
        while self._keeps(me):
            job, waited_s = await self._queue.take()
            self._seats.acquire()
            self._idle.discard(me)
            try:
                await self._run(job, waited_s)
            finally:
                self._seats.release()
                self._idle.add(me)
                self._queue.place_freed()

    def _keeps(self, worker: "asyncio.Task[None]") -> bool:
        # A job swallows the cancellation of its worker, so that is seen only here.
        if worker.cancelling() or len(self._workers) > self.size:
            self._depart(worker)  # now, not when the task ends: the next one to ask must not go too
        return worker in self._workers

    async def _run(self, job: J, waited_s: float) -> None:
        begun = False

        async def survive() -> None:
            nonlocal begun
            begun = True
            try:
                await self._handle(job, waited_s)
            except BaseException as error:
                # SystemExit and KeyboardInterrupt would leave through the event loop and end it.
                self._on_crash(job, error)

        # A task of its own, since only a task can run in a given context.
        task = asyncio.get_running_loop().create_task(survive(), context=job.context)
        try:
            await task
        except asyncio.CancelledError as error:
            # Either the job cancelled itself with its last act, or a stop came before its first
            # step, and then somebody must hear of it. `_keeps` knows if the worker is to go.
            if not begun:
                job.context.run(self._on_crash, job, error)
