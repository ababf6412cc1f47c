"""Everybody hears everything, and one observer's bug is nobody else's trouble."""

import io
import json

from bpdemo.core.events import Event, OrderAdmitted, RetryDenied
from bpdemo.telemetry.fanout import Fanout
from bpdemo.telemetry.logs import make_logger


class Ear:
    def __init__(self):
        self.heard = []

    def observe(self, event, /):
        self.heard.append(event)


class Buggy:
    def observe(self, event, /):
        raise KeyError("no such label")


def test_all_hear_in_order():
    ears = [Ear(), Ear()]
    fanout = Fanout(*ears)
    told: list[Event] = [OrderAdmitted(), RetryDenied("store")]
    for event in told:
        fanout.observe(event)
    assert [ear.heard for ear in ears] == [told, told]


def test_a_bug_is_logged_once_counted_always_and_passed_over():
    stream, ear = io.StringIO(), Ear()
    fanout = Fanout(Buggy(), ear, Buggy(), log=make_logger("json", "info", stream))
    for _ in range(5):
        fanout.observe(RetryDenied("store"))
    assert len(ear.heard) == 5
    assert fanout.bugs == 10
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(x["event"], x["observer"], x["heard"]) for x in lines] == [
        ("observer_bug", "Buggy", "RetryDenied")
    ] * 2
    assert "no such label" in lines[0]["traceback"]
