"""Customers in virtual time: they do to the service's own code what the load generator does to it
over HTTP, with the same arrivals, the same patience, the same retries and the same judgement."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from typing import Any, NamedTuple

from bpdemo.api.problems import PROBLEMS
from bpdemo.assembly.office import Assembly
from bpdemo.core.errors import BoxOfficeError, Refused
from bpdemo.core.model import OrderRequest
from bpdemo.plan.answers import pick
from bpdemo.plan.arrivals import arrivals
from bpdemo.plan.fates import CALLER_LEFT, fate_of, is_worth_retrying
from bpdemo.plan.plan import Plan
from bpdemo.plan.retries import RetryBudget, retry_delay_s
from bpdemo.sim.visit import visit

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


class Crowd:
    """Carries out one plan. `orders` and `attempts_s` fill while it runs."""

    def __init__(self, plan: Plan, assembly: Assembly) -> None:
        self.orders: list[Ended] = []
        self.attempts_s: list[float] = []
        self.looks: dict[str, int] = {}
        self._plan = plan
        self._assembly = assembly
        self._loop = asyncio.get_running_loop()
        self._start_s = self._loop.time()
        self._chance = random.Random(f"orders {plan.seed}")
        self._budget = RetryBudget(plan.retry_budget)
        self._last_call_s = plan.seconds + plan.settle_s
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Send everything, and wait for the last answer."""
        plan = self._plan
        if plan.browse_per_s:
            self._spawn(self._browse())
        if plan.is_closed:
            for _ in range(int(plan.rate_per_s)):
                self._spawn(self._come_back())
        else:
            await self._arrive()
        while self._tasks:
            await asyncio.wait(self._tasks)

    @property
    def now_s(self) -> float:
        return self._loop.time() - self._start_s

    async def _arrive(self) -> None:
        plan = self._plan
        stream = arrivals(
            plan.scenario, plan.rate_per_s, plan.seconds, random.Random(f"arrivals {plan.seed}")
        )
        for due_s in stream:
            await asyncio.sleep(due_s - self.now_s)
            self._spawn(self._order(due_s))

    async def _come_back(self) -> None:
        while self.now_s < self._plan.seconds:
            await self._order(self.now_s)
            await asyncio.sleep(ANSWER_S)

    async def _order(self, intended_s: float) -> None:
        """Place an order, and again as the plan says, and note what became of it."""
        plan, chance = self._plan, self._chance
        client, priority = pick(plan.clients, chance), pick(plan.priorities, chance)
        wanted = OrderRequest(plan.item_id or chance.randint(1, 100), 1)
        key = f"{chance.getrandbits(128):032x}" if plan.send_keys else None
        due_s, attempts = intended_s, 0
        self._budget.earn()
        while True:
            attempts += 1
            self.attempts_s.append(due_s)
            status, reason, retry_after_s = await self._attempt(
                due_s, wanted, key, client, priority
            )
            ended_s = self.now_s
            next_s = ended_s + retry_delay_s(
                plan.backoff, plan.jitter, attempts, retry_after_s, chance
            )
            if not self._may_retry(status, attempts, next_s):
                break
            due_s = next_s
            await asyncio.sleep(due_s - ended_s)
        fate = fate_of(status, reason, ended_s - due_s, plan.patience_s)
        latency_s = ended_s - intended_s
        self.orders.append(
            Ended(intended_s, latency_s, fate, status, reason, attempts, client, priority)
        )

    def _may_retry(self, status: int, attempts: int, next_s: float) -> bool:
        return (
            attempts <= self._plan.retries
            and is_worth_retrying(status)
            and next_s <= self._last_call_s
            and self._budget.try_spend()
        )

    async def _attempt(
        self, due_s: float, wanted: OrderRequest, key: str | None, client: str, priority: str
    ) -> tuple[int, str, float | None]:
        """One attempt: status, reason, and the Retry-After that came with it."""
        plan, office = self._plan, self._assembly.office
        patience_s = plan.patience_s if plan.send_deadline else None
        gives_up_s = self._start_s + due_s + plan.patience_s
        try:
            async with asyncio.timeout_at(gives_up_s):
                sale = await visit(
                    office, wanted, key, client or "crowd", int(priority or 1), patience_s
                )
        except TimeoutError:
            return CALLER_LEFT, "caller_left", None
        except BoxOfficeError as error:
            retry_after_s = None
            if isinstance(error, Refused):
                retry_after_s = float(office.advice.retry_after_s(error))
            return PROBLEMS[error.reason][0], error.reason, retry_after_s
        return 200 if sale.replayed else 201, "", None

    async def _browse(self) -> None:
        plan = self._plan
        chance = random.Random(f"browse {plan.seed}")
        for due_s in arrivals("steady", plan.browse_per_s, plan.seconds, chance):
            await asyncio.sleep(due_s - self.now_s)
            self._spawn(self._look(plan.item_id or chance.randint(1, 100)))

    async def _look(self, item_id: int) -> None:
        try:
            async with asyncio.timeout(self._plan.patience_s):
                _, source = await self._assembly.office.catalogue.find_item(item_id)
        except TimeoutError:
            return
        except BoxOfficeError as error:
            self._count(str(PROBLEMS[error.reason][0]))
        else:
            self._count(source)

    def _count(self, answer: str) -> None:
        self.looks[answer] = self.looks.get(answer, 0) + 1

    def _spawn(self, customer: Coroutine[Any, Any, None]) -> None:
        task: asyncio.Task[None] = self._loop.create_task(customer)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
