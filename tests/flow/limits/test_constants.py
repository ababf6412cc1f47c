"""What a limit may be made with: learners take `AdmissionControl(concurrency=OurLimit(…))` home,
and a typo of theirs is to be told of when it is made and not in an overload."""

import inspect
import json
import re
from fractions import Fraction
from math import inf, nan, nextafter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bpdemo.flow.limiter import Limit
from bpdemo.flow.limits.choice import LIMITS

TUNED = Path(__file__).parents[3] / "benchmarks" / "tuned.json"
KINDS: dict[str, Any] = {str(name): kind for name, kind in LIMITS.items()}
ARGUMENTS = [
    (name, argument.name, argument.default)
    for name, kind in sorted(KINDS.items())
    for argument in inspect.signature(kind).parameters.values()
    if argument.name != "rng"
]
NO_NUMBERS = [nan, inf, -inf, -1, -0.5, True, None, "5"]
RANGE = re.compile(r"is not a (?P<whole>whole )?number (?:of at least (\S+)|from (\S+) to (\S+))$")
EACH = pytest.mark.parametrize(("name", "argument", "default"), ARGUMENTS)


def test_all_arguments_were_found() -> None:
    """Each limit has its bounds, and constants besides; every one is a number by default."""
    assert {name for name, _, _ in ARGUMENTS} == set(KINDS)
    for name in KINDS:
        assert {"start", "low", "high"} < {each for kind, each, _ in ARGUMENTS if kind == name}
    assert {type(default) for _, _, default in ARGUMENTS} == {int, float}


@EACH
def test_what_is_no_such_number_is_refused_by_argument_value_and_range(
    name: str, argument: str, default: float
) -> None:
    """Also infinity: none of them means anything by it, and who wants *never* says a large one."""
    for value in NO_NUMBERS:
        told = refused(name, argument, value)
        assert told.startswith(f"{argument}: {value!r} is not a ")
        assert RANGE.search(told), told


@EACH
def test_what_no_float_can_hold_is_refused_when_it_is_made(
    name: str, argument: str, default: float
) -> None:
    """And not by an OverflowError in the middle of an overload."""
    for value in (10**400, 10**5000, -(10**5000)):
        assert refused(name, argument, value).startswith(f"{argument}: ")


@EACH
def test_each_takes_what_its_range_says_and_nothing_beyond(
    name: str, argument: str, default: float
) -> None:
    """The range that an error tells is the range that holds, to its ends; and at its ends the limit
    still works: a thousand calls keep it a number from its least to its most."""
    whole, low, high = told_range(name, argument)
    ends = [low] if high is None else [low, high]
    for end in ends:
        works(KINDS[name](**{argument: int(end) if whole else end}, rng=Random(1)))
    if whole:
        refused(name, argument, default + 0.5)
    refused(name, argument, low - 1 if whole else nextafter(low, -inf))
    if high is not None:
        refused(name, argument, nextafter(high, inf))
    works(KINDS[name](**{argument: Fraction(default) if not whole else default}, rng=Random(1)))


@pytest.mark.parametrize("name", sorted(KINDS))
def test_the_published_and_the_tuned_constants_are_accepted(name: str) -> None:
    """By what they were compared with, and what a reader finds in the documents of the source."""
    published = {each: default for kind, each, default in ARGUMENTS if kind == name}
    works(KINDS[name](rng=Random(1)))
    works(KINDS[name](**published, rng=Random(1)))
    constants = json.loads(TUNED.read_text(encoding="utf-8"))["constants"][name]
    assert constants.keys() <= published.keys()
    works(KINDS[name](16, low=1, high=1000, **constants, rng=Random(1)))


def refused(name: str, argument: str, value: object) -> str:
    """What the ValueError says."""
    with pytest.raises(ValueError, match=f"^{argument}: ") as told:
        KINDS[name](**{argument: value})
    return str(told.value)


def told_range(name: str, argument: str) -> tuple[bool, float, float | None]:
    """Whether it is a whole number, its least and its most."""
    found = RANGE.search(refused(name, argument, nan))
    assert found
    whole, at_least, low, high = found.groups()
    return bool(whole), float(at_least or low), float(high) if high else None


def works(limit: Limit) -> None:
    for number in range(1000):
        limit.learn(
            int(limit.current), (number % 7) / 50, dropped=number % 11 == 0,
            now=number / 100, was_full=True,
        )  # fmt: skip
        assert 1 <= limit.current <= 1000
