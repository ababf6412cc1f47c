"""The pool: N workers, no job dropped by growing or shrinking, no worker killed by a job."""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from random import Random

import pytest

from bpdemo.core.errors import QueueFull
from bpdemo.flow.pool import WorkerPool
from bpdemo.flow.queue import BoundedQueue, QueuePolicy
from bpdemo.flow.seats import Seats
from tests.flow.helpers import now, settle
from tests.support.policies import usual
from tests.support.virtual import virtual

caller_id: contextvars.ContextVar[str] = contextvars.ContextVar("caller_id", default="nobody")


@dataclass(eq=False)
class Job:
    """Takes its time, then acts."""

    service_s: float = 1.0
    act: Callable[[], Awaitable[None] | None] = lambda: None
    context: Context = field(default_factory=copy_context)


class Bench:
    """A pool on its queue, with a record of what was begun, done and crashed."""

    def __init__(self, size: int = 2, capacity: int = -1) -> None:
        self.seats = Seats(size)
        self.queue: BoundedQueue[Job] = BoundedQueue(
            usual(QueuePolicy, capacity=capacity),
            idle=lambda: self.seats.free,
            clock=asyncio.get_running_loop().time,
            on_shed=lambda job, waited_s: None,
        )
        self.pool: WorkerPool[Job] = WorkerPool(
            size, self.queue, self.handle, self.on_crash, self.seats
        )
        self.begun: list[Job] = []
        self.done: list[Job] = []
        self.waits_s: list[float] = []
        self.crashed: list[tuple[Job, BaseException]] = []
        self.most_busy = 0

    async def handle(self, job: Job, waited_s: float) -> None:
        self.begun.append(job)
        self.waits_s.append(waited_s)
        self.most_busy = max(self.most_busy, self.pool.busy)
        await asyncio.sleep(job.service_s)
        acting = job.act()
        if acting is not None:
            await acting
        self.done.append(job)

    def on_crash(self, job: Job, error: BaseException) -> None:
        self.crashed.append((job, error))

    def put(self, count: int = 1, service_s: float = 1.0) -> list[Job]:
        jobs = [Job(service_s) for _ in range(count)]
        for job in jobs:
            self.queue.try_put(job)
        return jobs

    @property
    def crashes(self) -> list[type[BaseException]]:
        return [type(error) for _, error in self.crashed]


def raising(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


# Work


@virtual
async def test_n_workers_do_n_jobs_at_once() -> None:
    """Ten jobs of a second each by two workers take five seconds, each with its wait."""
    bench = Bench(size=2)
    bench.pool.start()
    jobs = bench.put(10)
    await asyncio.sleep(5)
    await settle()
    assert bench.done == jobs
    assert bench.waits_s == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert bench.most_busy == 2
    assert bench.pool.busy == 0


@virtual
async def test_nothing_is_begun_before_the_start() -> None:
    """Jobs may come before it; they are kept."""
    bench = Bench()
    bench.put(2)
    await asyncio.sleep(9)
    assert bench.begun == []
    bench.pool.start()
    await asyncio.sleep(1.5)
    assert len(bench.done) == 2


@virtual
async def test_a_worker_that_is_free_makes_a_place_for_who_waits() -> None:
    """With no queue at all, callers under `block` follow one another without a gap."""
    bench = Bench(size=1, capacity=0)
    bench.pool.start()
    callers = [asyncio.create_task(bench.queue.put(Job(), 60)) for _ in range(5)]
    await asyncio.wait(callers)
    await asyncio.sleep(1.5)
    assert len(bench.done) == 5
    assert now() == 5.5


@virtual
async def test_places_count_busy_and_queued_together() -> None:
    """workers + capacity, whatever part of them has begun."""
    bench = Bench(size=2, capacity=3)
    bench.pool.start()
    bench.put(2)
    await settle()
    bench.put(3)
    with pytest.raises(QueueFull):
        bench.put()
    assert (bench.pool.busy, bench.queue.depth) == (2, 3)
    await asyncio.sleep(1)
    await settle()
    bench.put(2)
    with pytest.raises(QueueFull):
        bench.put()


@virtual
async def test_each_job_runs_in_its_own_context() -> None:
    """What the caller set is there; what the job sets stays with the job."""
    bench = Bench(size=1)
    seen: list[str] = []

    def act() -> None:
        seen.append(caller_id.get())
        caller_id.set("changed by a job")

    bench.pool.start()
    for name in ("ann", "bob"):
        caller_id.set(name)
        bench.queue.try_put(Job(act=act))
    bench.queue.try_put(Job(act=act, context=Context()))
    caller_id.set("later")
    await asyncio.sleep(3.5)
    assert seen == ["ann", "bob", "nobody"]
    assert caller_id.get() == "later"


# Crashes


@pytest.mark.parametrize(
    "error",
    [
        ValueError(),
        BaseException(),
        SystemExit(1),
        KeyboardInterrupt(),
        GeneratorExit(),
        asyncio.CancelledError(),
    ],
    ids=lambda error: type(error).__name__,
)
@virtual
async def test_whatever_a_handler_raises_costs_its_own_job_only(error: BaseException) -> None:
    """The crash is told, no worker dies, and the loop goes on."""
    bench = Bench(size=2)
    bench.pool.start()
    bad = [Job(act=raising(error)) for _ in range(10)]
    for job in bad:
        bench.queue.try_put(job)
    good = bench.put(4)
    await asyncio.sleep(7.5)
    assert [job for job, _ in bench.crashed] == bad
    assert all(heard is error for _, heard in bench.crashed)
    assert bench.done == good
    assert bench.pool.busy == 0


@virtual
async def test_a_job_that_cancels_itself_costs_itself_only() -> None:
    """Whether it waits afterwards, or cancels with its very last act."""
    bench = Bench(size=1)

    def cancel_me() -> None:
        me = asyncio.current_task()
        assert me
        me.cancel()

    async def cancel_and_wait() -> None:
        cancel_me()
        await asyncio.sleep(1)

    bench.pool.start()
    for act in (cancel_me, cancel_and_wait):
        bench.queue.try_put(Job(act=act))
    good = bench.put(2)
    await asyncio.sleep(9)
    assert bench.done[-2:] == good
    assert bench.pool.busy == 0
    assert bench.crashes == [asyncio.CancelledError]


# Growing and shrinking


@virtual
async def test_growing_helps_at_once() -> None:
    """New workers take what is queued already."""
    bench = Bench(size=1)
    bench.pool.start()
    bench.put(8)
    await asyncio.sleep(0.5)
    bench.pool.resize(8)
    await settle()
    assert bench.pool.busy == 8
    await asyncio.sleep(1)
    assert len(bench.done) == 8


@virtual
async def test_growing_makes_places_for_those_who_wait() -> None:
    """A new worker is a place."""
    bench = Bench(size=1, capacity=0)
    bench.pool.start()
    bench.put()
    waiters = [asyncio.create_task(bench.queue.put(Job(), 60)) for _ in range(3)]
    await settle()
    bench.pool.resize(3)
    await settle()
    assert [waiter.done() for waiter in waiters] == [True, True, False]
    assert bench.pool.busy == 3
    waiters[2].cancel()


@virtual
async def test_shrinking_cuts_no_job_short() -> None:
    """Eight at work finish; after that two at a time, for the rest."""
    bench = Bench(size=8)
    bench.pool.start()
    jobs = bench.put(16)
    await asyncio.sleep(0.5)
    bench.pool.resize(2)
    await settle()
    assert bench.pool.busy == 8
    await asyncio.sleep(0.5)
    await settle()
    assert bench.pool.busy == 2
    await asyncio.sleep(4)
    await settle()
    assert bench.done == jobs
    assert bench.crashed == []


@virtual
async def test_shrinking_sends_idle_workers_home_at_once() -> None:
    """The next burst is worked on by two."""
    bench = Bench(size=8)
    bench.pool.start()
    await settle()
    bench.pool.resize(2)
    bench.put(6)
    await settle()
    assert bench.pool.busy == 2
    await asyncio.sleep(3)
    await settle()
    assert len(bench.done) == 6


@virtual
async def test_a_worker_sent_home_with_a_job_in_hand_passes_it_on() -> None:
    """Jobs put in the very turn of the shrink, when takers are woken and then dismissed."""
    for count in range(1, 9):
        bench = Bench(size=8)
        bench.pool.start()
        await settle()
        bench.put(count)
        bench.pool.resize(1)
        await asyncio.sleep(count + 0.5)
        assert len(bench.done) == count
        assert bench.most_busy == 1


@virtual
async def test_shrink_and_grow_again_before_anybody_has_left() -> None:
    """8 → 2 → 16 in one turn and in the midst of work: sixteen work, not eight or twenty-two."""
    bench = Bench(size=8)
    bench.pool.start()
    jobs = bench.put(40)
    await asyncio.sleep(0.5)
    bench.pool.resize(2)
    bench.pool.resize(16)
    await settle()
    assert bench.pool.busy == 16
    await asyncio.sleep(4)
    assert bench.most_busy == 16
    assert sorted(map(id, bench.done)) == sorted(map(id, jobs))


@virtual
async def test_idle_workers_sent_home_are_hired_anew_in_the_same_turn() -> None:
    """Those who are leaving still run, but are no workers any more."""
    bench = Bench(size=8)
    bench.pool.start()
    await settle()
    bench.pool.resize(2)
    bench.pool.resize(8)
    bench.put(20)
    await settle()
    assert bench.pool.busy == 8


@virtual
async def test_eight_two_sixteen_under_load_drops_nothing() -> None:
    """Every job is done once, and never more are busy than there were workers to settle."""
    bench = Bench(size=8)
    bench.pool.start()
    rng = Random(11)
    jobs: list[Job] = []
    for step in range(60):
        jobs += bench.put(rng.randrange(20), service_s=rng.uniform(0.01, 1))
        bench.pool.resize((8, 2, 16)[step % 3])
        await asyncio.sleep(rng.choice([0, 0.01, 0.3, 1.5]))
    bench.pool.resize(2)
    await asyncio.sleep(1)
    await settle()
    bench.most_busy = 0
    await asyncio.sleep(3600)
    assert bench.most_busy <= 2
    assert sorted(map(id, bench.done)) == sorted(map(id, jobs))
    assert bench.crashed == []
    assert bench.pool.busy == 0


@virtual
async def test_after_any_resizing_exactly_that_many_work() -> None:
    """At rest under load, busy is the size: no worker was lost, none is there twice."""
    bench = Bench(size=4)
    bench.pool.start()
    bench.put(20_000, service_s=0.1)
    rng = Random(2)
    for _ in range(200):
        for _ in range(rng.randrange(4)):
            bench.pool.resize(rng.randint(1, 12))
            await asyncio.sleep(rng.choice([0, 0.03]))
        await asyncio.sleep(0.25)
        assert bench.pool.busy == bench.pool.size == bench.seats.total


@virtual
async def test_resizing_before_the_start_only_sets_the_size() -> None:
    """So many are hired when it starts."""
    bench = Bench(size=1)
    bench.pool.resize(3)
    bench.put(3)
    await settle()
    assert bench.begun == []
    bench.pool.start()
    await settle()
    assert bench.pool.busy == 3


@pytest.mark.parametrize("size", [1, 3, 8])
@virtual
async def test_resized_to_nobody_it_pauses_until_it_grows_again(size: int) -> None:
    """With jobs in the queue and in progress: those end, these wait, and none is lost."""
    bench = Bench(size=2)
    bench.pool.start()
    jobs = bench.put(6)
    await asyncio.sleep(0.5)
    bench.pool.resize(0)
    await asyncio.sleep(3600)
    assert bench.done == jobs[:2]
    assert (bench.pool.busy, bench.queue.depth) == (0, 4)
    bench.pool.resize(size)
    await asyncio.sleep(4.5)
    assert bench.done == jobs
    assert bench.most_busy == max(2, min(size, 4))


@virtual
async def test_resized_to_nobody_and_back_while_jobs_run_it_has_as_many_as_asked_for() -> None:
    """The busy workers of before count among them, if they are busy still."""
    bench = Bench(size=4)
    bench.pool.start()
    bench.put(12)
    await asyncio.sleep(0.5)
    for size in (0, 3, 0, 2):
        bench.pool.resize(size)
        await settle()
    bench.most_busy = 0
    await asyncio.sleep(0.6)
    assert bench.pool.busy == bench.most_busy == 2
    await asyncio.sleep(60)
    assert len(bench.done) == 12


@virtual
async def test_a_pause_makes_no_places_and_its_end_does() -> None:
    """Nobody works, so there is the queue only; who waits for more gets it afterwards."""
    bench = Bench(size=2, capacity=1)
    bench.pool.start()
    await settle()
    bench.pool.resize(0)
    bench.put(1)
    with pytest.raises(QueueFull):
        bench.put(1)
    waiting = asyncio.create_task(bench.queue.put(Job(), 60))
    await asyncio.sleep(10)
    bench.pool.resize(2)
    await waiting
    assert now() == 10
    await asyncio.sleep(2)
    assert len(bench.done) == 2


@virtual
async def test_a_negative_size_is_refused_and_changes_nothing() -> None:
    """When made and when resized."""
    bench = Bench(size=2)
    bench.pool.start()
    with pytest.raises(ValueError, match="size"):
        bench.pool.resize(-1)
    with pytest.raises(ValueError, match="size"):
        WorkerPool(-1, bench.queue, bench.handle, bench.on_crash, Seats(1))
    bench.put(2)
    await settle()
    assert bench.pool.busy == bench.pool.size == 2


# A queue that raises


class Grumpy(BoundedQueue[Job]):
    """Raises as long as there is something to raise."""

    errors: list[BaseException]
    asked = 0

    async def take(self) -> tuple[Job, float]:
        self.asked += 1
        if self.errors:
            raise self.errors.pop()
        return await super().take()


def grumpy(bench: Bench, *errors: BaseException) -> Grumpy:
    bench.queue.__class__ = Grumpy
    queue = bench.queue
    assert isinstance(queue, Grumpy)
    queue.errors = list(errors)
    return queue


def ears() -> list[BaseException]:
    """Whatever the event loop's exception handler hears from now on."""
    heard: list[BaseException] = []
    asyncio.get_running_loop().set_exception_handler(
        lambda _, context: heard.append(context["exception"])
    )
    return heard


@pytest.mark.parametrize(
    "kind", [KeyError, RuntimeError, asyncio.CancelledError, SystemExit, KeyboardInterrupt]
)
@virtual
async def test_a_take_that_raises_costs_no_worker(kind: type[BaseException]) -> None:
    """Each worker's first take raises, whatever: all of them work afterwards, and it is told."""
    heard = ears()
    bench = Bench(size=3)
    grumpy(bench, *[kind("take") for _ in range(3)])
    bench.pool.start()
    jobs = bench.put(9)
    await asyncio.sleep(4)
    assert bench.done == jobs
    assert bench.most_busy == 3
    assert [type(error) for error in heard] == [kind] * 3


@virtual
async def test_a_queue_that_always_raises_does_not_keep_the_loop_busy() -> None:
    """Ever longer pauses, up to a second; once it is well again, work goes on within that."""
    ears()
    bench = Bench(size=2)
    queue = grumpy(bench, *[KeyError() for _ in range(10_000)])
    bench.pool.start()
    jobs = bench.put(4)
    await asyncio.sleep(100)
    assert 2 * 99 <= queue.asked <= 2 * 120
    queue.errors.clear()
    await asyncio.sleep(1 + 2.1)
    assert bench.done == jobs


@virtual
async def test_a_worker_that_pauses_is_let_go_like_any_other() -> None:
    """By a shrink and by a stop."""
    ears()
    before = len(asyncio.all_tasks())
    bench = Bench(size=4)
    grumpy(bench, *[KeyError() for _ in range(10_000)])
    bench.pool.start()
    await asyncio.sleep(30)
    bench.pool.resize(1)
    await settle()
    assert len(asyncio.all_tasks()) == before + 1
    await bench.pool.stop()
    assert len(asyncio.all_tasks()) == before


@virtual
async def test_a_take_that_fails_leaves_its_job_to_an_idle_worker() -> None:
    """The one that was woken for the job did not take it, so another is woken."""
    ears()
    bench = Bench(size=2)
    bench.pool.start()
    await settle()
    pop, failing = bench.queue._line.pop, [KeyError()]
    bench.queue._line.pop = lambda: (_ for _ in ()).throw(failing.pop()) if failing else pop()  # type: ignore[method-assign]
    bench.put(1)
    await settle()
    assert len(bench.begun) == 1


@pytest.mark.parametrize("kind", [ZeroDivisionError, SystemExit, asyncio.CancelledError])
@virtual
async def test_what_hears_of_crashes_may_crash_itself(kind: type[BaseException]) -> None:
    """It should not, but then that costs no worker, and does not end the loop."""
    heard = ears()
    bench = Bench(size=1)

    def on_crash(job: Job, error: BaseException) -> None:
        raise kind("on_crash")

    bench.pool._on_crash = on_crash
    bench.pool.start()
    for _ in range(3):
        bench.queue.try_put(Job(act=raising(ValueError())))
    bench.put(1)
    await asyncio.sleep(5)
    assert len(bench.done) == 1
    assert [type(error) for error in heard] == [kind] * 3


@virtual
async def test_a_worker_that_dies_all_the_same_is_replaced() -> None:
    """Of a job without a context, say: a second later another worker takes its place."""
    heard = ears()
    bench = Bench(size=1)
    bench.pool.start()
    broken = Job()
    del broken.context
    bench.queue.try_put(broken)
    bench.put(1)
    await asyncio.sleep(2.5)
    assert len(bench.done) == 1
    assert [type(error) for error in heard] == [AttributeError]


@pytest.mark.parametrize("phase", ["new", "idle", "busy", "pausing"])
@pytest.mark.parametrize("resized", [None, 2])
@virtual
async def test_a_worker_that_somebody_else_cancels_is_replaced(
    phase: str, resized: int | None
) -> None:
    """Whatever it was at, also where a resize has just counted it in."""
    ears()
    bench = Bench(size=2)
    queue = grumpy(bench, *[KeyError()] * 2 * (phase == "pausing"))
    bench.pool.start()
    if phase != "new":
        await settle()
    if phase == "busy":
        bench.put(2)
        await settle()
    for worker in list(bench.pool._workers):
        worker.cancel()
    if resized is not None:
        bench.pool.resize(resized)
    await asyncio.sleep(3)
    bench.put(3)
    await settle()
    assert (queue.errors, bench.pool.busy, len(bench.pool._workers)) == ([], 2, 2)


@virtual
async def test_a_worker_that_is_not_wanted_any_more_is_not_replaced() -> None:
    """One that a shrink or a stop lets go stays away, though another was cancelled before."""
    bench = Bench(size=3)
    bench.pool.start()
    await settle()
    next(iter(bench.pool._workers)).cancel()
    bench.pool.resize(1)
    await asyncio.sleep(3)
    assert len(bench.pool._workers) == 1
    next(iter(bench.pool._workers)).cancel()
    await bench.pool.stop()
    await asyncio.sleep(3)
    assert not bench.pool._workers


# Stopping


@virtual
async def test_jobs_are_cancelled_in_the_order_in_which_they_began() -> None:
    """Not in that of a set, which differs from run to run: a seed must have one history."""
    for size in (2, 7, 32):
        for _ in range(5):
            bench = Bench(size=size)
            bench.pool.start()
            jobs = bench.put(size)
            await asyncio.sleep(0.5)
            await bench.pool.stop()
            assert [job for job, _ in bench.crashed] == jobs


@virtual
async def test_a_shrink_lets_those_go_who_have_been_idle_for_longest() -> None:
    """In the order in which they were hired, as long as none has worked."""
    bench = Bench(size=20)
    bench.pool.start()
    await settle()
    hired = list(bench.pool._workers)
    bench.pool.resize(8)
    await settle()
    assert [worker.done() for worker in hired] == [True] * 12 + [False] * 8


@virtual
async def test_stop_cancels_jobs_in_progress_and_lets_every_worker_go() -> None:
    """Each job is told of; what was queued stays in the queue."""
    before = len(asyncio.all_tasks())
    bench = Bench(size=2)
    bench.pool.start()
    jobs = bench.put(4)
    await asyncio.sleep(0.5)
    await bench.pool.stop()
    assert {job for job, _ in bench.crashed} == set(jobs[:2])
    assert bench.crashes == [asyncio.CancelledError] * 2
    assert (bench.pool.busy, bench.queue.depth) == (0, 2)
    await settle()
    assert len(asyncio.all_tasks()) == before
    bench.pool.resize(4)
    await asyncio.sleep(60)
    assert bench.done == []


@virtual
async def test_a_stop_right_after_a_job_was_taken_loses_no_job() -> None:
    """In whichever turn it comes, each job is done, crashed, or still queued."""
    for turns in range(8):
        bench = Bench(size=2)
        bench.pool.start()
        await settle()
        jobs = bench.put(3)
        for _ in range(turns):
            await asyncio.sleep(0)
        await bench.pool.stop()
        left = bench.queue.clear()
        assert sorted(map(id, [*(job for job, _ in bench.crashed), *left])) == sorted(map(id, jobs))
        assert bench.pool.busy == 0


@virtual
async def test_stop_waits_for_a_job_that_cleans_up() -> None:
    """What it does on its way out is not cut off."""
    bench = Bench(size=1)
    cleaned: list[float] = []

    async def act() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(3)
            cleaned.append(now())

    bench.pool.start()
    bench.queue.try_put(Job(act=act))
    await asyncio.sleep(2)
    await bench.pool.stop()
    assert cleaned == [5]


@virtual
async def test_a_pool_nobody_stops_does_not_outlive_its_loop() -> None:
    """The end of the loop cancels all tasks; a busy worker must heed that, or it would hang."""
    bench = Bench(size=2)
    bench.pool.start()
    bench.put(9)
    await asyncio.sleep(0.5)
    # The test ends here, in the midst of work: `virtual` would raise Deadlock.


@virtual
async def test_a_job_that_cancelled_itself_does_not_spoil_the_next() -> None:
    """Nor one that took a part of it back, nor a timeout inside: nobody's job is cut short but
    theirs, no worker ends, and the loop hears of nothing."""
    heard = ears()
    bench = Bench(size=1)
    bench.pool.start()
    await settle()
    workers = list(bench.pool._workers)
    me = asyncio.current_task

    def cancel(times: int) -> None:
        for _ in range(times):
            me().cancel()

    async def cancel_and_take_back(times: int, back: int) -> None:
        cancel(times)
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(1)
        for _ in range(back):
            me().uncancel()

    async def time_out() -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.5):
                await asyncio.sleep(9)

    bad: list[Callable[[], Awaitable[None] | None]] = [
        *(lambda times=times: cancel(times) for times in (1, 2)),
        *(
            lambda times=times, back=back: cancel_and_take_back(times, back)
            for times in (1, 3)
            for back in range(times + 2)
        ),
        time_out,
    ]
    good: list[Job] = []
    for act in bad * 2:
        bench.queue.try_put(Job(act=act))
        good += bench.put(1)
    await asyncio.sleep(200)
    assert [job for job in bench.done if job in good] == good
    assert bench.crashed == []
    assert list(bench.pool._workers) == workers
    assert (bench.pool.busy, heard) == (0, [])


@virtual
async def test_jobs_that_wait_for_nothing_leave_the_loop_its_turns() -> None:
    """However many are queued, everybody else comes to their turn between any two of them."""
    bench = Bench(size=1)
    turns: list[int] = []
    begun = 0

    async def at_once(job: Job, waited_s: float) -> None:
        nonlocal begun
        begun += 1

    async def another() -> None:
        while begun < 100:
            turns.append(begun)
            await asyncio.sleep(0)

    bench.pool._handle = at_once
    bench.put(100)
    bench.pool.start()
    await another()
    assert set(range(100)) <= set(turns)
