"""The workshop itself: how long a learner waits, and what a service in the kernel loses.

*Start*: from the start of a kernel to the first picture of the cockpit, imports included. *Frame*:
one repaint of the live picture in that kernel, with twenty seconds of a load at twice capacity in
it; the browser's own work is not in it. *Where it runs*: the same service, eight workers of 40 ms,
as a thread of the kernel and in a process of its own, while the kernel is idle and while a cell
computes without a pause. Orders come at five times capacity from another process, on kept
connections; one that finds all of them waiting for the service is not sent, and not served. *p99*
is of those served.
"""

from __future__ import annotations

import json
import tempfile
import threading
import time
from typing import Any, get_args

from benchmarks.flood import Load
from benchmarks.kernels import hear, is_over, kernel
from benchmarks.measured import Found, Report, Say, Size, Table
from benchmarks.servers import Came, flood
from bpdemo.core.choices import Where
from bpdemo.lab.services.service import serve

FIRST_PICTURE = """
from bpdemo.lab import cockpit, serve
cockpit(serve(workers=2))
"""
FRAMES = """
import json, time
from bpdemo.lab import simulate
from bpdemo.lab.live.live_picture import LivePicture
run, live, took_ms = simulate({"workers": 8}, times=2, seconds=20), LivePicture(), []
for _ in range(FRAMES):
    began = time.perf_counter()
    live.show(run)
    took_ms.append((time.perf_counter() - began) * 1000)
print(json.dumps(sorted(took_ms)))
"""
PICTURE = "application/vnd.jupyter.widget-view+json"
WORKERS, SERVICE_S, TIMES = 8, 0.04, 5
CONNECTIONS = 256
PLACES = get_args(Where)


def measure(size: Size, say: Say) -> Found:
    starts_s, frames_ms = [], []
    for number in range(size.rounds):
        say(f"round {number + 1} of {size.rounds}: a kernel from its start to the first picture")
        start_s, frame_ms = _kernel_round(max(3, int(10 * size.seconds)))
        starts_s.append(start_s)
        frames_ms.append(frame_ms)
    came = _places(size, say)
    return Found(
        Report(
            title="The workshop",
            what=__doc__ or "",
            logs="on",
            tables=[
                Table(
                    title="What a learner waits for",
                    columns=[""],
                    rows={
                        "kernel start to first picture, s": [starts_s],
                        "a frame of the live picture, ms": [frames_ms],
                    },
                ),
                Table(
                    title=f"Where the service runs, at {TIMES} times capacity",
                    columns=["served in time, share of capacity", "p50, ms", "p99, ms"],
                    rows={name: _row(rounds) for name, rounds in came.items()},
                ),
            ],
            notes=_notes(came),
        )
    )


def _kernel_round(frames: int) -> tuple[float, float]:
    """Seconds to the first picture, and the median milliseconds of a frame."""
    with tempfile.TemporaryDirectory() as home, kernel(home) as (client, began_s):
        client.execute(FIRST_PICTURE)
        hear(client, lambda message: PICTURE in message["content"].get("data", {}))
        start_s = time.monotonic() - began_s
        hear(client, is_over)
        client.execute(FRAMES.replace("FRAMES", str(frames)))
        printed = hear(client, lambda message: message["msg_type"] == "stream")
        took_ms = json.loads(printed["content"]["text"])
    return start_s, took_ms[len(took_ms) // 2]


def _places(size: Size, say: Say) -> dict[str, list[Came]]:
    cases = [(where, busy) for where in PLACES for busy in (False, True)]
    came: dict[str, list[Came]] = {_told(*case): [] for case in cases}
    for number in range(size.long_rounds):
        for where, busy in cases:
            say(f"round {number + 1} of {size.long_rounds}: {_told(where, busy)}")
            came[_told(where, busy)].append(_drive(where, busy, size.seconds, number))
    return came


def _notes(came: dict[str, list[Came]]) -> list[str]:
    told = []
    for name, rounds in came.items():
        if late := sum(each.is_late for each in rounds):
            told.append(f"{name}: {late} of {len(rounds)} rounds were sent late, and do not count")
        unsent = sum(each.unsent for each in rounds)
        if unsent > 0.01 * (sent := sum(each.sent for each in rounds)):
            share = unsent / (unsent + sent)
            told.append(f"{name}: {share:.0%} found all connections waiting for the service")
    return told


def _row(rounds: list[Came]) -> list[list[float]]:
    """Of the rounds that were sent on time: share of capacity, p50 and p99."""
    counted = [came for came in rounds if not came.is_late]
    served = [came for came in counted if came.sold_s]
    return [
        [came.sold_per_s * SERVICE_S / WORKERS for came in counted],
        [came.sold_ms(0.5) or 0.0 for came in served],
        [came.sold_ms(0.99) or 0.0 for came in served],
    ]


def _told(where: str, busy: bool) -> str:
    return f"{where}, kernel {'busy' if busy else 'idle'}"


def _drive(where: Any, busy: bool, seconds: float, seed: int) -> Came:
    load = Load(TIMES * WORKERS / SERVICE_S, seconds + 0.5, seed=seed, connections=CONNECTIONS)
    with serve(
        where=where, name="bench", workers=WORKERS, queue_capacity=WORKERS,
        payment_latency_s=SERVICE_S, store_latency_s=0,
    ) as service:  # fmt: skip
        port = int(service.url.rpartition(":")[2])
        came: list[Came] = []
        driver = threading.Thread(target=lambda: came.append(flood(port, load)))
        driver.start()
        # This process plays the kernel: its main thread is where a cell would run.
        while busy and driver.is_alive():
            sum(range(10_000))
        driver.join()
    return came[0]
