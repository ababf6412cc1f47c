"""The files of the course, and where a learner has them. What is there is never touched."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import bpdemo
from bpdemo.cli.workshop.new_exercises import has_any_of, new_exercises
from bpdemo.lab.lessons.shared.course import COURSE

PACKAGE: Final = Path(bpdemo.__file__).parent


def lay_out(folder: Path, say: Callable[[str], object]) -> None:
    """The lessons, and the exercises under the learner's own name for them."""
    home = course_home()
    for path in _files_of(home / "notebooks"):
        _lay_down_new(folder / "notebooks" / path.relative_to(home / "notebooks"), path)
    hand_out_exercises(home / "exercises", folder / "my-work", say)


def hand_out_exercises(source: Path, work: Path, say: Callable[[str], object]) -> None:
    """Copy what is not there yet; what the learner has is never touched.

    A notebook that the learner has from before keeps its text and answers. Exercises that are new
    in it are laid beside it, in a notebook of their own such as 05_exercises_05d.ipynb.
    """
    carry_over(work, say)
    for path in _files_of(source):
        target = work / path.relative_to(source)
        if _lay_down_new(target, path) or path.suffix != ".ipynb":
            continue
        beside, content = new_exercises(target, path) or (target, b"")
        if not _is_taken(beside):
            _lay_down(beside, content)
            say(f"new exercises, beside your own notebook: {work.name}/{beside.name}")


def carry_over(work: Path, say: Callable[[str], object]) -> None:
    """Exercises once had the name of their lesson. What a learner has under it stays as it is, for
    links and tabs that lead there; under the name of today comes a copy, answers and all. What has
    no cell for an answer to one of these exercises, as the lesson itself, is not what is meant."""
    for lesson in COURSE:
        former, target = (work / f"{file}.ipynb" for file in (lesson.file, lesson.exercises_file))
        if has_any_of(lesson.exercises, former) and _lay_down_new(target, former):
            say(f"your answers in {work.name}/{former.name} are in {target.name}, too, from now on")


def course_home() -> Path:
    """Inside the package, as the wheel has it; in a checkout beside the package."""
    packed = PACKAGE / "course"
    return packed if packed.is_dir() else PACKAGE.parent


def _files_of(source: Path) -> list[Path]:
    found = sorted(source.rglob("*"))
    return [path for path in found if path.is_file() and not _is_hidden(path.relative_to(source))]


def _is_hidden(inside: Path) -> bool:
    return any(part.startswith(".") for part in inside.parts)


def _lay_down_new(target: Path, source: Path) -> bool:
    """Whether it was not there."""
    if _is_taken(target):
        return False
    _lay_down(target, source.read_bytes())
    return True


def _is_taken(target: Path) -> bool:
    """A link counts, even one that leads nowhere just now, as to a drive that is not mounted."""
    return os.path.lexists(target)


def _lay_down(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    # Half a copy, on a full disk, would be taken for the learner's own the next time.
    whole = target.with_name(f"{target.name}.part")
    whole.write_bytes(content)
    whole.replace(target)
