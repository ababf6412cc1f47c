"""A run that proves nothing is repeated once by itself, if the service is as it was before."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from bpdemo.lab import simulate
from bpdemo.lab.services import loading
from bpdemo.load.progress_line import ProgressText
from bpdemo.load.run import LoadRun
from bpdemo.results.records import Records, Samples

REST = {"queue": {"depth": 0}, "workers": {"busy": 0}, "breakers": {"payment": "closed"}}
BUSY = REST | {"queue": {"depth": 3}}
OPEN = REST | {"breakers": {"payment": "open"}}


class Office:
    """Tells one look after another, the last over and over."""

    capacity_per_s: float | None = None

    def __init__(self, *looks: dict[str, Any]) -> None:
        self._looks = list(looks)

    def stats(self) -> dict[str, Any]:
        return self._looks.pop(0) if len(self._looks) > 1 else self._looks[0]


def run_with(sent: int) -> LoadRun:
    empty = simulate(seconds=0.5).meta
    meta = replace(empty, virtual=False, planned=100, sent=sent)
    return LoadRun(Records.of([], [], []), Samples.none(), meta)


INVALID, VALID = run_with(sent=50), run_with(sent=100)


@pytest.fixture
def runs(monkeypatch) -> list[Any]:
    """What the loads will give; taken off one by one."""
    waiting: list[Any] = []
    monkeypatch.setattr(loading, "load_once", lambda *_, **__: waiting.pop(0))
    monkeypatch.setattr(loading, "REST_S", 0.2)
    monkeypatch.setattr(loading, "LOOK_S", 0.0)
    return waiting


def test_an_invalid_run_is_repeated_once_and_says_so(runs, capsys):
    """The second counts, whatever became of it; the line names the cause."""
    runs += [INVALID, VALID]
    assert loading.load(Office(BUSY, BUSY, REST)) is VALID
    assert capsys.readouterr().out == (
        "Your machine was busy (only 50.0% of the load was sent, at least 98% is needed): "
        "the run is repeated, once.\n"
    )
    runs += [INVALID, INVALID, VALID]
    assert loading.load(Office(REST)) is INVALID
    assert runs == [VALID]


@pytest.mark.parametrize(
    ("first", "office", "arguments"),
    [
        (VALID, Office(REST), {}),
        (INVALID, Office(BUSY), {}),
        (INVALID, Office(OPEN), {}),
        (INVALID, Office(REST), {"changes": [(1, {"workers": 2})]}),
        ("a load in the background", Office(REST), {"background": True}),
    ],
    ids=["valid", "never at rest", "breaker open", "knobs turned", "background"],
)
def test_nothing_is_repeated_that_would_tell_something_else(runs, first, office, arguments, capsys):
    """A valid run, and one that left the service in another state, are given as they are."""
    runs += [first, VALID]
    assert loading.load(office, **arguments) is first
    assert runs == [VALID]
    assert capsys.readouterr().out == ""


def test_a_service_that_cannot_finish_in_time_is_not_waited_for(runs, monkeypatch):
    """What it holds is more than it can serve until then: nobody looks at a still cell for that."""
    monkeypatch.setattr(loading, "REST_S", 3600.0)
    crowded = Office(REST | {"queue": {"depth": 1_000_000}})
    crowded.capacity_per_s = 100.0
    runs += [INVALID, VALID]
    assert loading.load(crowded) is INVALID
    assert runs == [VALID]


def test_it_says_that_it_waits_for_the_service(runs, monkeypatch):
    """An unprotected queue takes its time to drain, and a cell says what it is waiting for."""
    told: list[str] = []
    monkeypatch.setattr(ProgressText, "show", lambda _, text: told.append(text))
    runs += [VALID]
    loading.load(Office(REST))
    assert told == []
    runs += [INVALID, VALID]
    loading.load(Office(BUSY, REST))
    assert told == ["Your machine was busy; the service finishes what it has before a repeat"]


def test_a_fresh_service_is_started_anew_for_the_repeat(runs, capsys):
    """What the first one still holds need not be waited for."""
    started: list[Office] = []

    @contextlib.contextmanager
    def start() -> Iterator[Office]:
        started.append(Office(BUSY))
        yield started[-1]

    runs += [INVALID, VALID]
    assert loading.load_fresh(start) is VALID
    assert len(started) == 2
    assert capsys.readouterr().out.endswith("the run is repeated, once.\n")
