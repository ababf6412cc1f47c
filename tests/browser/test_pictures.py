"""Pictures as a browser draws them, in the fonts that it has: no text is cut at an edge."""

from pathlib import Path
from typing import Any

import plotly.io as pio
import pytest

from bpdemo.lab.live.live_picture import COCKPIT
from bpdemo.picture.bars import fate_bars
from bpdemo.picture.picture import picture, side_by_side
from tests.picture.runs import RUNS
from tests.support.browser import Page

pytestmark = [pytest.mark.browser, pytest.mark.light]

FIGURES: dict[str, Any] = {
    "page": lambda: picture(RUNS["usual"]),
    "cockpit": lambda: picture(RUNS["usual"], form=COCKPIT),
    "two": lambda: side_by_side(RUNS["usual"], RUNS["far beyond"]),
    "two with long labels": lambda: side_by_side(RUNS["large"], RUNS["no limit, slow"]),
    "bars": lambda: fate_bars({"a rather long name": RUNS["usual"], "b": RUNS["calm"]}, waits=True),
}
#: Every text of the figure: what it says, and by how many pixels it stands out of it.
MEASURE = """() => {
  const whole = document.querySelector(".main-svg").getBoundingClientRect();
  return [...document.querySelectorAll(".main-svg text")].filter(text => text.textContent)
    .map(text => {
      const box = text.getBoundingClientRect();
      const out = Math.max(whole.left - box.left, box.right - whole.right,
                           whole.top - box.top, box.bottom - whole.bottom);
      return [text.textContent, out];
    });
}"""


@pytest.mark.parametrize("kind", FIGURES)
def test_no_text_is_cut(kind: str, page: Page, tmp_path: Path) -> None:
    """Labels, title, axes, marks: all within the figure, to half a pixel."""
    path = tmp_path / "figure.html"
    pio.write_html(FIGURES[kind](), path, include_plotlyjs=True)
    page.goto(path.as_uri())
    page.wait_for_selector(".main-svg text")
    told = page.evaluate(MEASURE)
    assert len(told) >= 10
    assert [text for text, out_px in told if out_px > 0.5] == []
