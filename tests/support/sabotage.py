"""Faults of one call at a time: before it takes effect, after it, and long after it was given up.

    sabotage = Sabotage(stage.assembly.store, "place", "void")
    sabotage.next("place", "lost", "ok")        # what befalls the next two calls; then all is well

`Ledger` keeps the money by order, which the service's own book does not.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Literal

from bpdemo.core.errors import BoxOfficeError, DependencyError, PoolExhausted
from bpdemo.downstream.payment import SimulatedPayment

Fault = Literal[
    "ok",
    "failed",  # an error, and nothing was done
    "lost",  # it was done, and then an error
    "hangs",  # nothing is done, and no answer ever comes
    "done, hangs",
    "late",  # an error now; it arrives when nobody expects it any more
    "hangs, late",
    "slow",  # it is done after a while, and answered
    "done, slow",
    "broken",  # an error outside the tree, and nothing was done
    "done, broken",
    "cancelled",  # the call raises CancelledError of its own
    "done, cancelled",
    "closed",  # the same with GeneratorExit
    "done, closed",
    "exits",
    "done, exits",
    "cancels",  # the call cancels the task that it runs in, as a scope that leaks does
    "done, cancels",
    "no connection",  # our own pool had none
    "unasked",  # the dependency is known not to have been reached
]
FAULTS: tuple[Fault, ...] = Fault.__args__  # type: ignore[attr-defined]
#: After these it may stand though its caller was not answered.
LATE_S = 7.0
SLOW_S = 0.3

RAISED: dict[str, Callable[[], BaseException]] = {
    "failed": DependencyError,
    "lost": DependencyError,
    "late": DependencyError,
    "broken": lambda: KeyError("injected"),
    "done, broken": lambda: KeyError("injected"),
    "cancelled": asyncio.CancelledError,
    "done, cancelled": asyncio.CancelledError,
    "closed": GeneratorExit,
    "done, closed": GeneratorExit,
    "exits": SystemExit,
    "done, exits": SystemExit,
    "no connection": PoolExhausted,
    "unasked": lambda: DependencyError(asked=False),
}


class Sabotage:
    """Stands before some methods of one object."""

    def __init__(self, target: object, *names: str) -> None:
        self._scripts: dict[str, deque[Fault]] = {name: deque() for name in names}
        self._arriving: set[asyncio.Task[None]] = set()
        for name in names:
            setattr(target, name, self._before(name, getattr(target, name)))

    def next(self, name: str, *faults: Fault) -> None:
        """What befalls the next calls of `name`, one each."""
        self._scripts[name].extend(faults)

    def calm(self, *names: str) -> None:
        """Nothing befalls these any more, or none; what is on its way still arrives."""
        for name in names or self._scripts:
            self._scripts[name].clear()

    async def all_arrived(self) -> None:
        while self._arriving:
            await asyncio.wait(self._arriving)

    def _before(
        self, name: str, real: Callable[..., Awaitable[Any]]
    ) -> Callable[..., Awaitable[Any]]:
        script = self._scripts[name]

        async def call(*args: Any) -> Any:
            fault: Fault = script.popleft() if script else "ok"
            if fault == "ok":
                return await real(*args)
            return await self._befall(fault, real, args)

        return call

    async def _befall(
        self, fault: Fault, real: Callable[..., Awaitable[Any]], args: tuple[Any, ...]
    ) -> Any:
        if fault == "slow":
            await asyncio.sleep(SLOW_S)
        result = None
        if fault in ("slow", "lost") or fault.startswith("done"):
            result = await real(*args)
        if fault == "done, slow":
            await asyncio.sleep(SLOW_S)
        if fault in ("slow", "done, slow"):
            return result
        if "late" in fault:
            self._send_late(real, args)
        if "hangs" in fault or "cancels" in fault:
            if "cancels" in fault and (task := asyncio.current_task()):
                task.cancel()
            await asyncio.get_running_loop().create_future()
        raise RAISED[fault]()

    def _send_late(self, real: Callable[..., Awaitable[Any]], args: tuple[Any, ...]) -> None:
        async def arrive() -> None:
            await asyncio.sleep(LATE_S)
            with suppress(BoxOfficeError):
                await real(*args)

        task = asyncio.get_running_loop().create_task(arrive())
        self._arriving.add(task)
        task.add_done_callback(self._arriving.discard)


class Ledger:
    """What the provider holds for each order: payments charged less payments refunded."""

    def __init__(self, provider: SimulatedPayment) -> None:
        self.held: Counter[str] = Counter()
        self.amounts: dict[str, int] = {}
        self._book = provider.book
        take, give_back, charge = provider._take, provider._give_back, provider.charge

        def taken(key: str) -> bool:
            before = self._kept
            stands = take(key)
            self.held[key] += self._kept - before
            return stands

        def given_back(key: str) -> None:
            before = self._kept
            give_back(key)
            self.held[key] += self._kept - before

        async def charged(key: str, amount_cents: int) -> None:
            self.amounts[key] = amount_cents
            await charge(key, amount_cents)

        provider._take = taken  # type: ignore[method-assign]
        provider._give_back = given_back  # type: ignore[method-assign]
        provider.charge = charged  # type: ignore[method-assign]

    @property
    def _kept(self) -> int:
        return self._book.charged - self._book.refunded

    @property
    def kept(self) -> dict[str, int]:
        """Cents by order, of those for whom anything is held."""
        return {key: n * self.amounts[key] for key, n in self.held.items() if n}
