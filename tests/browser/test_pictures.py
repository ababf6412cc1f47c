"""Pictures as a browser draws them, in the fonts that it has: no text is cut or covered."""

from pathlib import Path
from typing import Any

import plotly
import plotly.io as pio
import pytest

from bpdemo.lab.live.live_picture import COCKPIT
from bpdemo.lab.talk.talk import FORM
from bpdemo.picture.bars import fate_bars
from bpdemo.picture.picture import PAGE, Format, picture, side_by_side
from tests.picture.runs import RUNS
from tests.support.browser import Page

pytestmark = [pytest.mark.browser, pytest.mark.light]

WIDEST = "DejaVu Sans, Verdana"
#: Plotly's own script, where it is installed: no copy of 5 MB for each picture.
PLOTLY = (Path(plotly.__file__).parent / "package_data" / "plotly.min.js").as_uri()

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
#: Pairs of texts that stand in one another by more than the air around letters. The browser here may
#: have any font of the family: Verdana's widths, which DejaVu Sans has too, are the widest.
COVERED = """() => {
  const whole = [...document.querySelectorAll(".main-svg text")].filter(text => text.textContent);
  const lines = whole.flatMap(text => {
    const spans = [...text.querySelectorAll(":scope > tspan.line")];
    return (spans.length ? spans : [text]).map(at => [at.textContent, at.getBoundingClientRect()]);
  });
  const pairs = [];
  lines.forEach(([one, a], i) => lines.slice(i + 1).forEach(([other, b]) => {
    const x = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const y = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (x > 1 && y > 5) pairs.push(`${one} | ${other}: ${x.toFixed()} by ${y.toFixed()}`);
  }));
  return pairs;
}"""


@pytest.mark.parametrize("form", [PAGE, COCKPIT, FORM], ids=["page", "cockpit", "stage"])
def test_no_text_covers_another(form: Format, page: Page, tmp_path: Path) -> None:
    """Whatever the run, with three marks close together, in the widest font: each text stands on
    its own ground, and within the picture."""
    path = tmp_path / "figures.html"
    found = {}
    for name, run in RUNS.items():
        busy = run.marked((1.0, "payment 40 → 400 ms"), (1.4, "queue 8 → 60"), (9.7, "workers 8"))
        panels = tuple(form.rows)
        figure = picture(busy, panels, form=form).update_layout(font_family=WIDEST)
        pio.write_html(figure, path, include_plotlyjs=PLOTLY)
        page.goto(path.as_uri())
        page.wait_for_selector(".main-svg text")
        told = page.evaluate(MEASURE)
        cut = [text for text, out_px in told if out_px > 0.5]
        found |= {name: pairs} if (pairs := page.evaluate(COVERED) + cut) else {}
    assert found == {}


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
