"""The guards held against their settings: how many retries, and how long an attempt may take."""

from bisect import bisect_left, bisect_right, insort
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
#: No setting of a world lets a retry wait for longer.
LONGEST_BACKOFF_S = 5.0
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
        self._calls: dict[str, list[float]] = {name: [] for name in guards}
        self._retries: dict[str, list[float]] = {name: [] for name in guards}  # when paid for
        self._budget = False, 0.0, 0.0
        self._turned_s = -inf
        self._longest_attempt_s = 0.0
        self._open: set[_Call] = set()
        self._most_attempts = 0
        for name, guard in guards.items():
            self._count_calls(name, guard)

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
                self._check_budget(event.dependency, self._clock() - event.wait_s)
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

    def _check_budget(self, name: str, paid_s: float) -> None:
        """Retries of the shortest window that is allowed, against the calls of the longest.

        A retry is heard of when it is made; what it waited before that it may have waited longer
        by as much as the timers were late.
        """
        enabled, ratio, min_per_s = self._budget
        now, calls, retries = self._clock(), self._calls[name], self._retries[name]
        insort(retries, paid_s)
        oldest_s = now - WINDOW_S - LONGEST_BACKOFF_S
        del calls[: bisect_left(calls, oldest_s)]
        del retries[: bisect_right(retries, oldest_s)]
        if not enabled or self._turned_s > oldest_s:
            return
        within_s = SHORTEST_WINDOW_S - self.stalled_s
        for end_s in retries[bisect_right(retries, paid_s) - 1 :]:  # the windows that hold it
            if end_s >= paid_s + within_s:
                break
            paid = bisect_right(retries, end_s) - bisect_right(retries, end_s - within_s)
            last = bisect_right(calls, end_s + self.stalled_s)
            made = last - bisect_left(calls, end_s - WINDOW_S)
            within = paid <= min_per_s * WINDOW_S + ratio * made + EPS_S
            self._verdicts.expect(within, "more retries than the budget allows", paid)
