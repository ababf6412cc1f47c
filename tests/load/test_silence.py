"""A load generator that can neither go on nor end: it is given up, and the load tried once more."""

import signal
import sys
import threading

import psutil
import pytest

from bpdemo.load import driver
from bpdemo.load.driver import LoadSilent
from bpdemo.load.loads import RunningLoad, load
from tests.load.stub import StubServer
from tests.support.processes import command_line

pytestmark = [
    pytest.mark.load,
    pytest.mark.light,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot stop a process halfway"),
]

LONG_S = 60.0
QUIET_S = 2.0


class Freezer:
    """Freezes the child that is heard first, and only then shortens the patience with silence:
    a busy machine may take longer than that to start one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.frozen: list[psutil.Process] = []
        self.has_frozen = threading.Event()
        self._monkeypatch = monkeypatch
        monkeypatch.setattr(driver, "SILENCE_S", LONG_S)

    def __call__(self, _: object) -> None:
        if self.has_frozen.is_set():
            return
        # Other children may be dead already, and a dead one has no command line to look at.
        self.frozen = [p for p in psutil.Process().children() if "locust" in command_line(p)]
        for process in self.frozen:
            process.send_signal(signal.SIGSTOP)
        self._monkeypatch.setattr(driver, "SILENCE_S", QUIET_S)
        self.has_frozen.set()

    def thaw_patience(self) -> None:
        """The next child may take its time again, as soon as the frozen one has been ended."""
        if self.has_frozen.wait(LONG_S):
            psutil.wait_procs(self.frozen, timeout=LONG_S)
            self._monkeypatch.setattr(driver, "SILENCE_S", LONG_S)


@pytest.fixture(autouse=True)
def own_home(monkeypatch, tmp_path):
    monkeypatch.setenv("BPDEMO_HOME", str(tmp_path))


@pytest.fixture
def freezer(monkeypatch):
    made = Freezer(monkeypatch)
    yield made
    for process in made.frozen:
        if process.is_running():
            process.kill()


def test_a_load_that_fell_silent_is_driven_once_more(freezer):
    """The learner gets a whole run, from a second child: the first was no fault of the service."""
    helper = threading.Thread(target=freezer.thaw_patience, daemon=True)
    helper.start()
    with StubServer() as server:
        run = load(server, rate=100, seconds=3, seed=1, on_progress=freezer)
    helper.join(LONG_S)
    assert freezer.frozen
    assert len(run.records) == run.meta.sent == run.meta.planned
    assert run.summary["served_share"] == 1


def test_a_load_in_the_background_that_fell_silent_says_so(freezer):
    """Anyone who waits for it is told, instead of getting half a run: the wait ends by
    `LoadSilent`, which says what to do, and no child is left."""
    with StubServer() as server:
        running: RunningLoad = load(
            server, rate=50, seconds=60, background=True, on_progress=freezer
        )
        try:
            with pytest.raises(LoadSilent, match=r"said nothing for .* run it again"):
                running.wait()
        finally:
            running.kill()
    assert running.done
    assert freezer.frozen
    assert not [process for process in freezer.frozen if process.is_running()]
