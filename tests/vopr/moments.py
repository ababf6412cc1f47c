"""What is true between any two awaits, and whenever time is about to move on."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from bpdemo.core.events import Event, OrderEnded, OrderRejected
from tests.vopr.anatomy import Anatomy
from tests.vopr.entrance import WatchedEntrance
from tests.vopr.guards import GuardWatch
from tests.vopr.loop import WatchedLoop
from tests.vopr.truth import Truth
from tests.vopr.verdicts import Diary, Verdicts


@dataclass(eq=False)
class Ambush:
    """A deed that waits for the nth event of that name, and then for some turns of the loop."""

    event: str
    nth: int
    turns: int
    deed: Callable[[], object]


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
        self._ambushes: list[Ambush] = []
        self._most_inside = self._most_busy = 0.0
        self._bound_inside = self._bound_busy = 0.0
        self._guards: GuardWatch | None = None

    def open(
        self, anatomy: Anatomy, truth: Truth, entrance: WatchedEntrance, guards: GuardWatch
    ) -> None:
        """From here on the service is there to be looked at."""
        self._anatomy, self._truth, self._guards = anatomy, truth, guards
        self._office, self._books = anatomy.office, anatomy.office.intake.books
        self._entrance = entrance
        self.note_bounds()

    # -------- heard

    def observe(self, event: Event, /) -> None:
        """As the service's observer: the books must balance at every event."""
        self._diary.note(event)
        if self._guards is None or self.are_over:
            return
        self._guards.hear(event)
        if self._ambushes:
            self._spring(type(event).__name__)
        match event:
            case OrderEnded():
                self.settled[event.outcome] += 1
                if event.reason == "queue_shed":
                    few = self._office.workers - self._office.workers_busy <= 1
                    self._verdicts.expect(few, "shed beside an idle worker")
            case OrderRejected():
                self.rejected += 1
        self._verdicts.expect(self._books.balanced, "the books do not balance", self._books)
        if not self._to_come:
            self._to_come = True
            self._loop.call_soon(self.check)

    def lie_in_wait(self, ambush: Ambush) -> None:
        """What takes one turn of the loop is hardly ever met by the clock: so it is done by the
        event that comes just before it."""
        self._ambushes.append(ambush)

    def give_up_waiting(self) -> None:
        self._ambushes.clear()

    def _spring(self, event: str) -> None:
        for ambush in [ambush for ambush in self._ambushes if ambush.event == event]:
            ambush.nth -= 1
            if ambush.nth <= 0:
                self._ambushes.remove(ambush)
                self._in_turns(ambush.turns, ambush.deed)

    def _in_turns(self, turns: int, deed: Callable[[], object]) -> None:
        if turns:
            self._loop.call_soon(self._in_turns, turns - 1, deed)
        else:
            self._loop.call_soon(deed)  # never within the step of the service that told of it

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
        book = anatomy.book
        over = book.charged - book.refunded - self._truth.sales
        spare = inf if self.cut_off else self.running + anatomy.owed
        if not (
            books.balanced
            and min(depth, busy, granted, books.waiting, books.queued, books.running) >= 0
            and depth == len(anatomy.queue._line)
            and inside <= max(self._bound_inside, self._most_inside)
            and busy <= max(self._bound_busy, self._most_busy)
            and self.running <= busy
            and office.in_flight == self._entrance.inside
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
            (office.in_flight == self._entrance.inside, "in_flight is not who is inside"),
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
        if any(not job.callers for job, *_ in queue._line):
            self._verdicts.fail("a job that nobody waits for has a place", office.stats())
        if any(not flight.waiters for flight in anatomy.flights):
            self._verdicts.fail("a load goes on that nobody waits for")
        hired, wanted = len(anatomy.workers), max(office.workers, office.workers_busy)
        expect(hired == wanted, "a wrong number of workers", hired)
