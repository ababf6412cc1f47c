"""Exercises that a learner's notebook does not have yet, as a notebook of their own."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

ANSWER: Final = "answer-"
CHECK: Final = re.compile(r'^check\("(\w+)", (\w+)\)', re.MULTILINE)
HEADING: Final = re.compile(r"^## (\d\d[a-z])\b", re.MULTILINE)
#: What reading a file as a notebook raises if it cannot be read, or is none.
UNREADABLE: Final = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)


def new_exercises(mine: Path, edition: Path) -> tuple[Path, bytes] | None:
    """The exercises of `edition` that no notebook beside `mine` has: the file for them, and what
    is to stand in it. An exercise whose letter asked for another answer in the learner's notebook
    is a new one. None if there are none, or if one of the two is no notebook that can be read:
    then the learner's own is left as it is. What else lies there and cannot be read has none."""
    try:
        notebook = json.loads(edition.read_text(encoding="utf-8"))
        theirs = [asked_in(mine), *map(_asked_beside, mine.parent.glob("*.ipynb"))]
        missing = [
            name
            for name, answer in asked_in(edition).items()
            if not any(asked.get(name) in ("", answer) for asked in theirs)
        ]
        cells = [cell for name in missing for cell in cells_of(notebook["cells"], name)]
    except UNREADABLE:
        return None
    if not cells:
        return None
    imports = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"][:1]
    whole = dict(notebook, cells=imports + cells)
    text = json.dumps(whole, indent=1, ensure_ascii=False) + "\n"
    return mine.with_name("_".join([mine.stem, *missing]) + ".ipynb"), text.encode()


def exercises_in(path: Path) -> list[str]:
    """Their names, by the tags of the answers' cells. ValueError for what is no notebook."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    tags = [tag for cell in cells for tag in cell.get("metadata", {}).get("tags", [])]
    return [tag.removeprefix(ANSWER) for tag in tags if tag.startswith(ANSWER)]


def has_any_of(names: Collection[str], path: Path) -> bool:
    """Whether it is there, can be read as a notebook, and asks for an answer to one of these."""
    try:
        return not set(names).isdisjoint(exercises_in(path))
    except UNREADABLE:
        return False


def asked_in(path: Path) -> dict[str, str]:
    """Each of them with the answer that it asks for: what its `check` is given. The learner may
    have taken the check out; then it is "", and says nothing of another answer."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    checks = dict(CHECK.findall("\n".join("".join(cell["source"]) for cell in cells)))
    return {name: checks.get(name, "") for name in exercises_in(path)}


def _asked_beside(path: Path) -> dict[str, str]:
    """Nothing, of a neighbour that cannot be read: it must not keep exercises from the learner."""
    try:
        return asked_in(path)
    except UNREADABLE:
        return {}


def cells_of(cells: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """From its heading to the next exercise's. One cell may end an exercise and begin the next."""
    found: list[dict[str, Any]] = []
    for cell in cells:
        text = "".join(cell["source"])
        headings = list(HEADING.finditer(text))
        ours = [heading for heading in headings if heading[1] == name]
        if cell["cell_type"] == "markdown" and ours:
            found = [dict(cell, source=text[ours[0].start() :].splitlines(keepends=True))]
        elif cell["cell_type"] == "markdown" and headings and found:
            return found
        elif found:
            found.append(cell)
    return found
