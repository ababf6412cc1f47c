"""A long sale at three times capacity through one storm after another."""

import asyncio
import contextlib
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from queue import Queue
from typing import Any, NamedTuple

import asyncpg
import psutil

from bpdemo.core.settings import Settings
from bpdemo.load.child import Child
from tests.faults.crowd import Crowd
from tests.faults.soak.faults import FAULTS, Target
from tests.faults.soak.storms import RECOVERY_S, Storm, storms

TIMES = 3
#: Circuits that open soon and not for long, so that there is time for many storms; connections
#: all made at the start, so that their number says something.
KNOBS: dict[str, Any] = {
    "store": "embedded",
    "workers": 8,
    "queue_capacity": 16,
    "breaker_window_s": 2.0,
    "breaker_open_s": 1.0,
    "pool_min": 8,
    "pool_max": 8,
}
START_S = 40.0
SAMPLE_S = 1.0
TELL_S = 5.0
SETTLED_S = 60.0


class Sample(NamedTuple):
    at_s: float
    rss_mb: float
    fds: int
    threads: int


class Calm(NamedTuple):
    """A time without faults: after which storm, from when to when, and what was sold."""

    after: str
    from_s: float
    to_s: float
    sold_per_s: float


@dataclass
class Record:
    """All that was seen. Times count from the first order."""

    seconds: float
    seed: int
    offered_per_s: float
    samples: list[Sample] = field(default_factory=list)
    storms: list[tuple[float, str]] = field(default_factory=list)
    calms: list[Calm] = field(default_factory=list)
    before: dict[str, int] = field(default_factory=dict)
    after: dict[str, int] = field(default_factory=dict)
    stats: dict[str, Any] = field(default_factory=dict)
    acknowledged: list[str] = field(default_factory=list)
    replayed: list[str] = field(default_factory=list)
    stored: list[tuple[str, str | None]] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    unsent: int = 0
    left_behind: list[str] = field(default_factory=list)


class BoxOffice:
    """The service in its process."""

    def __init__(self, knobs: dict[str, Any]) -> None:
        self._said: Queue[dict[str, Any]] = Queue()
        self._child = Child(
            [sys.executable, "-m", "tests.faults.soak.box_office", json.dumps(knobs)],
            on_line=lambda line: self._said.put(json.loads(line)),
        )
        ready = self._said.get(timeout=START_S)
        settings = Settings(**(knobs | {"store": "memory"}))
        self.target = Target(
            ready["url"], ready["database"], self._child.pid, settings.model_dump()
        )
        self.family = [self.target.process, *self.target.process.children(recursive=True)]

    def holds(self) -> dict[str, int]:
        """Files, threads, tasks and processes."""
        self._child.say("tasks")
        process = self.target.process
        return {
            "fds": process.num_fds(),
            "threads": process.num_threads(),
            "tasks": int(self._said.get(timeout=START_S)["tasks"]),
            "children": len(process.children()),
        }

    def stop(self) -> list[str]:
        """End it; tells which of its processes are left. May be called twice."""
        with contextlib.suppress(psutil.NoSuchProcess):
            self.family += self.target.process.children(recursive=True)
        self._child.stop(grace_s=15)
        _, alive = psutil.wait_procs(self.family, timeout=5)
        return [f"{process.pid} {process.name()}" for process in alive]


@contextlib.contextmanager
def opened() -> Iterator[BoxOffice]:
    office = BoxOffice(KNOBS)
    try:
        yield office
    finally:
        office.stop()


async def soak(seconds: float, seed: int, tell: Callable[[str], None] = print) -> Record:
    """Sell for so long, then look at everything that must hold."""
    with opened() as office:
        target = office.target
        capacity_per_s = KNOBS["workers"] / target.knobs["payment_latency_s"]
        record = Record(seconds, seed, TIMES * capacity_per_s)
        record.before = office.holds()
        crowd = Crowd(target.port, record.offered_per_s, seed)
        over = threading.Event()
        began_s = time.monotonic()
        async with asyncio.TaskGroup() as group:
            group.create_task(crowd.run(over))
            chores = [
                group.create_task(_sample(record, target, began_s)),
                group.create_task(_tell(record, crowd, tell)),
            ]
            try:
                await _weather(record, target, crowd, began_s)
            finally:
                over.set()
                for chore in chores:
                    chore.cancel()
        await _settle(record, target)
        record.statuses = dict(sorted(crowd.statuses.items()))
        record.unsent = crowd.unsent
        record.acknowledged, record.replayed = crowd.acknowledged, crowd.replayed
        await target.client.aclose()
        record.after = await _quiet(office, record.before)
        record.left_behind = office.stop()
    return record


async def _weather(record: Record, target: Target, crowd: Crowd, began_s: float) -> None:
    over_s = began_s + record.seconds
    await _calm(record, crowd, "the start", min(10.0, record.seconds / 6), began_s)
    last = "the start"
    for storm in storms(record.seed, record.seconds):
        if time.monotonic() + storm.whole_s > over_s:
            break
        await _blow(record, target, storm, began_s)
        await _calm(record, crowd, storm.kind, storm.calm_s, began_s)
        last = storm.kind
    if (left_s := over_s - time.monotonic()) > 1:
        await _calm(record, crowd, last, left_s, began_s)


async def _blow(record: Record, target: Target, storm: Storm, began_s: float) -> None:
    record.storms.append((round(time.monotonic() - began_s, 1), storm.kind))
    await FAULTS[storm.kind](target, storm)
    record.storms.append((round(time.monotonic() - began_s, 1), "recovery"))
    await asyncio.sleep(RECOVERY_S)
    record.storms.append((round(time.monotonic() - began_s, 1), "calm"))


async def _calm(record: Record, crowd: Crowd, after: str, seconds: float, began_s: float) -> None:
    from_s = time.monotonic()
    if after == "the start":
        await asyncio.sleep(1)  # connections are made, the queue fills
        from_s += 1
    await asyncio.sleep(seconds)
    # What is still under way counts too, once it is answered.
    to_s = time.monotonic()
    await asyncio.sleep(1)
    sold_per_s = crowd.rate_sold(from_s, to_s)
    record.calms.append(Calm(after, from_s - began_s, to_s - began_s, sold_per_s))


async def _sample(record: Record, target: Target, began_s: float) -> None:
    process = target.process
    while True:
        rss_mb = process.memory_info().rss / 1e6
        at_s = time.monotonic() - began_s
        record.samples.append(Sample(at_s, rss_mb, process.num_fds(), process.num_threads()))
        await asyncio.sleep(SAMPLE_S)


async def _tell(record: Record, crowd: Crowd, tell: Callable[[str], None]) -> None:
    while True:
        await asyncio.sleep(TELL_S)
        latest = record.samples[-1]
        weather = record.storms[-1][1] if record.storms else "calm"
        answers = ", ".join(f"{count:,} × {code}" for code, count in sorted(crowd.statuses.items()))
        tell(
            f"{latest.at_s:5.0f} of {record.seconds:.0f} s  {weather:<17} {answers}"
            f"  {latest.rss_mb:.1f} MB, {latest.fds} files"
        )


async def _settle(record: Record, target: Target) -> None:
    """Wait until nothing is owed, as far as that comes true; then look at orders and money."""
    give_up_s = time.monotonic() + SETTLED_S
    while True:
        record.stats = await target.stats()
        connection = await asyncpg.connect(target.database_url)
        try:
            rows = await connection.fetch("SELECT id, key FROM orders")
        finally:
            await connection.close()
        record.stored = [(row["id"], row["key"]) for row in rows]
        paid = record.stats["payments"]
        if paid["charged"] - paid["refunded"] == len(rows) or time.monotonic() > give_up_s:
            return
        await asyncio.sleep(0.5)


async def _quiet(office: BoxOffice, before: dict[str, int]) -> dict[str, int]:
    """What it holds when the last connection has ended."""
    give_up_s = time.monotonic() + 15
    while True:
        holds = await asyncio.to_thread(office.holds)
        if all(holds[name] <= before[name] for name in before) or time.monotonic() > give_up_s:
            return holds
        await asyncio.sleep(0.5)
