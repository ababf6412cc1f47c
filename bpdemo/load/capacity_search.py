"""How a capacity is searched for: by steps of open load, each 1.4 times the one before.

Pure: what is offered, and what comes back, is a `Probed`; a test gives one that has no service, and
whose time is virtual.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, Literal, Protocol

FACTOR: Final = 1.4
STEP_MIN_S: Final = 3.0
#: So many times the client's timeout a step lasts: a queue without a bound needs time to show that
#: it grows. For that alone never longer than `STEP_ENOUGH_S`.
STEP_TIMEOUTS: Final = 10
STEP_ENOUGH_S: Final = 20.0
#: Arrivals are random: so many are planned that there will hardly ever be fewer than are needed.
PLANNED_REQUESTS: Final = 250
#: A step offers this much more than is served in time: it is overloaded.
OVERLOAD: Final = 1.2
CLEAN: Final = 0.9
#: Of the step's own seconds: how much slower its last third may be than its first. A queue without
#: a bound grows by two thirds of them, times the share of the load that is beyond its capacity.
GROWTH_MAX: Final = 0.01
#: Two goodputs are as good as equal.
LEVEL: Final = 0.95
ERRORS_MAX: Final = 0.05
REPEAT_WITHIN: Final = 0.15
#: A step that holds once and collapses when it is repeated lies at the edge: so many lower steps,
#: one after another, are repeated in its place.
LOWER_TRIES: Final = 2
#: Between two steps so near each other nothing more is looked for.
NEAR: Final = 1.1

#: The first look for where to begin: coarse and short, and nothing is concluded from it.
SCOUT_FACTOR: Final = 4.0
SCOUT_S: Final = 1.0
SCOUT_REQUESTS: Final = 20
SLOWEST_PER_S: Final = 2.0
FASTEST_START_PER_S: Final = 500.0
FASTEST_PER_S: Final = 50_000.0

Kind = Literal["step", "between", "repeat"]


@dataclass(frozen=True, slots=True)
class Step:
    """What came of offering one rate. Shares are of what was offered. `problem` says why the step
    does not count: this machine could not send it on time. `grew_s`: by how much the latency of
    what was served grew from the first third to the last."""

    rate_per_s: float
    seconds: float
    offered_per_s: float
    goodput_per_s: float
    failed_share: float = 0.0
    most_often: str = ""
    problem: str = ""
    grew_s: float = 0.0
    kind: Kind = "step"

    @property
    def is_valid(self) -> bool:
        return not self.problem

    @property
    def is_overloaded(self) -> bool:
        return self.offered_per_s >= OVERLOAD * self.goodput_per_s

    @property
    def is_clean(self) -> bool:
        """Nearly all of it was served in time."""
        return self.is_valid and self.goodput_per_s >= CLEAN * self.offered_per_s


@dataclass(frozen=True, slots=True)
class Rest:
    """Single requests, one after another: the median of their latencies, and how they went."""

    latency_s: float
    answered: int
    expected: int
    sent: int
    most_often: str = ""


class Probed(Protocol):
    """What is measured, and what measures it."""

    #: The client's timeout: what takes longer is not served.
    client_timeout_s: float

    def rest(self) -> Rest:
        """A few single requests, to know the service at rest."""
        ...

    def settle(self) -> bool:
        """Wait until single requests are as fast as at rest, for at most 30 s; whether they are."""
        ...

    def offer(self, rate_per_s: float, seconds: float) -> Step:
        """An open load of that rate."""
        ...


@dataclass(frozen=True, slots=True)
class Search:
    """What was found. `per_s` is None unless `found`; then `why_not` says why, and `at_least_per_s`
    what was served in time for certain."""

    per_s: float | None
    why_not: str
    steps: tuple[Step, ...]

    @property
    def found(self) -> bool:
        return self.per_s is not None

    @property
    def at_least_per_s(self) -> float | None:
        if self.per_s is not None:
            return self.per_s
        return max((step.goodput_per_s for step in self.steps if step.is_valid), default=None)


class CapacityNotFound(Exception):
    """Why there is no capacity to be told."""


def search(trial: Probed, say: Callable[[str], object] = lambda _: None) -> Search:
    """The highest goodput of a step, once two steps in a row were overloaded, and if one repeat
    agrees."""
    hunt = _Hunt(trial, say)
    try:
        return Search(hunt.run(), "", tuple(hunt.steps))
    except CapacityNotFound as why:
        return Search(None, str(why), tuple(hunt.steps))


@dataclass
class _Hunt:
    trial: Probed
    say: Callable[[str], object]
    steps: list[Step] = field(default_factory=list)

    def run(self) -> float:
        start_per_s = self._scout(self._at_rest())
        self._climb(self._lowest(start_per_s))
        self._look_between()
        best = self._best()
        again = self._repeat(best)
        for _ in range(LOWER_TRIES):
            if _agree(best, again) or not self._collapsed(best, again):
                break
            lower = self._next_lower(best)
            if lower is None:
                break
            best, again = lower, self._repeat(lower)
        if not _agree(best, again):
            raise CapacityNotFound(
                f"the same {best.rate_per_s:,.0f} requests a second, offered twice, were served at "
                f"{best.goodput_per_s:,.0f} and at {again.goodput_per_s:,.0f} a second"
            )
        if best.is_clean and again.is_clean:
            # All that was offered was served both times; they differ by the randomness of arrivals.
            return max(best.goodput_per_s, again.goodput_per_s)
        return best.goodput_per_s

    def _at_rest(self) -> float:
        """A rate that a service of this latency should bear, even if it does one at a time."""
        self.say("A few single requests, to know it at rest")
        rest = self.trial.rest()
        if not rest.answered:
            raise CapacityNotFound(f"nothing answered{_told(rest.most_often)}")
        if rest.expected < (1 - ERRORS_MAX) * rest.sent:
            raise CapacityNotFound(
                f"{rest.sent - rest.expected} of {rest.sent} single requests at rest did not get "
                f"the answer that was expected{_told(rest.most_often)}"
            )
        if rest.latency_s > self.trial.client_timeout_s:
            raise CapacityNotFound(
                f"a single request at rest takes {rest.latency_s:.2f} s, longer than the client "
                f"timeout of {self.trial.client_timeout_s:g} s"
            )
        return min(max(0.5 / max(rest.latency_s, 1e-6), SLOWEST_PER_S), FASTEST_START_PER_S)

    def _scout(self, rate_per_s: float) -> float:
        """The last rate of a coarse climb that was served."""
        served_per_s = rate_per_s
        while rate_per_s < FASTEST_PER_S:
            self.say(f"A first look: {rate_per_s:,.0f} requests a second")
            scout = self.trial.offer(rate_per_s, max(SCOUT_S, SCOUT_REQUESTS / rate_per_s))
            self.trial.settle()
            if not scout.is_clean:
                break
            served_per_s, rate_per_s = rate_per_s, rate_per_s * SCOUT_FACTOR
        return served_per_s

    def _lowest(self, rate_per_s: float) -> float:
        """Make the lowest step, lower if it is not served or could not have gone on; the rate of
        the one after it."""
        step = self._step(rate_per_s)
        while not self._lasts(step):
            if step.failed_share > ERRORS_MAX:
                raise CapacityNotFound(
                    f"at {step.rate_per_s:,.1f} requests a second, the lowest step, "
                    f"{step.failed_share:.0%} of them failed{_told(step.most_often)}"
                )
            if step.rate_per_s <= SLOWEST_PER_S:
                if step.is_clean:
                    break
                raise CapacityNotFound(
                    f"not even {step.rate_per_s:,.1f} requests a second were served in time"
                )
            step = self._step(max(step.rate_per_s / FACTOR**3, SLOWEST_PER_S))
        return step.rate_per_s * FACTOR

    def _climb(self, rate_per_s: float) -> None:
        overloaded = 0
        while overloaded < 2:
            if rate_per_s > FASTEST_PER_S:
                raise CapacityNotFound(
                    f"more than {FASTEST_PER_S:,.0f} requests a second are not offered"
                )
            step = self._step(rate_per_s)
            overloaded = overloaded + 1 if step.is_overloaded else 0
            rate_per_s *= FACTOR

    def _look_between(self) -> None:
        """Where goodput falls beyond capacity, the truth lies between the last step that was served
        steadily and the next: halve that twice. A level beyond capacity is the truth itself."""
        if self._is_level():
            return
        for _ in range(2):
            # What arrived, not what was planned: of a few hundred, a fifth more may happen to come.
            served = max((s.offered_per_s for s in self.steps if self._lasts(s)), default=0.0)
            beyond = min(s.offered_per_s for s in self.steps if s.offered_per_s > served)
            if served:
                self._step((served * beyond) ** 0.5, "between")

    def _is_level(self) -> bool:
        """Whether both overloaded steps serve as much as each other, and as any."""
        *_, one, other = (step.goodput_per_s for step in self.steps if step.kind == "step")
        best = max(step.goodput_per_s for step in self.steps)
        return min(one, other) >= LEVEL * best

    def _lasts(self, step: Step) -> bool:
        """Served, and the wait did not grow: it could have gone on for ever."""
        return step.is_clean and step.grew_s <= GROWTH_MAX * step.seconds

    def _repeat(self, step: Step) -> Step:
        return self._step(step.rate_per_s, "repeat")

    def _step(self, rate_per_s: float, kind: Kind = "step") -> Step:
        """Offer it, once more if this machine could not send it; with it, the search ends if it
        still cannot."""
        seconds = max(step_s(self.trial.client_timeout_s), PLANNED_REQUESTS / rate_per_s)
        for _ in range(2):
            self.say(f"{rate_per_s:,.0f} requests a second, for {seconds:.0f} s")
            step = replace(self.trial.offer(rate_per_s, seconds), kind=kind)
            self.trial.settle()
            if step.is_valid:
                break
        self.steps.append(step)
        if step.is_valid:
            return step
        at_least = max((s.goodput_per_s for s in self.steps if s.is_valid), default=0.0)
        raise CapacityNotFound(
            f"this machine could not send {rate_per_s:,.0f} requests a second on time "
            f"({step.problem}); the service served at least {at_least:,.0f}"
        )

    def _best(self) -> Step:
        """The highest goodput. Of a service that serves less beyond its capacity, the highest rate
        that could have gone on: a queue without a bound serves more for a moment than it can, and
        below capacity goodput only tells how many happened to arrive."""
        lasting = None if self._is_level() else self._highest_lasting()
        valid = [step for step in self.steps if step.is_valid and step.kind != "repeat"]
        return lasting or max(valid, key=lambda step: step.goodput_per_s)

    def _next_lower(self, best: Step) -> Step | None:
        """The highest step below it that could have gone on, and that is near it: where none is,
        half the way to one is looked at first."""
        beyond_per_s = best.rate_per_s
        while lower := self._highest_lasting(beyond_per_s):
            if beyond_per_s <= NEAR * lower.rate_per_s:
                break
            between = self._step((lower.rate_per_s * beyond_per_s) ** 0.5, "between")
            if not self._lasts(between):
                beyond_per_s = between.rate_per_s
        return lower

    def _highest_lasting(self, below_per_s: float = math.inf) -> Step | None:
        lower = [s for s in self.steps if s.kind != "repeat" and self._lasts(s)]
        lower = [s for s in lower if s.rate_per_s < below_per_s]
        return max(lower, key=lambda step: step.offered_per_s, default=None)

    def _collapsed(self, best: Step, again: Step) -> bool:
        """It serves more at a lower rate. A service that merely fades while it is measured serves
        what it still can, and has no capacity to tell."""
        lower = self._highest_lasting(best.rate_per_s)
        if lower is None or self._is_level():
            return False
        return again.goodput_per_s < lower.goodput_per_s


def step_s(client_timeout_s: float) -> float:
    """How long a step lasts that has requests enough."""
    return max(STEP_MIN_S, min(STEP_TIMEOUTS * client_timeout_s, STEP_ENOUGH_S))


def _agree(step: Step, again: Step) -> bool:
    if step.is_clean and again.is_clean:
        return True
    return abs(again.goodput_per_s - step.goodput_per_s) <= REPEAT_WITHIN * step.goodput_per_s


def _told(most_often: str) -> str:
    return f" (most often: {most_often})" if most_often else ""
