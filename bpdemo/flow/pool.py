"""The worker pool: N tasks that take jobs from one queue, and no more than N jobs at once."""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, Generic, Protocol, TypeVar

from bpdemo.core.ranges import require_count
from bpdemo.flow.queue import BoundedQueue
from bpdemo.flow.seats import Seats

#: After a `take` that raised, a worker pauses before the next, twice as long each time in a row:
#: what fails at once must not keep the event loop busy.
SHORTEST_PAUSE_S = 0.01
LONGEST_PAUSE_S = 1.0


class Job(Protocol):
    """What can be worked on. It runs in `context`, where its trace and log ids live."""

    @property
    def context(self) -> Context: ...

    def __hash__(self) -> int: ...


J = TypeVar("J", bound=Job)


class WorkerPool(Generic[J]):
    """Runs `handle(job, waited_s)` for each job of the queue.

    A handler that raises, whatever it raises, costs its own job only: `on_crash(job, error)`
    hears of it, and the worker takes the next one. A `take` of the queue that raises, or an
    `on_crash` that does, costs no worker either; the event loop's exception handler hears of it.
    A worker that ends all the same, cancelled by somebody else for instance, is replaced a second
    later.
    """

    def __init__(
        self,
        size: int,
        queue: BoundedQueue[J],
        handle: Callable[[J, float], Coroutine[Any, Any, None]],
        on_crash: Callable[[J, BaseException], None],
        seats: Seats,
    ) -> None:
        require_count("size", size)
        seats.total = size
        self._seats = seats
        self._queue = queue
        self._handle = handle
        self._on_crash = on_crash
        self._is_running = False
        # Dictionaries, since a set of tasks has another order in each run, and so would have what
        # happens at a stop or a shrink.
        self._workers: dict[asyncio.Task[None], None] = {}
        self._idle: dict[asyncio.Task[None], None] = {}

    @property
    def size(self) -> int:
        return self._seats.total

    @property
    def busy(self) -> int:
        return self._seats.busy

    def start(self) -> None:
        """Hire the workers; needs a running loop."""
        self._is_running = True
        self._hire()

    def resize(self, size: int) -> None:
        """Grow at once; shrink by letting idle workers go now and busy ones after their job.

        0 is a pause: jobs stay in the queue until the pool grows again. Raises ValueError for a
        negative size.
        """
        require_count("size", size)
        self._seats.total = size
        if self._is_running:
            self._hire()
            self._dismiss_idle(len(self._workers) - size)
        self._queue.place_freed()

    async def stop(self) -> None:
        """Let every worker go; jobs in progress are cancelled. Drain first to spare them.

        They are cancelled in the order in which their workers were hired.
        """
        self._is_running = False
        self._seats.total = 0
        workers = list(self._workers)
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)

    def _hire(self) -> None:
        while self._is_running and len(self._workers) < self.size:
            worker = asyncio.create_task(self._work(), name="worker")
            self._workers[worker] = self._idle[worker] = None
            worker.add_done_callback(self._end)

    def _dismiss_idle(self, surplus: int) -> None:
        # Taken off the books at once: a second resize must not count them as workers.
        for worker in list(self._idle)[: max(0, surplus)]:
            self._depart(worker)
            worker.cancel()

    def _depart(self, worker: "asyncio.Task[None]") -> None:
        self._workers.pop(worker, None)
        self._idle.pop(worker, None)

    def _end(self, worker: "asyncio.Task[None]") -> None:
        self._depart(worker)
        if not worker.cancelled() and (error := worker.exception()):
            _report("A worker died; another takes its turn.", error)
        if self._is_running and len(self._workers) < self.size:
            # It died, or somebody else has cancelled it. Not at once: at the end of a loop all
            # tasks are cancelled, and none may begin.
            asyncio.get_running_loop().call_later(LONGEST_PAUSE_S, self._hire)

    async def _work(self) -> None:
        me = asyncio.current_task()
        assert me is not None
        pause_s = SHORTEST_PAUSE_S
        while self._keeps(me):
            try:
                job, waited_s = await self._queue.take()
            except GeneratorExit:
                raise  # nobody runs this any more
            except BaseException as error:
                if me.cancelling():
                    raise
                _report("A worker could not take a job.", error)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
                continue
            pause_s = SHORTEST_PAUSE_S
            self._seats.acquire()
            self._idle.pop(me, None)
            try:
                await self._run(job, waited_s)
            finally:
                self._seats.release()
                self._idle[me] = None
                self._queue.place_freed()

    def _keeps(self, worker: "asyncio.Task[None]") -> bool:
        # A job swallows the cancellation of its worker, so that is seen only here.
        if worker.cancelling() or len(self._workers) > self.size:
            self._depart(worker)  # now, not when the task ends: the next one to ask must not go too
        return worker in self._workers

    async def _run(self, job: J, waited_s: float) -> None:
        begun, context = False, job.context

        async def survive() -> None:
            nonlocal begun
            begun = True
            try:
                await self._handle(job, waited_s)
            except BaseException as error:
                # SystemExit and KeyboardInterrupt would leave through the event loop and end it.
                self._tell_crash(job, error)

        # A task of its own, since only a task can run in a given context.
        task = asyncio.get_running_loop().create_task(survive(), context=context)
        try:
            await task
        except asyncio.CancelledError as error:
            # Either the job cancelled itself with its last act, or a stop came before its first
            # step, and then somebody must hear of it. `_keeps` knows if the worker is to go.
            if not begun:
                context.run(self._tell_crash, job, error)

    def _tell_crash(self, job: J, error: BaseException) -> None:
        try:
            self._on_crash(job, error)
        except BaseException as another:
            _report("What hears of crashed jobs has crashed itself.", another)


def _report(what: str, error: BaseException) -> None:
    asyncio.get_running_loop().call_exception_handler({"message": what, "exception": error})
