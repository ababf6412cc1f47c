"""The crowd: sends the orders of a plan at a service, judges the answers, and reports.

Runs in Locust's process only. Never import it where a kernel lives: Locust patches the whole
process.

Locust's own way of pacing users hides overload: a user waits for its answer before it
sends again. So one user spawns every order at its own Poisson time, and latency counts
from that *intended* time.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

import gevent
from gevent.event import Event
from gevent.pool import Pool
from geventhttpclient import URL, HTTPClient
from locust import FastHttpUser

from bpdemo.load.destination import USER_AGENT
from bpdemo.load.generator.childline import Tally, ToOwner, ticks
from bpdemo.load.generator.plan_clock import PlanClock
from bpdemo.load.watcher import Watcher
from bpdemo.plan.answers import ClientTimedOut, judge
from bpdemo.plan.fates import (
    CALLER_LEFT,
    NO_CONNECTION,
    fate_of,
    is_order_answered,
    is_worth_retrying,
)
from bpdemo.plan.plan import RANGES, Plan
from bpdemo.plan.request import Sent
from bpdemo.plan.retries import ClientRetryBudget, retry_delay_s
from bpdemo.plan.retry_policies import UNSENT_REASON, UNSENT_STATUS, policy_of
from bpdemo.plan.visits import Regular, Visit, headers_of, looks, regulars, request_of, visits

T = TypeVar("T", bound=tuple[Any, ...])

CROWD_MAX = 8000
FLUSH_S = 0.5
PLAN_MAX_S = RANGES["seconds"][1]
"""The longest that a plan may be."""
ORDER = "POST", "/orders"
BODIES = [b'{"item_id":%d,"quantity":1}' % item for item in range(1, 101)]


class LocustCrowd:
    """Carries out one process's part of a plan."""

    def __init__(self, user: FastHttpUser, plan: Plan, line: ToOwner) -> None:
        self.plan = plan
        self.line = line
        client: Any = user.client
        self.client = client
        # An exception for each refusal costs more than the refusal: `judge` books them instead.
        self.client.client.valid_response_codes = range(100, 600)
        # Nor is a redirect followed: it would send the load to where nobody asked for it.
        self.client.client.redirect_response_codes = frozenset()
        self.method, self.kind = ORDER
        self.is_expected = is_order_answered
        if plan.request:
            self.method, self.kind = plan.request.method, plan.request.path
            self.is_expected = plan.request.is_expected
        self.tally = Tally()
        self.pool = Pool(CROWD_MAX)
        self.chance = random.Random(f"retries {plan.seed} {plan.part}")
        self.budget = ClientRetryBudget(plan.retry_budget)
        self.policy = policy_of(plan.retry_policy, random.Random(f"policy {plan.seed} {plan.part}"))
        self.watcher = (
            Watcher(getter(str(user.host)), self.now_s, gevent.sleep) if plan.watch else None
        )
        self.over = Event()
        self.start_s = 0.0
        self.cpu_before_s = 0.0
        self.planned = 0
        self.unsent = 0

    def now_s(self) -> float:
        return time.monotonic() - self.start_s

    # -- the run, told in order ---------------------------------------------------------

    def run(self) -> None:
        self.wait_for_go()
        self.cpu_before_s = time.process_time()
        wall_offset_s = time.time() - time.monotonic()
        reporter, helpers = gevent.spawn(self.report), []
        if self.watcher:
            helpers.append(gevent.spawn(self.watcher.run))
        browsing = gevent.spawn(self.browse) if self.plan.browse_per_s else None
        self.come_back() if self.plan.is_closed else self.arrive()
        if browsing:
            browsing.join()  # the last look may come after the last order
        self.pool.join(timeout=self.plan.seconds + self.plan.grace_s + 1 - self.now_s())
        gevent.killall(helpers)
        # Not killed: it may be in the middle of a report, which would be lost, or cut in two.
        self.over.set()
        reporter.join()
        self.flush()
        self.line.say(self.ending(time.time() - time.monotonic() - wall_offset_s))

    def wait_for_go(self) -> None:
        if self.watcher:
            self.watcher.begin()
        self.line.say({"kind": "ready", "pid": os.getpid()})
        self.start_s = self.line.wait_for_go()
        gevent.sleep(max(0.0, self.start_s - time.monotonic()))

    def arrive(self) -> None:
        """Open loop: every order is sent at its own time, however slow the answers are."""
        # The plan of a steady load looks the same however long it is: at a higher pace its end
        # comes later in the plan than on the clock.
        reach_s = PLAN_MAX_S if self.plan.scenario == "steady" else self.plan.seconds
        planned = visits(replace(self.plan, seconds=reach_s))
        for visit in self.until_stopped(planned, PlanClock()):
            self.planned += 1
            if self.pool.full():
                self.unsent += 1
            else:
                self.pool.spawn(self.place_order, visit)

    def until_stopped(self, stream: Iterator[T], pace: PlanClock | None = None) -> Iterator[T]:
        """Yield each when its time, which stands first in it, has come; until told to stop, or
        the time is over. With `pace` that time is when it comes at the pace of the moment."""
        for count, planned in enumerate(stream):
            while True:
                due = self.at_pace(planned, pace)
                ahead_s = due[0] - self.now_s()
                if self.line.is_stopped or due[0] >= self.plan.seconds:
                    return
                if ahead_s <= 0:
                    break
                gevent.sleep(min(ahead_s, 0.05))
            # Behind time there is nothing to sleep for; the orders need the loop all the same.
            if ahead_s <= 0 and count % 20 == 0:
                gevent.sleep(0)
            yield due

    def at_pace(self, planned: T, pace: PlanClock | None) -> T:
        """The same with the time at which it comes, if nothing changes until then."""
        if pace is None:
            return planned
        due: Any = planned
        due_s = pace.due_s(due[0], self.line.pace, self.now_s())
        moved: T = due._replace(due_s=due_s)
        return moved

    def come_back(self) -> None:
        """Closed loop: each user sends, waits for the answer, and sends again."""
        for user in regulars(self.plan):
            self.pool.spawn(self.one_user, user)

    def one_user(self, user: Regular) -> None:
        while self.now_s() < self.plan.seconds and not self.line.is_stopped:
            self.planned += 1
            if self.place_order(user.visit(self.now_s())) == NO_CONNECTION:
                # Nobody there: without a pause this loop would spin.
                gevent.sleep(0.01)

    # -- one order ----------------------------------------------------------------------

    def place_order(self, visit: Visit) -> int:
        """Send an order, and again as the plan says, and book its fate. The last status."""
        plan, intended_s = self.plan, visit.due_s
        sent = self.prepared(visit)
        lag_s = self.now_s() - intended_s
        due_s, attempts, after = intended_s, 0, None
        self.budget.earn()
        while True:
            attempts += 1
            if not self.policy.may_call(self.now_s()):
                status, reason, ended_s = UNSENT_STATUS, UNSENT_REASON, self.now_s()
                break
            self.tally.attempts.append(ticks(due_s))
            status, reason, retry_after_s = self.send(sent, due_s)
            ended_s = self.now_s()
            self.policy.hear(status, ended_s, after)
            after = status
            next_s = ended_s + retry_delay_s(
                plan.backoff, plan.jitter, attempts, retry_after_s, self.chance
            )
            if not self.may_retry(status, attempts, next_s):
                break
            due_s = next_s
            gevent.sleep(max(0.0, due_s - self.now_s()))
        waited_s, is_expected = ended_s - due_s, self.is_expected(status)
        fate = fate_of(status, reason, waited_s, plan.client_timeout_s, is_expected)
        labels = (reason, attempts, visit.client, visit.priority)
        self.tally.add(intended_s, ended_s - intended_s, lag_s, fate, status, *labels)
        return status

    def may_retry(self, status: int, attempts: int, next_s: float) -> bool:
        return (
            attempts <= self.plan.retries
            and is_worth_retrying(status)
            and not self.is_expected(status)
            and next_s <= self.plan.last_call_s
            and not self.line.is_stopped
            and self.budget.try_spend()
            and self.policy.may_retry(status, self.now_s())
        )

    def prepared(self, visit: Visit) -> Sent:
        if self.plan.request:
            return request_of(visit, self.plan.request, self.plan)
        return Sent(self.kind, BODIES[visit.item - 1], headers_of(visit, self.plan))

    def send(self, sent: Sent, due_s: float) -> tuple[int, str, float | None]:
        """One attempt: status, reason, and the Retry-After it came with."""
        left_s = max(due_s + self.plan.client_timeout_s - self.now_s(), 0.001)
        try:
            with (
                gevent.Timeout(left_s, ClientTimedOut("caller left")),
                self.client.request(
                    self.method,
                    sent.path,
                    name=self.kind,  # one line of statistics, however many paths it has
                    data=sent.body,
                    headers=sent.headers,
                    catch_response=True,
                ) as response,
            ):
                return judge(response, self.is_expected)
        except ClientTimedOut:
            return CALLER_LEFT, "caller_left", None

    # -- besides orders -----------------------------------------------------------------

    def browse(self) -> None:
        """Customers who only look: GET /items/{id} at an even Poisson rate."""
        for due_s, item in self.until_stopped(looks(self.plan)):
            if not self.pool.full():
                self.pool.spawn(self.look, due_s, item)

    def look(self, due_s: float, item: int) -> None:
        client_timeout_s = self.plan.client_timeout_s
        try:
            with gevent.Timeout(client_timeout_s, ClientTimedOut("caller left")):
                response = self.client.get(f"/items/{item}", name="/items/{id}")
        except ClientTimedOut:
            return
        came_from = (response.headers or {}).get("X-Cache") or str(response.status_code)
        self.tally.look(came_from, self.now_s() - due_s)

    def report(self) -> None:
        while not self.over.wait(FLUSH_S):
            self.flush()

    def flush(self) -> None:
        chunk: dict[str, Any] = {"kind": "chunk", "t": ticks(self.now_s()), "planned": self.planned}
        chunk["unsent"] = self.unsent
        chunk["waiting"] = len(self.pool)
        chunk["orders"] = self.tally.take()
        chunk["looks"] = self.tally.take_looks()
        chunk["samples"] = self.watcher.take() if self.watcher else []
        self.line.say(chunk)

    def ending(self, clock_jump_s: float) -> dict[str, Any]:
        lag_s = self.watcher.loop_lag_p99_s() if self.watcher else None
        return {
            "kind": "end",
            "planned": self.planned,
            "unsent": self.unsent + len(self.pool),
            "seconds": min(self.plan.seconds, self.line.stopped_after_s(self.start_s)),
            "loop_lag_p99_s": lag_s,
            "clock_jump_s": abs(clock_jump_s),
            "cpu_s": time.process_time() - self.cpu_before_s,
        }


def getter(url: str) -> Callable[[str], str | None]:
    """GETs over a connection of its own, which Locust does not count."""
    client = HTTPClient.from_url(
        URL(url),
        concurrency=1,
        connection_timeout=2.0,
        network_timeout=2.0,
        headers={"User-Agent": USER_AGENT},
    )

    def get(path: str) -> str | None:
        try:
            response = client.get(path)
            body = bytes(response.read())
            return body.decode() if response.status_code == 200 else None
        except Exception:
            # A server in trouble fails in any way there is; the load goes on, unwatched.
            return None

    return get
