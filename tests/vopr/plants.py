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
ENTRANCE = "bpdemo.service.entrance"
WRITE, MEMORY = "bpdemo.service.write", "bpdemo.downstream.memory"

PLANTS = (
    # the queue and its workers
    Plant(
        "a place too many",
        QUEUE,
        "self._depth + self._granted < self._places + self._idle()",
        "self._depth + self._granted <= self._places + self._idle()",
    ),
    Plant(
        "a place too few",
        QUEUE,
        "self._depth + self._granted < self._places + self._idle()",
        "self._depth + self._granted + 1 < self._places + self._idle()",
    ),
    Plant(
        "a job wakes no worker",
        QUEUE,
        "        if self._takers:\n            self._wake_taker()\n",
        "        if self._takers and self._depth < 2:\n            self._wake_taker()\n",
    ),
    Plant(
        "a woken worker that leaves passes its job to nobody",
        QUEUE,
        "            elif self._depth:\n                self._wake_taker()",
        "            elif self._depth < 0:\n                self._wake_taker()",
    ),
    Plant(
        "a caller who leaves with a place granted keeps it",
        QUEUE,
        "            self._granted -= 1\n            self.place_freed()\n",
        "            self.place_freed()\n",
    ),
    Plant(
        "a job taken out frees no place",
        QUEUE,
        "        if removed:\n            self._depth -= 1\n            self.place_freed()\n",
        "        if removed:\n            self._depth -= 1\n",
    ),
    Plant(
        "a job taken out is still counted",
        QUEUE,
        "        if removed:\n            self._depth -= 1\n",
        "        if removed:\n",
    ),
    Plant(
        "a place freed is offered to nobody",
        POOL,
        "                self._idle[me] = None\n                self._queue.place_freed()\n",
        "                self._idle[me] = None\n",
    ),
    Plant(
        "another order of the line loses jobs",
        QUEUE,
        "            line.push(job, came_s, priority)\n        self._line = line\n",
        "            if len(line) < 4:\n                line.push(job, came_s, priority)\n"
        "        self._line = line\n",
    ),
    Plant(
        "a shrink dismisses busy workers too",
        POOL,
        "        for worker in list(self._idle)[: max(0, surplus)]:",
        "        for worker in list(self._workers)[: max(0, surplus)]:",
    ),
    Plant(
        "a dismissed worker is counted on",
        POOL,
        "            self._depart(worker)\n            worker.cancel()",
        "            worker.cancel()",
    ),
    # breaker, guard, budget
    Plant(
        "a lapsed permit never frees its place",
        BREAKER,
        "for permit in [p for p, granted in self._probes.items() if granted < granted_before]:",
        "for permit in [p for p, granted in self._probes.items() if granted < granted_before < 0]:",
    ),
    Plant(
        "a stale permit of another half-open time counts",
        BREAKER,
        "        return self._probes.pop(permit, None) is not None",
        "        self._probes.pop(permit, None)\n        return True",
    ),
    Plant(
        "a stale failure counts against a closed breaker",
        BREAKER,
        "        elif permit == self._permit and self._policy.enabled:\n"
        "            self._calls.count()",
        "        elif self._policy.enabled:\n            self._calls.count()",
    ),
    Plant(
        "a failure of a lapsed probe opens the breaker",
        BREAKER,
        "            if self._probes.pop(permit, None) is not None:",
        "            if self._probes.pop(permit, None) is not None or permit in self._lapsed:",
    ),
    Plant(
        "a late success is not heard",
        BREAKER,
        "            self._lapsed.remove(permit)\n            return True",
        "            self._lapsed.remove(permit)\n            return False",
    ),
    Plant(
        "a probe too many",
        BREAKER,
        "len(self._probes) + self._successes < self._policy.half_open_calls",
        "len(self._probes) + self._successes <= self._policy.half_open_calls",
    ),
    Plant(
        "an ignored probe keeps its place",
        BREAKER,
        "        self._take_back(permit)\n\n    def retune",
        "        self._lapse()\n\n    def retune",
    ),
    Plant(
        "successes of an earlier trial count",
        BREAKER,
        "        self._successes = 0\n        if state",
        "        if state",
    ),
    Plant(
        "a failed probe does not open the breaker again",
        BREAKER,
        "            if self._probes.pop(permit, None) is not None:\n                self._move_to",
        "            if self._probes.pop(permit, None) == 0:\n                self._move_to",
    ),
    Plant(
        "an attempt too many",
        GUARD,
        "state.attempt_number >= self.policy.backoff.attempts",
        "state.attempt_number > self.policy.backoff.attempts",
    ),
    Plant(
        "an attempt has no time limit after the first",
        GUARD,
        "            return await self.attempt("
        "operation, deadline, number=next(numbers), on_made=made)\n",
        "            return await operation()\n",
    ),
    Plant(
        "a retry costs nothing",
        BUDGET,
        "        self._calls.mark()\n        return True",
        "        return True",
    ),
    # the cache
    Plant(
        "a load from before an invalidation fills the cache",
        CACHE,
        "                if self._flights.get(key) is flight:  # not invalidated meanwhile",
        "                if key is not None:",
    ),
    Plant(
        "what was sold out is remembered as in stock",
        CACHE,
        "        self._entries.pop(key, None)\n        self._flights.pop(key, None)",
        "        self._flights.pop(key, None)",
    ),
    Plant(
        "a load that everybody left goes on",
        CACHE,
        "                self._land(key, flight)\n                flight.task.cancel()",
        "                self._land(key, flight)",
    ),
    Plant(
        "who comes just as the last one leaves joins a load that is cancelled",
        CACHE,
        "                self._land(key, flight)\n                flight.task.cancel()",
        "                flight.task.cancel()",
    ),
    # the gate
    Plant(
        "a refusal at the edge keeps the client's share",
        GATE,
        "            self._share.leave(client)\n            raise ConcurrencyLimit",
        "            raise ConcurrencyLimit",
    ),
    Plant(
        "a request that met overload stays in flight",
        LIMITER,
        "        self.in_flight -= 1\n        now =",
        "        self.in_flight -= 0 if dropped else 1\n        now =",
    ),
    Plant(
        "an ignored request stays in flight",
        LIMITER,
        "        if limiter := self._end():\n            limiter.in_flight -= 1",
        "        if limiter := self._end():\n            limiter.in_flight -= 0",
    ),
    Plant(
        "Retry-After of no seconds",
        ADVICE,
        "        drawn_s = 1 + int(",
        "        drawn_s = int(",
    ),
    # the way in
    Plant(
        "a key is never released",
        INTAKE,
        "            del self._keyed[job.key]",
        "            self._keyed[job.key] = job",
    ),
    Plant(
        "a repeat beside another's other body is told 422",
        INTAKE,
        "        if stored is None or not stored.asks_for(wanted):",
        "        if stored is None or stored.key:",
    ),
    Plant(
        "a caller who leaves while waiting keeps on waiting",
        INTAKE,
        '        if caller.phase == "waiting" and caller.task:\n            caller.task.cancel()',
        '        if caller.phase == "running" and caller.task:\n            caller.task.cancel()',
    ),
    Plant(
        "the second of two with one key takes a place of its own",
        INTAKE,
        "            self._queue.remove(job)\n            return first",
        "            return first",
    ),
    Plant(
        "what nobody waits for is begun",
        INTAKE,
        "if caller.deadline.has_passed(now):\n                self._ledger.expire(caller)",
        "if now < 0:\n                self._ledger.expire(caller)",
    ),
    Plant(
        "the last job over does not make it quiet",
        INTAKE,
        "        if not self._in_flight:\n            self.quiet.set()",
        "        if self._in_flight == 1:\n            self.quiet.set()",
    ),
    Plant(
        "a drain forgets what is queued",
        OFFICE,
        "            self.intake.shed_queued()\n            await self._is_quiet_within(",
        "            self._queue.clear()\n            await self._is_quiet_within(",
    ),
    Plant(
        "a drain drops the queued at once",
        OFFICE,
        "        self.intake.close()\n        grace_s",
        "        self.intake.close()\n        self.intake.shed_queued()\n        grace_s",
    ),
    Plant(
        "one who joins another's order is told that they made it",
        ENTRANCE,
        "    return 201 if caller.first and not sale.replayed else 200",
        "    return 201 if not sale.replayed else 200",
    ),
    Plant(
        "a request that was refused at the door stays inside",
        ENTRANCE,
        "        except BaseException:\n            visit.end(None)\n",
        "        except BaseException:\n",
    ),
    # the ledger
    Plant(
        "one of several callers leaves, and the job is dropped",
        LEDGER,
        "        if not all(caller.left for caller in job.callers):",
        "        if not any(caller.left for caller in job.callers):",
    ),
    Plant(
        "the timer of a deadline outlives its caller",
        LEDGER,
        "        if caller.timer:\n            caller.timer.cancel()",
        "        if caller.timer is None:\n            pass",
    ),
    Plant(
        "a caller whose time is over waits for the work",
        LEDGER,
        "            caller.tell(DeadlineExceeded())\n        elif",
        "            pass\n        elif",
    ),
    Plant(
        "a caller who is forgotten stays in the books",
        LEDGER,
        '            caller.phase = "over"\n            self.books.forget()',
        '            caller.phase = "over"\n            self.books.reject()',
    ),
    # money
    Plant(
        "not stored after the charge, and no refund",
        WORK,
        "        elif not in_doubt:\n            await self._debts.refund(order.id)\n",
        "        elif not in_doubt:\n            pass\n",
    ),
    Plant(
        "a lost answer is forgotten when the next attempt is refused",
        WRITE,
        "            self._was_lost |= may_have_happened(error)",
        "            self._was_lost = may_have_happened(error)",
    ),
    Plant(
        "an unknown outcome is told as a failure",
        DEBTS,
        "            self.owe_resolution(order, is_paid=is_paid)\n"
        "            raise OutcomeUnknown from error",
        "            self.owe_resolution(order, is_paid=is_paid)\n            raise",
    ),
    Plant(
        "an order that nobody can ask for is kept",
        DEBTS,
        "        if order.key is None:\n            self._owe(self._take_back_later",
        '        if order.key == "":\n            self._owe(self._take_back_later',
    ),
    Plant(
        "an order is taken back, and its tickets are not",
        MEMORY,
        "            self._stock[order.item_id] += order.quantity\n",
        "",
    ),
    Plant(
        "an answer is lost, and the cache remembers what was before",
        DEBTS,
        "        finally:\n            self._forget_item(order.item_id)\n",
        "        finally:\n            pass\n",
    ),
    Plant(
        "a charge whose answer was lost is not refunded",
        WORK,
        "            if charge.in_doubt:  # neither refused",
        "            if charge.in_doubt and order.key:  # neither refused",
    ),
    Plant(
        "a refund is tried once more and then forgotten",
        DEBTS,
        "            stop=stop_never,",
        "            stop=lambda state: state.attempt_number > 1,",
    ),
    Plant(
        "the same key with another body is sold the first one's order",
        WORK,
        "    if not stored.asks_for(job.wanted):",
        "    if stored.item_id != job.wanted.item_id:",
    ),
    Plant(
        "the last ticket is sold, and the cache not told",
        WORK,
        "        if placed.stock_left <= 0:",
        "        if placed.stock_left < 0:",
    ),
    # promises
    Plant(
        "a promise of unknown outcome is told as a failure",
        ACCEPTANCE,
        "            if not write.in_doubt:\n                raise\n",
        "            if not write.in_doubt or job:\n                raise\n",
    ),
    Plant(
        "a promise that fails gives no money back",
        DURABLE,
        "            await self._refund(order, given_back)\n        return order",
        "            await self._store_guard.call(lambda: self._backlog.settle(order.id))\n"
        "        return order",
    ),
    Plant(
        "a promise is given up at the last try",
        DURABLE,
        "            return await self._fail(order, _reason_of(error))",
        "            return order",
    ),
    Plant(
        "a promise is confirmed before it is paid",
        DURABLE,
        "        await charge.call()\n",
        "",
    ),
)
