"""Servers in processes of their own, and the load at them."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks.flood import Load
from bpdemo.core.settings import NAIVE

ROOT = Path(__file__).resolve().parents[1]
START_S, STOP_S = 60.0, 3.0
LAG_MAX_S, SENT_MIN = 0.050, 0.98


@dataclass(frozen=True)
class Server:
    """A running server."""

    port: int
    process: psutil.Process

    def cpu_s(self) -> float:
        """Processor time it has used, its own children included."""
        family = [self.process, *self.process.children(recursive=True)]
        return sum(sum(member.cpu_times()[:2]) for member in family)


@contextmanager
def peer(name: str, *, limit: int = 0) -> Iterator[Server]:
    """One of `benchmarks.peers`."""
    port = free_port()
    with _running(["-m", "benchmarks.peers", name, str(port), str(limit)], port) as server:
        yield server


@contextmanager
def peer_naive(tape: Path, knobs: dict[str, Any]) -> Iterator[Server]:
    """`benchmarks.naive`, which notes on `tape` how many workers are busy."""
    port = free_port()
    with _running(["-m", "benchmarks.naive", str(port), str(tape), json.dumps(knobs)], port) as it:
        yield it


@contextmanager
def ours(**knobs: Any) -> Iterator[Server]:
    """`bpdemo serve`, as anybody starts it; its logs go where its standard error goes."""
    with _ours(["bpdemo"], knobs) as server:
        yield server


@contextmanager
def ours_profiled(path: Path, **knobs: Any) -> Iterator[Server]:
    """The same, which writes to `path` at its end where its processor time went."""
    with _ours(["benchmarks.profiled", str(path)], knobs) as server:
        yield server


@contextmanager
def ours_taped(tape: Path, **knobs: Any) -> Iterator[Server]:
    """The naive one, which notes on `tape` how many workers are busy."""
    with _ours(["benchmarks.taped", str(tape)], {**NAIVE, **knobs}) as server:
        yield server


@contextmanager
def _ours(module: list[str], knobs: dict[str, Any]) -> Iterator[Server]:
    port = free_port()
    command = ["-m", *module, "serve", "--port", str(port)]
    for name, value in knobs.items():
        command += ["--set", f"{name}={value}"]
    with _running(command, port) as server:
        yield server


@contextmanager
def _running(arguments: list[str], port: int) -> Iterator[Server]:
    with running([sys.executable, *arguments], port) as server:
        yield server


@contextmanager
def running(command: list[str], port: int) -> Iterator[Server]:
    """Whatever server that command starts, once it takes connections at `port`. RuntimeError."""
    # Logs are written to a real file: a line that nobody writes costs less than one that counts.
    log_path = ROOT / "reports" / "bench.log"
    log_path.parent.mkdir(exist_ok=True)
    with log_path.open("w") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    try:
        _await_port(port, process, log_path)
        yield Server(port, psutil.Process(process.pid))
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    children = []
    with suppress(psutil.NoSuchProcess):
        children = psutil.Process(process.pid).children(recursive=True)
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for child in children:
        with suppress(psutil.NoSuchProcess):
            child.kill()


def _await_port(port: int, process: subprocess.Popen[bytes], log_path: Path) -> None:
    give_up_s = time.monotonic() + START_S
    while time.monotonic() < give_up_s and process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            return
        time.sleep(0.05)
    said = log_path.read_text(errors="replace").strip()[-500:]
    raise RuntimeError(f"a server did not start: {said or 'it said nothing'}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Came:
    """What came of a load."""

    counts: dict[str, int]
    sold_s: list[float]
    lag_p99_s: float
    sent: int
    unsent: int
    window_s: float
    orders: list[tuple[float, float, str]]
    """If the load tells each: when it was due and over, in seconds from the start, and how."""

    @property
    def is_valid(self) -> bool:
        """Whether the generator kept up: else the point proves nothing about the server."""
        total = self.sent + self.unsent
        return not self.is_late and self.sent >= SENT_MIN * total

    @property
    def is_late(self) -> bool:
        """Whether orders were sent late; if it is not valid and not late, they found no way out,
        since every connection waited for an answer."""
        return self.lag_p99_s > LAG_MAX_S

    @property
    def sold_per_s(self) -> float:
        return len(self.sold_s) / self.window_s

    def sold_ms(self, quantile: float) -> float | None:
        """Time to answer of those that bought."""
        if not self.sold_s:
            return None
        return self.sold_s[int(quantile * (len(self.sold_s) - 1))] * 1000


def spoilt_note(came: Mapping[str, Sequence[Came]]) -> list[str]:
    """A note on the points of which rounds were left out, and why; none if none were."""
    told = []
    for name, rounds in came.items():
        if left_out := [each for each in rounds if not each.is_valid]:
            late = sum(each.is_late for each in left_out)
            stuck = len(left_out) - late
            why = [f"{late} sent late"] * (late > 0)
            why += [f"{stuck} with all connections waiting for the service"] * (stuck > 0)
            told.append(f"{name} ({' and '.join(why)} of {len(rounds)})")
    return [f"rounds left out: {'; '.join(told)}"] if told else []


def flood(port: int, load: Load) -> Came:
    """Send it, from another process."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.flood", str(port), json.dumps(asdict(load))],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=load.seconds + 60,
    )  # fmt: skip
    return Came(**json.loads(done.stdout), window_s=load.seconds - load.warm_s)


@dataclass(frozen=True)
class Rate:
    """Answers a second, what each cost the server, and how busy it was (1: one whole core)."""

    per_s: float
    cpu_us: float
    busy_share: float
    counts: dict[str, int]


def closed_loop(server: Server, connections: int, seconds: float) -> Rate:
    """Keep it busy, from another process."""
    before_s = server.cpu_s()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.closed", str(server.port), str(connections),
         str(seconds)],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=seconds + 60,
    )  # fmt: skip
    cpu_s = server.cpu_s() - before_s
    said = json.loads(done.stdout)
    answers = sum(said["counts"].values())
    return Rate(
        answers / said["took_s"], cpu_s / answers * 1e6, cpu_s / said["took_s"], said["counts"]
    )
