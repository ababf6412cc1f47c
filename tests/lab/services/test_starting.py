"""What takes its time to start says so, and nothing else does."""

from __future__ import annotations

import sys
import threading
from typing import Self

import pytest

from bpdemo.lab.services import starting as under_test
from bpdemo.lab.services.starting import starting


class Told:
    """In place of the line below a cell: all that it ever said."""

    lines: list[str]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def show(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(Told, "lines", [], raising=False)
    monkeypatch.setattr(under_test, "ProgressText", Told)
    return Told.lines


@pytest.mark.parametrize(
    ("where", "store", "is_first", "words"),
    [
        ("thread", "memory", True, ["The service starts"]),
        ("thread", "memory", False, []),
        ("process", "memory", False, ["The service starts"]),
        ("thread", "embedded", False, ["The database and the service start"]),
        ("process", "embedded", True, ["The database and the service start"]),
    ],
)
def test_a_start_that_takes_its_time_says_so(
    where: str,
    store: str,
    is_first: bool,
    words: list[str],
    told: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first of a kernel, one in a process of its own, one that brings a database up."""
    if is_first:
        monkeypatch.delitem(sys.modules, "bpdemo.assembly.app", raising=False)
    else:
        monkeypatch.setitem(sys.modules, "bpdemo.assembly.app", under_test)
    with starting(where, store):
        pass
    assert told == words


def test_a_start_in_another_thread_writes_below_no_cell(told: list[str]) -> None:
    """Its line would stand below whatever cell runs at the moment."""

    def start() -> None:
        with starting("process", "memory"):
            pass

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert told == []
