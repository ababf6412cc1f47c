"""What goes wrong at a dependency: before a call has its effect, or after it, or long after."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any, NoReturn

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

    def __init__(self, loop: asyncio.AbstractEventLoop, seed: int) -> None:
        self.late: set[asyncio.Task[None]] = set()  # calls on their way that nobody waits for
        self._loop = loop
        self._seed = seed
        self._faults: dict[str, _Fault] = {}

    def begin(self, what: dict[str, Any]) -> None:
        self._faults[what["name"]] = _Fault(what, Random(f"{self._seed} {what['name']}"))

    def calm(self, name: str) -> None:
        """It befalls nobody any more; whom it has befallen, it keeps."""
        if fault := self._faults.get(name):
            fault.is_calm = True

    def end(self, name: str) -> None:
        """It works again. Of the calls that hang, some go on, others lose their connection."""
        self.calm(name)  # for those, too, who hang elsewhere and were to meet it next
        fault = self._faults.pop(name, None)
        for hanging in fault.hung if fault else ():
            if not hanging.done():
                if fault and fault.strikes(0.5):
                    hanging.set_result(None)
                else:
                    hanging.set_exception(DependencyError("The connection was reset."))

    def end_all(self) -> None:
        for name in list(self._faults):
            self.end(name)

    def stand_before(self, target: Any, dependency: str, names: Iterable[str], bare: Any) -> None:
        """Break these methods of `target` now and then; what arrives late arrives at `bare`."""
        for name in names:
            self._stand_before(target, dependency, name, getattr(bare, name))

    def stand_before_work(self, target: Any, name: str) -> None:
        """Let the worker's own code fail, before its work or when all of it is done."""
        real: Call = getattr(target, name)

        async def work(*args: Any) -> Any:
            crashes = [f for f in self._faults.values() if "dependency" not in f.what]
            striking = next((f for f in crashes if f.strikes(f.what["rate"])), None)
            if striking and not striking.what["after"]:
                striking.raise_it(after=False)
            result = await real(*args)
            if striking:
                striking.raise_it(after=True)
            return result

        setattr(target, name, work)

    def _stand_before(self, target: Any, dependency: str, name: str, bare: Call) -> None:
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

    def _those_for(self, dependency: str, name: str) -> "list[_Fault]":
        return [fault for fault in self._faults.values() if fault.concerns(dependency, name)]

    async def _befall(self, dependency: str, name: str, *, after: bool) -> None:
        for fault in self._those_for(dependency, name):
            if fault.is_calm:
                continue  # it has ended while the call hung in the one before
            if fault.is_due(after=after) and fault.strikes(fault.what["rate"]):
                if fault.what["how"] == "raise":
                    fault.raise_it(after=after)
                if fault.what["how"] == "slow":
                    await asyncio.sleep(fault.rng.uniform(0, fault.what["slow_s"]))
                    continue
                hanging = self._loop.create_future()
                fault.hung.append(hanging)
                await hanging

    def _may_arrive_late(
        self, dependency: str, name: str, bare: Call, args: tuple[Any, ...]
    ) -> None:
        for fault in self._those_for(dependency, name):
            late_s = fault.what["late_s"]
            if late_s is not None and fault.strikes(0.7):
                task = self._loop.create_task(_arrive(late_s, bare, args))
                self.late.add(task)
                task.add_done_callback(self.late.discard)
                return


@dataclass
class _Fault:
    """What goes wrong, with a chance of its own, and the calls that hang in it."""

    what: dict[str, Any]
    rng: Random
    hung: list[asyncio.Future[None]] = field(default_factory=list)
    is_calm: bool = False

    def concerns(self, dependency: str, name: str) -> bool:
        if self.is_calm:
            return False
        return self.what.get("dependency") == dependency and self.what["call"] in ("any", name)

    def strikes(self, rate: float) -> bool:
        return self.rng.random() < rate

    def is_due(self, *, after: bool) -> bool:
        """Of a fault that strikes either before a call or after it, this is drawn each time."""
        when = self.what["after"]
        return when == after if isinstance(when, bool) else self.strikes(0.5)

    def raise_it(self, *, after: bool) -> NoReturn:
        kind = self.what["error"]
        if kind == "any":
            kind = self.rng.choice(list(ERRORS))
        if kind == "pool" and self.what.get("dependency") == "payment":
            kind = "failed"  # there is no pool before it
        if kind in ("pool", "unasked") and after:
            kind = "failed"  # these say that the call was never made
        raise ERRORS[kind]()


async def _arrive(late_s: float, bare: Call, args: tuple[Any, ...]) -> None:
    await asyncio.sleep(late_s)
    with suppress(BoxOfficeError):
        await bare(*args)
