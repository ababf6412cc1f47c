"""Colours and second cues of the picture: one colour, one meaning, everywhere.

Okabe and Ito's eight colours stay apart for all common kinds of colour blindness. The
pattern or dash says the same again, for print and for the rest.
"""

from __future__ import annotations

from typing import Any, Final

BLACK: Final = "#000000"
ORANGE: Final = "#E69F00"
SKY_BLUE: Final = "#56B4E9"
GREEN: Final = "#009E73"
BLUE: Final = "#0072B2"
VERMILLION: Final = "#D55E00"
DARK_VERMILLION: Final = "#B34700"
"""The same, dark enough for white letters on it."""
PURPLE: Final = "#CC79A7"
INK: Final = "#222222"
THEME_INK: Final = f"var(--jp-content-font-color0, {INK})"
"""For text on the page itself, outside of pictures: black on light, white on dark."""
GREY: Final = "#666666"
GRID: Final = "#E3E3E3"

FATE_COLOURS: Final = {"ok": GREEN, "late": ORANGE, "shed": SKY_BLUE, "failed": VERMILLION}
FATE_PATTERNS: Final = {"ok": "", "late": "/", "shed": ".", "failed": "x"}

INK_ON: Final = {"ok": "#FFFFFF", "late": "#1A1000", "shed": BLACK, "failed": "#FFFFFF"}
"""What can be read on each fate's colour. On late it is a black of its own, by which dark pages
know it: there it stays dark (`dark.py`)."""

LINES: Final = {
    "p50": (BLUE, "solid"),
    "p99": ("#A34B7E", "dash"),
    "client timeout": (INK, "dot"),
    "queue": (BLACK, "solid"),
    "queue capacity": (GREY, "dash"),
    "busy workers": (BLUE, "dashdot"),
    "limit": ("#A34B7E", "longdash"),
    "offered": (INK, "dot"),
    "capacity": (INK, "dash"),
}
"""Colour and dash of each line. p99's purple is darkened: the original is too pale for text."""

FONT: Final = "Open Sans, Verdana, Arial, sans-serif"
SIMULATED: Final = "<i>simulated</i>"
"""Stands in the corner of a picture of virtual time, and of no other."""
TEXT_PX: Final = 16
TITLE_PX: Final = 21

PLAIN: Final[dict[str, Any]] = {
    "plot_bgcolor": "white",
    "modebar": {
        "remove": [
            *("toImage", "zoom", "pan", "select", "lasso", "zoomIn", "zoomOut"),
            *("autoScale", "resetScale"),
        ]
    },
}
"""Of every layout. The tool bar would sit on the title; a drag zooms, a double click ends it."""
