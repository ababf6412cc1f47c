"""A generator that waits for the next load: handed it once, replaced if it died, left by none."""

import errno
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from bpdemo.core.environment import PACKAGE_PARENT
from bpdemo.load import driver as driver_module
from bpdemo.load import loads, spare
from bpdemo.load.child import Child
from bpdemo.load.driver import Driver, LoadFailed
from bpdemo.load.loads import RunningLoad
from bpdemo.load.spare import Spare, Spares
from bpdemo.load.under_way import RUNNING
from bpdemo.plan.plan import Plan
from tests.load.stub import StubServer
from tests.support.processes import is_gone
from tests.support.waiting import eventually

pytestmark = pytest.mark.skipif(os.name == "nt", reason="none is kept on Windows")

START_S = 40.0
PLAN = Plan(60, seconds=0.4, seed=3, watch=False, client_timeout_s=30)


@pytest.fixture
def spares() -> Iterator[Spares]:
    kept = Spares()
    yield kept
    kept.stop()


def waiting(spares: Spares) -> Spare:
    spares.renew()
    kept = spares.kept
    assert kept
    assert kept.waits.wait(START_S)
    return kept


def sent_whole(driver: Driver) -> bool:
    """To its end: each order that was planned is told of."""
    try:
        assert driver.wait(START_S)
    finally:
        driver.kill()
    return len(driver.gathered.records) == driver.gathered.facts()["planned"] > 5


@pytest.mark.load
@pytest.mark.light
def test_a_load_is_sent_by_the_one_that_waits_and_the_next_by_another(spares: Spares) -> None:
    """Also two at once: none is handed to both."""
    kept = waiting(spares)
    with StubServer() as server:
        first = Driver(server.url, PLAN, spares=spares)
        second = Driver(server.url, PLAN, spares=spares)
        assert first._children == [kept]
        assert second._children != [kept]
        assert sent_whole(first)
        assert sent_whole(second)
    assert spares.kept is None
    assert is_gone(kept.pid)


@pytest.mark.load
@pytest.mark.light
@pytest.mark.parametrize("when", ["while it waited", "as it was handed the load"])
def test_one_that_has_died_is_replaced(when: str, spares: Spares) -> None:
    """The load is sent in full, by a process of its own."""
    kept = waiting(spares)
    with StubServer() as server:
        if when == "while it waited":
            os.kill(kept.pid, signal.SIGKILL)
            eventually(lambda: not kept.is_alive, "it is dead")
            driver = Driver(server.url, PLAN, spares=spares)
        else:
            os.kill(kept.pid, signal.SIGSTOP)  # or it might be done before it is killed
            driver = Driver(server.url, PLAN, spares=spares)
            assert driver._children == [kept]
            os.kill(kept.pid, signal.SIGKILL)
        assert sent_whole(driver)
    assert driver._children != [kept]


def test_one_that_has_ended_is_not_handed_a_load(spares: Spares) -> None:
    """Nobody would hear of its end any more: the load would be waited for in vain."""
    kept = waiting(spares)
    os.kill(kept.pid, signal.SIGKILL)
    kept._reader.join(START_S)
    assert not kept.hand(["python", "-m", "locust"], {}, str, int)


@pytest.mark.load
@pytest.mark.light
def test_a_load_that_is_ended_before_it_began_starts_no_other(spares: Spares) -> None:
    """What takes a dead one's place is wanted by nobody then."""
    kept = waiting(spares)
    os.kill(kept.pid, signal.SIGSTOP)
    driver = Driver("http://127.0.0.1:9", PLAN, spares=spares)
    driver.kill()
    kept._reader.join(START_S)
    assert driver._children == [kept]
    assert not kept.is_alive


def test_it_waits_on_one_thread_and_takes_no_processor_time(spares: Spares) -> None:
    """A kernel that is looked at and not worked in costs nothing."""
    process = psutil.Process(waiting(spares).pid)
    assert process.num_threads() == 1
    looks: list[tuple[Any, ...]] = []

    def has_rested() -> bool:
        looks.append((process.cpu_times()[:2], process.num_ctx_switches().voluntary))
        return len(looks) >= 20 and len(set(looks[-20:])) == 1

    eventually(has_rested, "it is not even woken")


def test_unused_it_ends() -> None:
    """After the time that it was given, and it is forgotten."""
    spares = Spares(unused_s=0.5)
    spares.renew()
    kept = spares.kept
    assert kept
    eventually(lambda: spares.kept is None, "it was forgotten")
    eventually(lambda: is_gone(kept.pid), "it was ended")


def test_stop_ends_it_and_renew_keeps_the_one_there_is(spares: Spares) -> None:
    """One a kernel."""
    kept = waiting(spares)
    spares.renew()
    assert spares.kept is kept
    spares.stop()
    assert not kept.is_alive
    assert spares.take() is None


OWNER = """
import sys, time
from bpdemo.load.spare import SPARES
SPARES.renew()
SPARES.kept.waits.wait()
print(SPARES.kept.pid, flush=True)
time.sleep(600)
"""


def test_it_does_not_outlive_an_owner_that_was_killed(tmp_path: Path) -> None:
    """SIGKILL leaves a kernel no last word."""
    with subprocess.Popen(
        [sys.executable, "-c", OWNER],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(PACKAGE_PARENT)},
        cwd=tmp_path,
    ) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        assert not is_gone(pid)
        owner.kill()
    eventually(lambda: is_gone(pid), "it is gone")


COMPANY = "from bpdemo.load.company import senders_beside; print(*senders_beside())"


def seen_by_another() -> list[str]:
    """The senders that another kernel would take for company."""
    command = [sys.executable, "-c", COMPANY]
    return subprocess.check_output(command, text=True, cwd=PACKAGE_PARENT).split()


@pytest.mark.load
@pytest.mark.light
def test_it_is_company_once_it_sends_and_not_before(spares: Spares) -> None:
    """A neighbour's run is not spoilt by what waits."""
    kept = waiting(spares)
    assert str(kept.pid) not in seen_by_another()
    with StubServer() as server:
        driver = Driver(server.url, Plan(20, seconds=60, watch=False), spares=spares)
        try:
            eventually(lambda: driver.heard_until_s > 0, "it sends", within_s=START_S)
            assert str(kept.pid) in seen_by_another()
        finally:
            driver.kill()


@pytest.mark.parametrize(
    ("more", "may"),
    [({}, True), ({"user": Path("users.py")}, False), ({"processes": 2}, False)],
)
def test_a_locust_file_and_a_shared_load_have_processes_of_their_own(
    more: dict[str, Any], may: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A learner's file finds the folder and the modules that a process of its own starts with."""
    asked: dict[str, Any] = {}
    monkeypatch.setattr(loads, "Driver", lambda *_, **how: asked.update(how))
    target = SimpleNamespace(url="http://127.0.0.1:9", capacity_per_s=100.0)
    RunningLoad(target, PLAN, **more)
    assert asked["spares"] is (spare.SPARES if may else None)


class Renewed:
    """Counts instead of starting one."""

    def __init__(self) -> None:
        self.times = 0

    def renew(self) -> None:
        self.times += 1


@pytest.mark.parametrize("kernel", [True, False])
@pytest.mark.parametrize("is_done", [True, False])
def test_one_is_kept_in_a_notebook_and_started_while_no_load_runs(
    kernel: bool, is_done: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its start would disturb a measurement, and a command has no next load."""
    shell = SimpleNamespace(kernel="one") if kernel else None
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    renewed = Renewed()
    monkeypatch.setattr(spare, "SPARES", renewed)

    class UnderWay:
        done = is_done

        def kill(self) -> None: ...

    load = UnderWay()
    RUNNING.add(load)
    try:
        spare.renew_in_notebook()
    finally:
        RUNNING.discard(load)
    assert renewed.times == (kernel and is_done)


@pytest.fixture
def in_notebook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Spares]:
    """What this process keeps, as if it were a notebook's kernel."""
    shell = SimpleNamespace(kernel="one")
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    yield spare.SPARES
    spare.SPARES.stop()


@pytest.mark.parametrize("error", [OSError(errno.EAGAIN, "no more processes"), RuntimeError()])
def test_where_there_is_no_room_for_one_nothing_else_fails(
    error: Exception, in_notebook: Spares, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a head start: a load that is over, or a service that runs, does not need it."""

    def no_room(*_: object) -> None:
        raise error

    monkeypatch.setattr(spare, "Spare", no_room)
    spare.renew_in_notebook()
    assert in_notebook.kept is None


@pytest.mark.parametrize("threads", [0, 1])
def test_a_process_that_nobody_can_listen_to_is_ended(
    threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system gave a process, and too few threads."""
    before = set(psutil.Process().children())
    new: set[psutil.Process] = set()
    given, start = iter(range(threads)), threading.Thread.start

    def begin(thread: threading.Thread) -> None:
        if next(given, None) is None:
            new.update(set(psutil.Process().children()) - before)
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", begin)
    with pytest.raises(RuntimeError, match="thread"):
        Spare()
    [spare_process] = new
    assert is_gone(spare_process.pid)


@pytest.mark.load
@pytest.mark.light
def test_after_the_end_of_all_loads_none_is_kept_for_the_next(in_notebook: Spares) -> None:
    """Nothing is left running after `stop_all`, though somebody asks for a run that is over."""
    with StubServer() as server:
        running = loads.load(server, rate=60, seconds=0.5, background=True)
        eventually(lambda: running.done, "it is over", within_s=START_S)
        loads.stop_loads()
        assert len(running.wait().records) > 5
    assert in_notebook.kept is None


@pytest.mark.parametrize("of", [1, 2])
def test_a_load_that_cannot_begin_leaves_no_process(
    of: int, spares: Spares, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the one that waited nor those that had begun: nobody knows of them any more."""
    kept = waiting(spares)
    plans = 0

    def handed(_: Plan) -> tuple[dict[str, str], None]:
        nonlocal plans
        plans += 1
        if plans == of:
            raise OSError(errno.ENOSPC, "No space left on device")
        return {}, None

    monkeypatch.setattr(driver_module, "handed", handed)
    with pytest.raises(OSError, match="No space left"):
        Driver("http://127.0.0.1:9", PLAN, processes=2, spares=spares)
    assert not kept.is_alive


def test_one_that_cannot_be_replaced_is_told_of(
    spares: Spares, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With what the system said, and at once: not as a generator that is silent."""
    kept = waiting(spares)
    os.kill(kept.pid, signal.SIGSTOP)
    driver = Driver("http://127.0.0.1:9", PLAN, spares=spares)

    def child(*_: object, **__: object) -> Child:
        raise OSError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(driver_module, "Child", child)
    os.kill(kept.pid, signal.SIGKILL)
    with pytest.raises(LoadFailed, match=r"ended early .*Resource temporarily unavailable"):
        driver.wait(START_S)
    assert driver.is_done


@pytest.mark.parametrize("line", ["{", "{}", '{"kind": "chunk"}', '{"kind": "failed"}'], ids=str)
def test_what_cannot_be_read_ends_the_load_at_once(line: str, spares: Spares) -> None:
    """And not the thread that reads, which nobody would notice."""
    kept = waiting(spares)
    os.kill(kept.pid, signal.SIGSTOP)
    driver = Driver("http://127.0.0.1:9", PLAN, spares=spares)
    driver._hear(0, line + "\n")
    with pytest.raises(LoadFailed, match="cannot be read"):
        driver.wait(START_S)
    assert not kept.is_alive
