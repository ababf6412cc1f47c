"""The way in: from the door's first look to a place, and from there to a worker.

    receive ──▶ waiting ──admit──▶ queued ──run──▶ over
       │           │
    rejected    rejected, or forgotten

A caller who is `waiting` is still sending their body, or waits for a place under policy block.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import inf
from typing import TypeVar, get_args

from bpdemo.core.choices import WhenFull
from bpdemo.core.errors import (
    BoxOfficeError,
    CircuitOpen,
    DeadlineExceeded,
    Draining,
    InvalidRequest,
    QueueFull,
    QueueShed,
    QueueTimeout,
    Refused,
    WouldExpire,
)
from bpdemo.core.events import JobEnded, JobStarted
from bpdemo.core.model import OrderRequest
from bpdemo.core.ports import NullTracer, Observer, Tracer, hears
from bpdemo.core.ranges import require_choice, require_flag, require_number
from bpdemo.flow.breaker import Breaker
from bpdemo.flow.deadline import NEVER, Deadline
from bpdemo.flow.pace import Pace
from bpdemo.flow.queue import BoundedQueue
from bpdemo.service.acceptance import Acceptance
from bpdemo.service.books import Books
from bpdemo.service.ledger import Ledger
from bpdemo.service.order_job import Caller, OrderJob, Sale
from bpdemo.service.own_task import OwnTask
from bpdemo.service.wait_estimate import WaitEstimate
from bpdemo.service.work import OTHER_BODY, OrderWork

T = TypeVar("T")

LOOKS_AT_ONCE = 64


class CallerLeft(Exception):
    """The caller hung up before they had a place."""


class WorkBrokeOff(RuntimeError):
    """The work was cancelled, or tried to end the process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakePolicy:
    """`block` waits up to `block_timeout_s` for a place where `reject` refuses at once."""

    when_full: WhenFull
    block_timeout_s: float
    drop_on_disconnect: bool

    def __post_init__(self) -> None:
        require_choice("when_full", self.when_full, get_args(WhenFull))
        require_number("block_timeout_s", self.block_timeout_s)
        require_flag("drop_on_disconnect", self.drop_on_disconnect)


class Intake:
    """Lets callers in, and gives their jobs to the workers."""

    def __init__(
        self,
        policy: IntakePolicy,
        queue: BoundedQueue[OrderJob],
        work: OrderWork,
        payment_breaker: Breaker,
        estimate: WaitEstimate,
        pace: Pace,
        acceptance: Acceptance | None = None,
        *,
        clock: Callable[[], float],
        observer: Observer,
        tracer: Tracer,
    ) -> None:
        self.policy = policy
        self.is_open = False
        self.quiet = asyncio.Event()  # set while no job is in flight
        self.quiet.set()
        self._ledger = Ledger(clock, observer, self._on_over)
        self._queue = queue
        self._work = work
        self._payment_breaker = payment_breaker
        self._estimate = estimate
        self._pace = pace
        self._acceptance = acceptance
        self._clock = clock
        self._observer = observer
        self._is_heard = hears(observer)
        self._tracer = tracer
        self._is_traced = not isinstance(tracer, NullTracer)
        self._keyed: dict[str, OrderJob] = {}  # jobs in flight that have a key
        self._in_flight = 0
        self._looking = 0  # callers whose key is in flight with another body

    @property
    def books(self) -> Books:
        return self._ledger.books

    def receive(self, request_id: str, deadline: Deadline = NEVER, priority: int = 1) -> Caller:
        """The door's yes, as a caller who now waits: `admit` or `forget` them from here on.

        Raises `Refused`, and books it.
        """
        try:
            self._look(deadline, priority)
        except Refused as refused:
            self._ledger.turn_away(request_id, refused)
            raise
        caller = Caller(request_id, deadline, priority)
        self._ledger.arrive(caller)
        return caller

    def reject(self, request_id: str, refused: Refused) -> None:
        """Book the no of a door that stands before this one."""
        self._ledger.turn_away(request_id, refused)

    def forget(self, caller: Caller) -> None:
        """They could not be read, or left while waiting. Does nothing once that was decided."""
        self._ledger.forget(caller)

    async def admit(
        self,
        caller: Caller,
        wanted: OrderRequest,
        key: str | None = None,
        *,
        durable: bool = False,
    ) -> None:
        """Find the caller a place, or join them to the job in flight under their key.

        `durable`: the order is to be promised and not sold at once; needs a key and a backlog.
        Then `caller.answer` holds what becomes of it. Raises `Refused` when there is no place, and
        `CallerLeft` when they hung up meanwhile. Cancelling it forgets the caller.
        """
        if self.try_admit(caller, wanted, key, durable=durable):
            return
        job = self._keyed.get(key) if key else None
        if job is None:
            job = await self._wait_in_line(
                caller, OrderJob(wanted, key, self._clock(), durable=durable)
            )
        if job.wanted == wanted:
            self._ledger.admit(caller, job)
        else:
            self._ledger.end_at_once(caller, await self._find_beside(caller, job, wanted))

    def try_admit(
        self,
        caller: Caller,
        wanted: OrderRequest,
        key: str | None = None,
        *,
        durable: bool = False,
    ) -> bool:
        """`admit`, as far as it need not wait. False, and nothing is done, where it must: under
        policy block, and where the key is in flight with another body."""
        if caller.left:
            self._ledger.forget(caller)
            raise CallerLeft
        job = self._keyed.get(key) if key else None
        if job is None:
            if self.policy.when_full == "block":
                return False
            job = OrderJob(wanted, key, self._clock(), durable=durable)
            self._place_now(caller, job)
        elif job.wanted != wanted:
            return False
        self._ledger.admit(caller, job)
        return True

    def part(self, caller: Caller) -> None:
        """The request is over, however it ended: nobody will look at its answer any more."""
        self._ledger.forget(caller)
        if caller.phase != "over":
            # Also when the answer is done: cancelling the request cancels what it waits for.
            self.hang_up(caller)
        caller.disown()

    def refuse(self, caller: Caller, refused: Refused) -> None:
        """Refuse a caller whom the door had let in, before they had a place."""
        self._ledger.reject(caller, refused)

    def hang_up(self, caller: Caller) -> None:
        """The caller has left. What nobody waits for any more is not started."""
        if not self.policy.drop_on_disconnect or caller.left:
            return
        self._ledger.leave(caller)
        if caller.phase == "waiting" and caller.task:
            caller.task.cancel()

    async def run(self, job: OrderJob, waited_s: float) -> None:
        """Work on a job: the pool's handler."""
        started_s = self._clock()
        self._expire_overdue(job, started_s)
        if not job.callers:
            return  # and so it is over
        self._ledger.start(job, started_s)
        if self._is_heard:
            self._observer.observe(JobStarted(waited_s))
        if self._is_traced:
            self._tracer.record("queue", started_s - waited_s, started_s)
        result: Sale | BaseException | None = None
        try:
            if self._is_traced:
                with self._tracer.span("work"):
                    result = await self._do(job)
            else:
                result = await self._do(job)
        except BoxOfficeError as error:
            result = error
        finally:
            service_s = self._clock() - started_s
            if isinstance(result, DeadlineExceeded):  # cut short: it would have taken longer
                self._pace.note_at_least(service_s)
            else:
                self._pace.note(service_s)
            if self._is_heard:
                self._observer.observe(JobEnded(service_s))
        self._ledger.finish(job, result)

    def _do(self, job: OrderJob) -> Awaitable[Sale]:
        if job.durable and self._acceptance:
            return self._acceptance.accept(job)
        return self._work.sell(job)

    def crash(self, job: OrderJob, error: BaseException) -> None:
        """The work raised what it should not have: its callers get a 500."""
        if not job.callers:
            return  # it was over before it began
        self._ledger.finish(job, _broke_off(error))

    def shed(self, job: OrderJob, waited_s: float) -> None:
        """CoDel dropped a job."""
        self._ledger.shed(job, QueueShed())

    def close(self) -> None:
        """Admit nobody any more."""
        self.is_open = False
        self._queue.close()

    def shed_queued(self) -> None:
        """Drop what no worker has begun."""
        for job in self._queue.clear():
            self._ledger.shed(job, Draining())

    def _look(self, deadline: Deadline, priority: int) -> None:
        if not self.is_open:
            raise Draining
        wait_s = self._payment_breaker.half_opens_in_s
        if wait_s > 0:
            raise CircuitOpen(retry_after_s=wait_s)
        if self.policy.when_full == "block":
            if not self._queue.has_place and not self._queue.may_wait:
                raise QueueFull
            return
        if not self._queue.has_place:
            raise QueueFull
        self._check_time(deadline, priority)

    def _check_time(self, deadline: Deadline, priority: int) -> None:
        if deadline.at == inf:
            return
        wait_s = self._estimate.estimated_wait_s(priority)
        if not self._estimate.can_finish(wait_s, deadline.remaining_s(self._clock())):
            raise WouldExpire

    def _place_now(self, caller: Caller, job: OrderJob) -> None:
        try:
            self._require_time(caller)
            self._queue.try_put(job, caller.priority)
        except Refused as refused:
            self._ledger.reject(caller, refused)
            raise
        except BaseException:
            self._ledger.forget(caller)
            raise
        self._take_up(caller, job)

    async def _wait_in_line(self, caller: Caller, job: OrderJob) -> OrderJob:
        """The new job in the queue, or the one that took its key while it waited for a place."""
        key = job.key
        try:
            await self._wait_for_place(caller, job)
        except Refused as refused:
            if key and (first := self._keyed.get(key)):
                return first  # which got its place meanwhile; this one needs none, nor time for it
            self._ledger.reject(caller, refused)
            raise
        except BaseException:
            self._ledger.forget(caller)
            raise
        if key and (first := self._keyed.get(key)):
            self._queue.remove(job)
            return first
        self._take_up(caller, job)
        return job

    def _take_up(self, caller: Caller, job: OrderJob) -> None:
        if job.key:
            self._keyed[job.key] = job
        caller.first = True
        self._begin()

    async def _find_beside(
        self, caller: Caller, other: OrderJob, wanted: OrderRequest
    ) -> Sale | BaseException:
        """What a caller hears whose key is in flight with another body: the order, if it is stored.

        The other may be a stranger to it, and about to hear a 422 itself. Nothing is sold here, so
        no place is needed; but no more than `LOOKS_AT_ONCE` ask the store.
        """
        key = other.key
        assert key, "or there would be no other"
        if self._looking >= LOOKS_AT_ONCE:
            refused = QueueFull()
            self._ledger.reject(caller, refused)
            raise refused
        task = OwnTask()
        self._begin()
        self._looking += 1
        try:
            looking = self._work.find_by_key(key, caller.deadline)
            stored = await self._unless_they_leave(caller, looking)
        except BoxOfficeError as error:
            return error
        except BaseException as error:
            if task.is_ending or isinstance(error, CallerLeft):
                self._ledger.forget(caller)
                raise
            return _broke_off(error)
        finally:
            self._looking -= 1
            self._end()
        if stored is None or not stored.asks_for(wanted):
            return InvalidRequest("Idempotency-Key", OTHER_BODY)
        return Sale(stored, replayed=True)

    def _require_time(self, caller: Caller) -> None:
        if not self.is_open:
            raise Draining
        self._check_time(caller.deadline, caller.priority)

    async def _wait_for_place(self, caller: Caller, job: OrderJob) -> None:
        self._require_time(caller)
        timeout_s = self.policy.block_timeout_s
        remaining_s = caller.deadline.remaining_s(self._clock())
        try:
            putting = self._queue.put(job, min(timeout_s, remaining_s), caller.priority)
            await self._unless_they_leave(caller, putting)
        except QueueTimeout:
            if remaining_s < timeout_s:
                raise WouldExpire from None
            raise
        job.came_s = self._clock()
        wait_s = self._estimate.wait_in_it_s(caller.priority)
        if not self._estimate.can_finish(wait_s, caller.deadline.remaining_s(job.came_s)):
            self._queue.remove(job)
            raise WouldExpire

    async def _unless_they_leave(self, caller: Caller, awaited: Awaitable[T]) -> T:
        """What is awaited; `CallerLeft` if a waiting caller hangs up first."""
        task = asyncio.current_task()
        assert task is not None
        caller.task = task
        others = task.cancelling()
        try:
            return await awaited
        except asyncio.CancelledError:
            # If it was ours, the request goes on, to its end; but not if the server wants it too.
            if not caller.left or task.uncancel() > others:
                raise
            raise CallerLeft from None
        finally:
            caller.task = None

    def _expire_overdue(self, job: OrderJob, now: float) -> None:
        # A busy loop runs ready workers before overdue timers; nobody waits for this any more.
        for caller in tuple(job.callers):
            if caller.deadline.has_passed(now):
                self._ledger.expire(caller)

    def _on_over(self, job: OrderJob) -> None:
        if job.key and self._keyed.get(job.key) is job:
            del self._keyed[job.key]
        if job.started_s is None:  # else a worker has taken it out
            self._queue.remove(job)
        self._end()

    def _begin(self) -> None:
        if not self._in_flight:
            self.quiet.clear()
        self._in_flight += 1

    def _end(self) -> None:
        self._in_flight -= 1
        if not self._in_flight:
            self.quiet.set()


def _broke_off(error: BaseException) -> Exception:
    if isinstance(error, Exception):
        return error
    # Raised in a request, these would end it, or the whole loop, without an answer.
    return WorkBrokeOff(f"{type(error).__name__}: {error}").with_traceback(error.__traceback__)
