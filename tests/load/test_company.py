"""Loads of others on this machine are seen; one's own are not taken for others'."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from bpdemo.load.company import senders_beside
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
