"""Two services in virtual time that should be one: behind the simulation's edge, and HTTP."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple
from unittest.mock import patch

from bpdemo.assembly.office import Assembly
from bpdemo.core.settings import Settings
from bpdemo.flow.limiter import InFlight
from bpdemo.plan.plan import Plan
from bpdemo.plan.visits import Visit
from bpdemo.sim import virtual_time
from bpdemo.sim.crowd import Crowd, CrowdTarget, Ended
from bpdemo.sim.visit import Answer
from tests.support.asgi_edge import application
from tests.support.in_turn import HttpInTurn, SimulatedInTurn

EdgeName = Literal["simulation", "http"]
How = Literal["success", "drop", "ignore"]

#: One worker, a second for each order, one waiting place, and no other bound: easy to foresee.
PLAIN: Mapping[str, Any] = {
    "workers": 1,
    "queue_capacity": 1,
    "payment_latency_s": 1.0,
    "store_latency_s": 0.0,
    "request_timeout_s": 0.0,
    "attempt_timeout_s": 0.0,
    "retry_attempts": 1,
    "breaker_enabled": False,
    "seed": 1,
}
LONGEST_S = 86_400.0


class Permit(NamedTuple):
    """A permit of the gate that has ended: from when, until when, and how."""

    began_s: float
    ended_s: float
    how: How


class Ask(NamedTuple):
    """One request by hand: an order, or with `looks` a look at the item."""

    at_s: float = 0.0
    leaves_s: float = 900.0
    item: int = 1
    key: str = ""
    client: str = ""
    priority: str = ""
    looks: bool = False


@dataclass
class Seen:
    """What there is to compare."""

    answers: list[Answer] = field(default_factory=list)
    orders: list[Ended] = field(default_factory=list)
    looks_s: dict[str, list[float]] = field(default_factory=dict)
    permits: list[Permit] = field(default_factory=list)
    books: dict[str, int] = field(default_factory=dict)

    @property
    def told(self) -> list[tuple[int, str]]:
        return [(answer.status, answer.reason) for answer in self.answers]

    @property
    def most_inside(self) -> int:
        """The most permits that were held at one time."""
        steps = [(p.began_s, 1) for p in self.permits] + [(p.ended_s, -1) for p in self.permits]
        inside = most = 0
        for _, step in sorted(steps):
            inside += step
            most = max(most, inside)
        return most


def by_hand(
    edge: EdgeName,
    asks: list[Ask],
    *,
    turns: Mapping[float, Mapping[str, Any]] | None = None,
    mishap: Callable[[Assembly], None] = lambda _: None,
    **knobs: Any,
) -> Seen:
    """What comes of these requests. `turns` turn knobs on the way, and `mishap` befalls the parts
    before anybody comes. The service drains at 100 s."""

    async def play(assembly: Assembly, service: CrowdTarget, seen: Seen) -> None:
        loop, plan = asyncio.get_running_loop(), Plan(rate_per_s=1)
        for at_s, turned in (turns or {}).items():
            loop.call_at(at_s, assembly.turn, turned)
        mishap(assembly)

        async def one(ask: Ask) -> Answer:
            await asyncio.sleep(ask.at_s)
            if ask.looks:
                return await service.look(ask.item, ask.leaves_s)
            visit = Visit(ask.at_s, ask.item, ask.client, ask.priority, ask.key)
            return await service.order(visit, plan, ask.leaves_s)

        loop.call_at(100.0, lambda: loop.create_task(assembly.office.drain(10.0)))
        seen.answers = await asyncio.gather(*map(one, asks))

    return _in(edge, {**PLAIN, **knobs}, play)


def by_crowd(edge: EdgeName, plan: Plan, knobs: Mapping[str, Any]) -> Seen:
    """What comes of a whole plan."""

    async def play(assembly: Assembly, service: CrowdTarget, seen: Seen) -> None:
        crowd = Crowd(plan, assembly, service)
        await crowd.run()
        seen.orders, seen.looks_s = sorted(crowd.orders), crowd.looks_s

    return _in(edge, knobs, play)


def _in(edge: EdgeName, knobs: Mapping[str, Any], play: Callable[..., Any]) -> Seen:
    """The service from its start until it has nothing left to do."""
    seen = Seen()

    async def live() -> None:
        loop, settings = asyncio.get_running_loop(), Settings(**knobs)
        assembly = Assembly(settings, clock=loop.time)
        office = assembly.office
        if edge == "http":
            service: CrowdTarget = HttpInTurn(application(assembly, settings, loop.time))
        else:
            service = SimulatedInTurn(office)
        await office.start()
        with _permits_watched(loop.time, seen):
            await play(assembly, service, seen)
            await office.drain(600.0)
            await asyncio.sleep(60)  # for those who only look: the drain does not wait for them
            assert office.in_flight == 0, "a permit was never ended"
            await office.stop()
        seen.books = {name: n for name, n in office.stats()["books"].items() if n}

    virtual_time.run(live(), limit_s=LONGEST_S)
    seen.permits.sort()
    return seen


@contextmanager
def _permits_watched(now: Callable[[], float], seen: Seen) -> Iterator[None]:
    def watched(how: How) -> Callable[[InFlight], None]:
        end = getattr(InFlight, how)

        def note(permit: InFlight) -> None:
            if permit._limiter is not None:
                seen.permits.append(Permit(permit._started_s, now(), how))
            end(permit)

        return note

    with (
        patch.object(InFlight, "success", watched("success")),
        patch.object(InFlight, "drop", watched("drop")),
        patch.object(InFlight, "ignore", watched("ignore")),
    ):
        yield
