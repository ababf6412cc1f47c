"""The workshop itself: how long a learner waits, and what a service in the kernel loses.

*Start*: from the start of a kernel to the first picture of the cockpit, imports included. *Frame*:
one repaint of the live picture in that kernel, with twenty seconds of a load at twice capacity in
it; the browser's own work is not in it. *Where it runs*: the same service, eight workers of 40 ms,
as a thread of the kernel and in a process of its own, while the kernel is idle and while a cell
computes without a pause. Orders come at five times capacity from another process, on kept
connections. *p99* is of those served.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty
from typing import Any, get_args

from benchmarks.flood import Load
from benchmarks.measured import Found, Report, Say, Size, Table
from benchmarks.servers import Came, flood
from bpdemo.core.choices import Where
from bpdemo.lab.services.service import serve

START_S = 60.0
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
    rows = _places(size, say)
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
                    rows=rows,
                ),
            ],
        )
    )


def _kernel_round(frames: int) -> tuple[float, float]:
    """Seconds to the first picture, and the median milliseconds of a frame."""
    with tempfile.TemporaryDirectory() as home, _kernel(home) as (client, began_s):
        client.execute(FIRST_PICTURE)
        _await(client, lambda message: PICTURE in message["content"].get("data", {}))
        start_s = time.monotonic() - began_s
        _await(client, _is_over)
        client.execute(FRAMES.replace("FRAMES", str(frames)))
        printed = _await(client, lambda message: message["msg_type"] == "stream")
        took_ms = json.loads(printed["content"]["text"])
    return start_s, took_ms[len(took_ms) // 2]


@contextmanager
def _kernel(home: str) -> Iterator[tuple[Any, float]]:
    from jupyter_client.manager import KernelManager

    began_s, manager = time.monotonic(), KernelManager(kernel_name="python3")
    manager.start_kernel(env={**os.environ, "BPDEMO_HOME": home}, stderr=subprocess.DEVNULL)
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=START_S)
        yield client, began_s
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _is_over(message: dict[str, Any]) -> bool:
    return bool(message["content"].get("execution_state") == "idle")


def _await(client: Any, wanted: Any) -> dict[str, Any]:
    give_up_s = time.monotonic() + START_S
    while time.monotonic() < give_up_s:
        try:
            message: dict[str, Any] = client.get_iopub_msg(timeout=1)
        except Empty:
            continue
        if message["msg_type"] == "error":
            raise RuntimeError("\n".join(message["content"]["traceback"]))
        if wanted(message):
            return message
    raise TimeoutError(f"the kernel did not answer within {START_S:g} s")


def _places(size: Size, say: Say) -> dict[str, list[list[float]]]:
    cases = [(where, busy) for where in PLACES for busy in (False, True)]
    rows: dict[str, list[list[float]]] = {_told(*case): [[], [], []] for case in cases}
    for number in range(size.long_rounds):
        for where, busy in cases:
            say(f"round {number + 1} of {size.long_rounds}: {_told(where, busy)}")
            came = _drive(where, busy, size.seconds, number)
            if came.is_valid and came.sold_s:
                shares, p50s, p99s = rows[_told(where, busy)]
                shares.append(came.sold_per_s * SERVICE_S / WORKERS)
                p50s.append(came.sold_ms(0.5) or 0.0)
                p99s.append(came.sold_ms(0.99) or 0.0)
    return rows


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
