"""A run that proves nothing is repeated once by itself, if the service is as it was before."""

from dataclasses import replace
from typing import Any

import pytest

from bpdemo.lab import simulate
from bpdemo.lab.services import loading
from bpdemo.load.run import LoadRun
from bpdemo.results.records import Records, Samples

REST = {"queue": {"depth": 0}, "workers": {"busy": 0}, "breakers": {"payment": "closed"}}
BUSY = REST | {"queue": {"depth": 3}}
OPEN = REST | {"breakers": {"payment": "open"}}


class Office:
    """Tells one look after another, the last over and over."""

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
