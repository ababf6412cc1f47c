"""Customers who hear of their orders in one moment act on it in the order in which they came.

A worker that is done sheds those behind it in the same moment. Who of them all hears first is left
open by the service, and by every network: at an edge it depends on how many turns of the loop an
answer takes, and a 201 takes others than a problem. But customers draw their pauses from one
chance, and spend one budget, so that the first to hear is given what the next would have got.
"""

import asyncio
from collections.abc import Callable
from functools import partial

from fastapi import FastAPI

from bpdemo.plan.plan import Plan
from bpdemo.plan.visits import Visit
from bpdemo.service.box_office import BoxOffice
from bpdemo.sim.virtual_time import VirtualTimeLoop
from bpdemo.sim.visit import Answer, Edge, Hearing
from tests.support.asgi_edge import HttpEdge


class InTurn:
    """Keeps what is heard until the moment is over."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualTimeLoop), "in real time no moment is ever over"
        self._loop = loop
        self._heard: list[tuple[float, Callable[[], object]]] = []

    def hear(self, came_s: float, act: Callable[[], object]) -> None:
        """Call `act` when the service has nothing left to do in this moment."""
        if not self._heard:
            self._loop.call_soon(self._pass_on)
        self._heard.append((came_s, act))

    def _pass_on(self) -> None:
        if self._is_something_left():
            self._loop.call_soon(self._pass_on)
            return
        heard, self._heard = sorted(self._heard, key=lambda each: each[0]), []
        for _, act in heard:
            act()

    def _is_something_left(self) -> bool:
        now, timers = self._loop.time(), self._loop._scheduled
        return bool(self._loop._ready) or any(
            when <= now and timer._callback is not None for when, _, timer in timers
        )


class SimulatedInTurn(Edge):
    def __init__(self, office: BoxOffice) -> None:
        super().__init__(office)
        self._in_turn = InTurn()

    def take(
        self, visit: Visit, plan: Plan, gives_up_s: float, hear: Callable[[Answer], object]
    ) -> Hearing | None:
        def later(answer: Answer) -> None:
            self._in_turn.hear(visit.due_s, partial(hear, answer))

        return super().take(visit, plan, gives_up_s, later)


class HttpInTurn(HttpEdge):
    def __init__(self, app: FastAPI) -> None:
        super().__init__(app)
        self._in_turn = InTurn()

    async def order(self, visit: Visit, plan: Plan, gives_up_s: float) -> Answer:
        answer = await super().order(visit, plan, gives_up_s)
        turn = asyncio.get_running_loop().create_future()
        self._in_turn.hear(visit.due_s, partial(turn.set_result, None))
        await turn
        return answer
