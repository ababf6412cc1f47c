"""Faults, one a module, each of a line: whether the tests of `make test` still catch them.

A suite that gets faster must not get weaker. `make planted` puts each into a copy of the code and
runs the tests that are named: at least one must fail. `right` stands in its module exactly once.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """In `module`, `right` becomes `wrong`; a test in `caught_by` notices."""

    module: str
    right: str
    wrong: str
    caught_by: str


FAULTS = (
    # what is said, and read
    Fault(
        "core/reasons.py",
        '"queue_shed": (503,',
        '"queue_shed": (429,',
        "tests/api/test_problems.py",
    ),
    Fault("core/client_timeout.py", "[0-9]{1,7}", "[0-9]{1,6}", "tests/api/test_bad_input.py"),
    Fault(
        "core/person_text.py",
        "0.6 * len(zeros)",
        "6 * len(zeros)",
        "tests/core/test_person_text.py",
    ),
    Fault(
        "api/headers.py",
        "        if name in seen:\n",
        "        if name in seen and value == b'':\n",
        "tests/api/test_bad_input.py",
    ),
    Fault(
        "api/problems.py",
        "        if retry_after_s is not None:\n",
        "        if retry_after_s is not None and status == 503:\n",
        "tests/api/test_problems.py",
    ),
    Fault("api/prefer.py", ".strip().lower() == wanted", ".strip() == wanted", "tests/api"),
    Fault(
        "api/routing.py",
        "methods = [*_READ, *(name for name in methods if name not in _READ)]",
        "methods = [*_READ]",
        "tests/api/test_routing.py",
    ),
    # the patterns
    Fault(
        "flow/backoff.py", "min(failed - 1, 64)", "min(failed, 64)", "tests/flow/test_backoff.py"
    ),
    Fault("flow/budget.py", "WINDOW_S = 10\n", "WINDOW_S = 20\n", "tests/flow/test_budget.py"),
    Fault(
        "flow/codel.py",
        "return standing and waited_s > self.policy.target_s",
        "return standing or waited_s > self.policy.target_s",
        "tests/flow/test_codel.py",
    ),
    Fault("flow/deadline.py", "return now >= self.at", "return now > self.at", "tests/flow"),
    Fault(
        "flow/limiter.py",
        "self.in_flight >= self._limit.current",
        "self.in_flight > self._limit.current",
        "tests/flow/test_limiter.py",
    ),
    Fault(
        "flow/queue.py",
        "        if removed:\n            self._depth -= 1\n            self.place_freed()\n",
        "        if removed:\n            self._depth -= 1\n",
        "tests/flow/test_queue.py",
    ),
    Fault(
        "flow/breaker.py",
        "        return self._probes.pop(permit, None) is not None",
        "        self._probes.pop(permit, None)\n        return True",
        "tests/flow/test_breaker.py",
    ),
    Fault("flow/retry_after.py", "MOST_S = 30", "MOST_S = 60", "tests/flow/test_retry_after.py"),
    Fault(
        "flow/rolling.py",
        "min(slot, self._slot + SLOTS) + 1",
        "min(slot, self._slot + SLOTS)",
        "tests/flow/test_rolling.py",
    ),
    Fault(
        "flow/share.py",
        "if self.limit and mine >= self.limit:",
        "if self.limit and mine > self.limit:",
        "tests/flow/test_share.py",
    ),
    Fault(
        "flow/seats.py",
        "if self.busy >= self.total:",
        "if self.busy > self.total:",
        "tests/flow/test_seats.py",
    ),
    # the service
    Fault(
        "service/wait_estimate.py",
        "self._queue.ahead_of(priority) + 1)",
        "self._queue.ahead_of(priority))",
        "tests/service/test_finish.py",
    ),
    Fault(
        "service/advice.py",
        "refused.retry_after_s or 0.0",
        "0.0",
        "tests/api/test_problems.py",
    ),
    Fault(
        "service/ledger.py",
        '            caller.phase = "over"\n            self.books.forget()\n',
        '            caller.phase = "over"\n',
        "tests/service/test_hang_up.py",
    ),
    # money and goods
    Fault(
        "downstream/payment.py",
        "        self._end(key, stands=False)\n",
        "        self._held.discard(key)\n",
        "tests/downstream/test_payment.py",
    ),
    Fault(
        "downstream/memory.py",
        "            self._stock[order.item_id] += order.quantity\n",
        "",
        "tests/downstream/test_store_contract.py",
    ),
    Fault(
        "service/gate.py",
        "            self._share.leave(client)\n            raise ConcurrencyLimit\n",
        "            raise ConcurrencyLimit\n",
        "tests/service/test_gate.py",
    ),
    # what is told
    Fault(
        "telemetry/fanout.py",
        "        self.bugs += 1\n",
        "        self.bugs = 1\n",
        "tests/telemetry/test_fanout.py",
    ),
    Fault(
        "telemetry/logs.py",
        "to_json(fields, ensure_ascii=True, fallback=str)",
        "to_json(fields, ensure_ascii=False, fallback=str)",
        "tests/telemetry/test_logs.py",
    ),
    # plan, load and results
    Fault(
        "plan/fates.py",
        'status == 504 and reason != "outcome_unknown"',
        "status == 504",
        "tests/plan/test_fates.py",
    ),
    Fault("plan/retries.py", "< 1 - 1e-9:", "< 1:", "tests/plan/test_retries.py"),
    Fault(
        "plan/visits.py",
        "for due_s in times), index, None, count)",
        "for due_s in times), 0, None, count)",
        "tests/plan/test_visits.py",
    ),
    Fault(
        "plan/arrivals.py",
        "if 1 / 3 <= progress < 2 / 3 else 0.1",
        "if 1 / 3 <= progress < 2 / 3 else 0.2",
        "tests/plan/test_arrivals.py",
    ),
    Fault(
        "results/summary.py",
        "np.minimum(offered / width_s, capacity)",
        "np.maximum(offered / width_s, capacity)",
        "tests/load/test_run.py",
    ),
    Fault(
        "load/histogram.py",
        "* (rank - below) /",
        "* (rank + below) /",
        "tests/load/test_histogram.py",
    ),
    Fault(
        "results/validity.py",
        "SEND_LAG_MAX_S: Final = 0.050",
        "SEND_LAG_MAX_S: Final = 0.060",
        "tests/load/test_run.py",
    ),
    Fault(
        "results/waits.py",
        "(records.fate == OK)",
        "(records.fate != OK)",
        "tests/results/test_waits.py",
    ),
    Fault(
        "sim/theory.py",
        "weight *= load / min(n, servers)",
        "weight *= load / servers",
        "tests/sim/test_theory.py",
    ),
)
