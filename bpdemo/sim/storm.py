"""A retry storm as a fluid without randomness: the trigger from which a service does not come back,
in a moment.

The service is the naive one: c workers, one queue without a bound, oldest first, nobody dropped.
Orders flow in at λ; those that have no answer after τ come again, r times at most. By the time t,
A(t) has entered the queue and S(t) has left it for a worker:

- what entered at t begins at b(t), the first time at which S(b) ≥ A(t), and is answered in time if
  b(t) + s(b(t)) ≤ t + τ, where s(b) is the service time of what begins at b;
- dA/dt = λ + what entered τ ago, was not answered in time, and may come again;
- dS/dt = what the free workers take; what began at b leaves its worker at b + s(b).

A trigger makes s longer for a while. When it is over, the queue either runs empty, or every order
comes r + 1 times and it grows for ever, for which (r + 1)·λ·s must be above c. That is the mean
behaviour of the service's own code, which randomness moves about from seed to seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, sqrt
from typing import Final

from bpdemo.core.members import forgiving_class
from bpdemo.plan.plan import require_range, require_whole

STEP_S: Final = 0.002
WITHIN: Final = 1.002
MOST_S: Final = 600.0
#: Of a service time and of a timeout: from one step up.
TIMES_S: Final = (STEP_S, 60.0)


@forgiving_class
@dataclass(frozen=True, slots=True, kw_only=True)
class RetryStorm:
    """Times in seconds, from 0.002 to 60, and taken to the nearest 0.002. `load` is a share of the
    capacity, workers / `service_s`; during the trigger an order takes `slow_service_s`. ValueError,
    naming the field, for what is out of range."""

    load: float
    workers: int
    service_s: float
    slow_service_s: float
    client_timeout_s: float
    retries: int

    def __post_init__(self) -> None:
        require_range("load", self.load, 0.01, 10)
        require_whole("workers", self.workers, 1, 1024)
        for name in ("service_s", "slow_service_s", "client_timeout_s"):
            require_range(name, getattr(self, name), *TIMES_S)
        require_whole("retries", self.retries, 0, 20)

    def edge_s(self, most_s: float = 60.0) -> float:
        """The shortest trigger after which the queue grows for ever; inf if none of up to `most_s`
        makes it, 0 if it does without one."""
        most_s = require_range("most_s", most_s, STEP_S, MOST_S)
        if self.load > 1:
            return 0.0
        if not self.is_stuck(most_s):
            return inf
        recovers_s, sticks_s = STEP_S, most_s
        while sticks_s > recovers_s * WITHIN and sticks_s - recovers_s > STEP_S:
            middle_s = sqrt(recovers_s * sticks_s)
            if self.is_stuck(middle_s):
                sticks_s = middle_s
            else:
                recovers_s = middle_s
        return sqrt(recovers_s * sticks_s)

    def is_stuck(self, trigger_s: float) -> bool:
        """Whether the queue only grows once a trigger of that length is over."""
        trigger_s = require_range("trigger_s", trigger_s, 0, MOST_S)
        if self.load > 1:
            return True  # sooner or later, whatever befell it
        if (self.retries + 1) * self.load <= 1:
            return False  # what comes is no more than is processed, however often it comes
        flow = _Flow(self, trigger_s)
        round_ = round((self.retries + 1) * self.client_timeout_s / STEP_S)
        queued: list[float] = []
        while True:
            flow.advance()
            if flow.step * STEP_S < trigger_s + self.slow_service_s:
                continue
            queued.append(flow.queue)
            if flow.queue <= 0:
                return False
            # For a whole round of tries nobody was answered in time, and there is more to do.
            if len(queued) > round_ <= flow.late_steps and flow.queue >= queued[-round_]:
                return True
            # For a whole round everybody was: nobody tries again, and the queue does not grow.
            if len(queued) > round_ <= flow.timely_steps:
                return False
            if len(queued) * STEP_S > MOST_S:  # neither, for ten minutes
                return flow.late_steps > 0


class _Flow:
    """The fluid, step by step."""

    def __init__(self, storm: RetryStorm, trigger_s: float) -> None:
        self.step = 0
        #: For how long everybody whose time is up has had no answer.
        self.late_steps = 0
        #: And for how long everybody has had one.
        self.timely_steps = 0
        self._retries = storm.retries
        self._trigger_steps = trigger_s / STEP_S
        self._patience = round(storm.client_timeout_s / STEP_S)
        self._usual = round(storm.service_s / STEP_S)
        self._slow = round(storm.slow_service_s / STEP_S)
        self._arriving = storm.load * storm.workers / self._usual
        # At rest as much ends in each step as comes.
        self._ending = dict.fromkeys(range(self._usual), self._arriving)
        self._free = storm.workers - self._arriving * self._usual
        #: A and S by the end of each step, and what entered in it by how often it had come before.
        self._entered: list[float] = []
        self._begun: list[float] = []
        self._tries: list[list[float]] = []
        self._asked_began = 0  # the step in which what entered `patience` steps ago began

    @property
    def queue(self) -> float:
        return self._entered[-1] - self._begun[-1]

    def advance(self) -> None:
        """One step."""
        tries = [self._arriving, *self._coming_again()]
        entered = (self._entered[-1] if self._entered else 0.0) + sum(tries)
        begun = self._begun[-1] if self._begun else 0.0
        free = self._free + self._ending.pop(self.step, 0.0)
        taken = min(free, entered - begun)
        self._free = free - taken
        ends = self.step + self._takes(self.step)
        self._ending[ends] = self._ending.get(ends, 0.0) + taken
        self._entered.append(entered)
        self._begun.append(begun + taken)
        self._tries.append(tries)
        self.step += 1

    def _coming_again(self) -> list[float]:
        """Of those who entered when the client timeout had just begun to run."""
        asked = self.step - self._patience
        if asked < 0:
            return []
        while self._asked_began < len(self._begun):
            if self._begun[self._asked_began] >= self._entered[asked] - 1e-9:
                break
            self._asked_began += 1
        if self._asked_began + self._takes(self._asked_began) <= self.step:
            self.late_steps = 0
            self.timely_steps += 1
            return []
        self.late_steps += 1
        self.timely_steps = 0
        return self._tries[asked][: self._retries]

    def _takes(self, step: int) -> int:
        """Steps of service for what begins in that one."""
        return self._slow if step < self._trigger_steps else self._usual
