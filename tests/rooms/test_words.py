"""A choice among a few words is written once, in `core`; every other place asks it."""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest

from bpdemo.core import choices, events

ROOT = Path(__file__).parents[2]
HOMES = {ROOT / "bpdemo/core/choices.py", ROOT / "bpdemo/core/events.py"}
#: Lists of the same words that mean something else, or another order on purpose; each with why.
EXEMPT = {
    "bpdemo/picture/panels.py": "the order in which the areas stand on one another",
    "tests/picture/test_picture.py": "that order, expected",
    "tests/rooms/test_words.py": "copies that must be found",
}

Words = frozenset[str]


def choices_of(module: Any) -> dict[str, Words]:
    return {
        name: frozenset(get_args(value))
        for name, value in vars(module).items()
        if get_origin(value) is Literal
    }


CHOICES = choices_of(choices) | choices_of(events)


def words_of(node: ast.AST | None) -> Words:
    """The words of a tuple, list, set or Literal of words alone; nothing for anything else."""
    if not isinstance(node, ast.Tuple | ast.List | ast.Set) or len(node.elts) < 2:
        return frozenset()
    words = [e.value for e in node.elts if isinstance(e, ast.Constant) and isinstance(e.value, str)]
    return frozenset(words) if len(words) == len(node.elts) else frozenset()


def copied(words: Words) -> str | None:
    """The choice that these words are, or are but for one that was forgotten or invented."""
    for name, choice in CHOICES.items():
        near = len(choice) > 3 and len(words ^ choice) == 1 and len(words & choice) > 2
        if words == choice or near:
            return name
    return None


def copies(source: str) -> Iterator[str]:
    """Every second list of a choice, wherever it stands."""
    for node in ast.walk(ast.parse(source)):
        if name := copied(words_of(node)):
            yield f"{node.lineno}: {name}"  # type: ignore[attr-defined]


def samples(source: str) -> Iterator[str]:
    """Lists of more than two words that a test draws from or names: not those that it expects."""
    for node in ast.walk(ast.parse(source)):
        given = node.args if isinstance(node, ast.Call) else ()
        named = [node.value] if isinstance(node, ast.Assign | ast.AnnAssign) else ()
        for each in (*given, *named):
            words = words_of(each)
            if len(words) > 2 and (name := copied(words)):
                yield f"{each.lineno}: {name}"


def found_in(folder: str, find: Callable[[str], Iterator[str]]) -> list[str]:
    return [
        f"{name}:{copy}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        if path not in HOMES and (name := str(path.relative_to(ROOT))) not in EXEMPT
        for copy in find(path.read_text("utf-8"))
    ]


@pytest.mark.parametrize("folder", ["bpdemo", "benchmarks", "scripts"])
def test_no_choice_is_written_twice(folder):
    """Neither whole, nor with a word forgotten or added."""
    assert not found_in(folder, copies)


def test_tests_draw_from_the_choices_themselves():
    """So a new word is tried everywhere as soon as it is there; what a test expects it spells."""
    assert not found_in("tests", samples)


@pytest.mark.parametrize(
    "source",
    [
        'X = ("reject", "block")',
        'Y = Literal["block", "reject"]',
        'def f(name: Literal["fifo", "lifo", "adaptive_lifo", "priority", "codel"]): ...',
        'Z = ["fifo", "lifo", "priority", "codel"]',
        'pick({"steady", "ramp", "spike", "sustained", "retry_storm", "closed", "sawtooth"})',
        'if state not in ("closed", "half_open", "open"): ...',
    ],
)
def test_a_second_list_is_found(source):
    """Whatever it is written as, and also where it has forgotten or invented one."""
    assert list(copies(source))


def test_no_two_choices_have_the_same_words():
    """Or one of them is a second name for one idea."""
    assert len(set(CHOICES.values())) == len(CHOICES)
