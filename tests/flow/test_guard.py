"""Around a dependency: deadline, retry within a budget, breaker, attempt timeout, in that order."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import count
from math import inf
from random import Random
from typing import Any

import pytest

from bpdemo.core.errors import (
    AttemptTimeout,
    BoxOfficeError,
    CircuitOpen,
    DeadlineExceeded,
    DependencyError,
    DownstreamFailed,
    InvalidRequest,
    NotFound,
    PoolExhausted,
    QueueFull,
    SettingsInvalid,
    SoldOut,
)
from bpdemo.core.events import AttemptEnded, BreakerMoved, Retried, RetryDenied
from bpdemo.core.ports import NullTracer
from bpdemo.flow import guard as guard_module
from bpdemo.flow.backoff import BackoffPolicy
from bpdemo.flow.breaker import Breaker, BreakerPolicy
from bpdemo.flow.budget import BudgetPolicy, RetryBudget
from bpdemo.flow.deadline import Deadline
from bpdemo.flow.guard import Guard, GuardPolicy
from tests.flow.helpers import Ears, now, settle
from tests.support.policies import usual
from tests.support.virtual import virtual

STEADY = BackoffPolicy(attempts=3, base_s=0.1, cap_s=1.0, jitter="none")
#: Opens at the first failure; handy to see what counts as one.
TOUCHY = usual(BreakerPolicy, min_calls=1, failure_ratio=0, half_open_calls=1, open_s=5)


@dataclass
class Dependency:
    """Answers as told: a number of seconds to take, an error to raise, or both, then `ok`."""

    script: list[float | BaseException] = field(default_factory=list)
    called_s: list[float] = field(default_factory=list)

    async def __call__(self) -> str:
        self.called_s.append(now())
        while self.script:
            step = self.script.pop(0)
            if isinstance(step, BaseException):
                raise step
            await asyncio.sleep(step)
        return "ok"


class Bench:
    """A guard with real parts on the running loop's clock."""

    def __init__(
        self,
        policy: GuardPolicy | None = None,
        breaker: BreakerPolicy | None = None,
        budget: BudgetPolicy | None = None,
    ) -> None:
        clock = asyncio.get_running_loop().time
        self.ears = Ears()
        self.budget = RetryBudget(budget or usual(BudgetPolicy), clock)
        self.breaker = Breaker(breaker or usual(BreakerPolicy), "payment", clock, self.ears)
        self.guard = Guard(
            "payment",
            policy or GuardPolicy(attempt_timeout_s=0.5, backoff=STEADY),
            self.breaker,
            self.budget,
            clock=clock,
            rng=Random(1),
            observer=self.ears,
            tracer=NullTracer(),
        )

    @property
    def outcomes(self) -> list[str]:
        return [event.outcome for event in self.ears.heard(AttemptEnded)]

    async def call(
        self, operation: Callable[[], Awaitable[Any]], timeout_s: float = inf
    ) -> str | type[BaseException]:
        """The result, or the kind of error."""
        try:
            return str(await self.guard.call(operation, Deadline.after(timeout_s, now())))
        except Exception as error:
            return type(error)


def errors(count: int) -> list[float | BaseException]:
    return [DependencyError() for _ in range(count)]


# Attempts


@virtual
async def test_a_call_that_succeeds_is_one_attempt() -> None:
    """And the only thing that is told."""
    bench = Bench()
    assert await bench.call(Dependency([0.25])) == "ok"
    assert bench.ears.events == [AttemptEnded("payment", "success", 0.25)]


@virtual
async def test_the_first_attempt_is_made_outside_tenacity(monkeypatch: pytest.MonkeyPatch) -> None:
    """Success must not pay for the machinery of failure."""

    class Entered(Exception):
        pass

    def enter(**_: object) -> None:
        raise Entered

    monkeypatch.setattr(guard_module, "AsyncRetrying", enter)
    bench = Bench()
    assert await bench.call(Dependency()) == "ok"
    assert await bench.call(Dependency([SoldOut()])) is SoldOut
    assert await bench.call(Dependency(errors(1))) is Entered


@virtual
async def test_a_failure_is_tried_again_after_a_growing_wait() -> None:
    """0.1 s, then 0.2 s; the events tell the same."""
    bench, dependency = Bench(), Dependency(errors(2))
    assert await bench.call(dependency) == "ok"
    assert dependency.called_s == pytest.approx([0, 0.1, 0.3])
    assert bench.outcomes == ["failure", "failure", "success"]
    assert [event.wait_s for event in bench.ears.heard(Retried)] == [0.1, 0.2]


@pytest.mark.parametrize("attempts", [1, 2, 5])
@virtual
async def test_attempts_are_counted_with_the_first(attempts: int) -> None:
    """`attempts` in all, then the call has failed; the last error is its cause."""
    policy = GuardPolicy(
        attempt_timeout_s=0.5,
        backoff=usual(BackoffPolicy, attempts=attempts, base_s=0.1, jitter="none"),
    )
    bench, dependency = Bench(policy), Dependency([DependencyError(str(n)) for n in range(99)])
    with pytest.raises(DownstreamFailed) as failed:
        await bench.guard.call(dependency)
    assert len(dependency.called_s) == attempts
    assert str(failed.value.__cause__) == str(attempts - 1)
    assert len(bench.ears.heard(Retried)) == attempts - 1
    assert bench.ears.heard(RetryDenied) == []


@virtual
async def test_waits_obey_the_jitter() -> None:
    """Decorrelated waits depend on the last one, and never leave [base, cap]."""
    backoff = BackoffPolicy(attempts=500, base_s=0.1, cap_s=2.0, jitter="decorrelated")
    bench = Bench(
        GuardPolicy(attempt_timeout_s=0.5, backoff=backoff),
        usual(BreakerPolicy, enabled=False),
        usual(BudgetPolicy, enabled=False),
    )
    assert await bench.call(Dependency(errors(500))) is DownstreamFailed
    waits = [event.wait_s for event in bench.ears.heard(Retried)]
    assert len(waits) == 499
    assert min(waits) >= 0.1
    assert max(waits) == 2.0
    pairs = zip([0.1, *waits], waits, strict=False)
    assert all(wait <= max(0.1, 3 * last) + 1e-9 for last, wait in pairs)


@virtual
async def test_one_attempt_has_no_second_chance() -> None:
    """`attempt` leaves the error as it is."""
    bench, dependency = Bench(), Dependency(errors(2))
    with pytest.raises(DependencyError):
        await bench.guard.attempt(dependency)
    assert len(dependency.called_s) == 1


# Answers that are no failures


#: What each error that is no plain answer counts as: for the metric, and for the breaker.
VERDICTS: dict[type[BaseException], tuple[str, str]] = {
    DependencyError: ("failure", "failure"),
    AttemptTimeout: ("timeout", "failure"),
    DownstreamFailed: ("failure", "failure"),
    PoolExhausted: ("refused", "neither"),
    CircuitOpen: ("refused", "neither"),
    DeadlineExceeded: ("cancelled", "neither"),
    asyncio.CancelledError: ("cancelled", "neither"),
    OSError: ("failure", "failure"),
    TimeoutError: ("failure", "failure"),
    ZeroDivisionError: ("failure", "failure"),
}


def every_kind(root: type[BoxOfficeError] = BoxOfficeError) -> list[type[BoxOfficeError]]:
    """The whole tree of errors, as far as `core` draws it: other rooms may have grown more."""
    ours = [kind for kind in root.__subclasses__() if kind.__module__ == root.__module__]
    return [root, *(kind for branch in ours for kind in every_kind(branch))]


def verdict_on(error: BaseException) -> tuple[str, str]:
    return VERDICTS.get(type(error), ("success", "success"))


def made(kind: type[BaseException]) -> BaseException:
    if issubclass(kind, InvalidRequest | SettingsInvalid):
        return kind("item_id", "there is none")
    return kind("as it happens")


ERRORS = [made(kind) for kind in dict.fromkeys([*every_kind(), *VERDICTS])]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("timeout_s", [0.5, 0])
@virtual
async def test_what_every_error_counts_as(error: BaseException, timeout_s: float) -> None:
    """For the breaker when it is closed and as its probe, for the metric, and for the budget."""
    outcome, verdict = verdict_on(error)
    bench = Bench(
        GuardPolicy(attempt_timeout_s=timeout_s, backoff=STEADY),
        TOUCHY,
        usual(BudgetPolicy, ratio=1, min_per_s=0),
    )

    async def attempt() -> None:
        # A driver's own timeout becomes a `DependencyError`.
        kind = DependencyError if isinstance(error, TimeoutError) else type(error)
        with pytest.raises(kind) as raised:
            await bench.guard.attempt(Dependency([error]), is_first=True)
        assert error in (raised.value, raised.value.__cause__)

    await attempt()
    assert bench.outcomes == [outcome]
    assert bench.breaker.state == ("open" if verdict == "failure" else "closed")
    assert bench.budget.balance == 1
    with suppress(CircuitOpen):
        await bench.call(Dependency([DependencyError()]))
    assert bench.breaker.state == "open"
    await asyncio.sleep(TOUCHY.open_s)
    await attempt()  # as the only probe
    after = {"failure": "open", "neither": "half_open", "success": "closed"}
    assert bench.breaker.state == after[verdict]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@virtual
async def test_only_a_failure_of_the_dependency_is_tried_again(error: BaseException) -> None:
    """An answer is not, nor a shortage, a bug or a caller who has left; and those spend nothing."""
    bench, dependency = Bench(), Dependency([error])
    before = bench.budget.balance
    if isinstance(error, DependencyError | TimeoutError):
        assert await bench.call(dependency) == "ok"
        assert len(bench.ears.heard(Retried)) == 1
    else:
        with pytest.raises(type(error)):
            await bench.guard.call(dependency)
        assert len(dependency.called_s) == 1
        assert bench.budget.balance >= before


@pytest.mark.parametrize("kind", [SoldOut, NotFound, InvalidRequest, QueueFull])
@virtual
async def test_an_answer_we_may_not_like_is_a_success_for_the_breaker(
    kind: type[BoxOfficeError],
) -> None:
    """Three percent of failures among such answers open nothing at a ratio of one half, and after
    an outage those answers close it: a thousand of them leave nothing half-open."""
    bench = Bench(breaker=usual(BreakerPolicy, min_calls=20, failure_ratio=0.5, open_s=5))
    for number in range(1000):
        error = DependencyError() if number % 33 == 0 else made(kind)
        with pytest.raises(type(error)):
            await bench.guard.attempt(Dependency([error]))
        await asyncio.sleep(0.01)
    assert bench.ears.heard(BreakerMoved) == []
    while bench.breaker.state != "open":
        await bench.call(Dependency([OSError()]))
    await asyncio.sleep(5)
    for _ in range(1000):
        with pytest.raises(kind):
            await bench.guard.attempt(Dependency([made(kind)]))
    assert [move.to for move in bench.ears.heard(BreakerMoved)] == ["open", "half_open", "closed"]


@virtual
async def test_pool_exhausted_is_our_own_shortage() -> None:
    """Never tried again, free of charge, and no mark against the dependency."""
    bench, dependency = Bench(breaker=TOUCHY), Dependency([PoolExhausted()])
    before = bench.budget.balance
    assert await bench.call(dependency) is PoolExhausted
    assert len(dependency.called_s) == 1
    assert bench.outcomes == ["refused"]
    assert bench.budget.balance >= before
    assert bench.breaker.state == "closed"
    assert bench.ears.heard(Retried) == []


@virtual
async def test_circuit_open_is_never_retried_and_free_of_charge() -> None:
    """The dependency is left alone, and the refusal says for how long."""
    bench, dependency = Bench(breaker=TOUCHY), Dependency(errors(1))
    with pytest.raises(DependencyError):
        await bench.guard.attempt(dependency)
    before = bench.budget.balance
    with pytest.raises(CircuitOpen) as refused:
        await bench.guard.call(dependency)
    assert refused.value.retry_after_s == 5
    assert len(dependency.called_s) == 1
    assert bench.outcomes == ["failure", "refused"]
    assert bench.budget.balance == before
    assert bench.ears.heard(Retried) == []


@virtual
async def test_a_bug_is_a_failure_but_is_not_tried_again() -> None:
    """It would fail the same way; the caller must see it as it is."""
    bench, dependency = Bench(breaker=TOUCHY), Dependency([ZeroDivisionError()])
    assert await bench.call(dependency) is ZeroDivisionError
    assert len(dependency.called_s) == 1
    assert bench.breaker.state == "open"


# Nesting


@virtual
async def test_each_attempt_asks_the_breaker() -> None:
    """Retry stands outside it: the second failure opens it, and the refusal is not tried again."""
    policy = GuardPolicy(
        attempt_timeout_s=0.5, backoff=usual(BackoffPolicy, attempts=9, base_s=0.1, jitter="none")
    )
    bench = Bench(policy, usual(BreakerPolicy, min_calls=2, failure_ratio=1))
    dependency = Dependency(errors(9))
    assert await bench.call(dependency) is CircuitOpen
    assert len(dependency.called_s) == 2
    assert bench.outcomes == ["failure", "failure", "refused"]


@virtual
async def test_each_attempt_has_a_timeout_of_its_own() -> None:
    """The timeout stands inside the retry: two slow attempts do not use up the third's time."""
    bench, dependency = Bench(), Dependency()
    slow = iter([9.0, 9.0, 0.4])

    async def operation() -> str:
        dependency.called_s.append(now())
        await asyncio.sleep(next(slow))
        return "ok"

    assert await bench.call(operation) == "ok"
    assert dependency.called_s == pytest.approx([0, 0.6, 1.3])
    assert bench.outcomes == ["timeout", "timeout", "success"]


@virtual
async def test_the_deadline_bounds_all_attempts_together() -> None:
    """It stands outermost: the second attempt gets what is left of the caller's time."""
    bench, slow = Bench(), Dependency([0.3, DependencyError(), 9])
    started_s = now()
    assert await bench.call(slow, timeout_s=0.7) is DeadlineExceeded
    assert now() - started_s == pytest.approx(0.7)
    assert bench.outcomes == ["failure", "cancelled"]


# Timeouts


@virtual
async def test_a_full_attempt_timeout_is_a_failure() -> None:
    """Of the dependency's, hence the breaker's business."""
    bench = Bench(breaker=TOUCHY)
    with pytest.raises(AttemptTimeout):
        await bench.guard.attempt(Dependency([9]))
    assert now() == 0.5
    assert bench.outcomes == ["timeout"]
    assert bench.breaker.state == "open"


@virtual
async def test_cut_by_the_callers_deadline_is_neither_success_nor_failure() -> None:
    """An impatient caller must not open the circuit for everybody; a probe gives its place back."""
    bench = Bench(breaker=TOUCHY)
    for _ in range(50):
        assert await bench.call(Dependency([9]), timeout_s=0.1) is DeadlineExceeded
    assert bench.breaker.state == "closed"
    with pytest.raises(DependencyError):
        await bench.guard.attempt(Dependency(errors(1)))
    await asyncio.sleep(5)
    for _ in range(5):
        assert await bench.call(Dependency([9]), timeout_s=0.1) is DeadlineExceeded
        assert bench.breaker.state == "half_open"
    assert await bench.call(Dependency()) == "ok"
    assert bench.breaker.state == "closed"


@virtual
async def test_a_deadline_that_leaves_a_full_attempt_leaves_the_verdict_too() -> None:
    """At equal times the attempt had all it could have: it timed out."""
    bench = Bench(breaker=TOUCHY)
    with pytest.raises(AttemptTimeout):
        await bench.guard.attempt(Dependency([9]), Deadline(0.5))
    assert bench.breaker.state == "open"


@virtual
async def test_work_nobody_waits_for_is_not_started() -> None:
    """A deadline that has passed: no call, no permit, no event."""
    bench, dependency = Bench(), Dependency()
    assert await bench.call(dependency, timeout_s=0) is DeadlineExceeded
    assert dependency.called_s == []
    assert bench.ears.events == []


@virtual
async def test_no_timeout_and_no_deadline_wait_for_as_long_as_it_takes() -> None:
    """0 is no limit."""
    assert (
        await Bench(GuardPolicy(attempt_timeout_s=0, backoff=STEADY)).call(Dependency([3600]))
        == "ok"
    )
    assert now() == 3600


@virtual
async def test_without_an_attempt_timeout_the_deadline_still_cuts() -> None:
    """And that is the caller's time, not the dependency's fault."""
    bench = Bench(GuardPolicy(attempt_timeout_s=0, backoff=STEADY), TOUCHY)
    assert await bench.call(Dependency([3600]), timeout_s=2) is DeadlineExceeded
    assert now() == 2
    assert bench.breaker.state == "closed"


@pytest.mark.parametrize("attempt_timeout_s", [0, 0.5])
@virtual
async def test_a_timeout_of_the_operations_own_is_a_plain_failure(
    attempt_timeout_s: float,
) -> None:
    """A driver's TimeoutError is worth another try, whether or not attempts are timed here."""
    bench = Bench(GuardPolicy(attempt_timeout_s=attempt_timeout_s, backoff=STEADY))
    assert await bench.call(Dependency([TimeoutError("driver")])) == "ok"
    assert bench.outcomes == ["failure", "success"]


# Budget and deadline of retries


@virtual
async def test_no_budget_no_retry() -> None:
    """The failure is left at that, and the denial is told."""
    bench = Bench(budget=usual(BudgetPolicy, ratio=0, min_per_s=0.1))
    assert await bench.call(Dependency(errors(9))) is DownstreamFailed
    assert bench.outcomes == ["failure", "failure"]
    assert len(bench.ears.heard(Retried)) == 1
    assert bench.ears.heard(RetryDenied) == [RetryDenied("payment")]


@virtual
async def test_calls_feed_the_budget_and_retries_do_not() -> None:
    """A retry that earned retries would be a storm."""
    bench = Bench(budget=usual(BudgetPolicy, ratio=1, min_per_s=0))
    assert await bench.call(Dependency(errors(9))) is DownstreamFailed
    assert bench.outcomes == ["failure", "failure"]
    assert bench.budget.balance == 0


@virtual
async def test_a_backoff_that_outlasts_the_deadline_is_not_waited_for() -> None:
    """The caller hears at once that it failed, and no budget is spent on a retry that is none."""
    bench = Bench()
    before = bench.budget.balance
    assert await bench.call(Dependency(errors(9)), timeout_s=0.1) is DownstreamFailed
    assert now() == 0
    assert bench.budget.balance >= before
    assert bench.ears.heard(Retried) == []
    assert bench.ears.heard(RetryDenied) == []


@virtual
async def test_the_policy_may_change_between_attempts() -> None:
    """Fewer attempts apply to the call that is waiting for its next one."""
    bench, dependency = Bench(), Dependency(errors(9))
    call = asyncio.create_task(bench.call(dependency))
    await asyncio.sleep(0.05)
    bench.guard.policy = GuardPolicy(
        attempt_timeout_s=0.5, backoff=usual(BackoffPolicy, attempts=2)
    )
    assert await call is DownstreamFailed
    assert len(dependency.called_s) == 2


# Cancellation


@virtual
async def test_cancelling_gives_the_probe_back() -> None:
    """A caller who leaves neither wedges the breaker nor fails the dependency."""
    bench = Bench(breaker=TOUCHY)
    with pytest.raises(DependencyError):
        await bench.guard.attempt(Dependency(errors(1)))
    await asyncio.sleep(5)
    call = asyncio.create_task(bench.call(Dependency([0.4])))
    await settle()
    assert await bench.call(Dependency()) is CircuitOpen
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert bench.outcomes == ["failure", "refused", "cancelled"]
    assert await bench.call(Dependency()) == "ok"
    assert bench.breaker.state == "closed"


@virtual
async def test_cancelling_stops_the_attempt_in_progress() -> None:
    """The operation itself is cancelled, not left behind."""
    bench, cancelled = Bench(), []

    async def operation() -> None:
        try:
            await asyncio.sleep(0.4)
        except asyncio.CancelledError:
            cancelled.append(now())
            raise

    call = asyncio.create_task(bench.guard.call(operation))
    await asyncio.sleep(0.2)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert cancelled == [0.2]


@virtual
async def test_cancelling_during_backoff_makes_no_further_attempt() -> None:
    """Nobody is there to answer to."""
    bench, dependency = Bench(), Dependency(errors(9))
    call = asyncio.create_task(bench.guard.call(dependency))
    await asyncio.sleep(0.05)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await asyncio.sleep(60)
    assert dependency.called_s == [0]


@virtual
async def test_every_permit_is_ended_whatever_happens() -> None:
    """After errors, timeouts and cancellations by the dozen, a probe still finds its place."""
    bench = Bench(breaker=TOUCHY, budget=usual(BudgetPolicy, enabled=False))
    rng = Random(3)
    for _ in range(200):
        ends: list[float | BaseException] = [0.1, 9, DependencyError(), SoldOut()]
        script = [rng.choice([*ends, PoolExhausted(), OSError()])]
        call = asyncio.create_task(bench.call(Dependency(script), timeout_s=rng.uniform(0.05, 2)))
        await asyncio.sleep(rng.uniform(0, 1))
        call.cancel()
        await asyncio.wait([call])
    await asyncio.sleep(5)
    assert await bench.call(Dependency()) == "ok"
    assert bench.breaker.state == "closed"


def test_a_policy_that_cannot_be_is_refused_when_made() -> None:
    """A slice is validated when made."""
    with pytest.raises(ValueError, match="attempt_timeout_s"):
        usual(GuardPolicy, attempt_timeout_s=-1)


# What a retry costs that was never made


@virtual
async def test_many_in_flight_when_the_breaker_opens_spend_nothing() -> None:
    """Each would be refused when its wait is over: it hears so at once, and no retry is told."""
    bench = Bench(breaker=usual(BreakerPolicy, min_calls=40, failure_ratio=0.5, open_s=5))
    dependencies = [Dependency([0.1, DependencyError()]) for _ in range(40)]
    before = bench.budget.balance
    told = await asyncio.gather(*map(bench.call, dependencies))
    assert told.count(CircuitOpen) >= 1
    made = sum(len(dependency.called_s) - 1 for dependency in dependencies)
    earned = 40 * bench.budget.policy.ratio
    assert bench.budget.balance == pytest.approx(before + earned - made)
    assert now() < 0.1 + STEADY.base_s * 2


@virtual
@pytest.mark.parametrize("ended", ["refused", "cancelled"])
async def test_a_retry_that_is_not_made_after_its_wait_costs_nothing(ended: str) -> None:
    """The breaker opened meanwhile, or nobody waits any more."""
    bench = Bench(breaker=usual(BreakerPolicy, min_calls=2, failure_ratio=0.5, open_s=5))
    dependency, before = Dependency(errors(1)), bench.budget.balance
    earned = bench.budget.policy.ratio
    call = asyncio.ensure_future(bench.call(dependency))
    await asyncio.sleep(STEADY.base_s / 2)
    assert bench.budget.balance == pytest.approx(before + earned - 1)
    if ended == "cancelled":
        call.cancel()
    else:
        bench.breaker.failure(bench.breaker.acquire())
    (told,) = await asyncio.gather(call, return_exceptions=True)
    assert told is CircuitOpen or isinstance(told, asyncio.CancelledError)
    assert len(dependency.called_s) == 1
    assert bench.budget.balance == pytest.approx(before + earned)


class Tripping:
    """Random ends after random times; now and then one opens the breaker."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self.begun = 0

    async def __call__(self) -> None:
        self.begun += 1
        await asyncio.sleep(self._rng.choice([0.0, 0.01, 0.2]))
        if self._rng.random() < 0.7:
            raise DependencyError


@virtual
@pytest.mark.parametrize("open_s", [0.05, 0.3, 5.0])
@pytest.mark.parametrize("jitter", ["none", "full"])
async def test_a_retry_is_counted_if_and_only_if_it_is_made(open_s: float, jitter: str) -> None:
    """Whatever the breaker refuses, before the wait or after it, and though some leave meanwhile:
    first calls and retries told are the operation's calls, and the budget has paid for those."""
    rng, told = Random(f"{open_s} {jitter}"), 0
    for _ in range(25):
        min_calls = rng.choice([6, 14, 20])
        breaker = usual(BreakerPolicy, min_calls=min_calls, failure_ratio=0.5, open_s=open_s)
        backoff = usual(BackoffPolicy, attempts=4, base_s=0.1, cap_s=0.4, jitter=jitter)
        bench = Bench(GuardPolicy(attempt_timeout_s=0.1, backoff=backoff), breaker)
        bench.budget.policy = usual(BudgetPolicy, ratio=0, min_per_s=2)
        before, dependency = bench.budget.balance, Tripping(rng)
        calls = [
            asyncio.ensure_future(bench.call(dependency, rng.choice([0.3, inf]))) for _ in range(12)
        ]
        await asyncio.sleep(rng.uniform(0, 0.5))
        rng.choice(calls).cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        retries = len(bench.ears.heard(Retried))
        assert dependency.begun == 12 + retries
        assert bench.budget.balance == before - retries
        told += retries
    assert told > 25


@pytest.mark.parametrize("tick_s", [0.0, 1e-10, 2e-10, 3e-10, 1e-9, 1e-6])
@virtual
async def test_a_rest_that_ends_while_it_is_asked_for_leaks_no_permit(tick_s: float) -> None:
    """The clock moves between any two looks at it. A call that began before the breaker opened
    fails as the rest ends: whatever it is told then, no probe is left out, so the dependency, well
    by now, is called at once."""
    bench = Bench(
        GuardPolicy(attempt_timeout_s=60, backoff=replace(STEADY, base_s=0)),
        replace(TOUCHY, permit_ttl_s=60),
    )
    loop_time, ticks = asyncio.get_running_loop().time, count()
    is_late = False

    def clock() -> float:
        return loop_time() + (tick_s * next(ticks) if is_late else 0.0)

    bench.breaker._clock = bench.guard._clock = clock

    async def fail_as_it_ends() -> str:
        nonlocal is_late
        await asyncio.sleep(TOUCHY.open_s - 1e-9)
        is_late = True
        raise DependencyError

    late = asyncio.ensure_future(bench.call(fail_as_it_ends))
    await settle()
    with suppress(DependencyError):
        await bench.guard.attempt(Dependency(errors(1)))
    assert bench.breaker.state == "open"
    await late
    await asyncio.sleep(TOUCHY.open_s)
    assert await bench.call(Dependency()) == "ok"
    assert bench.breaker.state == "closed"
