"""Every figure has one of the widths that JupyterLab's pages are told to draw whole."""

import re
from pathlib import Path

import pytest

import bpdemo
from bpdemo.picture.frame import Frame

PACKAGE = Path(bpdemo.__file__).parent
CSS = (PACKAGE / "lab" / "workshop.css").read_text("utf-8")
#: As a keyword of a frame, or a constant that one is given.
WIDTH = re.compile(r"\b(?:width_px=|WIDTH_PX: Final = |DOUBLE_PX: Final = )(\d+)")
#: Pages that bring their own style with them.
APART = ("lab/live", "lab/talk", "cli", "sim")


def widths() -> dict[str, int]:
    return {
        f"{path.relative_to(PACKAGE)}:{text[: found.start()].count(chr(10)) + 1}": int(found[1])
        for path in PACKAGE.rglob("*.py")
        if not str(path.relative_to(PACKAGE)).startswith(APART)
        for text in [path.read_text("utf-8")]
        for found in WIDTH.finditer(text)
    }


@pytest.mark.parametrize(("place", "width_px"), widths().items())
def test_a_figure_is_as_wide_as_the_style_of_the_page_knows(place: str, width_px: int) -> None:
    """One a little wider would be cut off at its right edge where the window is narrow."""
    assert f"/ {width_px}px)" in CSS, place


def test_a_frame_that_is_told_no_width_has_the_usual_one() -> None:
    """The one for which the page draws a figure smaller by default."""
    assert f"zoom: min(1, var(--bp-room) / {Frame('a title', 100).width_px:g}px)" in CSS
