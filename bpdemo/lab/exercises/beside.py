"""Two versions of one idea: the learner's, and that of production."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

from bpdemo.lab.markup import as_html
from bpdemo.picture.palette import GRID

if TYPE_CHECKING:
    from bpdemo.lab.lessons.shared.source import Source

YOURS: Final = "Yours"
THEIRS: Final = "In production"
DIFFERS: Final = "What differs"
_COLUMN: Final = "flex:1 1 22em;min-width:0"
#: Jupyter would break lines of code in the middle of a word; these scroll.
_CODE: Final = (
    "white-space:pre;word-break:normal;"
    f"margin:.3em 0;padding:.5em;border:1px solid {GRID};overflow-x:auto;"
    "font-size:14px;line-height:1.4"
)


@dataclass(frozen=True, slots=True)
class Beside:
    """As text one after the other, in a notebook side by side."""

    mine: str
    theirs: tuple[Source, ...]
    differs: tuple[str, ...]

    def __str__(self) -> str:
        parts = [f"{YOURS}:\n{_indented(self.mine)}"] if self.mine else []
        parts += [f"{THEIRS}: {each.place}\n{_indented(each.code)}" for each in self.theirs]
        differs = "\n".join(f"  - {each}" for each in self.differs)
        return "\n".join([*parts, f"{DIFFERS}:\n{differs}"])

    def html(self) -> str:
        theirs = "".join(
            f"<div><b>{THEIRS}:</b> <code>{escape(each.name)}</code>, {escape(each.place)}</div>"
            f"<pre style='{_CODE}'>{escape(each.code)}</pre>"
            for each in self.theirs
        )
        mine = f"<div><b>{YOURS}</b></div><pre style='{_CODE}'>{escape(self.mine)}</pre>"
        columns = [mine, theirs] if self.mine else [theirs]
        differs = "".join(f"<li>{as_html(each)}</li>" for each in self.differs)
        return (
            "<div style='display:flex;flex-wrap:wrap;gap:0 1em;margin-top:.6em'>"
            + "".join(f"<div style='{_COLUMN}'>{column}</div>" for column in columns)
            + f"</div><b>{DIFFERS}</b><ul style='margin:.2em 0'>{differs}</ul>"
        )


def _indented(code: str) -> str:
    return textwrap.indent(code, "    ")
