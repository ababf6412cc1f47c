"""A service that is stopped in the middle of everything: the same seed tells the same history."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from bpdemo.core.events import Event
from bpdemo.sim import virtual_time
from tests.service.stage import PLAIN, Stage, settle

CUT = "CancelledError"
Step = Callable[..., Awaitable[None]]


class Chronicle(Stage):
    """Writes down what is heard, and in which order charges and refunds are cut short."""

    def __init__(self, knobs: dict[str, Any]) -> None:
        self.history: list[object] = []
        super().__init__(knobs)
        provider: Any = self.assembly.provider
        provider.charge = self.watched("charge", provider.charge)
        provider.refund = self.watched("refund", endless)

    def observe(self, event: Event, /) -> None:
        super().observe(event)
        self.history.append(event)

    def watched(self, name: str, step: Step) -> Step:
        async def watch(key: str, *amount: int) -> None:
            try:
                await step(key, *amount)
            except BaseException as error:
                self.history.append((name, key, type(error).__name__))
                raise

        return watch


async def endless(_: str) -> None:
    await asyncio.sleep(3600)


def told(knobs: dict[str, Any], end: str) -> list[object]:
    """Forty customers, some of whose payments fail, no refund that ends, and an abrupt end."""
    chronicles: list[Chronicle] = []

    async def main() -> None:
        stage = Chronicle({**PLAIN, **knobs})
        chronicles.append(stage)
        await stage.office.start()
        for number in range(40):
            stage.comes(key=f"k{number % 37}", priority=number % 4)
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.9)
        if end == "the service is stopped":
            await stage.office.stop()
            await settle()

    virtual_time.run(main())
    return chronicles[0].history


@pytest.mark.parametrize("end", ["the service is stopped", "the loop ends"])
@pytest.mark.parametrize("workers", [6, 12])
def test_the_same_seed_has_one_history(workers: int, end: str) -> None:
    """Several times over, in one process, where every run has other objects at other addresses."""
    knobs = {"workers": workers, "queue_capacity": 60, "payment_failure_rate": 0.3, "seed": 5}
    knobs |= {"retry_attempts": 1}
    first = told(knobs, end)
    for name in ("charge", "refund"):
        cut = [what for what in first if isinstance(what, tuple) and what[::2] == (name, CUT)]
        assert len(cut) >= 3, "it was to be cut short in the middle of several"
    for _ in range(8):
        assert told(knobs, end) == first
