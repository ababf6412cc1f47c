"""How the exercises speak: in whole sentences, and in the words that the field uses."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from bpdemo.lab.exercises.catalogue import EXERCISES
from bpdemo.lab.exercises.next_step import next_step
from bpdemo.lab.exercises.production import PRODUCTION

ROOT = Path(__file__).parents[3]
JUDGES = sorted((ROOT / "bpdemo/lab/exercises/judges").glob("*.py"))
#: Homely for: rejected, shed, client timeout, margin. Code may keep a name of before.
HOMELY = re.compile(
    r"\b(refus(e|es|ed|ing)|refusals?"
    r"|turned away|sent away|told (yes|no)|say(s|ing)? no|patien(t|ce)"
    r"|no air|with some air|nobody wants|cliff|wall|rings?|deaf|obedient)\b",
    re.IGNORECASE,
)
#: `QUEUE.refused` in a production version is code; so is `turn_away`.
CODE = re.compile(r"`[^`]*`")
#: What is not more patient is a customer, said once to a learner who thinks so.
MEANT = ("no customer is more patient",)


def spoken(node: ast.expr) -> str:
    """A text as it stands in the source; a figure that is put in is a 9."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(
            spoken(part) if isinstance(part, ast.Constant) else "9" for part in node.values
        )
    return ""


@cache
def verdicts(judge: Path) -> list[tuple[str, str, str]]:
    """Where, which part, and what it says, for each text that a `NotYet` is raised with."""
    return [
        (f"{judge.name}:{part.value.lineno}", str(part.arg), text)
        for call in ast.walk(ast.parse(judge.read_text("utf-8")))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "NotYet"
        for part in call.keywords
        if (text := spoken(part.value))
    ]


def other_texts() -> Iterator[tuple[str, str]]:
    for name, exercise in EXERCISES.items():
        yield from ((f"hint of {name}", each) for each in exercise.hints)
        yield f"what comes after {name}", next_step(name)
    for name, production in PRODUCTION.items():
        yield from ((f"production version of {name}", each) for each in production.differs)


def is_in_the_fields_words(text: str) -> bool:
    told = CODE.sub("", text)
    for meant in MEANT:
        told = told.replace(meant, "")
    return not HOMELY.search(told)


def has_an_end(text: str) -> bool:
    return bool(re.search(r"[.?][`)”]?$", text))


def test_there_are_verdicts() -> None:
    """Or what follows would prove nothing."""
    assert sum(len(verdicts(judge)) for judge in JUDGES) > 250
    assert len([*other_texts()]) > 100


@pytest.mark.parametrize("judge", JUDGES, ids=lambda path: path.stem)
def test_each_part_of_a_verdict_is_sentences(judge: Path) -> None:
    """With an end, in the field's words; a part is something to read, not a value."""
    wrong = [
        f"{where} {part}: {text}"
        for where, part, text in verdicts(judge)
        if not has_an_end(text)
        or not is_in_the_fields_words(text)
        or not (len(text.split()) >= 3 or part == "seen" or "9" in text)
    ]
    assert wrong == []


def test_hints_and_differences_are_sentences() -> None:
    """The same of what a learner reads before and after."""
    wrong = [
        f"{where}: {text}"
        for where, text in other_texts()
        if not has_an_end(text) or not is_in_the_fields_words(text)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "notebook", sorted((ROOT / "solutions").glob("*.ipynb")), ids=lambda p: p.stem
)
def test_the_tasks_speak_so_too(notebook: Path) -> None:
    """Every text cell; and an exercise's heading is its title in the verdict."""
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    assert is_in_the_fields_words(text), text
    headings = dict(re.findall(r"^## (\d\d\w) · (.+)$", text, re.MULTILINE))
    assert headings == {
        name: exercise.title
        for name, exercise in EXERCISES.items()
        if name[:2] == notebook.name[:2]
    }
