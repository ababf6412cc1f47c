"""Customers in virtual time: they do to the service's own code what the load generator does to it
over HTTP, with the same arrivals, the same patience, the same retries and the same judgement."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from typing import Any, NamedTuple, Protocol

from bpdemo.assembly.office import Assembly
from bpdemo.plan.fates import CALLER_LEFT, fate_of, is_worth_retrying
from bpdemo.plan.plan import Plan
from bpdemo.plan.retries import ClientRetryBudget, retry_delay_s
from bpdemo.plan.visits import Regular, Visit, looks, regulars, visits
from bpdemo.sim.visit import Answer, Edge

#: What a service answers in when its code takes no time: a closed loop needs some time to pass.
ANSWER_S = 0.001


class Ended(NamedTuple):
    """One order that is over, as `Records` wants it."""

    t_s: float
    latency_s: float
    fate: int
    status: int
    reason: str
    attempts: int
    client: str
    priority: str


class CrowdTarget(Protocol):
    """Where the customers go: see `Edge`."""

    async def order(self, visit: Visit, plan: Plan, gives_up_s: float) -> Answer: ...

    async def look(self, item_id: int, gives_up_s: float) -> Answer: ...


class Crowd:
    """Carries out one plan. `orders`, `attempts_s` and `looks_s` fill while it runs."""

    def __init__(self, plan: Plan, assembly: Assembly, service: CrowdTarget | None = None) -> None:
        self.orders: list[Ended] = []
        self.attempts_s: list[float] = []
        #: Latencies of the answers to those who looked, by where each came from.
        self.looks_s: dict[str, list[float]] = {}
        self._plan = plan
        self._service = service or Edge(assembly.office)
        self._loop = asyncio.get_running_loop()
        self._start_s = self._loop.time()
        self._chance = random.Random(f"retries {plan.seed} {plan.part}")
        self._budget = ClientRetryBudget(plan.retry_budget)
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Send everything, and wait for the last answer."""
        plan = self._plan
        if plan.browse_per_s:
            self._spawn(self._browse())
        if plan.is_closed:
            for user in regulars(plan):
                self._spawn(self._come_back(user))
        else:
            await self._arrive()
        while self._tasks:
            await asyncio.wait(self._tasks)

    @property
    def now_s(self) -> float:
        return self._loop.time() - self._start_s

    async def _arrive(self) -> None:
        for visit in visits(self._plan):
            await asyncio.sleep(visit.due_s - self.now_s)
            self._spawn(self._order(visit))

    async def _come_back(self, user: Regular) -> None:
        while self.now_s < self._plan.seconds:
            await self._order(user.visit(self.now_s))
            await asyncio.sleep(ANSWER_S)

    async def _order(self, visit: Visit) -> None:
        """Place an order, and again as the plan says, and note what became of it."""
        plan, intended_s = self._plan, visit.due_s
        due_s, attempts = intended_s, 0
        self._budget.earn()
        while True:
            attempts += 1
            self.attempts_s.append(due_s)
            status, reason, retry_after_s, _ = await self._attempt(visit, due_s)
            ended_s = self.now_s
            next_s = ended_s + retry_delay_s(
                plan.backoff, plan.jitter, attempts, retry_after_s, self._chance
            )
            if not self._may_retry(status, attempts, next_s):
                break
            due_s = next_s
            await asyncio.sleep(due_s - ended_s)
        fate = fate_of(status, reason, ended_s - due_s, plan.client_timeout_s)
        latency_s = ended_s - intended_s
        labels = (attempts, visit.client, visit.priority)
        self.orders.append(Ended(intended_s, latency_s, fate, status, reason, *labels))

    def _may_retry(self, status: int, attempts: int, next_s: float) -> bool:
        return (
            attempts <= self._plan.retries
            and is_worth_retrying(status)
            and next_s <= self._plan.last_call_s
            and self._budget.try_spend()
        )

    async def _attempt(self, visit: Visit, due_s: float) -> Answer:
        gives_up_s = self._start_s + due_s + self._plan.client_timeout_s
        return await self._service.order(visit, self._plan, gives_up_s)

    async def _browse(self) -> None:
        for due_s, item in looks(self._plan):
            await asyncio.sleep(due_s - self.now_s)
            self._spawn(self._look(due_s, item))

    async def _look(self, due_s: float, item: int) -> None:
        gives_up_s = self._loop.time() + self._plan.client_timeout_s
        answer = await self._service.look(item, gives_up_s)
        if answer.status != CALLER_LEFT:
            came_from = answer.source or str(answer.status)
            self.looks_s.setdefault(came_from, []).append(self.now_s - due_s)

    def _spawn(self, customer: Coroutine[Any, Any, None]) -> None:
        task: asyncio.Task[None] = self._loop.create_task(customer)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
