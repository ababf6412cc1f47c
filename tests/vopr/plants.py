"""Faults of the kinds that such a service has had, or might: the swarm must find each.

Each is one change in one place. `right` must stand there exactly once, or the plant says that the
code has moved on.
"""

from tests.vopr.planting import Plant

QUEUE, POOL, CACHE = "bpdemo.flow.queue", "bpdemo.flow.pool", "bpdemo.flow.cache"
BREAKER, GUARD, BUDGET = "bpdemo.flow.breaker", "bpdemo.flow.guard", "bpdemo.flow.budget"
LINES, LIMITER, SHARE = "bpdemo.flow.disciplines", "bpdemo.flow.limiter", "bpdemo.flow.share"
ADVICE = "bpdemo.flow.retry_after"
INTAKE, LEDGER, WORK = "bpdemo.service.intake", "bpdemo.service.ledger", "bpdemo.service.work"
DEBTS, GATE, OFFICE = "bpdemo.service.debts", "bpdemo.service.gate", "bpdemo.service.box_office"
ACCEPTANCE, DURABLE = "bpdemo.service.acceptance", "bpdemo.service.durable_work"
CATALOGUE = "bpdemo.service.catalogue"

PLANTS = (
    # the queue and its workers
    Plant(
        "a place too many", QUEUE,
        "self._depth + self._granted < self._places + self._idle()",
        "self._depth + self._granted <= self._places + self._idle()",
    ),
    Plant(
        "a place too few", QUEUE,
        "self._depth + self._granted < self._places + self._idle()",
        "self._depth + self._granted + 1 < self._places + self._idle()",
    ),
    Plant(
        "a job wakes no worker", QUEUE,
        "        if self._takers:\n            self._wake_taker()\n",
        "        if self._takers and self._depth < 2:\n            self._wake_taker()\n",
    ),
    Plant(
        "a woken worker that leaves passes its job to nobody", QUEUE,
        "            elif self._depth:\n                self._wake_taker()",
        "            elif self._depth < 0:\n                self._wake_taker()",
    ),
    Plant(
        "a caller who leaves with a place granted keeps it", QUEUE,
        "            self._granted -= 1\n            self.place_freed()\n",
        "            self.place_freed()\n",
    ),
    Plant(
        "a job taken out frees no place", QUEUE,
        "        if removed:\n            self._depth -= 1\n            self.place_freed()\n",
        "        if removed:\n            self._depth -= 1\n",
    ),
    Plant(
        "a job taken out is still counted", QUEUE,
        "        if removed:\n            self._depth -= 1\n",
        "        if removed:\n",
    ),
    Plant(
        "more places, and those who wait hear nothing of it", QUEUE,
        "            self._reorder()\n        self.place_freed()\n",
        "            self._reorder()\n",
    ),
    Plant(
        "a place freed is offered to nobody", POOL,
        "                self._idle.add(me)\n                self._queue.place_freed()\n",
        "                self._idle.add(me)\n",
    ),
    Plant(
        "another order of the line loses jobs", QUEUE,
        "            line.push(job, came_s, priority)\n        self._line = line\n",
        "            if len(line) < 4:\n                line.push(job, came_s, priority)\n"
        "        self._line = line\n",
    ),
    Plant(
        "a shrink dismisses busy workers too", POOL,
        "        for worker in list(self._idle)[: max(0, surplus)]:",
        "        for worker in list(self._workers)[: max(0, surplus)]:",
    ),
    Plant(
        "a dismissed worker is counted on", POOL,
        "            self._depart(worker)\n            worker.cancel()",
        "            worker.cancel()",
    ),
    # breaker, guard, budget
    Plant(
        "a lapsed permit never frees its place", BREAKER,
        "        return len(self._probes) + self._successes < self._policy.half_open_calls",
        "        return self._permit - self._era_began + self._successes < 0",
    ),
    Plant(
        "a probe too many", BREAKER,
        "len(self._probes) + self._successes < self._policy.half_open_calls",
        "len(self._probes) + self._successes <= self._policy.half_open_calls",
    ),
    Plant(
        "an ignored probe keeps its place", BREAKER,
        "        self._probes.pop(permit, None)\n\n    def retune",
        "        pass\n\n    def retune",
    ),
    Plant(
        "successes of an earlier trial count", BREAKER,
        "        self._successes = 0\n        if state",
        "        if state",
    ),
    Plant(
        "a failed probe does not open the breaker again", BREAKER,
        "            if self._return_probe(permit):\n                self._move_to(\"open\")",
        "            if self._return_probe(permit):\n                self._successes += 0",
    ),
    Plant(
        "an attempt too many", GUARD,
        "state.attempt_number >= self.policy.backoff.attempts",
        "state.attempt_number > self.policy.backoff.attempts",
    ),
    Plant(
        "an attempt has no time limit after the first", GUARD,
        "            return await self.attempt(operation, deadline)\n",
        "            return await operation()\n",
    ),
    Plant(
        "a retry costs nothing", BUDGET,
        "        self._calls.mark()\n        return True",
        "        return True",
    ),
    # the cache
    Plant(
        "a load from before an invalidation fills the cache", CACHE,
        "                if self._flights.get(key) is flight:  # not invalidated meanwhile",
        "                if key is not None:",
    ),
    Plant(
        "what was sold out is remembered as in stock", CACHE,
        "        self._entries.pop(key, None)\n        self._flights.pop(key, None)",
        "        self._flights.pop(key, None)",
    ),
    Plant(
        "a load that everybody left goes on for ever", CACHE,
        "                self._land(key, flight)\n                flight.task.cancel()",
        "                flight.task.cancel()",
    ),
    # the gate
    Plant(
        "a refusal at the edge keeps the client's share", GATE,
        "            self._share.leave(client)\n            raise ConcurrencyLimit",
        "            raise ConcurrencyLimit",
    ),
    Plant(
        "an ignored request stays in flight", LIMITER,
        "        if limiter := self._end():\n            limiter.in_flight -= 1",
        "        if limiter := self._end():\n            limiter.in_flight -= 0",
    ),
    Plant(
        "Retry-After of no seconds", ADVICE,
        "        drawn_s = 1 + int(",
        "        drawn_s = int(",
    ),
)
