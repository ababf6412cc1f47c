"""The stop button in mid-load: whenever it is pressed, the load ends whole, and a line tells it."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator

import psutil
import pytest

from bpdemo.load import loads
from bpdemo.load.child import Child
from bpdemo.load.driver import Driver, LoadSilent, drive
from bpdemo.load.interrupts import STOPPED, interrupts_noted
from bpdemo.load.loads import load
from bpdemo.load.target import TargetFacts
from bpdemo.plan.plan import Plan
from tests.load.stub import StubServer
from tests.support.processes import command_line

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to raise")


@pytest.fixture(autouse=True)
def as_in_a_kernel(monkeypatch, tmp_path) -> Iterator[None]:
    """Python's own handler, as a cell runs under it."""
    monkeypatch.setenv("BPDEMO_HOME", str(tmp_path))
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def press() -> None:
    signal.raise_signal(signal.SIGINT)


def test_an_interrupt_waits_until_it_is_looked_for() -> None:
    """Whatever stands between is done; what is raised says in a line that the load has ended."""
    done = []

    def interrupted() -> None:
        with interrupts_noted() as look:
            look()
            press()
            done.append("all of it")
            look()
            done.append("more")

    with pytest.raises(KeyboardInterrupt) as raised:
        interrupted()
    assert done == ["all of it"]
    assert raised.value._render_traceback_() == [STOPPED]  # type: ignore[attr-defined]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_that_nobody_looked_for_is_raised_at_the_end() -> None:
    with pytest.raises(KeyboardInterrupt, match=STOPPED), interrupts_noted():
        press()


def test_an_error_of_the_load_is_not_hidden_by_an_interrupt() -> None:
    def broken() -> None:
        with interrupts_noted():
            press()
            raise ValueError("its own")

    with pytest.raises(ValueError, match="its own"):
        broken()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_that_the_program_ignores_stays_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with interrupts_noted() as look:
        press()
        look()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_in_a_thread_to_which_no_interrupt_comes_the_load_goes_on() -> None:
    done = []

    def in_a_thread() -> None:
        with interrupts_noted() as look:
            look()
            done.append("all of it")

    thread = threading.Thread(target=in_a_thread)
    thread.start()
    thread.join()
    assert done == ["all of it"]


class Silent:
    """Of a load whose generator says nothing: the stop button is pressed while it is given up."""

    started = 0

    def __init__(self, *_: object) -> None:
        type(self).started += 1
        self.plan = Plan(20, seconds=60)
        self.done = False

    def wait(self, _timeout_s: float) -> None:
        press()
        raise LoadSilent("the load generator said nothing for 15 s; run it again")

    def kill(self) -> None:
        pass


def test_nothing_is_sent_once_more_after_an_interrupt(monkeypatch) -> None:
    """A load whose generator fell silent is tried again by itself, but not against their wish."""
    monkeypatch.setattr(loads, "RunningLoad", Silent)
    with pytest.raises(KeyboardInterrupt, match=STOPPED):
        load(TargetFacts("http://127.0.0.1:9"), rate=20, seconds=60)
    assert Silent.started == 1


def by_load(url: str) -> object:
    return load(url, rate=20, seconds=60)


def by_drive(url: str) -> object:
    return drive(url, Plan(20, seconds=60))


def when_a_process_has_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anybody has noted that it must be ended."""
    original = Child.__init__

    def started(self: Child, *args: object, **kwargs: object) -> None:
        original(self, *args, **kwargs)  # type: ignore[arg-type]
        press()

    monkeypatch.setattr(Child, "__init__", started)


def while_it_sends_and_again_while_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    hear, stop = Driver._take, Child.stop

    def heard(self: Driver, sender: int, chunk: dict[str, object]) -> None:
        hear(self, sender, chunk)
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    def stopped(self: Child, grace_s: float = 2.0) -> None:
        if threading.current_thread() is threading.main_thread():
            press()
        stop(self, grace_s)

    monkeypatch.setattr(Driver, "_take", heard)
    monkeypatch.setattr(Child, "stop", stopped)


@pytest.mark.load
@pytest.mark.light
@pytest.mark.parametrize("way", [by_load, by_drive])
@pytest.mark.parametrize(
    "moment", [when_a_process_has_started, while_it_sends_and_again_while_it_ends]
)
def test_no_load_generator_is_left_whenever_it_is_pressed(
    monkeypatch: pytest.MonkeyPatch,
    way: Callable[[str], object],
    moment: Callable[[pytest.MonkeyPatch], None],
) -> None:
    """As it starts, as it sends, and once more as it ends: its processes have gone."""
    with StubServer() as server:
        moment(monkeypatch)
        with pytest.raises(KeyboardInterrupt, match=STOPPED):
            way(server.url)
        left = [command_line(p) for p in psutil.Process().children(recursive=True)]
    assert [line for line in left if "locust" in line] == []
