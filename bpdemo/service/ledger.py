"""The ledger: moves each caller from phase to phase, and the books with them.

    WAITING ──▶ QUEUED ──▶ RUNNING ──▶ OVER

No method awaits, so between any two awaits of the service the books are exact.
"""

import asyncio
from collections.abc import Callable
from math import inf

from bpdemo.core.errors import DeadlineExceeded, Refused
from bpdemo.core.events import OrderAdmitted, OrderEnded, OrderRejected, Outcome
from bpdemo.core.ports import Observer, hears
from bpdemo.service.books import Books
from bpdemo.service.order_job import Caller, OrderJob, Sale


class Ledger:
    """`on_over(job)` hears of every job that ends, whether it was ever started or not."""

    def __init__(
        self,
        clock: Callable[[], float],
        observer: Observer,
        on_over: Callable[[OrderJob], None],
    ) -> None:
        self.books = Books()
        self._clock = clock
        self._observer = observer
        self._is_heard = hears(observer)
        self._on_over = on_over

    def turn_away(self, request_id: str, refused: Refused) -> None:
        """Somebody came, and was refused before they were in the books as a caller."""
        self.books.arrive()
        self.books.reject()
        if self._is_heard:
            self._observer.observe(OrderRejected(refused.reason, request_id))

    def arrive(self, caller: Caller) -> None:
        self.books.arrive()
        caller.phase = "waiting"

    def forget(self, caller: Caller) -> None:
        """They could not be read, or left while waiting. Does nothing once that was decided."""
        if caller.phase == "waiting":
            caller.phase = "over"
            self.books.forget()

    def reject(self, caller: Caller, refused: Refused) -> None:
        if caller.phase == "waiting":
            caller.phase = "over"
            self.books.reject()
            if self._is_heard:
                self._observer.observe(OrderRejected(refused.reason, caller.request_id))

    def admit(self, caller: Caller, job: OrderJob) -> None:
        """Give them their place, or a share in the place of a job that is in flight."""
        self._let_in(caller)
        caller.job = job
        job.callers.append(caller)
        if job.started_s is not None:
            self._start_caller(caller, job.started_s - job.came_s)
        if caller.deadline.at < inf:
            loop = asyncio.get_running_loop()
            caller.timer = loop.call_at(caller.deadline.at, self.expire, caller)
        if self._is_heard:  # last: were that to fail, everything is in its place
            self._observer.observe(OrderAdmitted())

    def end_at_once(self, caller: Caller, result: Sale | BaseException) -> None:
        """Admitted, and over: the answer was known without a job."""
        self._let_in(caller)
        if self._is_heard:
            self._observer.observe(OrderAdmitted())
        self._settle(caller, _outcome_of(caller, result), result)

    def start(self, job: OrderJob, now: float) -> None:
        job.started_s = now
        for caller in job.callers:
            self._start_caller(caller, now - job.came_s)

    def finish(self, job: OrderJob, result: Sale | BaseException) -> None:
        """The worker is done: answer and settle everybody who is left."""
        service_s = 0.0 if job.started_s is None else self._clock() - job.started_s
        for caller in job.callers:
            caller.service_s = service_s
            self._settle(caller, _outcome_of(caller, result), result)
        self._close(job)

    def shed(self, job: OrderJob, refused: Refused) -> None:
        """Drop a queued job after admission."""
        for caller in job.callers:
            caller.queue_s = self._clock() - job.came_s
            self._settle(caller, "shed", refused)
        self._close(job)

    def expire(self, caller: Caller) -> None:
        """Their time is up: answer now. Running work goes on; they stay in the books with it."""
        if caller.phase == "running" and (job := caller.job):
            caller.expired = True
            caller.service_s = self._clock() - (job.started_s or job.came_s)
            caller.tell(DeadlineExceeded())
        elif caller.phase == "queued" and (job := caller.job):
            caller.queue_s = self._clock() - job.came_s
            self._settle(caller, "expired", DeadlineExceeded())
            job.callers.remove(caller)
            self._abandon_if_alone(job)

    def leave(self, caller: Caller) -> None:
        """They hung up. A queued job is dropped when nobody waits for it any more."""
        caller.left = True
        caller.answer.cancel()
        if caller.phase == "queued" and caller.job:
            self._abandon_if_alone(caller.job)

    def _let_in(self, caller: Caller) -> None:
        self.books.admit()
        caller.was_admitted = True
        caller.phase = "queued"

    def _abandon_if_alone(self, job: OrderJob) -> None:
        if not all(caller.left for caller in job.callers):
            return
        for caller in job.callers:
            caller.queue_s = self._clock() - job.came_s
            self._settle(caller, "abandoned", None)
        self._close(job)

    def _start_caller(self, caller: Caller, queue_s: float) -> None:
        caller.phase = "running"
        caller.queue_s = queue_s
        self.books.start()

    def _settle(
        self, caller: Caller, outcome: Outcome, result: Sale | BaseException | None
    ) -> None:
        if caller.timer:
            caller.timer.cancel()
        if caller.phase == "running":
            self.books.end_running(outcome)
        else:
            self.books.end_queued(outcome)
        caller.phase = "over"
        if self._is_heard:
            reason = getattr(result, "reason", None) if outcome != "success" else None
            self._observer.observe(
                OrderEnded(outcome, reason, caller.request_id, caller.queue_s, caller.service_s)
            )
        if result is not None:
            caller.tell(result)

    def _close(self, job: OrderJob) -> None:
        job.callers.clear()
        self._on_over(job)


def _outcome_of(caller: Caller, result: Sale | BaseException) -> Outcome:
    if caller.expired or isinstance(result, DeadlineExceeded):
        return "expired"
    return "success" if isinstance(result, Sale) else "failure"
