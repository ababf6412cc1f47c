"""`progress`: the exercises and how far one has come, as a table."""

from __future__ import annotations

from html import escape
from typing import Final

from bpdemo.core.members import forgiving_class
from bpdemo.lab.exercises.catalogue import EXERCISES
from bpdemo.lab.exercises.marks import all_marks
from bpdemo.picture.palette import FONT

HEAD: Final = ("", "exercise", "state", "tries", "hints")
_SIGNS: Final = {"passed": "✔", "not yet": "…", "not tried": "○"}


@forgiving_class
class Progress:
    """How far one has come: `passed` of `total`. Displayed, it is a table."""

    def __init__(self) -> None:
        self.marks = all_marks()

    @property
    def total(self) -> int:
        return len(self.marks)

    @property
    def passed(self) -> int:
        return sum(mark.state == "passed" for mark in self.marks.values())

    @property
    def sentence(self) -> str:
        return f"{self.passed} of {self.total} exercises passed."

    def rows(self) -> list[tuple[str, ...]]:
        return [
            (name, EXERCISES[name].title, f"{_SIGNS[mark.state]} {mark.state}", str(mark.tries),
             f"{mark.hints} of {len(EXERCISES[name].hints)}")
            for name, mark in self.marks.items()
        ]  # fmt: skip

    def __str__(self) -> str:
        rows = [HEAD, *self.rows()]
        widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
        return "\n".join([*lines, "", self.sentence])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head = "".join(f"<th style='text-align:left'>{escape(cell)}</th>" for cell in HEAD)
        body = "".join(
            "<tr>"
            + "".join(f"<td style='text-align:left'>{escape(cell)}</td>" for cell in row)
            + "</tr>"
            for row in self.rows()
        )
        return (
            f"<div style='font:16px {FONT}'><table style='font-size:16px'><tr>{head}</tr>"
            f"{body}</table><p>{escape(self.sentence)}</p></div>"
        )
