"""The learner's desk in JupyterLab: small screens, dark themes, a page loaded again."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.test_live_demo import recall_calibration
from tests.support.browser import Browser, Notebook, Page, expect, shoot
from tests.support.jupyter import Workshop
from tests.support.notebooks import write_notebook

pytestmark = [
    pytest.mark.browser,
    pytest.mark.load,
    pytest.mark.slow,
    pytest.mark.long,
    pytest.mark.timeout(180),
]

CELLS = (
    "from bpdemo.lab import cockpit, load, predict, reveal, serve\n"
    "office = serve(workers=8, queue_capacity=8)",
    "cockpit(office, seconds=3)",
    "run = load(office, times=2, seconds=2)\nrun",
    "predict('01a')",
    "reveal('01a', run)",
    "load(office, second=3)",
)
COCKPIT, RUN, FORM, REPLY = 1, 2, 3, 4
#: The last is a common laptop's at 150%: the page has two thirds of the pixels.
SCREENS = {"1280x720": (1280, 720), "1440x900": (1440, 900), "150%": (960, 600)}

#: Texts of a cell's outputs that are cut by an ancestor that hides what stands out of it, or by
#: the text's own box. What can be scrolled to is cut, too: nobody looks for it.
CUT = """place => {
  const node = jupyterapp.shell.currentWidget.content.widgets[place].node;
  const texts = [...node.querySelectorAll(
    ".jp-OutputArea-output .main-svg text, .bp-cockpit .widget-label, .bp-cockpit button," +
    " .bp-cockpit .widget-readout, .bp-cockpit [role=status]")];
  return texts.filter(text => text.textContent.trim()).flatMap(text => {
    const box = text.getBoundingClientRect();
    if (!box.width) return [];
    const own = text.clientWidth && !text.closest("svg") && text.scrollWidth > text.clientWidth + 1;
    for (let at = text.parentElement; at && node.contains(at); at = at.parentElement) {
      if (getComputedStyle(at).overflowX === "visible") continue;
      const edge = at.getBoundingClientRect();
      if (box.left < edge.left - 1.5 || box.right > edge.right + 1.5)
        return [`${text.textContent}: ${(edge.left - box.left).toFixed()}, ` +
          `${(box.right - edge.right).toFixed()} by ${at.className.baseVal ?? at.className}`];
    }
    return own ? [`${text.textContent}: in itself`] : [];
  });
}"""
#: Whether the cell's outputs are drawn, and have the room they are given.
DRAWN = """place => {
  const node = jupyterapp.shell.currentWidget.content.widgets[place].node;
  return node.querySelector(".main-svg text") !== null;
}"""
#: Axes and texts of the cockpit's picture, and how many points each line has.
STANDS = """() => {
  const plot = document.querySelector(".bp-cockpit .js-plotly-plot"), layout = plot._fullLayout;
  const axes = Object.keys(layout).filter(name => /^[xy]axis[0-9]*$/.test(name));
  return {
    axes: Object.fromEntries(axes.map(name => [name, layout[name].range])),
    texts: (layout.annotations ?? []).map(note => note.text),
    points: plot.data.map(trace => trace.x ? trace.x.length : 0),
  };
}"""
#: Texts with less contrast to what is behind them than the 4.5 of WCAG; pictures left on white.
PALE = """place => {
  const node = jupyterapp.shell.currentWidget.content.widgets[place].node;
  const rgba = colour => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = at => {
    for (; at; at = at.parentElement) {
      const found = rgba(getComputedStyle(at).backgroundColor);
      if (found.length < 4 || found[3] > 0.9) return found;
    }
    return [255, 255, 255];
  };
  const own = at => [...at.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
  const texts = [...node.querySelectorAll(".jp-OutputArea-output *")].filter(
    at => own(at) && !at.closest("svg, style, script, .bp-cockpit button, option") &&
      at.getBoundingClientRect().width);
  const told = texts.flatMap(at => {
    const [a, b] = [light(rgba(getComputedStyle(at).color)), light(behind(at))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    return ratio < 4.5 ? [`${at.textContent.slice(0, 40)}: ${ratio.toFixed(1)}`] : [];
  });
  const plots = [...node.querySelectorAll(".js-plotly-plot")].filter(
    plot => getComputedStyle(plot).filter === "none");
  return {texts: told, plots: plots.length};
}"""


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    started = Workshop(tmp_path_factory.mktemp("workshop")).lay_out()
    recall_calibration(started.home)
    write_notebook(started.folder / "notebooks" / "desk.ipynb", *CELLS)
    try:
        started.start()
        yield started
    finally:
        assert started.stop() == 0


@pytest.fixture(scope="module")
def desk(workshop: Workshop, browser: Browser) -> Iterator[Notebook]:
    """The notebook, run to its last cell, whose argument is misspelt."""
    with browser.new_context(viewport={"width": 1280, "height": 720}) as context:
        notebook = Notebook(context.new_page()).open(workshop.address_of("desk"))
        notebook.run_all(within_s=60)
        yield notebook


def drawn(notebook: Notebook, place: int) -> Page:
    notebook.show(place)
    notebook.page.wait_for_function(DRAWN, arg=place, timeout=15_000)
    return notebook.page


def wear(page: Page, theme: str) -> None:
    page.evaluate("theme => jupyterapp.commands.execute('apputils:change-theme', {theme})", theme)
    is_light = "false" if "Dark" in theme else "true"
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", is_light)


def test_no_text_is_cut_on_a_small_screen(desk: Notebook) -> None:
    """With the side bar open, in a real run's picture and in the cockpit: title, labels, axes, and
    each name and number of a slider; the button is in view."""
    found = {}
    for name, (width, height) in SCREENS.items():
        desk.page.set_viewport_size({"width": width, "height": height})
        for place in (COCKPIT, RUN):
            page = drawn(desk, place)
            page.wait_for_timeout(300)  # the page takes its new shape
            shoot(page, f"desk-{name}-{place}")
            if cut := page.evaluate(CUT, place):
                found[f"{name}, cell {place}"] = cut
        desk.show(COCKPIT)
        expect(page.get_by_role("button", name="Start the load")).to_be_in_viewport(ratio=1)
    assert found == {}


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Dark High Contrast"])
def test_everything_can_be_read_in_a_dark_theme(desk: Notebook, theme: str) -> None:
    """Labels, boxes and replies have the contrast that WCAG asks for; pictures take the ground."""
    desk.page.set_viewport_size({"width": 1280, "height": 720})
    wear(desk.page, theme)
    told = {}
    for place in (COCKPIT, RUN, FORM, REPLY):
        desk.show(place)
        desk.page.wait_for_timeout(200)
        told[place] = desk.page.evaluate(PALE, place)
        shoot(desk.page, f"desk-{theme}-{place}")
    wear(desk.page, "JupyterLab Light")
    assert told == {place: {"texts": [], "plots": 0} for place in told}


def test_a_page_loaded_again_shows_the_picture_as_it_stands(
    desk: Notebook, workshop: Workshop
) -> None:
    """Run, save, reload: the same axes, texts and lines; and the button still starts a load."""
    page = drawn(desk, COCKPIT)
    start = page.get_by_role("button", name="Start the load")
    start.click()
    expect(page.get_by_role("button", name="Stop the load")).to_be_visible()
    expect(start).to_be_visible(timeout=30_000)
    page.wait_for_timeout(500)
    before: dict[str, Any] = page.evaluate(STANDS)
    assert any(text.startswith("<b>capacity") for text in before["texts"])
    page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    page.reload()
    Notebook(page).open(page.url)
    drawn(desk, COCKPIT)
    assert page.evaluate(STANDS) == before
    page.get_by_role("button", name="Start the load").click()
    expect(page.get_by_role("button", name="Stop the load")).to_be_visible()
    assert "Unknown subshell" not in workshop.said
