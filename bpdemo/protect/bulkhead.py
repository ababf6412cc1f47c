"""One rule at work: its slots, its queue, its books.

    arrives ─┬─ a slot is free ────────────────▶ inside ──▶ ended
             ├─ a place to wait ──▶ waiting ─┬──▶ inside
             └─ none ──▶ rejected ◀──────────┼── out of time
                             left ◀──────────┘

A request keeps its slot until the application returns, whatever became of the caller: what still
runs counts against the limit.

So there are two paces. How long a slot is *held*, background work and a caller's slow upload
included, says when the next one comes free; how long the application takes to *answer* says whether
a caller can be answered in time once they have one.
"""

import asyncio
from collections.abc import Callable
from random import Random

from bpdemo.core.errors import QueueFull, QueueTimeout, Refused, WouldExpire
from bpdemo.flow.codel import CoDelPolicy
from bpdemo.flow.deadline import Deadline, can_finish
from bpdemo.flow.limiter import InFlight, Limiter
from bpdemo.flow.pace import Pace
from bpdemo.flow.queue import BoundedQueue, QueuePolicy
from bpdemo.flow.retry_after import RetryAfter
from bpdemo.protect.books import AdmissionBooks
from bpdemo.protect.events import (
    AdmissionEvent,
    Admitted,
    Left,
    Rejected,
    SlotFreed,
    Waiting,
)
from bpdemo.protect.lookahead import Lookahead
from bpdemo.protect.rule import Rule

_NO_CODEL = CoDelPolicy(target_s=0.0, interval_s=0.0)  # first come, first served sheds nobody


class LeftWaiting(Exception):
    """The caller hung up while they waited."""


class Bulkhead:
    """Lets in as many as the rule says. One event loop's."""

    def __init__(
        self,
        name: str,
        rule: Rule,
        books: AdmissionBooks,
        *,
        clock: Callable[[], float],
        rng: Random,
        tell: Callable[[AdmissionEvent], object] | None,
    ) -> None:
        self.name = name
        self.rule = rule
        self.books = books
        self._clock = clock
        self._observe = tell
        self._limiter = Limiter(rule.limit, clock)
        self._hold_pace = Pace(None)
        self._answer_pace = Pace(None)
        self._retry_after = RetryAfter(clock, rng)
        # A place here is a slot: a request that has one is taken out again at once, into it.
        self._queue: BoundedQueue[Slot] = BoundedQueue(
            QueuePolicy(
                capacity=0, discipline="fifo", waiters=rule.queue_capacity, codel=_NO_CODEL
            ),
            idle=self._free_slots,
            clock=clock,
            on_shed=lambda _stay, _waited_s: None,
        )

    @property
    def limit(self) -> float:
        return self._limiter.limit.current

    def try_enter(self, deadline: Deadline) -> "Slot | None":
        """A slot at once; None if there is none, but a place to wait for one.

        Raises `QueueFull`, and `WouldExpire` where the time is over already. Counts an arrival:
        after None comes `wait`.
        """
        self.books.arrived += 1
        if deadline.has_passed(self._clock()):
            raise self._rejected(WouldExpire(), 0.0)
        if self._queue.waiting:
            self._queue.place_freed()  # a limit that grew by itself lets in those who came first
        if self._queue.has_place:
            slot = Slot(self)
            self._admit(slot, 0.0)
            return slot
        if not self._queue.may_wait:
            raise self._rejected(QueueFull(), 0.0)
        self.books.waiting += 1
        return None

    async def wait(self, deadline: Deadline, ahead: Lookahead) -> "Slot":
        """A slot, when one comes free.

        Raises `QueueTimeout`, `WouldExpire` and `LeftWaiting`. Cancelling it counts as leaving.
        """
        since_s = self._clock()
        slot = Slot(self)
        try:
            await self._find_slot(slot, deadline, ahead)
        except Refused as refused:
            self.books.waiting -= 1
            raise self._rejected(refused, self._clock() - since_s) from None
        except BaseException:
            self.books.waiting -= 1
            self.books.left += 1
            self._tell(Left, self._clock() - since_s)
            raise
        self.books.waiting -= 1
        self._admit(slot, self._clock() - since_s)
        self._queue.remove(slot)
        return slot

    def retry_after_s(self) -> int:
        """Whole seconds for one more refusal, spread over the time that the backlog takes."""
        return self._retry_after.for_refusal(self._queue.waiting, self._seconds_each)

    async def _find_slot(self, slot: "Slot", deadline: Deadline, ahead: Lookahead) -> None:
        """A place in the queue, that is, a slot; none where this raises."""
        remaining_s = deadline.remaining_s(self._clock())
        wait_s = (self._queue.waiting + 1) * self._seconds_each
        if not can_finish(wait_s, self._answer_pace.mean_s, remaining_s):
            raise WouldExpire
        self._tell(Waiting)
        timeout_s = self.rule.queue_timeout_s
        try:
            await self._unless_they_leave(slot, min(timeout_s, remaining_s), ahead)
        except QueueTimeout:
            if remaining_s < timeout_s:
                raise WouldExpire from None
            raise
        if ahead.hung_up or deadline.has_passed(self._clock()):
            # In the very moment in which their turn came: it is the next one's.
            self._queue.remove(slot)
            raise LeftWaiting if ahead.hung_up else WouldExpire

    async def _unless_they_leave(self, slot: "Slot", timeout_s: float, ahead: Lookahead) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(None) as wait:
                ahead.listen(lambda: wait.reschedule(loop.time()))
                try:
                    await self._queue.put(slot, timeout_s)
                finally:
                    ahead.stop()
        except TimeoutError:
            raise LeftWaiting from None

    def _admit(self, slot: "Slot", waited_s: float) -> None:
        slot.permit = self._limiter.acquire()
        slot.began_s = self._clock()
        self.books.admitted += 1
        self.books.inside += 1
        self._tell(Admitted, waited_s)

    def _rejected(self, refused: Refused, waited_s: float) -> Refused:
        self.books.rejected += 1
        self._tell(Rejected, waited_s, refused.reason)
        return refused

    def _answered(self, slot: "Slot", *, is_whole: bool) -> None:
        held_s = self._clock() - slot.began_s
        if held_s < 0:
            return  # the clock was set back: no estimate may rest on it
        took_s = max(0.0, held_s - slot.caller_s)
        if is_whole:
            self._answer_pace.note(took_s)
        else:
            self._answer_pace.note_at_least(took_s)

    def _leave(self, slot: "Slot", status: int | None) -> None:
        held_s = self._clock() - slot.began_s
        self.books.inside -= 1
        if held_s >= 0:
            self._hold_pace.note(held_s)
        try:
            if slot.caller_s and held_s >= 0:  # two may have been waited for at once
                slot.permit.begin(slot.began_s + min(held_s, slot.caller_s))
            _end(slot.permit, status)  # first: what the limit learns decides who is next
        finally:
            self._queue.place_freed()
            self._tell(SlotFreed, held_s, status, self.limit)

    def _free_slots(self) -> float:
        return self._limiter.limit.current - self._limiter.in_flight

    @property
    def _seconds_each(self) -> float:
        """The mean time from one slot's coming free to the next one's, with all of them taken."""
        return self._hold_pace.mean_s / max(1.0, self.limit)

    def _tell(self, kind: Callable[..., AdmissionEvent], *facts: object) -> None:
        if self._observe is None:
            return
        try:
            self._observe(kind(self.name, self.books.inside, self.books.waiting, *facts))
        except Exception as error:
            # Metrics that fail must cost nobody their slot.
            asyncio.get_running_loop().call_exception_handler(
                {"message": "The observer of admission control failed.", "exception": error}
            )


class Slot:
    """One request's slot. `end` it exactly once."""

    __slots__ = ("_bulkhead", "_is_answered", "began_s", "caller_s", "permit")

    permit: InFlight
    began_s: float

    def __init__(self, bulkhead: Bulkhead) -> None:
        self._bulkhead = bulkhead
        self._is_answered = False
        self.caller_s = 0.0  # how long the application waited for its caller: not its own time

    def waited_for_caller(self, seconds: float) -> None:
        """So long the application waited for them, or for what stands between: a middleware
        outside. None of it while the clock is set back."""
        self.caller_s += max(0.0, seconds)

    def answered(self, status: int | None) -> None:
        """The application has said the last of its answer; what it does from now on is its own.

        An error is no answer: a request that is served takes at least so long.
        """
        if not self._is_answered:
            self._is_answered = True
            self._bulkhead._answered(self, is_whole=status is not None and status < 500)

    def end(self, status: int | None) -> None:
        """The application has returned; `status` is what it answered, None if it did not."""
        self.answered(None)  # if it had not said the last of it, it was cut short
        self._bulkhead._leave(self, status)


def _end(permit: InFlight, status: int | None) -> None:
    """What a limit that adapts learns of an answer, from its status alone.

    A 503 is overload further in, however soon it comes; after a 504 it is known that it would have
    taken at least so long. The box office's own gate reads the reason, too, and leaves out what a
    broken dependency did; but an application's reasons are its own.
    """
    if status == 503:
        permit.shed()
    elif status == 504:
        permit.drop()
    elif status is None or status >= 400:
        permit.ignore()
    else:
        permit.success()
