"""Two versions of one idea: the learner's, and that of production."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

from bpdemo.lab.markup import as_html, as_text
from bpdemo.picture.palette import GRID

if TYPE_CHECKING:
    from bpdemo.lab.lessons.shared.source import Source

YOURS: Final = "Yours"
THEIRS: Final = "In production"
DIFFERS: Final = "What differs"
_CODE_PX: Final = 14
_CHARACTER_PX: Final = 0.62 * _CODE_PX
"""A little more than any common font of one width takes."""

_AROUND_PX: Final = 24
#: Jupyter would break lines of code in the middle of a word; what is wider than the page scrolls.
_CODE: Final = (
    "white-space:pre;word-break:normal;"
    f"margin:.3em 0;padding:.5em;border:1px solid {GRID};overflow:auto;max-height:30em;"
    f"font-size:{_CODE_PX}px;line-height:1.4"
)


@dataclass(frozen=True, slots=True)
class Beside:
    """As text one after the other, in a notebook side by side where both fit."""

    mine: str
    theirs: tuple[Source, ...]
    differs: tuple[str, ...]

    def __str__(self) -> str:
        parts = [f"{YOURS}:\n{_indented(self.mine)}"] if self.mine else []
        parts += [f"{THEIRS}: {each.place}\n{_indented(each.code)}" for each in self.theirs]
        differs = "\n".join(f"  - {as_text(each)}" for each in self.differs)
        return "\n".join([*parts, f"{DIFFERS}:\n{differs}"])

    def html(self) -> str:
        theirs = "".join(
            f"<div><b>{THEIRS}:</b> <code>{escape(each.name)}</code>, {escape(each.place)}</div>"
            f"<pre style='{_CODE}'>{escape(each.code)}</pre>"
            for each in self.theirs
        )
        mine = f"<div><b>{YOURS}</b></div><pre style='{_CODE}'>{escape(self.mine)}</pre>"
        columns = [_column(mine, self.mine)] if self.mine else []
        columns.append(_column(theirs, *(each.code for each in self.theirs)))
        differs = "".join(f"<li>{as_html(each)}</li>" for each in self.differs)
        return (
            "<div style='display:flex;flex-wrap:wrap;gap:0 1em;margin-top:.6em'>"
            + "".join(columns)
            + f"</div><b>{DIFFERS}</b><ul style='margin:.2em 0'>{differs}</ul>"
        )


def _column(html: str, *codes: str) -> str:
    """As wide as the longest line, so that two which do not fit beside each other stand one below
    the other, and neither is cut off."""
    longest = max(len(line) for code in codes for line in code.splitlines() or [""])
    width_px = round(longest * _CHARACTER_PX) + _AROUND_PX
    return f"<div style='flex:1 1 min(100%,{width_px}px);min-width:0'>{html}</div>"


def _indented(code: str) -> str:
    return textwrap.indent(code, "    ")
