"""However a kernel ends, nothing that it started is left."""

import os
import signal
from pathlib import Path

import pytest

from tests.support.jupyter import Kernel
from tests.support.processes import is_free
from tests.support.server import eventually

pytestmark = [pytest.mark.load, pytest.mark.timeout(180)]

GONE_S = 3.0
START_ALL = """
from bpdemo.lab import load, serve, stop_all
inside = serve(workers=2)
outside = serve(where="process", name="outside", workers=2, store="embedded")
running = load(outside, times=1, seconds=60, background=True)
while not (running.progress and running.progress.offered):
    pass
print("all run")
"""


@pytest.fixture
def kernel(tmp_path: Path):
    with Kernel(tmp_path, BPDEMO_HOME=str(tmp_path)) as started:
        yield started


def test_a_killed_kernel_takes_everything_with_it(kernel: Kernel):
    """SIGKILL: services, Locust, PostgreSQL and its guardian are gone in 3 s, no port is left."""
    assert "all run" in kernel.run(START_ALL)
    kernel.family.meet(kernel.pid)
    for word in ("locust", "bpdemo serve", "bpdemo.downstream.guardian", "postgres"):
        assert kernel.family.named(word), f"{word} runs: {kernel.family.told()}"
    ports = kernel.family.ports()
    assert len(ports) >= 2
    os.kill(kernel.pid, signal.SIGKILL)
    eventually(lambda: not kernel.family.alive(), "all are gone", within_s=GONE_S)
    assert all(is_free(port) for port in ports)


def test_an_interrupt_ends_the_cell_and_spares_the_services(kernel: Kernel):
    """The stop button: a load in the foreground ends with its child; what serves goes on."""
    kernel.run(START_ALL + "running.kill()")
    cell = kernel.begin("load(inside, times=1, seconds=60)")
    eventually(lambda: kernel.family.named("locust"), "the load runs", within_s=20)
    kernel.manager.interrupt_kernel()
    assert kernel.outcome(cell).error == "KeyboardInterrupt"
    eventually(lambda: not kernel.family.named("locust"), "its child is gone", within_s=GONE_S)
    assert kernel.run("print(inside.get('/healthz').status_code)").strip() == "200"
    assert kernel.run("print(outside.get('/healthz').status_code)").strip() == "200"


def test_stop_all_leaves_nothing(kernel: Kernel):
    """After it only the kernel itself is there; and it may be called twice."""
    kernel.run(START_ALL)
    kernel.family.meet(kernel.pid)
    kernel.run("stop_all(); stop_all()")
    eventually(lambda: not kernel.family.alive(but=[kernel.pid]), "all are gone", within_s=GONE_S)
