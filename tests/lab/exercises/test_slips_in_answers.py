"""A learner's slip in an answer is told as theirs, in words; the check itself never stumbles."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest

from bpdemo.lab.exercises.catalogue import EXERCISES
from bpdemo.lab.exercises.trial import Trial
from bpdemo.lab.exercises.verdict import Verdict

FUNCTIONS = [name for name in sorted(EXERCISES) if EXERCISES[name].is_function]
#: What a function may return by mistake, whatever it should return.
RETURNED = {
    "a text": "x",
    "a list": [],
    "a dict": {},
    "no number": math.nan,
    "an object": object(),
    "too much": 1e300,
    "less than nothing": -5,
}
#: 07d runs a shop of its own each time, and takes nothing that its function returns.
QUICK = [name for name in FUNCTIONS if name != "07d"]

#: Answers that are right, and no live load: each is spoilt in one place.
SETTINGS: dict[str, dict[str, Any]] = {
    "02b": {"because": "c", "queue_policy": "block", "queue_block_waiters": 100},
    "03b": {"because": "d", "queue_discipline": "codel", "queue_capacity": -1},
    "04b": {"because": "a", "queue_capacity": 10, "retry_budget": 0.1},
    "05b": {"breaker_min_calls": 20, "breaker_window_s": 2},
    "05c": {"because": "d", "breaker_open_s": 3.5},
    "06b": {"because": "a", "cache_ttl_s": 4.5, "cache_stale_s": 30},
    "07c": {"because": "b", "wait_ms": 250, "turned_away": 0.2},
    "08a": {"crowd": Path(__file__), "capacity_per_s": 66},
}
SPOILT = [
    (name, spoilt)
    for name, right in SETTINGS.items()
    for key in right
    for spoilt in (
        {other if other != key else key[:-1]: value for other, value in right.items()},
        {other: value for other, value in right.items() if other != key},
        {**right, key: "x"},
        {**right, key: []},
    )
]
NOT_SETTINGS: list[Any] = ["x", 5, 0.5, [], {}, math.nan, object]
NO_SETTINGS = [
    (name, answer) for name in sorted(set(EXERCISES) - set(FUNCTIONS)) for answer in NOT_SETTINGS
]


def told_of(name: str, answer: Any, line: str = "") -> str:
    """The verdict, which must put it down to the answer."""
    told = Trial(EXERCISES[name], [line]).judge(answer)
    said = str(Verdict.of(name, EXERCISES[name].title, told))
    assert told["state"] == "not yet", said
    assert "Traceback" not in said
    assert len(told["says"]) in (1, 4), said
    return said


def function_of(name: str, value: object, kind: str = "def") -> Any:
    """A function with the right parameters that returns the same whatever it is asked."""
    names: dict[str, Any] = {"value": value}
    arguments = ", ".join(EXERCISES[name].parameters or ())
    exec(f"{kind} answer({arguments}):\n    return value\n", names)
    return names["answer"]


@pytest.mark.parametrize("value", RETURNED.values(), ids=RETURNED)
@pytest.mark.parametrize("name", QUICK)
def test_a_function_that_returns_something_else(name: str, value: object) -> None:
    """Of any type: what it returned is seen, and not what the judge made of it."""
    told_of(name, function_of(name, value))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_that_should_not_be_async(name: str) -> None:
    """Its coroutine would be true of everything; the verdict speaks of `async def` instead."""
    said = told_of(name, function_of(name, "x", "async def"))
    assert EXERCISES[name].may_be_async or "“async def”" in said


def test_a_function_that_is_awaited_and_is_not_async() -> None:
    """06a is awaited: who drops the `async` of its skeleton is told of it."""
    assert "still an “async def”" in told_of("06a", function_of("06a", "seats"))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_name_that_is_misspelt_inside_a_function(name: str) -> None:
    """The error, and the learner's own line."""
    names: dict[str, Any] = {}
    line = "    return capacty"
    arguments = ", ".join(EXERCISES[name].parameters or ())
    exec(compile(f"def answer({arguments}):\n{line}\n", "cell", "exec"), names)
    told = Trial(EXERCISES[name], ["", line]).judge(names["answer"])
    said = str(Verdict.of(name, EXERCISES[name].title, told))
    assert told["state"] == "not yet"
    assert "NameError: name 'capacty' is not defined" in said
    assert f"“{EXERCISES[name].answer}” runs without an error" in said
    assert "Traceback" not in said


@pytest.mark.parametrize(("name", "spoilt"), SPOILT, ids=[str(each) for each in SPOILT])
def test_settings_with_one_thing_wrong(name: str, spoilt: dict[str, Any]) -> None:
    """A key misspelt or left out, or a value of another kind: the verdict names it."""
    said = told_of(name, spoilt)
    wrong = [key for key in SETTINGS[name] if spoilt.get(key) != SETTINGS[name][key]]
    assert wrong[0] in said or re.search("names? your", said), said


@pytest.mark.parametrize(("name", "answer"), NO_SETTINGS, ids=[str(each) for each in NO_SETTINGS])
def test_something_else_than_settings(name: str, answer: object) -> None:
    """A text, a number, a list: the verdict says what form the answer has."""
    told_of(name, answer)
