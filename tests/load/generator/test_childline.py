"""The child's line to its owner: whole lines, no matter who speaks and however slow the reader."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator

import psutil
import pytest

from bpdemo.core.environment import own_environment
from bpdemo.load.child import Child
from bpdemo.load.driver import Driver, LoadFailed, command_for
from bpdemo.plan.plan import Plan
from bpdemo.plan.visits import visits
from tests.load.stub import StubServer
from tests.support.waiting import eventually

LONG = 300_000

TWO_SPEAKERS = f"""
import _thread, threading, time
from bpdemo.load.generator.childline import OwnerPipe
line = OwnerPipe(
    _thread.start_new_thread, time.sleep, lambda do, given: do(*given), threading.Lock()
)
def speak(who):
    for _ in range(3):
        line.say({{"who": who, "text": "x" * {LONG}}})
speakers = [threading.Thread(target=speak, args=(who,)) for who in (1, 2)]
for speaker in speakers:
    speaker.start()
for speaker in speakers:
    speaker.join()
"""


def test_two_who_speak_at_once_are_both_heard() -> None:
    """Lines far longer than a pipe takes at once do not get into one another."""
    command = [sys.executable, "-c", TWO_SPEAKERS]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=own_environment()
    ) as child:
        assert child.stdout is not None
        messages = [json.loads(line) for line in child.stdout]
    assert sorted(message["who"] for message in messages) == [1, 1, 1, 2, 2, 2]
    assert {len(message["text"]) for message in messages} == {LONG}


class SlowOwner:
    """Hears the first line, sends the child off, and hears nothing more until it is let."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.may_go_on = threading.Event()
        self.code: int | None = None
        self.child: Child | None = None

    def hear(self, line: str) -> None:
        self.lines.append(line)
        if len(self.lines) == 1:
            eventually(lambda: self.child).say("go")
            self.may_go_on.wait(60)

    def end(self, code: int) -> None:
        self.code = code


def moments_of_rest(pid: int) -> Iterator[bool]:
    """Whether the process has done nothing since it was last asked."""
    process, before = psutil.Process(pid), None
    while True:
        now = process.cpu_times()
        yield now == before
        before = now


@pytest.mark.load
@pytest.mark.light
def test_an_owner_who_does_not_listen_misses_nothing() -> None:
    """The load ends while a report is stuck in a full pipe: each order is told of, and once."""
    # Nobody leaves before the server has heard of them, however slow the machine.
    plan = Plan(rate_per_s=1000, seconds=2.8, watch=False, client_timeout_s=30)
    owner, wanted = SlowOwner(), sum(1 for _ in visits(plan))
    with StubServer() as server:
        env = {"BPDEMO_LOAD_PLAN": plan.to_json()}
        owner.child = Child(command_for(server.url), env=env, on_line=owner.hear, on_exit=owner.end)
        try:
            eventually(lambda: server.orders == wanted, "all was sent", within_s=40)
            rest = moments_of_rest(owner.child.pid)
            eventually(lambda: all(next(rest) for _ in range(50)), "it waits for us", within_s=20)
            owner.may_go_on.set()
            eventually(lambda: owner.code is not None, "it has ended", within_s=20)
        finally:
            owner.may_go_on.set()
            owner.child.stop()
    messages = [json.loads(line) for line in owner.lines]
    told = [len(message["orders"]["t"]) for message in messages if message["kind"] == "chunk"]
    assert sum(told) == wanted
    assert messages[-1]["kind"] == "end"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b'{"kind":"ready"}\n{"kind":"chu', "ended early"),
        (b'{"kind":"chunk","orders":[{"kind"\n', "cannot be read"),
    ],
)
def test_what_is_cut_short_ends_the_wait(
    said: bytes, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A child killed in mid-word, and one that talks nonsense: `LoadFailed`, and at once."""
    script = f"import os, time; os.write(1, {said!r}); time.sleep({60 if 'read' in told else 0})"
    monkeypatch.setattr(
        "bpdemo.load.driver.command_for", lambda url: [sys.executable, "-c", script]
    )
    driver = Driver("http://127.0.0.1:1", Plan(10))
    with pytest.raises(LoadFailed, match=told):
        driver.wait(20)
    assert not driver._children[0].is_alive
