"""The bounded queue: places are exact, nobody is forgotten, and no job is lost or doubled."""

import asyncio
import itertools
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from bpdemo.core.choices import DISCIPLINES, QueueDiscipline
from bpdemo.core.errors import Draining, QueueFull, QueueTimeout
from bpdemo.flow.codel import CoDelPolicy
from bpdemo.flow.queue import BoundedQueue, QueuePolicy
from bpdemo.flow.seats import Seats
from tests.flow.helpers import Stage, now, settle
from tests.support.examples import examples
from tests.support.policies import usual
from tests.support.virtual import virtual


class Bench:
    """A queue before some seats; workers are played by hand."""

    def __init__(self, capacity: int = 2, workers: int = 1, **policy: Any) -> None:
        self.seats = Seats(workers)
        self.shed: list[tuple[str, float]] = []
        self.queue: BoundedQueue[str] = BoundedQueue(
            usual(QueuePolicy, capacity=capacity, **policy),
            idle=lambda: self.seats.free,
            clock=asyncio.get_running_loop().time,
            on_shed=lambda job, waited_s: self.shed.append((job, waited_s)),
        )

    def fill(self, *jobs: str) -> None:
        for job in jobs:
            self.queue.try_put(job)

    def try_put(self, job: str) -> bool:
        try:
            self.queue.try_put(job)
        except QueueFull:
            return False
        return True

    async def start_one(self) -> str:
        """A worker takes the next job and is busy with it."""
        job, _ = await self.queue.take()
        self.seats.acquire()
        return job

    def finish_one(self) -> None:
        self.seats.release()
        self.queue.place_freed()

    async def serve_all(self) -> str:
        """One worker takes job after job until none is left."""
        served = ""
        while self.queue.depth:
            served += await self.start_one()
            self.finish_one()
            await settle()
        return served

    def putting(self, job: str, timeout_s: float = 60.0) -> "asyncio.Task[None]":
        return asyncio.create_task(self.queue.put(job, timeout_s))


def running(work: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
    return asyncio.create_task(work)


# Places


@pytest.mark.parametrize(("workers", "capacity"), [(1, 0), (4, 0), (1, 2), (3, 5)])
@virtual
async def test_a_job_is_admitted_while_busy_and_depth_leave_a_place(
    workers: int, capacity: int
) -> None:
    """busy + depth < workers + capacity, whether the workers have begun or not."""
    for begun in range(workers + 1):
        bench = Bench(capacity, workers)
        admitted = 0
        for n in range(begun):
            bench.fill(str(n))
            await bench.start_one()
            admitted += 1
        while bench.queue.has_place:
            bench.fill(str(admitted))
            admitted += 1
        assert admitted == workers + capacity
        assert not bench.try_put("one too many")
        assert bench.queue.depth == workers + capacity - begun


@virtual
async def test_capacity_minus_one_is_no_bound() -> None:
    """To show the collapse."""
    bench = Bench(capacity=-1)
    bench.fill(*map(str, range(10_000)))
    assert bench.queue.has_place
    assert (bench.queue.depth, bench.queue.capacity) == (10_000, -1)


@virtual
async def test_a_worker_that_finishes_frees_one_place() -> None:
    """And one only."""
    bench = Bench(capacity=1)
    bench.fill("a")
    await bench.start_one()
    bench.fill("b")
    assert not bench.try_put("c")
    bench.finish_one()
    assert [bench.try_put(job) for job in "cd"] == [True, False]


@virtual
async def test_a_removed_job_frees_its_place_and_is_never_taken() -> None:
    """Its caller left, so nobody waits for it; to remove it twice does nothing."""
    bench = Bench(capacity=2)
    bench.fill("a", "b", "c")
    assert bench.queue.remove("b")
    assert not bench.queue.remove("b")
    assert [bench.try_put(job) for job in "de"] == [True, False]
    assert await bench.serve_all() == "acd"


@virtual
async def test_each_discipline_in_the_queue() -> None:
    """The order of service is the discipline's; a newcomer can ask how many come first."""
    orders: dict[QueueDiscipline, tuple[str, int]] = {
        "fifo": ("abcd", 4),
        "lifo": ("dcba", 0),
        "adaptive_lifo": ("abcd", 4),  # all in one moment: nothing stands
        "priority": ("cabd", 3),
        "codel": ("abcd", 4),
    }
    for name, (order, ahead) in orders.items():
        bench = Bench(capacity=9, discipline=name)
        for job, priority in zip("abcd", (1, 1, 3, 0), strict=True):
            bench.queue.try_put(job, priority)
        assert bench.queue.ahead_of(1) == ahead
        assert await bench.serve_all() == order


# Takers


@virtual
async def test_a_taker_gets_the_job_with_the_time_it_waited() -> None:
    """Zero when they were there first."""
    bench = Bench()
    bench.fill("a")
    await asyncio.sleep(1.5)
    assert await bench.queue.take() == ("a", 1.5)
    taker = running(bench.queue.take())
    await asyncio.sleep(3)
    bench.fill("b")
    assert await taker == ("b", 0)


@virtual
async def test_as_many_takers_wake_as_jobs_come() -> None:
    """In the order in which they began to wait."""
    bench = Bench(workers=3)
    takers = [running(bench.queue.take()) for _ in range(3)]
    await settle()
    bench.fill("a", "b")
    await settle()
    assert [taker.done() and taker.result()[0] for taker in takers] == ["a", "b", False]
    bench.fill("c")
    assert (await takers[2])[0] == "c"


@virtual
async def test_a_taker_cancelled_while_waiting_loses_nothing() -> None:
    """The job goes to the one behind them."""
    bench = Bench()
    gone, other = running(bench.queue.take()), running(bench.queue.take())
    await settle()
    gone.cancel()
    bench.fill("a")  # in the same turn, before they know
    assert (await other)[0] == "a"
    assert bench.queue.depth == 0


@virtual
async def test_a_taker_cancelled_between_wake_up_and_its_run_passes_the_job_on() -> None:
    """Woken for it, they will not take it: another must be woken, or it would lie there."""
    bench = Bench()
    gone, other = running(bench.queue.take()), running(bench.queue.take())
    await settle()
    bench.fill("a")
    gone.cancel()
    await settle()
    assert gone.cancelled()
    assert other.done()
    assert other.result()[0] == "a"


@virtual
async def test_two_takers_cancelled_after_their_wake_up_pass_both_jobs_on() -> None:
    """Each passes on what was theirs."""
    bench = Bench(workers=4)
    takers = [running(bench.queue.take()) for _ in range(4)]
    await settle()
    bench.fill("a", "b")
    takers[0].cancel()
    takers[1].cancel()
    await settle()
    assert [takers[n].result()[0] for n in (2, 3)] == ["a", "b"]


@virtual
async def test_a_job_removed_after_its_taker_woke_leaves_him_waiting() -> None:
    """They find nothing, and wait for the next one."""
    bench = Bench()
    taker = running(bench.queue.take())
    await settle()
    bench.fill("a")
    bench.queue.remove("a")
    await settle()
    assert not taker.done()
    bench.fill("b")
    assert (await taker)[0] == "b"


# Blocking


@virtual
async def test_put_waits_for_a_place() -> None:
    """At rest the job is in the queue when it returns."""
    bench = Bench(capacity=0)
    await bench.queue.put("a", 1.0)
    assert now() == 0
    assert await bench.start_one() == "a"
    waiter = bench.putting("b")
    await asyncio.sleep(0.7)
    assert bench.queue.waiting == 1
    bench.finish_one()
    await waiter
    assert now() == 0.7
    assert (bench.queue.waiting, bench.queue.depth) == (0, 1)


@virtual
async def test_first_come_first_served_also_before_the_door() -> None:
    """One place at a time, in turn, and no newcomer slips past those who wait."""
    bench = Bench(capacity=0)
    bench.fill("a")
    await bench.start_one()
    waiters = [bench.putting(job) for job in "bcd"]
    await settle()
    bench.finish_one()
    assert not bench.try_put("pushy")  # the place is granted, though nobody has filled it yet
    late = bench.putting("e")
    await settle()
    assert [waiter.done() for waiter in waiters] == [True, False, False]
    assert await bench.serve_all() == "bcde"
    await asyncio.gather(*waiters, late)


@virtual
async def test_a_newcomer_waits_behind_those_who_wait() -> None:
    """Also when they block themselves: the place that comes free is not theirs."""
    bench = Bench(capacity=0)
    bench.fill("a")
    await bench.start_one()
    first = bench.putting("b")
    await settle()
    bench.finish_one()
    second = bench.putting("c")
    await settle()
    assert (first.done(), second.done()) == (True, False)
    second.cancel()


@virtual
async def test_a_waiter_gives_up_after_his_time() -> None:
    """`QueueTimeout`, exactly then; their job is not in the queue, their place in line is free."""
    bench = Bench(capacity=0, waiters=1)
    bench.fill("a")
    with pytest.raises(QueueTimeout):
        await bench.queue.put("b", 0.5)
    assert now() == 0.5
    assert (bench.queue.waiting, bench.queue.depth) == (0, 1)
    assert bench.queue.may_wait


@virtual
async def test_the_line_of_waiters_is_bounded_too() -> None:
    """One more is refused at once; with room for none, blocking is refusing."""
    bench = Bench(capacity=0, waiters=2)
    bench.fill("a")
    waiters = [bench.putting(job) for job in "bc"]
    await settle()
    assert not bench.queue.may_wait
    with pytest.raises(QueueFull):
        await bench.queue.put("d", 60)
    assert now() == 0
    for waiter in waiters:
        waiter.cancel()
    bench = Bench(capacity=0, waiters=0)
    bench.fill("a")
    with pytest.raises(QueueFull):
        await bench.queue.put("b", 60)


@virtual
async def test_a_waiter_cancelled_before_the_grant_is_passed_over() -> None:
    """In the very turn in which the place comes free, before they know of their cancellation."""
    bench = Bench(capacity=0)
    bench.fill("a")
    await bench.start_one()
    gone, next_one = bench.putting("b"), bench.putting("c")
    await settle()
    gone.cancel()
    bench.finish_one()
    await settle()
    assert gone.cancelled()
    assert next_one.done()
    assert await bench.serve_all() == "c"


@virtual
async def test_a_waiter_cancelled_between_grant_and_wake_up_hands_the_place_on() -> None:
    """Else the place would be lost for ever, and the next one would wait for it in vain."""
    bench = Bench(capacity=0)
    bench.fill("a")
    await bench.start_one()
    gone, next_one = bench.putting("b"), bench.putting("c")
    await settle()
    bench.finish_one()
    gone.cancel()
    await settle()
    assert gone.cancelled()
    assert next_one.done()
    assert bench.queue.depth == 1
    assert await bench.serve_all() == "c"


@virtual
async def test_a_granted_place_that_nobody_wants_is_a_place_again() -> None:
    """With nobody behind them, the next to come may have it."""
    bench = Bench(capacity=0)
    bench.fill("a")
    await bench.start_one()
    gone = bench.putting("b")
    await settle()
    bench.finish_one()
    gone.cancel()
    await settle()
    assert [bench.try_put(job) for job in "cd"] == [True, False]


@virtual
async def test_a_grant_that_comes_with_the_timeout_counts_once() -> None:
    """Whichever wins, the place is either filled or free."""
    for finish_s in (0.499, 0.5, 0.501):
        bench = Bench(capacity=0)
        bench.fill("a")
        await bench.start_one()
        asyncio.get_running_loop().call_later(finish_s, bench.finish_one)
        waiter = bench.putting("b", timeout_s=0.5)
        await asyncio.wait([waiter])
        await asyncio.sleep(1)
        timed_out = isinstance(waiter.exception(), QueueTimeout)
        assert bench.queue.depth == (0 if timed_out else 1)
        assert bench.queue.has_place == timed_out


# Retuning


@virtual
async def test_after_a_shrink_nothing_is_admitted_until_the_surplus_has_drained() -> None:
    """No queued job is lost; depth may stand above capacity for a while."""
    bench = Bench(capacity=4)
    bench.fill("a", "b", "c", "d", "e")
    bench.queue.retune(usual(QueuePolicy, capacity=1))
    assert bench.queue.depth == 5
    served = ""
    while not bench.try_put("z"):
        served += await bench.start_one()
        bench.finish_one()
    assert served == "abcd"
    assert await bench.serve_all() == "ez"


@virtual
async def test_growing_lets_those_in_who_wait() -> None:
    """As many as there are places now, in turn."""
    bench = Bench(capacity=0)
    bench.fill("a")
    waiters = [bench.putting(job) for job in "bcd"]
    await settle()
    bench.queue.retune(usual(QueuePolicy, capacity=2))
    await settle()
    assert [waiter.done() for waiter in waiters] == [True, True, False]
    bench.queue.retune(usual(QueuePolicy, capacity=-1))
    await waiters[2]
    assert await bench.serve_all() == "abcd"


@virtual
async def test_the_discipline_may_change_with_jobs_in_the_queue() -> None:
    """All are still there, each with the moment it came, in the new order."""
    bench = Bench(capacity=9)
    for job, priority in zip("abcd", (1, 1, 3, 0), strict=True):
        bench.queue.try_put(job, priority)
        await asyncio.sleep(1)
    for name in ("priority", "lifo", "codel", "priority", "fifo", "priority"):
        bench.queue.retune(usual(QueuePolicy, capacity=9, discipline=name))
        assert bench.queue.depth == 4
    assert await bench.queue.take() == ("c", 2)
    bench.queue.retune(usual(QueuePolicy, capacity=9, discipline="lifo"))
    assert await bench.serve_all() == "dba"


@virtual
async def test_fewer_waiters_allowed_sends_none_away() -> None:
    """Those who wait may go on; the next is refused."""
    bench = Bench(capacity=0)
    bench.fill("a")
    waiters = [bench.putting(job) for job in "bc"]
    await settle()
    bench.queue.retune(usual(QueuePolicy, capacity=0, waiters=1))
    with pytest.raises(QueueFull):
        await bench.queue.put("d", 60)
    assert await bench.serve_all() == "abc"
    await asyncio.gather(*waiters)


# Closing


@virtual
async def test_closed_it_takes_nothing_and_sends_the_waiters_away() -> None:
    """`Draining` for all who come or wait, also for one whose place was granted just before."""
    bench = Bench(capacity=0)
    bench.fill("a")
    await bench.start_one()
    granted, waiting = bench.putting("b"), bench.putting("c")
    await settle()
    bench.finish_one()
    bench.queue.close()
    await settle()
    assert isinstance(granted.exception(), Draining)
    assert isinstance(waiting.exception(), Draining)
    with pytest.raises(Draining):
        bench.queue.try_put("d")
    with pytest.raises(Draining):
        await bench.queue.put("e", 60)
    assert bench.queue.depth == 0


@virtual
async def test_closed_it_still_hands_out_what_was_admitted() -> None:
    """Drain finishes what it took in."""
    bench = Bench(capacity=4)
    bench.fill("a", "b", "c")
    bench.queue.close()
    assert await bench.serve_all() == "abc"


@virtual
async def test_clearing_gives_back_every_job_in_turn_and_its_place() -> None:
    """Those who wait for a place get the ones that came free."""
    bench = Bench(capacity=1)
    bench.fill("a", "b")
    waiters = [bench.putting(job) for job in "cd"]
    await settle()
    assert bench.queue.clear() == ["a", "b"]
    await settle()
    assert all(waiter.done() for waiter in waiters)
    assert await bench.serve_all() == "cd"


# CoDel in the queue


def codel(capacity: int = 99, workers: int = 1) -> Bench:
    policy = CoDelPolicy(target_s=0.02, interval_s=0.2)
    return Bench(capacity, workers, discipline="codel", codel=policy)


@virtual
async def test_codel_serves_a_burst() -> None:
    """A queue that was empty a moment ago may keep jobs for longer than the target."""
    bench = codel()
    bench.fill(*"abcde")
    await asyncio.sleep(0.19)
    assert await bench.serve_all() == "abcde"
    assert bench.shed == []


@virtual
async def test_codel_sheds_what_is_stale_in_a_standing_queue() -> None:
    """Oldest first, each told with its wait; the fresh one is served."""
    bench = codel()
    bench.fill("a", "b")
    await asyncio.sleep(0.3)
    bench.fill("c")
    assert await bench.queue.take() == ("c", 0)
    assert bench.shed == [("a", 0.3), ("b", 0.3)]


@virtual
async def test_codel_never_leaves_a_worker_without_work() -> None:
    """The last job is served however stale it is."""
    bench = codel()
    bench.fill("a", "b")
    await asyncio.sleep(10)
    assert await bench.queue.take() == ("b", 10)
    assert [job for job, _ in bench.shed] == ["a"]


@virtual
async def test_codel_never_sheds_while_another_worker_idles() -> None:
    """Two are free and two jobs wait: both are served."""
    bench = codel(workers=2)
    bench.fill("a", "b")
    await asyncio.sleep(10)
    assert [await bench.start_one(), await bench.start_one()] == ["a", "b"]
    assert bench.shed == []


@virtual
async def test_what_codel_sheds_makes_room_for_those_who_wait() -> None:
    """A shed job gives its place back like any other."""
    bench = codel(capacity=1)
    bench.fill("a", "b")
    await asyncio.sleep(10)
    waiter = bench.putting("c")
    await settle()
    assert await bench.start_one() == "b"
    await settle()
    assert waiter.done()
    assert [job for job, _ in bench.shed] == ["a"]


# One place for each job


def state_of(bench: Bench) -> tuple[Any, ...]:
    queue = bench.queue
    return queue.depth, queue.waiting, queue.has_place, list(queue._line), queue.ahead_of(1)


@pytest.mark.parametrize("priority", [0, 1, 3])
@pytest.mark.parametrize("capacity", [-1, 3, 9])
@pytest.mark.parametrize("discipline", DISCIPLINES)
@virtual
async def test_the_same_job_twice_is_refused_and_nothing_changes(
    discipline: QueueDiscipline, capacity: int, priority: int
) -> None:
    """By both ways in, under each discipline, full or not, also under another priority."""
    bench = Bench(capacity=capacity, workers=0, discipline=discipline)
    bench.fill("a", "b", "c")
    before = state_of(bench)
    for job in "abc":
        with pytest.raises(ValueError, match="waits already"):
            bench.queue.try_put(job, priority)
        with pytest.raises(ValueError, match="waits already"):
            await bench.queue.put(job, 60.0, priority)
        assert state_of(bench) == before
    bench.seats.total = 1
    served = await bench.serve_all()
    assert sorted(served) == ["a", "b", "c"]
    assert bench.queue.depth == 0
    bench.fill("a")  # it has left, so it may come again
    assert bench.queue.depth == 1


@pytest.mark.parametrize("discipline", DISCIPLINES)
@virtual
async def test_a_job_that_waits_for_a_place_is_refused_another(discipline: QueueDiscipline) -> None:
    """While it waits, and from the grant to the moment it wakes up; afterwards it is queued."""
    bench = Bench(capacity=1, workers=0, discipline=discipline)
    bench.fill("a")
    waiting = bench.putting("b")
    await settle()

    async def refused() -> None:
        with pytest.raises(ValueError, match="waits already"):
            bench.queue.try_put("b")
        with pytest.raises(ValueError, match="waits already"):
            await bench.queue.put("b", 60.0)

    await refused()
    assert bench.queue.waiting == 1
    bench.queue.retune(usual(QueuePolicy, capacity=5, discipline=discipline))
    await refused()  # granted, and not awake yet
    await waiting
    await refused()
    assert bench.queue.depth == 2


@pytest.mark.parametrize("leaves", ["cancelled", "in time"])
@virtual
async def test_a_job_that_gave_up_its_wait_may_come_again(leaves: str) -> None:
    """It holds nothing any more, neither in the queue nor before it."""
    bench = Bench(capacity=1, workers=0)
    bench.fill("a")
    waiting = bench.putting("b", timeout_s=1.0)
    await settle()
    if leaves == "cancelled":
        waiting.cancel()
    await asyncio.wait([waiting])
    again = bench.putting("b")
    await settle()
    assert bench.queue.waiting == 1
    bench.queue.remove("a")
    await again
    assert bench.queue.depth == 1


@pytest.mark.parametrize("priority", [-1, 4, 1000])
@pytest.mark.parametrize("discipline", DISCIPLINES)
@virtual
async def test_a_priority_that_cannot_be_is_refused(
    discipline: QueueDiscipline, priority: int
) -> None:
    """Also where priorities have no say yet: the next retune may give them one."""
    bench = Bench(discipline=discipline)
    with pytest.raises(ValueError, match="priority"):
        bench.queue.try_put("a", priority)
    with pytest.raises(ValueError, match="priority"):
        await bench.queue.put("a", 1.0, priority)
    assert bench.queue.depth == 0


@pytest.mark.parametrize("into", DISCIPLINES)
@pytest.mark.parametrize("out_of", DISCIPLINES)
@virtual
async def test_a_new_discipline_keeps_the_order_of_arrival(
    out_of: QueueDiscipline, into: QueueDiscipline
) -> None:
    """Of jobs that came at one moment, too, whatever their priorities; and so does the way back."""
    bench = Bench(capacity=-1, discipline=out_of)
    jobs = "abcdefgh"
    for job, priority in zip(jobs, [3, 0, 1, 2, 1, 3, 0, 2], strict=True):
        bench.queue.try_put(job, priority)
    bench.queue.retune(usual(QueuePolicy, capacity=-1, discipline=into))
    assert "".join(job for job, _, _ in bench.queue._line) == jobs
    expected = {"lifo": jobs[::-1], "priority": "afdhcebg"}.get(into, jobs)
    bench.queue.retune(usual(QueuePolicy, capacity=-1, discipline=out_of))
    bench.queue.retune(usual(QueuePolicy, capacity=-1, discipline=into))
    assert await bench.serve_all() == expected


@virtual
async def test_a_shed_that_fails_costs_one_take_and_wakes_another() -> None:
    """What hears of it raised: the job is gone, and the next one is not left lying."""
    bench = codel()
    bench.queue._on_shed = lambda job, waited_s: 1 / 0  # type: ignore[assignment]
    bench.fill("a", "b", "c")
    await asyncio.sleep(1)
    with pytest.raises(ZeroDivisionError):
        await bench.queue.take()
    assert bench.queue.depth == 2


@pytest.mark.parametrize("wrong", [{"capacity": -2}, {"waiters": -1}], ids=str)
def test_a_policy_that_cannot_be_is_refused_when_made(wrong: dict[str, Any]) -> None:
    """A slice is validated when made."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        usual(QueuePolicy, **wrong)


# Any history whatever


@dataclass(eq=False)
class Queued:
    """A job that the model holds to be in the queue."""

    job: int
    priority: int


class QueueMachine(RuleBasedStateMachine):
    """Callers and workers come, go and are cancelled between any two turns of the loop.

    The model is a plain list of what is queued, kept by the callers and workers themselves in the
    very step in which `put` and `take` return.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage()
        self.workers = 2
        self.busy = 0
        self.policy = usual(QueuePolicy, capacity=1, waiters=3)
        ticks = itertools.count()
        self.queue: BoundedQueue[int] = BoundedQueue(
            self.policy,
            idle=lambda: self.workers - self.busy,
            clock=lambda: float(next(ticks) // 4),  # so that several jobs come at one moment
            on_shed=lambda job, waited_s: None,
        )
        self.jobs = itertools.count()
        self.line: list[Queued] = []
        self.taken: list[int] = []
        self.callers: list[asyncio.Task[None]] = []
        self.takers: list[asyncio.Task[None]] = []
        self.allowed: float = 3  # inside at once: the largest limit since the last rest

    @property
    def places(self) -> float:
        return self.limit - self.busy - len(self.line)

    @property
    def limit(self) -> float:
        return float("inf") if self.policy.capacity < 0 else self.workers + self.policy.capacity

    def admit(self, job: int, priority: int) -> None:
        self.line.append(Queued(job, priority))
        assert self.busy + len(self.line) <= self.allowed, "one too many was let in"

    def next_in_line(self) -> Queued:
        match self.policy.discipline:
            case "lifo":
                return self.line[-1]
            case "priority":
                return max(self.line, key=lambda queued: queued.priority)
            case _:
                return self.line[0]

    @rule(priority=st.integers(0, 3))
    def try_put(self, priority: int) -> None:
        job = next(self.jobs)
        room = self.places > 0
        try:
            self.queue.try_put(job, priority)
        except QueueFull:
            assert not room or self.callers  # a place may be granted to one who waits
            return
        assert room
        self.admit(job, priority)

    @rule(priority=st.integers(0, 3), timeout_s=st.sampled_from([0.0, 1.0, 10.0]))
    def put(self, priority: int, timeout_s: float) -> None:
        job = next(self.jobs)

        async def caller() -> None:
            try:
                await self.queue.put(job, timeout_s, priority)
            except (QueueFull, QueueTimeout):
                return
            self.admit(job, priority)

        self.callers.append(self.stage.spawn(caller()))

    @precondition(lambda self: self.line)
    @rule(data=st.data(), priority=st.integers(0, 3), waits=st.booleans())
    def put_again(self, data: st.DataObject, priority: int, waits: bool) -> None:
        """A job that is queued: refused at once, and what follows shows that nothing changed."""
        job = data.draw(st.sampled_from(self.line)).job

        def put() -> None:
            if waits:
                self.queue.put(job, 10.0, priority).send(None)  # its first step, at this moment
            else:
                self.queue.try_put(job, priority)

        with pytest.raises(ValueError, match="waits already"):
            put()

    @precondition(lambda self: len(self.takers) < self.workers - self.busy)
    @rule()
    def take(self) -> None:
        async def worker() -> None:
            job, _ = await self.queue.take()
            expected = self.next_in_line()
            assert job == expected.job
            self.line.remove(expected)
            self.taken.append(job)
            self.busy += 1

        self.takers.append(self.stage.spawn(worker()))

    @precondition(lambda self: self.busy)
    @rule()
    def finish(self) -> None:
        self.busy -= 1
        self.queue.place_freed()

    @precondition(lambda self: self.callers)
    @rule(data=st.data())
    def cancel_caller(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(self.callers)).cancel()

    @precondition(lambda self: self.takers)
    @rule(data=st.data())
    def cancel_taker(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(self.takers)).cancel()

    @precondition(lambda self: self.busy and self.queue.waiting)
    @rule()
    def grant_and_cancel(self) -> None:
        """What chance seldom does: the caller is cancelled between the grant and their wake-up."""
        self.rest()
        if self.callers and self.busy:
            self.finish()
            self.callers[0].cancel()

    @precondition(lambda self: self.takers)
    @rule()
    def wake_and_cancel(self) -> None:
        """The same with a taker, woken for a job that they will not take."""
        self.rest()
        if self.takers:
            self.try_put(1)
            self.takers[0].cancel()

    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        job = data.draw(st.sampled_from([-1, *self.taken, *[queued.job for queued in self.line]]))
        queued = next((queued for queued in self.line if queued.job == job), None)
        if queued:
            self.line.remove(queued)
        assert self.queue.remove(job) == (queued is not None)

    @rule(
        policy=st.builds(
            usual,
            st.just(QueuePolicy),
            capacity=st.sampled_from([-1, 0, 0, 1, 2, 5]),
            discipline=st.sampled_from(DISCIPLINES),
            waiters=st.integers(0, 3),
            codel=st.just(usual(CoDelPolicy, interval_s=1e9)),  # it never sheds here
        )
    )
    def retune(self, policy: QueuePolicy) -> None:
        self.policy = policy
        self.allowed = max(self.allowed, self.limit)
        self.queue.retune(policy)

    @rule()
    def clear(self) -> None:
        cleared = self.queue.clear()
        expected = []
        while self.line:
            expected.append(self.next_in_line())
            self.line.remove(expected[-1])
        assert cleared == [queued.job for queued in expected]

    @rule()
    def turn(self) -> None:
        self.stage.turn()

    @rule(by_s=st.sampled_from([0.5, 1.0, 10.0]))
    def pass_time(self, by_s: float) -> None:
        self.stage.advance(by_s)
        self.nobody_waits_in_vain()

    @rule()
    def rest(self) -> None:
        self.stage.settle()
        self.nobody_waits_in_vain()

    def nobody_waits_in_vain(self) -> None:
        """At rest: a job and a taker have met, and so have a place and a caller."""
        for tasks in (self.callers, self.takers):
            for task in [task for task in tasks if task.done()]:
                tasks.remove(task)
                if not task.cancelled() and (error := task.exception()):
                    raise error
        self.allowed = max(self.limit, self.busy + len(self.line))
        assert self.queue.depth == len(self.line)
        assert not (self.line and self.takers), "a wake-up of a taker was lost"
        assert not (self.places > 0 and self.callers), "a wake-up of a caller was lost"
        assert self.queue.waiting == len(self.callers)
        assert self.queue.has_place == (self.places > 0), "a granted place has leaked"
        assert len(self.taken) == len(set(self.taken)), "a job was taken twice"

    def teardown(self) -> None:
        self.stage.settle()
        self.nobody_waits_in_vain()
        # Every job that is left can still be served, in turn.
        for taker in self.takers:
            taker.cancel()
        self.stage.settle()
        self.takers.clear()
        while self.line:
            self.busy = 0
            self.queue.place_freed()
            self.take()
            self.stage.settle()
        assert self.queue.depth == 0
        self.stage.close()


TestQueueMachine = QueueMachine.TestCase
TestQueueMachine.settings = settings(max_examples=examples(150), stateful_step_count=40)
