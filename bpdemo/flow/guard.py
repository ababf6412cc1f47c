"""What stands around a dependency. From the outside in:

    deadline → retry within a budget → breaker → per-attempt timeout → the call

Each attempt asks the breaker, so a retry cannot slip past it. The first attempt is made directly;
tenacity is entered only when it failed, since it costs more than everything else together.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from math import inf
from random import Random
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type

from bpdemo.core.errors import (
    AttemptTimeout,
    BoxOfficeError,
    CircuitOpen,
    DeadlineExceeded,
    DependencyError,
    DownstreamFailed,
    PoolExhausted,
)
from bpdemo.core.events import AttemptEnded, AttemptOutcome, Dependency, Retried, RetryDenied
from bpdemo.core.ports import NullTracer, Observer, Tracer, hears
from bpdemo.core.ranges import require_number
from bpdemo.flow.backoff import BackoffPolicy, backoff_s
from bpdemo.flow.breaker import Breaker, Permit
from bpdemo.flow.budget import RetryBudget
from bpdemo.flow.deadline import NEVER, Deadline

T = TypeVar("T")
Operation = Callable[[], Awaitable[T]]


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardPolicy:
    """`attempt_timeout_s` bounds each attempt (0: not at all); `backoff` says when to try again."""

    attempt_timeout_s: float
    backoff: BackoffPolicy

    def __post_init__(self) -> None:
        require_number("attempt_timeout_s", self.attempt_timeout_s)


class Guard:
    """Calls one dependency, carefully."""

    def __init__(
        self,
        dependency: Dependency,
        policy: GuardPolicy,
        breaker: Breaker,
        budget: RetryBudget,
        *,
        clock: Callable[[], float],
        rng: Random,
        observer: Observer,
        tracer: Tracer,
    ) -> None:
        self.policy = policy
        self.breaker = breaker
        self.budget = budget
        self._dependency = dependency
        self._clock = clock
        self._rng = rng
        self._observer = observer
        self._is_heard = hears(observer)
        self._tracer = tracer
        self._is_traced = not isinstance(tracer, NullTracer)
        self._span_name = f"{dependency} attempt"
        self._told: dict[str, str | int] = {"peer.service": dependency, "bpdemo.attempt": 1}

    async def call(self, operation: Operation[T], deadline: Deadline = NEVER) -> T:
        """The operation's result, after as many attempts as are allowed.

        Raises `CircuitOpen` and `PoolExhausted` at once (neither is retried, nor spends budget),
        `DeadlineExceeded` when the caller's time ends first, `DownstreamFailed` when attempts or
        budget are used up, and what the operation raises of its own, such as `SoldOut`.
        Cancelling it cancels the attempt in progress.
        """
        try:
            return await self.attempt(operation, deadline, is_first=True)
        except DependencyError as error:
            first = error  # Python forgets `error` at the end of this block
        try:
            return await self._try_again(operation, deadline, first)
        except DependencyError as last:
            raise DownstreamFailed(str(last)) from last

    async def attempt(
        self,
        operation: Operation[T],
        deadline: Deadline = NEVER,
        *,
        is_first: bool = False,
        number: int = 1,
        on_made: Callable[[], None] | None = None,
    ) -> T:
        """One attempt behind the breaker, with a timeout and no second chance.

        `number` is its place among those of one call, for the trace; `on_made` is called once the
        breaker has let it through.
        """
        started_s = self._clock()
        remaining_s = deadline.remaining_s(started_s)
        if remaining_s <= 0:
            raise DeadlineExceeded
        permit = self._acquire()
        if is_first:
            self.budget.deposit()  # not before: what the breaker refused earns no retries
        if on_made:
            on_made()  # nor does it cost one, or count as one
        try:
            if self._is_traced:
                told = self._told if number == 1 else self._told | {"bpdemo.attempt": number}
                with self._tracer.client_span(self._span_name, **told):
                    result = await self._in_time(operation, remaining_s)
            elif remaining_s == inf and not self.policy.attempt_timeout_s:
                result = await operation()
            else:
                result = await self._in_time(operation, remaining_s)
        except TimeoutError as error:  # the operation's own, and no limit of ours
            lost = DependencyError(str(error))
            self._end(permit, lost, started_s)
            raise lost from error
        except BaseException as error:
            self._end(permit, error, started_s)
            raise
        self.breaker.success(permit)
        if self._is_heard:
            self._tell("success", started_s)
        return result

    def _acquire(self) -> Permit:
        try:
            return self.breaker.acquire()
        except CircuitOpen:
            self._observer.observe(AttemptEnded(self._dependency, "refused", 0.0))
            raise

    def _check(self) -> None:
        """Raises as `_acquire` would, and takes no permit, which nobody would end."""
        try:
            self.breaker.check()
        except CircuitOpen:
            self._observer.observe(AttemptEnded(self._dependency, "refused", 0.0))
            raise

    async def _in_time(self, operation: Operation[T], remaining_s: float) -> T:
        limit_s = self.policy.attempt_timeout_s or inf
        allowed_s = min(limit_s, remaining_s)
        if allowed_s == inf:
            return await operation()
        try:
            async with asyncio.timeout(allowed_s) as timer:
                return await operation()
        except TimeoutError as error:
            if not timer.expired():
                raise DependencyError(str(error)) from error
            if remaining_s < limit_s:
                raise DeadlineExceeded from error
            raise AttemptTimeout from error

    def _end(self, permit: Permit, error: BaseException, started_s: float) -> None:
        outcome = _outcome_of(error)
        match outcome:
            case "success":
                self.breaker.success(permit)
            case "failure" | "timeout":
                self.breaker.failure(permit)
            case _:
                self.breaker.ignore(permit)
        self._tell(outcome, started_s)

    def _tell(self, outcome: AttemptOutcome, started_s: float) -> None:
        duration_s = self._clock() - started_s
        self._observer.observe(AttemptEnded(self._dependency, outcome, duration_s))

    async def _try_again(
        self, operation: Operation[T], deadline: Deadline, first: DependencyError
    ) -> T:
        pending: list[DependencyError] = [first]
        numbers = count(2)
        paid: list[tuple[float, float]] = []  # when the budget was spent, and the wait after that

        def made() -> None:
            _, wait_s = paid.pop()
            self._observer.observe(Retried(self._dependency, wait_s))

        async def again() -> T:
            # The attempt that failed already is tenacity's first: its waits then count from it.
            if pending:
                raise pending.pop()
            return await self.attempt(operation, deadline, number=next(numbers), on_made=made)

        retrying = AsyncRetrying(
            retry=retry_if_exception_type(DependencyError),
            wait=self._wait_s,
            stop=lambda state: self._gives_up(state, deadline, paid),
            sleep=asyncio.sleep,
            reraise=True,
        )
        try:
            return await retrying(again)
        finally:
            for at_s, _ in paid:  # refused by the breaker after the wait, too late, or nobody waits
                self.budget.give_back(at_s)

    def _wait_s(self, state: RetryCallState) -> float:
        # While the next wait is being worked out, `upcoming_sleep` still holds the last one.
        policy = self.policy.backoff
        return backoff_s(policy, state.attempt_number, state.upcoming_sleep, self._rng)

    def _gives_up(
        self, state: RetryCallState, deadline: Deadline, paid: list[tuple[float, float]]
    ) -> bool:
        if state.attempt_number >= self.policy.backoff.attempts:
            return True
        if state.upcoming_sleep >= deadline.remaining_s(self._clock()):
            return True
        if self.breaker.half_opens_in_s > state.upcoming_sleep:
            # It refuses, and would after the wait: so nobody waits for that. Should the rest end at
            # this very moment, the retry is made.
            self._check()
        if self.budget.try_spend():
            paid.append((self._clock(), state.upcoming_sleep))
            return False
        self._observer.observe(RetryDenied(self._dependency))
        return True


def _outcome_of(error: BaseException) -> AttemptOutcome:
    """What an attempt that raised `error` says of the dependency."""
    match error:
        case AttemptTimeout():
            return "timeout"
        case DependencyError() | DownstreamFailed():
            return "failure"
        case PoolExhausted() | CircuitOpen():
            return "refused"  # our own shortage, or our own caution further in
        case DeadlineExceeded():
            return "cancelled"  # the caller's time, not the dependency's
        case BoxOfficeError():
            return "success"  # an answer we may not like, such as `SoldOut`, is an answer
        case Exception():
            return "failure"
        case _:
            return "cancelled"
