"""What the tests of flow share: a clock turned by hand, ears, and a loop that is pushed along."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from bpdemo.core.events import Event
from bpdemo.sim.virtual_time import VirtualTimeLoop

T = TypeVar("T")
E = TypeVar("E", bound=Event)

#: More turns of the loop than anything here needs to come to rest.
TURNS = 20


class Clock:
    """Stands still until somebody turns it."""

    def __init__(self, now: float = 0.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, by_s: float) -> None:
        self.now += by_s


class Ears:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def observe(self, event: Event, /) -> None:
        self.events.append(event)

    def heard(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]


def now() -> float:
    return asyncio.get_running_loop().time()


async def settle() -> None:
    """Let everything run that can run without time passing."""
    for _ in range(TURNS):
        await asyncio.sleep(0)


class Stage:
    """A virtual-time loop for state machines: between two pushes nothing moves."""

    def __init__(self) -> None:
        self.loop = VirtualTimeLoop()

    def spawn(self, coroutine: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        return self.loop.create_task(coroutine)

    def turn(self) -> None:
        """One turn of the loop."""
        self.loop.run_until_complete(asyncio.sleep(0))

    def settle(self) -> None:
        self.loop.run_until_complete(settle())

    def advance(self, by_s: float) -> None:
        self.loop.run_until_complete(asyncio.sleep(by_s))
        self.settle()

    def close(self) -> None:
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.settle()
        left = asyncio.all_tasks(self.loop)
        self.loop.close()
        assert not left, "a task outlived its cancellation"
