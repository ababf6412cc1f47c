"""Find the cell with an answer in the learner's saved notebooks."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bpdemo.core.person_text import decoded

SKIPPED: Final = {".venv", ".git", ".ipynb_checkpoints", "solutions", "exercises", "node_modules"}


class NoAnswerCell(Exception):
    """No notebook here has the cell. Says what was looked for, and where."""


@dataclass(frozen=True, slots=True)
class AnswerCell:
    """`imports` are the import statements of the cells before it, which it may rely on."""

    notebook: Path
    imports: str
    source: str


def find_answer(name: str, folder: Path, answer: str = "") -> AnswerCell:
    """The cell tagged `answer-NAME`: in my-work/ here or above, then in the folder itself; of
    several, the one saved last.

    A cell that has the `answer`'s name comes first: in a notebook from before, the same letter may
    have asked for something else.
    """
    tag = f"answer-{name}"
    looked_in = [*_places(folder)]
    for place in looked_in:
        notebooks = sorted(_notebooks(place), key=lambda path: -path.stat().st_mtime)
        cells = [cell for path in notebooks if (cell := _answer_in(path, tag))]
        has_name = re.compile(rf"\b{answer}\b")
        if cells:
            return next((cell for cell in cells if has_name.search(cell.source)), cells[0])
    places = " and ".join(str(place) for place in looked_in)
    is_there = looked_in[0] != folder
    made = "" if is_there else "my-work/ is missing here: `bpdemo lab` (or `make lab`) makes it; "
    raise NoAnswerCell(
        f"no saved notebook in {places} has a cell tagged {tag!r}: {made}open the exercise from "
        "my-work/, fill in its answer cell, save, and check again"
    )


def _places(folder: Path) -> Iterator[Path]:
    for parent in (folder, *folder.parents):
        if (parent / "my-work").is_dir():
            yield parent / "my-work"
            break
    yield folder


def _notebooks(place: Path) -> Iterator[Path]:
    for folder, inside, files in os.walk(place):
        inside[:] = [name for name in inside if name not in SKIPPED]  # .venv alone has thousands
        yield from (Path(folder, name) for name in files if name.endswith(".ipynb"))


def _answer_in(notebook: Path, tag: str) -> AnswerCell | None:
    try:
        cells = json.loads(decoded(notebook.read_bytes()))["cells"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    before: list[str] = []
    for cell in cells:
        if cell.get("cell_type") != "code":
            continue
        source = _source(cell)
        if tag in cell.get("metadata", {}).get("tags", []):
            return AnswerCell(notebook, "\n".join(before), source)
        before += _imports(source)
    return None


def _source(cell: dict[str, Any]) -> str:
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def _imports(source: str) -> list[str]:
    with contextlib.suppress(SyntaxError):  # a cell with a magic, or not finished
        return [
            ast.unparse(statement)
            for statement in ast.parse(source).body
            if isinstance(statement, ast.Import | ast.ImportFrom)
        ]
    return []
