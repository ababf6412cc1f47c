"""The learner: how long they wait before there is something to look at.

*The command line*, *the package*, *the first line* and *the first picture* have a fresh interpreter
each, turn by turn; its own start counts for the command alone, and for the latter two it has loaded
what a kernel has before there is a cell. The picture is of a run of ten seconds, from the run, with
its records read as after a load, to what a notebook shows. *A service* and *a load* come from a
kernel, and are those after its first: the first of all loads the service's own libraries. A load
counts until its first order can be sent, with a generator that waits already, as after `serve`;
what such a generator takes while it waits is told besides. *The workshop* is `bpdemo lab` in a
folder that it has been started in before, until it answers.

What happens in one process is held to its aim by processor time, which leaves out what others had
of the core; a load and the workshop, which are several, by the clock. The first line loads numpy
and pydantic's settings, the first picture plotly and what plotly looks for when it shows one
(nbformat, kaleido): most of either is that.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.kernels import hear, kernel
from benchmarks.measured import Aim, Found, Report, Say, Size, Table
from bpdemo.core.environment import own_environment

#: So many rounds for one of a section whose rounds are longer.
ROUNDS = 5
#: For so long a generator that waits is looked at.
IDLE_S = 2.0
OPEN = "The workshop is open"

VERSION = "bpdemo --version"
PACKAGE = "import bpdemo.lab"
NAMES = "lesson 01's first line"
PICTURE = "the first picture"
SERVICE = "serve(), after the first"
LOAD = "load(), until its first order"
WORKSHOP = "bpdemo lab, the second start"

#: Seconds, and whether they are processor time.
AIMS = {
    VERSION: (0.15, True),
    PACKAGE: (0.5, True),
    NAMES: (0.5, True),
    PICTURE: (0.3, True),
    SERVICE: (0.5, True),
    LOAD: (0.4, False),
    WORKSHOP: (3.0, False),
}

TIMED = """
import json, time
{before}
began_s, began_cpu_s = time.perf_counter(), time.process_time()
{code}
print(json.dumps([time.perf_counter() - began_s, time.process_time() - began_cpu_s]))
"""
#: What a kernel has loaded before the first cell.
KERNEL = "import ipykernel.kernelapp, ipykernel.ipkernel"
RUN = """
import bpdemo.lab
from bpdemo.load.run import LoadRun
from bpdemo.results.meta import Meta
from bpdemo.results.records import Records, Samples
times = [place / 200 for place in range(2000)]
samples = Samples.of([(place / 10, 4, 8, 4, 4, 0, 0) for place in range(100)])
records = Records.of(times, [0.1] * 2000, [0, 1, 2, 3] * 500)
run = LoadRun(records, samples, Meta(name="run", capacity_per_s=100, rate_per_s=200))
"""
FRESH = {
    PACKAGE: TIMED.format(before="", code=PACKAGE),
    NAMES: TIMED.format(
        before=KERNEL,
        code="from bpdemo.lab import "
        "claim, load, predict, reveal, seconds, serve, simulate, stop_all",
    ),
    PICTURE: TIMED.format(before=KERNEL + RUN, code="run._repr_mimebundle_()"),
}
IN_KERNEL = """
import json, time
import psutil
from bpdemo.lab import load, serve, stop_all
from bpdemo.load.spare import SPARES
service, told = serve(workers=2), []
for _ in range(TIMES):
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    service = serve(workers=2)
    served = [time.perf_counter() - began_s, time.process_time() - began_cpu_s]
    SPARES.kept.waits.wait(60)
    began_s = time.time()
    running = load(service, seconds=0.5, background=True)
    while not running.now_s:
        time.sleep(0.001)
    first_s = time.time() - running.now_s - began_s
    running.wait()
    told.append([served, first_s])
SPARES.kept.waits.wait(60)
waiting = psutil.Process(SPARES.kept.pid)
time.sleep(0.1)  # from saying that it waits to waiting
woken, (user_s, system_s, *_) = waiting.num_ctx_switches(), waiting.cpu_times()
time.sleep(IDLE_S)
now_user_s, now_system_s, *_ = waiting.cpu_times()
idle = [now_user_s - user_s + now_system_s - system_s]  # exactly 0 where neither has moved
idle.append(sum(waiting.num_ctx_switches()) - sum(woken))
stop_all()
print("told", json.dumps([told, idle]))
"""


@dataclass
class Waits:
    """What one thing took, in each round."""

    wall_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)

    def note(self, wall_s: float, cpu_s: float) -> None:
        self.wall_s.append(wall_s)
        self.cpu_s.append(cpu_s)


@dataclass
class Idle:
    """What a generator that waits took, in each kernel."""

    cpu_s: list[float] = field(default_factory=list)
    wakings: list[float] = field(default_factory=list)


def measure(size: Size, say: Say) -> Found:
    waits = {name: Waits() for name in AIMS}
    rounds = ROUNDS * size.rounds
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}: fresh interpreters")
        waits[VERSION].note(*_version())
        for name, code in FRESH.items():
            waits[name].note(*json.loads(_python("-c", code)))
    idle = Idle()
    for number in range(size.rounds):
        say(f"round {number + 1} of {size.rounds}: a kernel")
        told, (cpu_s, wakings) = _kernel_round()
        for served, first_s in told:
            waits[SERVICE].note(*served)
            waits[LOAD].wall_s.append(first_s)
        idle.cpu_s.append(cpu_s)
        idle.wakings.append(wakings)
    waits[WORKSHOP].wall_s += _workshop_starts(size.rounds, say)
    return Found(_report(waits, idle))


def _report(waits: dict[str, Waits], idle: Idle) -> Report:
    return Report(
        title="The learner",
        what=__doc__ or "",
        logs="on",
        tables=[
            Table(
                title="What a learner waits for",
                columns=["by the clock, s", "processor, s"],
                rows={name: [each.wall_s, each.cpu_s] for name, each in waits.items()},
            ),
            Table(
                title=f"A generator that waits, for {IDLE_S:g} s",
                columns=["processor, s", "times that it woke"],
                rows={"": [idle.cpu_s, idle.wakings]},
            ),
        ],
        aims=[
            Aim(
                text=f"{name}: at most {most_s:g} s" + " of processor time" * is_cpu,
                values=waits[name].cpu_s if is_cpu else waits[name].wall_s,
                at_most=most_s,
            )
            for name, (most_s, is_cpu) in AIMS.items()
        ]
        + [
            Aim(
                text="a generator that waits takes no processor time (not a tick of it)",
                values=idle.cpu_s,
                at_most=0,
            ),
            Aim(
                text="a generator that waits is not woken",
                values=idle.wakings,
                at_most=0,
            ),
        ],
    )


def _version() -> tuple[float, float]:
    """By the clock and of the processor: the interpreter's start is part of the wait."""
    began_s, began_cpu_s = time.perf_counter(), _of_children_s()
    _python("-m", "bpdemo", "--version")
    return time.perf_counter() - began_s, _of_children_s() - began_cpu_s


def _of_children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _python(*words: str) -> str:
    return subprocess.run(
        [sys.executable, *words], env=own_environment(), check=True, capture_output=True, text=True
    ).stdout


def _kernel_round() -> tuple[list[tuple[list[float], float]], tuple[float, float]]:
    """What services and loads took, and what a generator that waited did."""
    code = IN_KERNEL.replace("TIMES", str(ROUNDS)).replace("IDLE_S", str(IDLE_S))
    with tempfile.TemporaryDirectory() as home, kernel(home) as (client, _):
        client.execute(code)
        said = hear(client, _tells)["content"]["text"]
    told, idle = json.loads(said.partition("told ")[2])
    return told, idle


def _tells(message: dict[str, Any]) -> bool:
    return bool(message["msg_type"] == "stream" and "told " in message["content"]["text"])


def _workshop_starts(times: int, say: Say) -> list[float]:
    """Each ends before the next begins; the first, which lays the course out, does not count."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["-m", "bpdemo", "lab", str(Path(folder) / "course"), "--no-browser", "--port", "0"]
        took_s = []
        for number in range(times + 1):
            say(f"start {number} of {times}: the workshop")
            took_s.append(_start_s(words))
    return took_s[1:]


def _start_s(words: Sequence[str]) -> float:
    began_s = time.perf_counter()
    environment = own_environment() | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, *words],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as workshop:
        try:
            assert workshop.stdout is not None
            for line in workshop.stdout:
                if OPEN in line:
                    return time.perf_counter() - began_s
        finally:
            workshop.terminate()
    raise RuntimeError(f"the workshop ended before it was open (exit code {workshop.returncode})")
