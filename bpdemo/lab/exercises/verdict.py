"""What became of an answer, in words: for a notebook and for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, Final, Literal

from bpdemo.core.members import forgiving_class
from bpdemo.lab.exercises.beside import Beside
from bpdemo.lab.markup import as_html, as_text
from bpdemo.picture.palette import BLUE, FONT, GREEN, GREY, ORANGE

State = Literal["passed", "not yet", "not tried", "could not judge"]
COLOURS: Final[Mapping[State, str]] = {
    "passed": GREEN,
    "not yet": ORANGE,
    "not tried": BLUE,
    "could not judge": GREY,
}
SIGNS: Final[Mapping[State, str]] = {
    "passed": "✔",
    "not yet": "…",
    "not tried": "○",
    "could not judge": "?",
}


#: Before the path of the notebook, or of the file that the exercise is about.
FILE: Final = "Your answer"


@forgiving_class
@dataclass(frozen=True, slots=True)
class Verdict:
    """`says` are labelled sentences: expected, seen, why it matters, where to look. `file` is where
    the learner's answer stands, if that is known. `beside` has the production version of what
    passed."""

    name: str
    title: str
    state: State
    says: tuple[tuple[str, str], ...]
    printed: str = ""
    file: str = ""
    beside: Beside | None = None

    @property
    def passed(self) -> bool:
        return self.state == "passed"

    @classmethod
    def of(cls, name: str, title: str, told: Mapping[str, Any]) -> Verdict:
        """From what the judging process reports."""
        says = tuple((str(label), str(text)) for label, text in told["says"])
        return cls(name, title, told["state"], says, str(told.get("printed", "")))

    def __str__(self) -> str:
        lines = [f"{SIGNS[self.state]} {self.name} {self.state}: {as_text(self.title)}"]
        lines += [
            f"  {label}: {text}" if label else f"  {text}"
            for label, text in ((label, as_text(_sentence(text))) for label, text in self.says)
        ]
        if self.printed:
            lines += ["  Your code printed:"]
            lines += [f"    {line}" for line in self.printed.rstrip().splitlines()]
        if self.beside:
            lines.append(str(self.beside))
        if self.file:
            lines.append(f"  {FILE}: {self.file}")
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        says = "".join(
            f"<div style='margin:.3em 0'>{f'<b>{escape(label)}:</b> ' if label else ''}"
            f"{as_html(_sentence(text))}</div>"
            for label, text in self.says
        )
        printed = f"<pre style='margin:.5em 0'>{escape(self.printed)}</pre>" if self.printed else ""
        beside = self.beside.html() if self.beside else ""
        file = (
            f"<div style='font-size:14px'>{FILE}: <code>{escape(self.file)}</code></div>"
            if self.file
            else ""
        )
        return (
            f"<div style='border-left:8px solid {COLOURS[self.state]};padding:.2em 1em;"
            f"font:17px {FONT};line-height:1.5;max-width:60em'>"
            f"<div style='font-weight:600'>{SIGNS[self.state]} {escape(self.name)} "
            f"{self.state.capitalize()}: {as_html(self.title)}</div>"
            f"{says}{printed}{beside}{file}</div>"
        )


def _sentence(text: str) -> str:
    """With a capital, as it stands after a label; code keeps its own."""
    return text[:1].upper() + text[1:]
