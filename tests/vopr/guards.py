"""The guards held against their settings: how many retries, and how long an attempt may take."""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any

from bpdemo.core.events import AttemptEnded, Event, Retried
from bpdemo.core.settings import Settings
from bpdemo.flow.guard import Guard
from tests.vopr.verdicts import Verdicts

#: The budget looks back over ten seconds; the oldest tenth of it may have dropped out already.
WINDOW_S, SHORTEST_WINDOW_S = 10.0, 9.0
EPS_S = 1e-6


@dataclass(eq=False)
class _Call:
    """One call that is going on: its attempts, and the most that it may have by any knobs."""

    most: int
    attempts: int = 0


class GuardWatch:
    """Counts calls and retries of each dependency by itself."""

    def __init__(
        self, guards: dict[str, Guard], clock: Callable[[], float], verdicts: Verdicts
    ) -> None:
        self.stalled_s = 0.0  # by which any timer may have been late
        self._clock = clock
        self._verdicts = verdicts
        self._calls: dict[str, deque[float]] = {name: deque() for name in guards}
        self._retries: dict[str, deque[float]] = {name: deque() for name in guards}
        self._unmade: Counter[str] = Counter()  # retries that are paid for, and not made yet
        self._budget = False, 0.0, 0.0
        self._turned_s = -inf
        self._longest_attempt_s = 0.0
        self._open: set[_Call] = set()
        self._most_attempts = 0
        for name, guard in guards.items():
            self._count_calls(name, guard)
            self._count_spending(name, guard)

    def note_knobs(self, now: Settings) -> None:
        self._longest_attempt_s = max(self._longest_attempt_s, now.attempt_timeout_s or inf)
        self._most_attempts = now.retry_attempts
        for call in self._open:
            call.most = max(call.most, now.retry_attempts)
        budget = now.retry_budget_enabled, now.retry_budget_ratio, now.retry_budget_min_per_s
        if budget != self._budget:
            self._budget, self._turned_s = budget, self._clock()

    def hear(self, event: Event) -> None:
        match event:
            case Retried():
                self._unmade[event.dependency] -= 1
                is_paid = self._unmade[event.dependency] >= 0
                self._verdicts.expect(is_paid, "a retry that nobody paid for", event)
            case AttemptEnded():
                most_s = self._longest_attempt_s + self.stalled_s + EPS_S
                in_time = event.duration_s <= most_s
                self._verdicts.expect(in_time, "an attempt outlived its time", event)

    def _count_calls(self, name: str, guard: Any) -> None:
        real, calls = guard.call, self._calls[name]

        async def call(operation: Any, *args: Any) -> Any:
            calls.append(self._clock())
            this = _Call(self._most_attempts)

            async def attempt() -> Any:
                this.attempts += 1
                within = this.attempts <= this.most
                self._verdicts.expect(within, "more attempts than a call may have", name)
                return await operation()

            self._open.add(this)
            try:
                return await real(attempt, *args)
            finally:
                self._open.discard(this)

        guard.call = call

    def _count_spending(self, name: str, guard: Any) -> None:
        real: Any = type(guard.budget)
        spent, given_back, clock = self._spent, self._given_back, self._clock

        class Heard(real):  # type: ignore[misc]
            def try_spend(self) -> bool:
                may = bool(super().try_spend())
                if may:
                    spent(name)
                return may

            def give_back(self, spent_at_s: float) -> None:
                super().give_back(spent_at_s)
                given_back(name, spent_at_s)

        guard.budget = Heard(guard.budget.policy, clock)

    def _given_back(self, name: str, spent_at_s: float) -> None:
        self._unmade[name] -= 1
        if spent_at_s in self._retries[name]:  # or it is too long ago to matter
            self._retries[name].remove(spent_at_s)

    def _spent(self, name: str) -> None:
        """Retries of the shortest window that is allowed, against the calls of the longest."""
        enabled, ratio, min_per_s = self._budget
        now, calls, retries = self._clock(), self._calls[name], self._retries[name]
        self._unmade[name] += 1
        retries.append(now)
        while calls and calls[0] < now - WINDOW_S:
            calls.popleft()
        while retries and retries[0] <= now - SHORTEST_WINDOW_S:
            retries.popleft()
        if enabled and self._turned_s <= now - WINDOW_S:
            allowed = min_per_s * WINDOW_S + ratio * len(calls)
            within = len(retries) <= allowed + EPS_S
            self._verdicts.expect(within, "more retries than the budget allows", len(retries))
