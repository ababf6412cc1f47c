"""The crowd: drives a plan at a service. Run only as a child, `python -m locust -f` this file.

Never import it where a kernel lives: Locust patches the whole process.

The plan comes as JSON in BPDEMO_LOAD_PLAN. On stdin: `go` starts (or `go` and a
wall-clock time), `stop` ends early, and end of file means the owner is dead: exit at
once. On stdout, JSON lines: `ready`, then twice a second a `chunk` (finished orders and
samples of the server), then `end`. Times in a chunk are whole ticks of 0.1 ms, counted
from the start.

Locust's own way of pacing users hides overload: a user waits for its answer before it
sends again. So one user spawns every order at its own Poisson time, and latency counts
from that *intended* time.
"""

from __future__ import annotations

import gc
import os
import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import gevent
from gevent import monkey
from gevent.pool import Pool
from geventhttpclient import URL, HTTPClient
from locust import FastHttpUser, task

from bpdemo.lab.answers import CallerLeft, judge, pick
from bpdemo.lab.arrivals import arrivals
from bpdemo.lab.childline import Line, Tally, ticks
from bpdemo.lab.fates import CALLER_LEFT, NO_CONNECTION, fate_of, is_worth_retrying
from bpdemo.lab.plan import Plan
from bpdemo.lab.retries import RetryBudget, retry_delay_s
from bpdemo.lab.watcher import Watcher

CROWD_MAX = 8000
FLUSH_S = 0.5
BODIES = [b'{"item_id":%d,"quantity":1}' % item for item in range(1, 101)]


class BoxOfficeCrowd(FastHttpUser):
    """One Locust user that stands for the whole crowd."""

    concurrency = CROWD_MAX

    @task
    def run_plan(self) -> None:
        # What Locust has loaded stays: a collection that walks it holds up the orders.
        gc.collect()
        gc.freeze()
        Crowd(self, Plan.from_json(os.environ["BPDEMO_LOAD_PLAN"])).run()
        # The runner ends its users; from a user's own greenlet it would wait for itself.
        gevent.spawn(self.environment.runner.quit)
        gevent.sleep(60)


class Crowd:
    """Sends the orders of a plan, judges them, and reports."""

    def __init__(self, user: FastHttpUser, plan: Plan) -> None:
        self.plan = plan
        client: Any = user.client
        self.client = client
        # An exception for each refusal costs more than the refusal: `judge` books them instead.
        self.client.client.valid_response_codes = range(100, 600)
        self.line = Line(
            monkey.get_original("_thread", "start_new_thread"),
            gevent.sleep,
            gevent.get_hub().threadpool.apply,
        )
        self.tally = Tally()
        self.pool = Pool(CROWD_MAX)
        self.chance = random.Random(f"choices {plan.seed}")
        self.budget = RetryBudget(plan.retry_budget)
        self.watcher = (
            Watcher(getter(str(user.host)), self.now_s, gevent.sleep) if plan.watch else None
        )
        self.start_s = 0.0
        self.cpu_before_s = 0.0
        self.planned = 0
        self.unsent = 0

    def now_s(self) -> float:
        return time.monotonic() - self.start_s

    @property
    def last_call_s(self) -> float:
        """After this no attempt may begin any more."""
        return self.plan.seconds + self.plan.settle_s - self.plan.patience_s

    # -- the run, told in order ---------------------------------------------------------

    def run(self) -> None:
        self.wait_for_go()
        self.cpu_before_s = time.process_time()
        wall_offset_s = time.time() - time.monotonic()
        helpers = [gevent.spawn(self.report)]
        if self.watcher:
            helpers.append(gevent.spawn(self.watcher.run))
        if self.plan.browse_per_s:
            helpers.append(gevent.spawn(self.browse))
        self.come_back() if self.plan.is_closed else self.arrive()
        self.pool.join(timeout=self.plan.seconds + self.plan.settle_s + 1 - self.now_s())
        gevent.killall(helpers)
        self.flush()
        self.line.say(self.ending(time.time() - time.monotonic() - wall_offset_s))

    def wait_for_go(self) -> None:
        if self.watcher:
            self.watcher.begin()
        self.line.say({"kind": "ready", "pid": os.getpid()})
        self.start_s = time.monotonic() + max(0.0, self.line.wait_for_go() - time.time())
        gevent.sleep(self.start_s - time.monotonic())

    def arrive(self) -> None:
        """Open loop: every order is sent at its own time, however slow the answers are."""
        plan = self.plan
        stream = arrivals(
            plan.scenario, plan.rate_per_s, plan.seconds, random.Random(f"arrivals {plan.seed}")
        )
        for due_s in self.until_stopped(stream):
            self.planned += 1
            if self.pool.full():
                self.unsent += 1
            else:
                self.pool.spawn(self.place_order, due_s)

    def until_stopped(self, stream: Iterator[float]) -> Iterator[float]:
        """Yield each time of arrival when it has come, until the owner says stop."""
        for count, due_s in enumerate(stream):
            while (ahead_s := due_s - self.now_s()) > 0 and not self.line.is_stopped:
                gevent.sleep(min(ahead_s, 0.05))
            if self.line.is_stopped:
                return
            # Behind time there is nothing to sleep for; the orders need the loop all the same.
            if ahead_s <= 0 and count % 20 == 0:
                gevent.sleep(0)
            yield due_s

    def come_back(self) -> None:
        """Closed loop: each user sends, waits for the answer, and sends again."""
        for _ in range(int(self.plan.rate_per_s)):
            self.pool.spawn(self.one_user)

    def one_user(self) -> None:
        while self.now_s() < self.plan.seconds and not self.line.is_stopped:
            self.planned += 1
            if self.place_order(self.now_s()) == NO_CONNECTION:
                # Nobody there: without a pause this loop would spin.
                gevent.sleep(0.01)

    # -- one order ----------------------------------------------------------------------

    def place_order(self, intended_s: float) -> int:
        """Send an order, and again as the plan says, and book its fate. The last status."""
        plan, chance = self.plan, self.chance
        client, priority = pick(plan.clients, chance), pick(plan.priorities, chance)
        body = BODIES[(plan.item_id or chance.randint(1, 100)) - 1]
        headers = self.headers_of(client, priority)
        lag_s = self.now_s() - intended_s
        due_s, attempts = intended_s, 0
        self.budget.earn()
        while True:
            attempts += 1
            self.tally.attempts.append(ticks(due_s))
            status, reason, retry_after_s = self.send(body, headers, due_s)
            ended_s = self.now_s()
            next_s = ended_s + retry_delay_s(
                plan.backoff, plan.jitter, attempts, retry_after_s, chance
            )
            if not self.may_retry(status, attempts, next_s):
                break
            due_s = next_s
            gevent.sleep(max(0.0, due_s - self.now_s()))
        fate = fate_of(status, reason, ended_s - due_s, plan.patience_s)
        labels = (reason, attempts, client, priority)
        self.tally.add(intended_s, ended_s - intended_s, lag_s, fate, status, *labels)
        return status

    def may_retry(self, status: int, attempts: int, next_s: float) -> bool:
        return (
            attempts <= self.plan.retries
            and is_worth_retrying(status)
            and next_s <= self.last_call_s
            and not self.line.is_stopped
            and self.budget.try_spend()
        )

    def headers_of(self, client: str, priority: str) -> dict[str, str]:
        headers = {"Content-Type": "application/json"}
        if client:
            headers["X-Client-Id"] = client
        if priority:
            headers["X-Priority"] = priority
        if self.plan.send_keys:
            headers["Idempotency-Key"] = f"{self.chance.getrandbits(128):032x}"
        if self.plan.send_deadline:
            headers["X-Request-Timeout-Ms"] = str(max(1, round(self.plan.patience_s * 1000)))
        return headers

    def send(
        self, body: bytes, headers: dict[str, str], due_s: float
    ) -> tuple[int, str, float | None]:
        """One attempt: status, reason, and the Retry-After it came with."""
        left_s = max(due_s + self.plan.patience_s - self.now_s(), 0.001)
        try:
            with (
                gevent.Timeout(left_s, CallerLeft("caller left")),
                self.client.post(
                    "/orders", data=body, headers=headers, catch_response=True
                ) as response,
            ):
                return judge(response)
        except CallerLeft:
            return CALLER_LEFT, "caller_left", None

    # -- besides orders -----------------------------------------------------------------

    def browse(self) -> None:
        """Customers who only look: GET /items/{id} at an even Poisson rate."""
        plan = self.plan
        chance = random.Random(f"browse {plan.seed}")
        for due_s in self.until_stopped(
            arrivals("steady", plan.browse_per_s, plan.seconds, chance)
        ):
            if not self.pool.full():
                self.pool.spawn(self.look, due_s, plan.item_id or chance.randint(1, 100))

    def look(self, due_s: float, item: int) -> None:
        patience_s = self.plan.patience_s
        try:
            with gevent.Timeout(patience_s, CallerLeft("caller left")):
                response = self.client.get(f"/items/{item}", name="/items/{id}")
        except CallerLeft:
            return
        came_from = (response.headers or {}).get("X-Cache") or str(response.status_code)
        self.tally.look(came_from, self.now_s() - due_s)

    def report(self) -> None:
        while True:
            gevent.sleep(FLUSH_S)
            self.flush()

    def flush(self) -> None:
        chunk: dict[str, Any] = {"kind": "chunk", "t": ticks(self.now_s()), "planned": self.planned}
        chunk["unsent"] = self.unsent
        chunk["waiting"] = len(self.pool)
        chunk["orders"] = self.tally.take()
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
            "browse": self.tally.browsing(),
        }


def getter(url: str) -> Callable[[str], str | None]:
    """GETs over a connection of its own, which Locust does not count."""
    client = HTTPClient.from_url(
        URL(url), concurrency=1, connection_timeout=2.0, network_timeout=2.0
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
