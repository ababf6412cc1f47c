"""The keys of the stage: a widget that shows nothing and hears what is pressed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

import anywidget
import traitlets

SCRIPT: Final = Path(__file__).with_suffix(".js")


class StageKeys(anywidget.AnyWidget):
    """`pressed` holds a count and a key, such as "3 PageDown": the same key twice is a change.

    With `full_page` the stage fills the page as soon as it is shown; Escape gives the page back,
    and F fills it again.
    """

    _esm = SCRIPT
    pressed = traitlets.Unicode("").tag(sync=True)
    full_page = traitlets.Bool(True).tag(sync=True)

    def on_press(self, heard: Callable[[str], None]) -> None:
        """Tell `heard` the name of each key."""
        self.observe(lambda change: heard(change["new"].split(" ", 1)[1]), "pressed")
