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
    "The kernel hears nothing of this. If it is busy, it will answer when it has time; if it has "
    "ended or was restarted, run the notebook's cells again, from the top."
)
STYLE: Final = f"""<style>
.bp-unheard {{border-left: 8px solid {VERMILLION}; padding: .2em 1em; font: 600 16px {FONT};
  line-height: 1.4; color: {THEME_INK}; white-space: normal}}
.bp-heard.jupyter-widgets-disconnected .bp-unheard[hidden] {{display: block}}
.bp-heard.jupyter-widgets-disconnected::before,
.bp-heard .jupyter-widgets-disconnected::before {{content: none !important; display: none}}
</style>"""
"""After a restart the line stands there before anything is pressed. It takes the place of Jupyter's
broken links, one in each widget, which would push the sliders out of their rows."""


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


def heard(box: Any, place: int | None = None) -> Any:
    """The box of widgets, with the line in it that is shown when nobody hears them: at its end, or
    at that place among its children."""
    style = widgets.HTML(STYLE, layout={"display": "none"})
    before, after = box.children[:place], box.children[len(box.children[:place]) :]
    box.children = [*before, style, Heard(), *after]
    return box.add_class("bp-heard")
