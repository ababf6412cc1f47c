"""What goes wrong at a dependency: before a call has its effect, or after it, or long after."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random
from typing import Any

from bpdemo.core.errors import BoxOfficeError, DependencyError, PoolExhausted

Call = Callable[..., Awaitable[Any]]


class Foreign(BaseException):
    """Neither an `Exception` nor one of Python's own."""


ERRORS: dict[str, Callable[[], BaseException]] = {
    "failed": lambda: DependencyError("injected"),
    "unasked": lambda: DependencyError("injected", asked=False),
    "timeout": lambda: TimeoutError("injected"),
    "bug": lambda: ZeroDivisionError("injected"),
    "pool": lambda: PoolExhausted("injected"),
    "cancelled": lambda: asyncio.CancelledError("injected"),
    "exit": lambda: SystemExit("injected"),
    "generator": lambda: GeneratorExit("injected"),
    "interrupt": lambda: KeyboardInterrupt("injected"),
    "own": lambda: Foreign("injected"),
}


class Chaos:
    """Stands before the calls of the dependencies, and breaks some of them."""

    def __init__(self, loop: asyncio.AbstractEventLoop, rng: Random) -> None:
        self.late: set[asyncio.Task[None]] = set()  # calls on their way that nobody waits for
        self.struck = 0
        self._loop = loop
        self._rng = rng
        self._faults: dict[str, dict[str, Any]] = {}
        self._hung: dict[str, list[asyncio.Future[None]]] = {}

    def begin(self, what: dict[str, Any]) -> None:
        self._faults[what["name"]] = what

    def end(self, name: str) -> None:
        """It works again. Of the calls that hang, some go on, others lose their connection."""
        self._faults.pop(name, None)
        for hanging in self._hung.pop(name, []):
            if not hanging.done():
                if self._rng.random() < 0.5:
                    hanging.set_result(None)
                else:
                    hanging.set_exception(DependencyError("The connection was reset."))

    def end_all(self) -> None:
        for name in [*self._faults, *self._hung]:
            self.end(name)

    def stand_before(self, target: Any, dependency: str, name: str, bare: Call) -> None:
        """Break `target.name` now and then; `bare` is where what arrives late arrives."""
        real: Call = getattr(target, name)

        async def call(*args: Any) -> Any:
            try:
                await self._befall(dependency, name, after=False)
                result = await real(*args)
                await self._befall(dependency, name, after=True)
                return result
            except (DependencyError, asyncio.CancelledError) as error:
                if getattr(error, "asked", True):
                    self._may_arrive_late(dependency, name, bare, args)
                raise

        setattr(target, name, call)

    def stand_before_work(self, target: Any, name: str) -> None:
        """Let the worker's own code fail, before its work or when all of it is done."""
        real: Call = getattr(target, name)

        async def work(*args: Any) -> Any:
            crash = next((f for f in self._faults.values() if "dependency" not in f), None)
            strikes = crash is not None and self._rng.random() < crash["rate"]
            if crash and strikes and not crash["after"]:
                self._strike(crash)
            result = await real(*args)
            if crash and strikes:
                self._strike(crash)
            return result

        setattr(target, name, work)

    async def _befall(self, dependency: str, name: str, *, after: bool) -> None:
        for label, fault in list(self._faults.items()):
            if fault.get("dependency") != dependency or fault["call"] not in ("any", name):
                continue
            if fault["after"] != after or self._rng.random() >= fault["rate"]:
                continue
            if fault["how"] == "raise":
                self._strike(fault)
            self.struck += 1
            hanging = self._loop.create_future()
            self._hung.setdefault(label, []).append(hanging)
            await hanging

    def _strike(self, fault: dict[str, Any]) -> None:
        self.struck += 1
        kind = fault["error"]
        if kind == "pool" and fault["dependency"] == "payment":
            kind = "failed"  # there is no pool before it
        if kind in ("pool", "unasked") and fault["after"]:
            kind = "failed"  # these say that the call was never made
        raise ERRORS[kind]()

    def _may_arrive_late(
        self, dependency: str, name: str, bare: Call, args: tuple[Any, ...]
    ) -> None:
        for fault in self._faults.values():
            slow = fault.get("late_s")
            if slow is None or fault["dependency"] != dependency:
                continue
            if fault["call"] in ("any", name) and self._rng.random() < 0.7:
                task = self._loop.create_task(_arrive(slow, bare, args))
                self.late.add(task)
                task.add_done_callback(self.late.discard)
                return


async def _arrive(late_s: float, bare: Call, args: tuple[Any, ...]) -> None:
    await asyncio.sleep(late_s)
    with suppress(BoxOfficeError):
        await bare(*args)
