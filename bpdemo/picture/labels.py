"""Where text goes in the picture: how wide it is, lines it is broken into, places pushed apart."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

WIDTHS: Final = {
    0.28: "'ijl", 0.32: " ,.·", 0.35: "/:;\\|", 0.36: "fIJ", 0.40: "()[]t-", 0.43: "r!",
    0.50: "*_`–", 0.56: "szc?Lk", 0.60: "vxyF", 0.62: "aeoPTY", 0.64: "bdghnpqu0123456789$ES{}",
    0.70: "ABCRVXZK", 0.75: "UHN", 0.80: "&DGOQ", 0.84: "w#+<=>^~×→−≥≤M", 0.98: "m",
}  # fmt: skip
"""Advance widths as shares of the font size: those of Verdana and DejaVu Sans, the widest of
`FONT` that a browser may have. Whatever is missing here counts as one font size."""

BOLD: Final = 1.14
TAG: Final = re.compile(r"(</?b>|<br>)")
BETWEEN_WORDS: Final = re.compile(r"(?<!\d)\s+|\s+(?!(?:s|ms|min)\b)")
_WIDTH_OF: Final = {char: width for width, chars in WIDTHS.items() for char in chars}


def wrapped(text: str, width_px: float, font_px: float, *, bold: bool = False) -> list[str]:
    """`text` in lines that fit into `width_px`; a word that does not fit has a line of its own. A
    number and its unit stay together."""
    lines: list[str] = []
    for word in BETWEEN_WORDS.split(text.strip()):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width_of(longer, font_px, bold=bold) <= width_px:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines or [""]


def width_of(text: str, font_px: float, *, bold: bool = False) -> float:
    """Width in pixels of the longest line of `text`, by the widest font it may be set in."""
    widths, factor = [0.0], BOLD if bold else 1.0
    for part in TAG.split(text):
        if part == "<br>":
            widths.append(0.0)
        elif part in ("<b>", "</b>"):
            factor = BOLD if bold or part == "<b>" else 1.0
        else:
            widths[-1] += sum(_WIDTH_OF.get(char, 1.0) for char in part) * factor
    return max(widths) * font_px


def spread(
    wanted: Sequence[float], gap: float | Sequence[float], low: float, high: float
) -> list[float]:
    """Places as near as may be to those wanted, at least `gap` apart, within low…high.

    `gap` may be a height for each: two neighbours are then half of both heights apart. Pushes up
    from below in order, then down from the upper edge.
    """
    heights = list(gap) if isinstance(gap, Sequence) else [gap] * len(wanted)
    more = [(height - min(heights)) / 2 for height in heights]
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    places = [0.0] * len(wanted)
    edge = float("-inf")
    for i in order:
        places[i] = max(wanted[i], low + more[i], edge + heights[i] / 2)
        edge = places[i] + heights[i] / 2
    edge = float("inf")
    for i in reversed(order):
        places[i] = min(places[i], high - more[i], edge - heights[i] / 2)
        edge = places[i] - heights[i] / 2
    return places


def levels(spans: list[tuple[float, float]], count: int) -> list[int | None]:
    """For text above the picture: the first of `count` lines on which each span is free."""
    ends = [float("-inf")] * count
    chosen: list[int | None] = []
    for left, right in spans:
        free = next((level for level in range(count) if ends[level] <= left), None)
        if free is not None:
            ends[free] = right
        chosen.append(free)
    return chosen
