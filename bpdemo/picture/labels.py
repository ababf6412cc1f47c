"""Where text goes in the picture: labels pushed apart, sentences broken into lines."""

from __future__ import annotations

import textwrap
from typing import Final

CHAR_SHARE: Final = 0.56
"""Mean width of a character as a share of the font size; bold text is wider by a tenth."""


def wrapped(text: str, width_px: float, font_px: float) -> list[str]:
    """`text` in lines that fit into `width_px`."""
    return textwrap.wrap(text, max(10, int(width_px / (font_px * CHAR_SHARE)))) or [""]


def width_of(text: str, font_px: float) -> float:
    """Width in pixels, by estimate, of the longest line of `text`."""
    return max(len(line) for line in text.split("<br>")) * font_px * CHAR_SHARE


def spread(wanted: list[float], gap: float, low: float, high: float) -> list[float]:
    """Places as near as may be to those wanted, at least `gap` apart, within low…high.

    Pushes up from below in order, then down from the upper edge.
    """
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    places = [0.0] * len(wanted)
    floor = low
    for i in order:
        places[i] = max(wanted[i], floor)
        floor = places[i] + gap
    ceiling = high
    for i in reversed(order):
        places[i] = min(places[i], ceiling)
        ceiling = places[i] - gap
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
