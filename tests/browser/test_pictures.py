"""Pictures as a browser draws them, in the fonts that it has: no text is cut or covered."""

from pathlib import Path
from typing import Any

import plotly.io as pio
import pytest

from bpdemo.lab.live.live_picture import COCKPIT
from bpdemo.lab.talk.talk import FORM
from bpdemo.picture.bars import fate_bars
from bpdemo.picture.picture import picture, side_by_side
from bpdemo.picture.sheet import PAGE, Format
from tests.picture.runs import RUNS
from tests.support.browser import Page

pytestmark = [pytest.mark.browser, pytest.mark.light]

#: Both have the same widths, the widest of all that a browser may have for the family.
WIDEST = "DejaVu Sans, Verdana"

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
#: The cockpit's knobs end at 64 workers, and its load has a timeout of half a second.
OUT_OF_REACH = ("large", "no limit, slow")
DRAWN = """count => count === [...document.querySelectorAll(".js-plotly-plot")].filter(
  plot => plot.querySelector(".main-svg .annotation-text")).length"""
#: Texts that are cut at either side, and pairs that stand in one another by more than the air
#: around letters.
COVERED = """plot => {
  const whole = [...plot.querySelectorAll(".main-svg text")].filter(text => text.textContent);
  const frame = plot.querySelector(".main-svg").getBoundingClientRect();
  const lines = whole.flatMap(text => {
    const spans = [...text.querySelectorAll(":scope > tspan.line")];
    return (spans.length ? spans : [text]).map(at => [at.textContent, at.getBoundingClientRect()]);
  });
  const pairs = lines.filter(([, box]) => box.left < frame.left - 0.5 ||
    box.right > frame.right + 0.5).map(([text]) => `${text}: cut`);
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
    names: list[str] = []
    parts: list[str] = []
    for name, run in RUNS.items():
        if form is COCKPIT and name in OUT_OF_REACH:
            continue
        busy = run.marked((1.0, "payment 40 → 400 ms"), (1.4, "queue 8 → 60"), (9.7, "workers 8"))
        figure = picture(busy, tuple(form.rows), form=form).update_layout(font_family=WIDEST)
        names.append(name)
        parts.append(pio.to_html(figure, full_html=False, include_plotlyjs=not parts))
    path = tmp_path / "figures.html"
    path.write_text("<!doctype html><meta charset='utf-8'>" + "".join(parts), encoding="utf-8")
    page.goto(path.as_uri())
    plots = page.locator(".js-plotly-plot")
    page.wait_for_function(DRAWN, arg=len(parts))
    told = {name: plots.nth(n).evaluate(COVERED) for n, name in enumerate(names)}
    assert told == {name: [] for name in names}


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
