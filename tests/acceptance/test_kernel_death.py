"""However a kernel ends, nothing that it started is left."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from bpdemo.load.interrupts import STOPPED
from tests.support.jupyter import Kernel
from tests.support.processes import command_line, is_free
from tests.support.waiting import eventually

pytestmark = [
    pytest.mark.load,
    pytest.mark.light,
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="signals as POSIX has them"),
]

GONE_S = 3.0
GUARDIAN = "bpdemo.downstream.guardian"
#: A service in a thread, one in a process with a database of its own, and a load at the latter.
START_ALL = """
import time
from bpdemo.lab import load, serve, stop_all
inside = serve(workers=2)
outside = serve(where="process", name="outside", workers=2, store="embedded")
running = load(outside, times=1, seconds=120, background=True)
while not (running.progress and running.progress.ok):
    time.sleep(0.05)
print(inside.url, outside.url)
"""


class Everything:
    """What runs in and under a kernel that has run `START_ALL`."""

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self.inside, self.outside = kernel.run(START_ALL).split()
        kernel.family.meet(kernel.pid)
        for word in ("locust", "bpdemo serve", GUARDIAN, "postgres"):
            assert kernel.family.named(word), f"{word} runs: {kernel.family.told()}"
        self.ports = kernel.family.ports()
        assert {int(url.rsplit(":", 1)[1]) for url in (self.inside, self.outside)} <= self.ports
        (guardian,) = kernel.family.named(GUARDIAN)
        self.folder = Path(command_line(guardian).split()[-1])
        assert self.folder.is_dir()

    def is_gone(self, but: int | None = None) -> bool:
        """No process but that one, no port of either service, no folder of the database."""
        spared = [] if but is None else [but]
        alive = self.kernel.family.alive(but=spared)
        served = [int(url.rsplit(":", 1)[1]) for url in (self.inside, self.outside)]
        return not alive and not self.folder.exists() and all(map(is_free, served))


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    with Kernel(tmp_path, BPDEMO_HOME=str(tmp_path)) as started:
        yield started


def received(url: str) -> int:
    with httpx.Client(trust_env=False) as client:
        return int(client.get(f"{url}/stats").json()["books"]["received"])


def test_a_killed_kernel_takes_everything_with_it(kernel: Kernel) -> None:
    """SIGKILL: services, Locust, PostgreSQL and its guardian are gone in 3 s, no port is left."""
    everything = Everything(kernel)
    os.kill(kernel.pid, signal.SIGKILL)
    eventually(everything.is_gone, "all are gone", within_s=GONE_S)
    assert all(is_free(port) for port in everything.ports)


def test_a_restarted_kernel_begins_with_nothing(kernel: Kernel) -> None:
    """Restart: what ran is gone, though nobody stopped it, and everything can be started again."""
    everything = Everything(kernel)
    kernel.restart()
    eventually(
        lambda: everything.is_gone(but=kernel.pid), "only the kernel is there", within_s=GONE_S
    )
    assert "True" in kernel.run("from bpdemo.lab import serve; print(serve().is_running)")


def test_an_interrupt_ends_the_cell_and_nothing_else_and_stop_all_the_rest(kernel: Kernel) -> None:
    """The stop button: the load of the cell ends with its child; what runs behind goes on. After
    `stop_all` only the kernel itself is there, it may be called twice, and one may go on."""
    everything = Everything(kernel)
    (behind,) = kernel.family.named("locust")
    cell = kernel.begin("load(inside, times=0.5, seconds=60)")
    eventually(lambda: received(everything.inside) > 0, "its orders arrive", within_s=20)
    kernel.manager.interrupt_kernel()
    told = kernel.outcome(cell)
    assert (told.error, told.traceback) == ("KeyboardInterrupt", STOPPED)
    eventually(lambda: kernel.family.named("locust") == [behind], "it is gone", within_s=GONE_S)
    before = received(everything.outside)
    eventually(lambda: received(everything.outside) > before + 5, "the other goes on")
    assert "True False" in kernel.run("print(inside.is_running, running.done)")
    kernel.run("stop_all(); stop_all()")
    eventually(
        lambda: everything.is_gone(but=kernel.pid), "only the kernel is there", within_s=GONE_S
    )
    assert "True" in kernel.run("print(serve().is_running)")
