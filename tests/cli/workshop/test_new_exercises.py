"""Exercises that came after the learner's notebook are laid beside it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bpdemo.cli.workshop.course import course_home, hand_out_exercises, lay_out
from bpdemo.cli.workshop.new_exercises import asked_in, exercises_in
from bpdemo.cli.workshop.workshop import run_lab

EXERCISES = course_home() / "exercises"
LESSONS = sorted(path.name for path in EXERCISES.glob("*.ipynb"))


def as_before(name: str, lesson: str) -> str:
    """The lesson's notebook of an edition that had no such exercise."""
    edition = json.loads((EXERCISES / lesson).read_text("utf-8"))
    old = [cell for cell in edition["cells"] if f"answer-{name}" not in tags_in(cell)]
    return json.dumps(edition | {"cells": old})


def tags_in(cell: dict[str, Any]) -> list[str]:
    return list(cell["metadata"].get("tags", []))


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_notebook_from_before_gets_its_new_exercises_beside_it(
    lesson: str, tmp_path: Path
) -> None:
    """For each exercise of each lesson: without it, it comes in a notebook of its own, alone and
    with what it imports; the learner's stays to the letter, and a second time adds nothing."""
    edition = tmp_path / "edition"
    edition.mkdir()
    (edition / lesson).write_bytes((EXERCISES / lesson).read_bytes())
    names = exercises_in(edition / lesson)
    for name in names:
        work = tmp_path / name
        work.mkdir()
        before = as_before(name, lesson)
        (work / lesson).write_text(before, "utf-8")
        beside = work / f"{lesson.removesuffix('.ipynb')}_{name}.ipynb"
        told: list[str] = []
        for _ in range(2):
            hand_out_exercises(edition, work, told.append)
            assert sorted(work.iterdir()) == sorted([work / lesson, beside])
            assert (work / lesson).read_text("utf-8") == before
        assert len(told) == 1
        assert beside.name in told[0]
        assert exercises_in(beside) == [name]
        import nbformat  # slow to import

        got = nbformat.read(beside, as_version=4)
        nbformat.validate(got)
        assert "import" in got.cells[0].source
        assert any(cell.source.startswith(f'check("{name}"') for cell in got.cells)
        others = [f"## {other} " for other in names if other != name]
        assert not any(heading in cell.source for cell in got.cells for heading in others)


@pytest.mark.parametrize("in_place", [False, True])
def test_both_ways_in_lay_them_beside(
    in_place: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`bpdemo lab FOLDER` from the package's course, `bpdemo lab --in-place` from the folder's."""
    from bpdemo.cli.workshop import workshop

    lesson = LESSONS[0]
    name = exercises_in(EXERCISES / lesson)[-1]
    lay_out(tmp_path, lambda _: None)
    if in_place:
        (tmp_path / "exercises").mkdir()
        (tmp_path / "exercises" / lesson).write_bytes((EXERCISES / lesson).read_bytes())
    mine = tmp_path / "my-work" / lesson
    mine.write_text(as_before(name, lesson), "utf-8")
    monkeypatch.setattr(workshop, "_serve", lambda *_: 0)
    said: list[object] = []
    assert run_lab(tmp_path, 8888, browser=False, in_place=in_place, say=said.append) == 0
    assert mine.read_text("utf-8") == as_before(name, lesson)
    assert exercises_in(mine.with_name(f"{mine.stem}_{name}.ipynb")) == [name]
    assert len(said) == 1


@pytest.mark.parametrize("lesson", LESSONS)
def test_an_exercise_that_asks_for_something_else_now_comes_beside_the_old_one(
    lesson: str, tmp_path: Path
) -> None:
    """Its letter is the same, its answer is not: the learner's stays, and the new one is laid
    beside it, once. A check that the learner has taken out says nothing of another answer."""
    edition = tmp_path / "edition"
    edition.mkdir()
    (edition / lesson).write_text(today := (EXERCISES / lesson).read_text("utf-8"), "utf-8")
    for name, answer in asked_in(edition / lesson).items():
        work = tmp_path / name
        work.mkdir()
        check = f'check(\\"{name}\\", {answer})'
        assert check in today
        (work / lesson).write_text(today.replace(check, "pass"), "utf-8")
        hand_out_exercises(edition, work, lambda _: None)
        assert [*work.iterdir()] == [work / lesson]
        then = today.replace(check, f'check(\\"{name}\\", earlier)')
        (work / lesson).write_text(then, "utf-8")
        beside = work / f"{lesson.removesuffix('.ipynb')}_{name}.ipynb"
        for _ in range(2):
            hand_out_exercises(edition, work, lambda _: None)
            assert sorted(work.iterdir()) == sorted([work / lesson, beside])
            assert (work / lesson).read_text("utf-8") == then
        assert asked_in(beside) == {name: answer}


@pytest.mark.parametrize("half", ["{ half", "", "[]", "null", '{"cells": 3}', "\udcff"])
def test_what_is_no_notebook_is_left_alone(half: str, tmp_path: Path) -> None:
    """A learner's half-saved file neither ends the workshop nor is touched."""
    work = tmp_path / "my-work"
    lay_out(tmp_path, lambda _: None)
    mine = work / LESSONS[0]
    mine.write_bytes(content := half.encode("utf-8", "surrogateescape"))
    before = sorted(work.rglob("*"))
    lay_out(tmp_path, lambda _: None)
    assert mine.read_bytes() == content
    assert sorted(work.rglob("*")) == before


UNREADABLE: dict[str, Callable[[Path], object]] = {
    "a link that leads nowhere": lambda path: path.symlink_to(path.with_name("unmounted")),
    "a folder": lambda path: path.mkdir(),
    "half saved": lambda path: path.write_text("{ half", "utf-8"),
    "no text": lambda path: path.write_bytes(b"\xff\xfe\x00"),
    "no cells": lambda path: path.write_text("{}", "utf-8"),
    "cells that are none": lambda path: path.write_text('{"cells": [3]}', "utf-8"),
    "no source": lambda path: path.write_text('{"cells": [{"metadata": {}}]}', "utf-8"),
    "nested without end": lambda path: path.write_text("[" * 100_000, "utf-8"),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_neighbour_that_cannot_be_read_keeps_no_exercise_back(kind: str, tmp_path: Path) -> None:
    """Whatever lies beside the learner's notebook: the new exercise comes, once, those that other
    neighbours have do not, and what cannot be read stays."""
    name = exercises_in(EXERCISES / LESSONS[0])[-1]
    work = tmp_path / "my-work"
    lay_out(tmp_path, lambda _: None)
    (work / LESSONS[0]).write_text(as_before(name, LESSONS[0]), "utf-8")
    UNREADABLE[kind](work / "000.ipynb")
    UNREADABLE[kind](work / "zzz.ipynb")
    before = {path.name for path in work.iterdir()}
    beside = f"{LESSONS[0].removesuffix('.ipynb')}_{name}.ipynb"
    for _ in range(2):
        lay_out(tmp_path, lambda _: None)
        assert {path.name for path in work.iterdir()} == before | {beside}
    assert exercises_in(work / beside) == [name]
