"""In a notebook's kernel a generator waits for the next load, and stop_all leaves none."""

import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.jupyter import Kernel
from tests.support.waiting import eventually

pytestmark = [
    pytest.mark.load,
    pytest.mark.light,
    pytest.mark.slow,
    pytest.mark.timeout(180),
    pytest.mark.skipif(os.name == "nt", reason="none is kept on Windows"),
]

BEGIN = """
from bpdemo.lab import load, serve, stop_all
from bpdemo.load.spare import SPARES
service = serve(workers=2)
print(SPARES.kept.pid)
"""
LOAD = """
running = load(service, rate=20, seconds=0.5, bin_s=0.1, background=True)
sender = running._driver._children[0].pid
nothing_else = SPARES.kept is None
running.wait()
print(sender, nothing_else, SPARES.kept.pid)
"""


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[Kernel]:
    with Kernel(tmp_path, BPDEMO_HOME=str(tmp_path)) as started:
        yield started


def test_the_one_that_waits_sends_the_load_and_the_next_one_waits_after_it(kernel: Kernel) -> None:
    """None starts while the load runs; stop_all ends the last."""
    first = kernel.run(BEGIN).strip()
    sender, alone, second = kernel.run(LOAD).split()
    assert (sender, alone) == (first, "True")
    assert second != first
    kernel.run("stop_all()")
    eventually(
        lambda: not any(psutil.pid_exists(int(pid)) for pid in (first, second)),
        "it is gone",
    )
    assert kernel.run("print(SPARES.kept)").strip() == "None"
