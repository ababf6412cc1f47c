"""A button that cannot act says so: widgets whose kernel has ended look as they always do."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import anywidget
import ipywidgets as widgets
import traitlets

from bpdemo.picture.palette import FONT, THEME_INK, VERMILLION

SCRIPT: Final = Path(__file__).with_suffix(".js")
WORDS: Final = (
    "The kernel has not heard this. If it is busy, it will answer when it has time; if it has "
    "ended or was restarted, run the notebook's cells again, from the top."
)
STYLE: Final = f"""<style>
.bp-unheard {{border-left: 8px solid {VERMILLION}; padding: .2em 1em; font: 600 16px {FONT};
  line-height: 1.4; color: {THEME_INK}; white-space: normal}}
</style>"""


class Heard(anywidget.AnyWidget):
    """Answers every press of something beside it; where no answer comes, the page says so."""

    _esm = SCRIPT
    asked = traitlets.Int(0).tag(sync=True)
    answered = traitlets.Int(0).tag(sync=True)
    words = traitlets.Unicode(WORDS).tag(sync=True)

    def __init__(self) -> None:
        super().__init__()
        self.observe(self._answer, "asked")

    def _answer(self, change: Any) -> None:
        self.answered = change["new"]


def heard(box: Any) -> Any:
    """The box of widgets, with the line in it that is shown when nobody hears them."""
    style = widgets.HTML(STYLE, layout={"display": "none"})
    box.children = [*box.children, style, Heard()]
    return box.add_class("bp-heard")
