"""Many worlds, one after another or several at a time, and what they add up to."""

import gc
import logging
import multiprocessing
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count, islice
from math import inf
from types import FrameType

from tests.vopr.dice import draw_script
from tests.vopr.playing import Result, examine
from tests.vopr.verdicts import Wrong

#: A world that takes so long turns in a circle.
STUCK_S = 180.0
HOUR_S = 3600.0


@dataclass
class Sum:
    """What a run has seen. Every figure in it was counted, none was estimated."""

    first_seed: int
    seeds: int = 0
    simulated_s: float = 0.0
    customers: int = 0
    orders: int = 0
    recovered: int = 0
    twice: int = 0
    wall_s: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    failures: dict[str, list[int]] = field(default_factory=dict)  # kind -> seeds

    def add(self, result: Result) -> list[Wrong]:
        """Count one in; tells the first wrong of each kind in it."""
        self.seeds += 1
        self.simulated_s += result.simulated_s
        self.customers += result.customers
        self.orders += result.orders
        self.recovered += result.recovered
        self.twice += result.twice
        self.faults += result.faults
        self.told += result.told
        firsts = {wrong.kind: wrong for wrong in reversed(result.wrongs)}
        for kind in firsts:
            self.failures.setdefault(kind, []).append(result.seed)
        return list(firsts.values())

    @property
    def hours(self) -> float:
        return self.simulated_s / HOUR_S

    @property
    def failed_seeds(self) -> int:
        return len({seed for seeds in self.failures.values() for seed in seeds})


@dataclass(frozen=True)
class Extent:
    """How far a run goes: whichever ends first."""

    start: int = 0
    seeds: float = inf
    hours: float = inf
    minutes: float = inf

    def is_reached(self, total: Sum, wall_s: float) -> bool:
        return total.hours >= self.hours or wall_s >= self.minutes * 60

    def all_seeds(self) -> Iterator[int]:
        numbers = count(self.start)
        return numbers if self.seeds == inf else islice(numbers, int(self.seeds))


class Stop:
    """Set by Ctrl-C: the world in hand is played to its end, and no other is begun."""

    def __init__(self) -> None:
        self.asked = False

    @contextmanager
    def on_interrupt(self) -> Iterator[None]:
        """A second Ctrl-C ends at once."""

        def ask(signum: int, frame: FrameType | None) -> None:
            self.asked = True
            signal.signal(signal.SIGINT, before)

        before = signal.signal(signal.SIGINT, ask)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)


Hear = Callable[[Sum, Result, list[Wrong]], None]


def run(extent: Extent, stop: Stop, processes: int = 1, hear: Hear = lambda *_: None) -> Sum:
    """Examine seeds until the extent is reached; `hear` is told of each."""
    total, began_s = Sum(extent.start), time.monotonic()
    results = _one_by_one(extent) if processes == 1 else _several(extent, processes, stop)
    for result in results:
        total.wall_s = time.monotonic() - began_s
        hear(total, result, total.add(result))
        if stop.asked or extent.is_reached(total, total.wall_s):
            break
    results.close()
    return total


def _one_by_one(extent: Extent):  # a generator, to be closed
    for seed in extent.all_seeds():
        yield examine_seed(seed)


def _several(extent: Extent, processes: int, stop: Stop):
    """In order of seeds, so that where a run ends depends on the seeds alone."""
    seeds, ahead = extent.all_seeds(), 3 * processes
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, _begin_process) as pool:
        waiting: list[Future[Result]] = [pool.submit(examine_seed, s) for s in islice(seeds, ahead)]
        try:
            while waiting:
                wait(waiting[:1], timeout=0.5, return_when=FIRST_COMPLETED)
                if not waiting[0].done():
                    continue
                waiting += [pool.submit(examine_seed, seed) for seed in islice(seeds, 1)]
                yield waiting.pop(0).result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _begin_process() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent hears it


def examine_seed(seed: int) -> Result:
    """One world, and no more than its time."""
    logging.disable(logging.CRITICAL)
    with _not_stuck():
        result = examine(draw_script(seed))
    gc.collect()
    return result


@contextmanager
def _not_stuck() -> Iterator[None]:
    """Where there are alarms, a world that turns in a circle is stopped, and so fails."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def ring(signum: int, frame: FrameType | None) -> None:
        from asyncio import events

        loop = events._get_running_loop()
        if loop is not None:
            loop.stop()  # what runs it raises, since its main task is not done

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, STUCK_S, 5.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
