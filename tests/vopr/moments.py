"""What is true between any two awaits, and whenever time is about to move on."""

from collections import Counter, deque
from math import inf
from typing import Any

from bpdemo.assembly.office import Assembly
from bpdemo.core.events import AttemptEnded, Event, OrderRejected, OrderSettled, Retried
from tests.vopr.anatomy import Anatomy
from tests.vopr.doorway import Doorway
from tests.vopr.loop import WatchedLoop
from tests.vopr.truth import Truth
from tests.vopr.verdicts import Diary, Verdicts

BUDGET_S = 10.0


class Moments:
    """Listens to the service, and looks at it as soon as somebody awaits."""

    def __init__(self, loop: WatchedLoop, verdicts: Verdicts, diary: Diary) -> None:
        self.settled: Counter[str] = Counter()
        self.rejected = 0
        self.running = 0  # orders being sold by workers, by our own count
        self.cut_off = False
        self.are_over = False
        self._loop = loop
        self._verdicts = verdicts
        self._diary = diary
        self._to_come = False
        self._most_inside = self._most_busy = 0.0
        self._bound_inside = self._bound_busy = 0.0
        self._calls: dict[str, deque[float]] = {"payment": deque(), "store": deque()}
        self._retries: dict[str, deque[float]] = {"payment": deque(), "store": deque()}
        self._assembly: Assembly | None = None
        self._budget_turned_s = -inf
        self._budget: tuple[bool, float, float] | None = None
        self._longest_attempt_s = 0.0
        self.stalled_s = 0.0  # by which any timer may have been late

    def open(self, assembly: Assembly, anatomy: Anatomy, truth: Truth, doorway: Doorway) -> None:
        self._assembly, self._anatomy, self._truth = assembly, anatomy, truth
        self._office, self._books = assembly.office, assembly.office.intake.books
        self._doorway = doorway
        self.note_bounds()
        for name, guard in anatomy.guards.items():
            self._count_calls(name, guard)

    # -------- heard

    def observe(self, event: Event, /) -> None:
        """As the service's observer: the books must balance at every event."""
        self._diary.note(event)
        if self._assembly is None or self.are_over:
            return
        match event:
            case OrderSettled():
                self.settled[event.outcome] += 1
                if event.reason == "queue_shed":
                    few = self._office.workers - self._office.workers_busy <= 1
                    self._verdicts.expect(few, "shed beside an idle worker")
            case OrderRejected():
                self.rejected += 1
            case Retried():
                self._check_budget(event.dependency)
            case AttemptEnded() if event.outcome not in ("refused",):
                self._check_attempt(event)
        self._verdicts.expect(self._books.balanced, "the books do not balance", self._books)
        if not self._to_come:
            self._to_come = True
            self._loop.call_soon(self.check)

    def _count_calls(self, name: str, guard: Any) -> None:
        real, calls = guard.call, self._calls[name]

        async def call(*args: Any, **how: Any) -> Any:
            calls.append(self._loop.time())
            return await real(*args, **how)

        guard.call = call

    def _check_budget(self, name: str) -> None:
        """Retries of nearly the whole window, against the calls of all of it."""
        assert self._assembly is not None
        settings, now = self._assembly.settings, self._loop.time()
        calls, retries = self._calls[name], self._retries[name]
        retries.append(now)
        while calls and calls[0] < now - BUDGET_S:
            calls.popleft()
        while retries and retries[0] <= now - BUDGET_S * 0.9:
            retries.popleft()
        if settings.retry_budget_enabled:
            earned = settings.retry_budget_ratio * len(calls)
            allowed = settings.retry_budget_min_per_s * BUDGET_S + earned
            unbounded = self._budget_turned_s > now - BUDGET_S
            within = len(retries) <= allowed + 1e-6 or unbounded
            self._verdicts.expect(within, "more retries than the budget allows", len(retries))

    def _check_attempt(self, event: AttemptEnded) -> None:
        assert self._assembly is not None
        if event.duration_s > self._longest_attempt_s + self.stalled_s + 1e-6:
            self._verdicts.fail("an attempt outlived its time", event)

    def note_knobs(self) -> None:
        assert self._assembly is not None
        now = self._assembly.settings
        self._longest_attempt_s = max(self._longest_attempt_s, now.attempt_timeout_s or inf)
        budget = now.retry_budget_enabled, now.retry_budget_ratio, now.retry_budget_min_per_s
        if budget != self._budget:
            self._budget, self._budget_turned_s = budget, self._loop.time()

    # -------- seen

    def note_bounds(self) -> None:
        """The widest since the last look; what was inside by older bounds may stay."""
        capacity = self._office.queue_capacity
        bound = inf if capacity < 0 else self._office.workers + capacity
        self._bound_inside = max(self._bound_inside, bound)
        self._bound_busy = max(self._bound_busy, self._office.workers)

    def turned(self) -> None:
        """Knobs have just been turned: new bounds hold, for whom the turn has let in too."""
        self._bound_inside = self._bound_busy = 0.0
        self.note_bounds()

    def check(self) -> None:
        """Between two awaits of the service."""
        self._to_come = False
        if self.are_over:
            return
        anatomy, office, books = self._anatomy, self._office, self._books
        depth, busy, granted = office.queue_depth, office.workers_busy, anatomy.granted
        inside = depth + busy + granted
        book = office._payment.book
        over = book.charged - book.refunded - self._truth.sales
        spare = inf if self.cut_off else self.running + anatomy.owed
        if not (
            books.balanced
            and min(depth, busy, granted, books.waiting, books.queued, books.running) >= 0
            and depth == len(anatomy.queue._line)
            and inside <= max(self._bound_inside, self._most_inside)
            and busy <= max(self._bound_busy, self._most_busy)
            and self.running <= busy
            and office.in_flight == self._doorway.entrance.inside
            and 0 <= over <= spare
        ):
            self._say_what(depth, busy, granted, over, spare)
        self._most_inside, self._most_busy = inside, busy
        self._bound_inside = self._bound_busy = 0.0
        self.note_bounds()

    def _say_what(self, depth: int, busy: int, granted: int, over: int, spare: float) -> None:
        office, books, inside = self._office, self._books, depth + busy + granted
        numbers = [getattr(books, name) for name in books.__slots__]
        for truth, kind in (
            (books.balanced and min(numbers) >= 0, "the books do not balance"),
            (min(depth, busy, granted) >= 0, "a negative count"),
            (depth == len(self._anatomy.queue._line), "a wrong depth"),
            (inside <= max(self._bound_inside, self._most_inside), "more inside than places"),
            (busy <= max(self._bound_busy, self._most_busy), "more busy than workers"),
            (self.running <= busy, "more at work than busy"),
            (office.in_flight == self._doorway.entrance.inside, "in_flight is not who is inside"),
            (over >= 0, "an order that nobody paid for"),
            (over <= spare, "money kept, and neither at work nor owed"),
        ):
            self._verdicts.expect(truth, kind, f"{over=} {spare=} {granted=} {office.stats()}")

    def still(self) -> None:
        """All has happened that can happen at this moment."""
        self.check()
        office, anatomy, expect = self._office, self._anatomy, self._verdicts.expect
        if self.cut_off or office.state not in ("open", "draining"):
            return
        queue, free = anatomy.queue, office.workers - office.workers_busy
        if office.queue_depth and free > 0:
            self._verdicts.fail("a job waits while a worker idles", office.stats())
        if anatomy.granted:
            self._verdicts.fail("a place was given to nobody", office.stats())
        if queue.waiting and queue.has_place:
            self._verdicts.fail("a caller waits beside a free place", office.stats())
        hired, wanted = len(anatomy.workers), max(office.workers, office.workers_busy)
        expect(hired == wanted, "a wrong number of workers", hired)
