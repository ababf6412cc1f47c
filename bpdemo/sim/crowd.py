"""Customers in virtual time: they do to the service's own code what the load generator does to it
over HTTP, with the same arrivals, the same patience, the same retries and the same judgement."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from bpdemo.assembly.office import Assembly
from bpdemo.plan.fates import CALLER_LEFT, fate_of, is_worth_retrying
from bpdemo.plan.plan import Plan
from bpdemo.plan.retries import ClientRetryBudget, retry_delay_s
from bpdemo.plan.retry_policies import UNSENT_REASON, UNSENT_STATUS, policy_of
from bpdemo.plan.visits import Regular, Visit, looks, regulars, visits
from bpdemo.sim.held import HeldTasks
from bpdemo.sim.visit import Answer, Edge

V = TypeVar("V", bound=tuple[Any, ...])

#: What a service answers in when its code takes no time: a closed loop needs some time to pass.
ANSWER_S = 0.001


#: What a customer hears whose own client does not let them call.
UNSENT: Final = Answer(UNSENT_STATUS, UNSENT_REASON)


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


#: Of a tuple of them all, in half of the time.
new_ended: Final = partial(tuple.__new__, Ended)


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
        self._service = service = service or Edge(assembly.office)
        self._edge = service if isinstance(service, Edge) else None
        self._loop = asyncio.get_running_loop()
        #: On the loop's clock.
        self.start_s = self._loop.time()
        self._chance = random.Random(f"retries {plan.seed} {plan.part}")
        self._budget = ClientRetryBudget(plan.retry_budget)
        self._policy = policy_of(
            plan.retry_policy, random.Random(f"policy {plan.seed} {plan.part}")
        )
        self._tasks = HeldTasks()
        self._ordering = 0  # customers whose order is not over
        self._quiet = asyncio.Event()  # set while there are none
        self._quiet.set()

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
        await self._tasks.wait()
        await self._quiet.wait()

    @property
    def now_s(self) -> float:
        return self._loop.time() - self.start_s

    @property
    def ordering(self) -> int:
        """Customers whose order is not over: they wait for an answer, or to try again."""
        return self._ordering

    async def _arrive(self) -> None:
        """Let each come at their own time, however slow the answers are."""
        await self._each_in_time(visits(self._plan), lambda visit: Customer(self, visit).begin())

    async def _browse(self) -> None:
        await self._each_in_time(looks(self._plan), lambda look: self._spawn(self._look(*look)))

    def _each_in_time(
        self, stream: Iterator[V], arrive: Callable[[V], object]
    ) -> asyncio.Future[None]:
        """Call `arrive` for each when its time, which stands first in it, has come; done at the
        last.

        Each arrival sets the timer of the next: a task that slept in between would be woken up for
        nothing but that.
        """
        loop, start_s = self._loop, self.start_s
        over: asyncio.Future[None] = loop.create_future()

        def wait_for_next() -> None:
            coming = next(stream, None)
            if coming is None:
                over.set_result(None)
            elif (due_s := start_s + coming[0]) > loop.time():
                loop.call_at(due_s, go_on, coming)
            else:
                loop.call_soon(go_on, coming)

        def go_on(one: V) -> None:
            try:
                arrive(one)
                wait_for_next()
            except Exception as error:  # the loop would only tell of it, and never end
                over.set_exception(error)

        wait_for_next()
        return over

    async def _come_back(self, user: Regular) -> None:
        while self.now_s < self._plan.seconds:
            await self._order(user.visit(self.now_s))
            await asyncio.sleep(ANSWER_S)

    async def _order(self, visit: Visit) -> None:
        """One order, to its end."""
        customer = Customer(self, visit)
        customer.is_over = over = self._loop.create_future()
        customer.begin()
        await over

    async def _look(self, due_s: float, item: int) -> None:
        gives_up_s = self._loop.time() + self._plan.client_timeout_s
        answer = await self._service.look(item, gives_up_s)
        if answer.status != CALLER_LEFT:
            came_from = answer.source or str(answer.status)
            self.looks_s.setdefault(came_from, []).append(self.now_s - due_s)

    def _spawn(self, customer: Coroutine[Any, Any, None]) -> None:
        self._tasks.add(self._loop.create_task(customer))

    # -- for its customers --------------------------------------------------------------

    def ask(self, visit: Visit, due_s: float, hear: Callable[[Answer], None]) -> None:
        """Make an attempt that is due at `due_s`; `hear` gets the answer, be it at once."""
        plan, service = self._plan, self._service
        if not self._policy.may_call(self._loop.time() - self.start_s):
            self._loop.call_soon(hear, UNSENT)
            return
        self.attempts_s.append(due_s)
        gives_up_s = self.start_s + due_s + plan.client_timeout_s
        if self._edge:
            self._edge.take(visit, plan, gives_up_s, hear)
            return

        async def ask() -> None:
            hear(await service.order(visit, plan, gives_up_s))

        self._spawn(ask())

    def enter(self) -> None:
        """An order begins."""
        self._budget.earn()
        if not self._ordering:
            self._quiet.clear()
        self._ordering += 1

    def leave(self, ended: Ended) -> None:
        """And is over."""
        self.orders.append(ended)
        self._ordering -= 1
        if not self._ordering:
            self._quiet.set()


class Customer:
    """One who places an order, and again as the plan says, until what became of it is known.

    A few callbacks and no task: most of them only wait for one answer.
    """

    __slots__ = ("_after", "_attempts", "_crowd", "_due_s", "_visit", "is_over")

    def __init__(self, crowd: Crowd, visit: Visit) -> None:
        self.is_over: asyncio.Future[None] | None = None  # told at the end, if somebody waits
        self._crowd = crowd
        self._visit = visit
        self._due_s = visit.due_s
        self._attempts = 0
        self._after: int | None = None  # what the last attempt ended with

    def begin(self) -> None:
        self._crowd.enter()
        self._attempt()

    def _attempt(self) -> None:
        self._attempts += 1
        self._crowd.ask(self._visit, self._due_s, self._hear)

    def _hear(self, answer: Answer) -> None:
        crowd, plan = self._crowd, self._crowd._plan
        status, reason, retry_after_s, _ = answer
        ended_s = crowd._loop.time() - crowd.start_s
        if answer is not UNSENT:
            crowd._policy.hear(status, ended_s, self._after)
        if not plan.retries:  # nearly always: then no delay need be drawn either
            self._end(status, reason, ended_s)
            return
        next_s = ended_s + retry_delay_s(
            plan.backoff, plan.jitter, self._attempts, retry_after_s, crowd._chance
        )
        if answer is UNSENT or not self._may_retry(status, next_s):
            self._end(status, reason, ended_s)
        else:
            self._after = status
            self._due_s = next_s
            delay_s = next_s - ended_s
            if delay_s > 0:
                crowd._loop.call_later(delay_s, self._attempt)
            else:
                crowd._loop.call_soon(self._attempt)

    def _may_retry(self, status: int, next_s: float) -> bool:
        crowd, plan = self._crowd, self._crowd._plan
        return (
            self._attempts <= plan.retries
            and is_worth_retrying(status)
            and next_s <= plan.last_call_s
            and crowd._budget.try_spend()
            and crowd._policy.may_retry(status, crowd.now_s)
        )

    def _end(self, status: int, reason: str, ended_s: float) -> None:
        visit, timeout_s = self._visit, self._crowd._plan.client_timeout_s
        fate = fate_of(status, reason, ended_s - self._due_s, timeout_s)
        latency_s = ended_s - visit.due_s
        labels = (self._attempts, visit.client, visit.priority)
        ended = (visit.due_s, latency_s, fate, status, reason, *labels)
        self._crowd.leave(new_ended(ended))
        if self.is_over:
            self.is_over.set_result(None)
