"""A load on several machines, here several processes on loopback: Locust's master and workers."""

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from queue import Queue
from typing import Any

import numpy as np
import psutil
import pytest

from bpdemo.load import far_driver, load_worker
from bpdemo.load.addresses import Address
from bpdemo.load.far_driver import FarDriver, master_command
from bpdemo.load.load_worker import run_load_worker
from bpdemo.load.run import LoadRun
from bpdemo.plan.plan import Plan
from bpdemo.plan.visits import visits
from bpdemo.results.meta import Meta
from bpdemo.results.records import Records, Samples
from bpdemo.results.validity import NotMeasured
from tests.load.stub import Answer, StubServer
from tests.support.command import Run
from tests.support.processes import Family, command_line, free_port
from tests.support.server import Command
from tests.support.waiting import eventually

START_S = 40.0


class Room:
    """Commands that know where to meet; all of them and theirs are gone at the end."""

    def __init__(self, stack: ExitStack) -> None:
        self.family = Family()
        self.port = free_port()
        self._stack = stack

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self, *words: object, under: Sequence[str] = ()) -> Command:
        command = Command(*map(str, words), under=under, **self.family.environment)
        return self._stack.enter_context(command)

    def worker(self, *words: object, under: Sequence[str] = ()) -> Command:
        return self.start("load-worker", "--join", self.address, *words, under=under)

    def master(self, url: str, workers: int, *words: object) -> Command:
        where = ("--expect", workers, "--listen", self.address)
        return self.start("load", "--url", url, *where, *words)

    def assert_empty(self) -> None:
        eventually(lambda: not self.family.alive(), "nothing of it is left")


@pytest.fixture
def room() -> Iterator[Room]:
    with ExitStack() as stack:
        made = Room(stack)
        try:
            yield made
        finally:
            made.family.see_out(0)


def hear(command: Command, words: str) -> str:
    """The first line of its output that has those words in it."""
    assert command.process.stdout is not None
    for line in command.process.stdout:
        if words in line:
            return line
    raise AssertionError(f"never said {words!r}; {command.stderr}")


def locust_of(command: Command) -> psutil.Process:
    """The worker's own process, which does the sending."""
    return eventually(lambda: psutil.Process(command.process.pid).children())[0]


@pytest.fixture(scope="session")
def clock_of_its_own() -> tuple[str, ...]:
    """Before a command: its monotonic clock is a day off, where the system lets us do that."""
    words = ("unshare", "--time", "--monotonic", "86400")
    if shutil.which(words[0]) and not subprocess.run([*words, "true"], check=False).returncode:
        return words
    return ()


@pytest.mark.load
@pytest.mark.light
def test_workers_on_other_machines_send_one_load(
    room: Room, clock_of_its_own: tuple[str, ...]
) -> None:
    """To the key what one process would send, begun together whatever their clocks show, and
    counted as one; a third worker is told that it is not needed."""
    plan = Plan(300, seconds=2, seed=6, send_keys=True)
    came_s: list[float] = []

    def note(_: int) -> Answer:
        came_s.append(time.monotonic())
        return Answer()

    with StubServer(note) as server:
        far = FarDriver(server.url, plan, Address("127.0.0.1", room.port), workers=2)
        try:
            workers = [room.worker(), room.worker(under=clock_of_its_own)]
            far.wait_until_begun()
            late = room.worker()
            assert far.wait(START_S)
        finally:
            far.kill()
        assert [worker.wait() for worker in workers] == [0, 0]
        assert late.wait(START_S) == 2
    wanted = list(visits(plan))
    keys = [headers["idempotency-key"] for headers in server.seen]
    assert sorted(keys) == sorted(visit.key for visit in wanted)
    place = {visit.key: number for number, visit in enumerate(wanted)}
    # The least delayed order of each part shows when that part began.
    began_s = [
        min(t_s - wanted[place[key]].due_s for t_s, key in zip(came_s, keys, strict=True)
            if place[key] % 2 == part)
        for part in (0, 1)
    ]  # fmt: skip
    assert began_s[0] == pytest.approx(began_s[1], abs=0.05)
    records = far.gathered.records
    assert sorted(records.t_s) == pytest.approx([visit.due_s for visit in wanted], abs=1e-4)
    facts = far.gathered.facts()
    assert facts["planned"] == facts["sent"] == len(wanted)
    assert facts["lost"] == ()
    assert 0 < facts["clocks_apart_s"] < 0.05
    run = LoadRun(records, far.gathered.samples, Meta(seconds=2, **facts))
    assert run.summary["p99_ms"] == pytest.approx(np.percentile(records.latency_s, 99) * 1000)
    room.assert_empty()


@pytest.mark.load
@pytest.mark.light
@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot stop a process halfway")
def test_workers_lost_in_mid_load_end_it_and_nothing_counts(room: Room, tmp_path: Path) -> None:
    """One killed, one frozen and back later: the master says which and ends, exit code 1; so does
    all that has joined it."""
    file = tmp_path / "run.json"
    with StubServer() as server:
        master = room.master(server.url, 3, "--seconds", 60, "--rate", 100, "--json", file)
        killed, frozen, other = workers = [room.worker() for _ in range(3)]
        for worker in workers:
            hear(worker, "orders sent")
        locust_of(killed).kill()
        stopped = locust_of(frozen)
        stopped.suspend()
        assert master.wait(START_S) == 1
        assert other.wait() == 0
        stopped.resume()
        assert [killed.wait(), frozen.wait(START_S)] == [1, 1]
    assert "fell silent" in master.stderr
    assert "ended early (exit code -9)" in killed.stderr
    told = json.loads(file.read_text())
    assert not told["valid"]
    assert ["fell silent" in cause for cause in told["causes"][:2]] == [True, True]
    assert 0 < told["meta"]["sent"] < 3000
    assert [c.stderr.count("\n") for c in (master, killed, frozen, other)] == [1, 1, 1, 0]
    room.assert_empty()


@pytest.mark.load
@pytest.mark.light
def test_workers_do_not_outlive_their_master(room: Room) -> None:
    """Its owner is killed hard: the workers end within seconds, with exit code 1."""
    with StubServer() as server:
        master = room.master(server.url, 2, "--seconds", 60)
        workers = [room.worker("--processes", 2)]
        hear(workers[0], "orders sent")
        master.process.kill()
        assert [worker.wait(20) for worker in workers] == [1]
        assert "ended by its master" in workers[0].stderr
    room.assert_empty()


@pytest.mark.load
@pytest.mark.light
def test_workers_may_join_long_after_one_another(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first waits longer than a worker may be silent in mid-load: it is not taken for lost."""
    silent_s = 4.0
    master = (
        "import sys, bpdemo.load.generator.master as master;"
        f"master.SILENT_S = {silent_s}; master.main(*sys.argv[1:])"
    )

    def impatient(*words: Any) -> list[str]:
        program, _, _, *arguments = master_command(*words)
        return [program, "-c", master, *arguments]

    monkeypatch.setattr(far_driver, "master_command", impatient)
    heard: Queue[str] = Queue()
    with StubServer() as server:
        where = Address("127.0.0.1", room.port)
        far = FarDriver(server.url, Plan(20, seconds=1), where, workers=2, news=heard.put)
        try:
            first = room.worker()
            while "1 of 2 workers are there" not in heard.get(timeout=START_S):
                pass
            time.sleep(silent_s)
            second = room.worker()
            assert far.wait(START_S)
        finally:
            far.kill()
    assert far.gathered.facts()["lost"] == ()
    assert [first.wait(START_S), second.wait(START_S)] == [0, 0]
    room.assert_empty()


@pytest.mark.load
@pytest.mark.light
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send")
def test_waiting_can_be_broken_off_on_either_side(room: Room) -> None:
    """Ctrl-C at a worker: the master waits on. Ctrl-C at the master: exit code 130 as well."""
    with StubServer() as server:
        master = room.master(server.url, 2)
        worker = room.worker()
        hear(worker, "joined")
        hear(master, "1 of 2 workers")
        worker.signal(signal.SIGINT)
        assert worker.wait() == 130
        hear(master, "0 of 2 workers are there: nobody")
        master.signal(signal.SIGINT)
        assert master.wait() == 130
        assert server.orders == 0
    assert "Traceback" not in master.stderr + worker.stderr
    room.assert_empty()


@pytest.mark.load
@pytest.mark.light
def test_a_service_that_a_worker_cannot_reach_is_told(room: Room) -> None:
    """Before anything is sent, and by the master."""
    nowhere = f"http://127.0.0.1:{free_port()}"
    far = FarDriver(nowhere, Plan(10), Address("127.0.0.1", room.port), workers=1)
    try:
        worker = room.worker()
        with pytest.raises(ValueError, match=f"cannot reach the service at {nowhere}"):
            far.wait_until_begun()
    finally:
        far.kill()
    assert worker.wait() in (1, 2)


@pytest.mark.load
@pytest.mark.light
def test_nobody_joins(run: Run) -> None:
    """After the time that was given: one line, exit code 2."""
    where = ("--listen", f"127.0.0.1:{free_port()}", "--join-within", 0.2)
    with StubServer() as server:
        code, out, told = run("load", "--url", server.url, "--expect", 2, *where)
    assert code == 2
    assert f"bpdemo load-worker --join {where[1]}" in out
    why = "0 of 2 workers were there, and nobody joined for 0.2 s"
    assert told == f"bpdemo: --expect: {why}\n"


def test_a_port_in_use_is_told(run: Run) -> None:
    """One line, exit code 2, before anything starts."""
    with StubServer() as server, socket.create_server(("127.0.0.1", 0)) as taken:
        where = f"127.0.0.1:{taken.getsockname()[1]}"
        code, _, told = run("load", "--url", server.url, "--expect", 1, "--listen", where)
    assert code == 2
    assert told == f"bpdemo: --listen: cannot listen on {where}: Address already in use\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("load", "--expect", 1, "--listen", "here"), "listen: 'here' is not HOST:PORT"),
        (("load", "--expect", 1, "--listen", "203.0.113.7:5557"), "cannot listen on 203.0.113.7"),
        (("load", "--expect", 1, "--processes", 2), "processes: belongs to"),
        (("load", "--listen", "127.0.0.1:5557"), "expect: say how many"),
        (("load-worker", "--join", "here"), "join: 'here' is not HOST:PORT"),
        (("load-worker", "--join", "no.such.host.invalid:1"), "join: no host is called"),
        (("load-worker", "--join", "a..b:1"), "join: no host can be called 'a..b'"),
        (("load", "--expect", 1, "--listen", "a..b:1"), "listen: no host can be called 'a..b'"),
    ],
)
def test_a_bad_address_is_told(run: Run, words: tuple[object, ...], told: str) -> None:
    """One line that names the option, exit code 2."""
    if words[0] == "load":
        words = (*words, "--url", "http://127.0.0.1:9")
    code, _, error = run(*words)
    assert code == 2
    assert told in error
    assert error.count("\n") == 1


def test_no_master_is_told(run: Run) -> None:
    """A worker waits for as long as it was told to."""
    where = f"127.0.0.1:{free_port()}"
    code, out, error = run("load-worker", "--join", where, "--join-within", 0.2)
    assert (code, error.count("\n")) == (2, 1)
    assert "waiting for up to 0.2 s" in out
    assert f"nobody listens on {where}" in error


@pytest.mark.load
@pytest.mark.light
def test_what_is_no_master_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that joined a web server ends, and leaves nothing behind."""
    monkeypatch.setattr(load_worker, "GREETED_WITHIN_S", 1.5)
    with StubServer() as server, pytest.raises(ValueError, match="is not the master of a load"):
        run_load_worker(server.url.removeprefix("http://"), 1, 1.0)
    assert not [p for p in psutil.Process().children() if "locust" in command_line(p)]


def test_a_lost_worker_stays_in_the_saved_run(tmp_path: Path) -> None:
    """A run that is opened again is no more valid than it was."""
    run = LoadRun(Records.of([], [], []), Samples.none(), Meta(lost=("worker 1 of 2, on a, left",)))
    opened = LoadRun.open(run.save(tmp_path / "run.json"))
    with pytest.raises(NotMeasured, match=r"generator was lost.*worker 1 of 2, on a, left"):
        opened.require_valid()
