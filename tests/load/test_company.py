"""Loads of others on this machine are seen; one's own are not taken for others'."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
import pytest

from bpdemo.load import loads
from bpdemo.load.company import senders_beside
from bpdemo.load.gathered import Gathered
from bpdemo.load.loads import RunningLoad
from bpdemo.plan.plan import Plan
from tests.support.waiting import eventually

SENDER = [sys.executable, "-c", "input()", "bpdemo.load.generator.locust_alone"]
#: A kernel of somebody else's, whose child sends.
OTHER = f"import subprocess; subprocess.run({SENDER!r})"


@contextmanager
def running(*command: str) -> Iterator[psutil.Process]:
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        yield psutil.Process(process.pid)
    finally:
        process.communicate(b"\n")


def test_another_kernels_load_is_seen() -> None:
    """While it runs, and no longer."""
    with running(sys.executable, "-c", OTHER) as kernel:
        eventually(kernel.children, "the load has begun")
        sender = kernel.children()[0].pid
        eventually(lambda: sender in senders_beside(), "it is seen")
    assert sender not in senders_beside()


def test_ones_own_load_is_no_company() -> None:
    """A load's own sender must not spoil its run."""
    with running(*SENDER) as sender:
        eventually(lambda: SENDER[-1] in sender.cmdline(), "it has begun")
        assert sender.pid not in senders_beside()


class Quick:
    """In place of what sends a load: over at once, with nothing sent."""

    def __init__(self, *_: object, **__: object) -> None:
        self.gathered = Gathered()
        self.is_done = True

    def wait(self, _: float | None) -> bool:
        return True

    def kill(self) -> None: ...


class Office:
    url = "http://127.0.0.1:1"
    capacity_per_s = 100.0


@pytest.mark.parametrize(
    ("before", "after", "told"), [(0, 0, 0), (1, 0, 1), (0, 2, 2)], ids=["never", "before", "after"]
)
def test_a_run_knows_of_company_at_its_beginning_and_at_its_end(
    before: int, after: int, told: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever of the two began first: what its error says of a busy machine comes from this."""
    seen = iter([set(range(before)), set(range(after))])
    monkeypatch.setattr(loads, "Driver", Quick)
    monkeypatch.setattr(loads, "senders_beside", lambda: next(seen))
    run = RunningLoad(Office(), Plan(rate_per_s=20, seconds=1)).wait()
    assert run.meta.beside == told
