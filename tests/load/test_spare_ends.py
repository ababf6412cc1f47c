"""A generator that waits for a load ends by itself, even if nobody is left to end it."""

import os
import signal
import subprocess
import sys

import pytest

from bpdemo.core.environment import PACKAGE_PARENT
from bpdemo.load.spare import LIFETIME_S, UNUSED_S
from tests.support.processes import is_gone
from tests.support.waiting import eventually

pytestmark = pytest.mark.skipif(os.name == "nt", reason="none is kept on Windows")

START_S = 40.0


#: Its owner is gone, and what was forked off that holds the pipe open.
FORKED = """
import os, sys, time
from bpdemo.load.spare import Spare
pid = Spare(lifetime_s=3).pid
if os.fork():
    print(pid, flush=True)
    os._exit(0)
os.close(1)
time.sleep(600)
"""


def test_it_ends_by_itself_though_what_was_forked_off_its_owner_holds_the_pipe_open() -> None:
    """End of file never comes."""
    fork = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", FORKED],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(PACKAGE_PARENT)},
        start_new_session=True,
    )
    with fork:
        assert fork.stdout is not None
        pid = int(fork.stdout.readline())
        try:
            eventually(lambda: is_gone(pid), "it is gone", within_s=START_S)
        finally:
            os.killpg(fork.pid, signal.SIGKILL)


def test_it_lives_longer_than_it_is_kept() -> None:
    """Or it would end while it is handed a load."""
    assert LIFETIME_S == 150
    assert LIFETIME_S > UNUSED_S + 20


TAKES = """
import signal
signal.signal(signal.SIGALRM, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
from bpdemo.load.generator import locust_spare
locust_spare.end_after(100)
assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
assert signal.SIGALRM not in signal.pthread_sigmask(signal.SIG_BLOCK, [])
print(locust_spare.take_load(), signal.alarm(0))
"""


def test_with_a_load_its_own_end_is_off() -> None:
    """A load may take longer; without one the alarm stays, whatever its owner did to the signal."""
    message = '{"arguments": [], "environment": {}}'
    for said, took in ((f"{len(message):08d}{message}", "True 0"), ("", "False 100")):
        told = subprocess.run(
            [sys.executable, "-c", TAKES], input=said, capture_output=True, text=True, check=True,
            cwd=PACKAGE_PARENT,
        ).stdout  # fmt: skip
        assert told.splitlines()[-1] == took
