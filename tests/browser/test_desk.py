"""The learner's desk in JupyterLab: small screens, dark themes, a page loaded again."""

from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest

from tests.browser.test_live_demo import recall_calibration
from tests.support.browser import Browser, Notebook, Page, expect, shoot
from tests.support.jupyter import Workshop
from tests.support.legible import (
    PALE,
    SCREENS,
    STILL,
    faults_in,
    faults_in_cells,
    wear,
    widest_letters,
)
from tests.support.notebooks import write_notebook

pytestmark = [
    pytest.mark.browser,
    pytest.mark.load,
    pytest.mark.slow,
    pytest.mark.long,
    pytest.mark.timeout(400),
]

CELLS = (
    "from bpdemo.lab import *\nfrom bpdemo.flow.queue import BoundedQueue\n"
    "office = serve(workers=8, queue_capacity=8)",
    "cockpit(office, seconds=3)",
    "run = load(office, times=2, seconds=2)\nrun",
    "predict('01a')",
    "reveal('01a', run)",
    "side_by_side(run, simulate({'queue_capacity': -1}, times=2, seconds=10))",
    "fate_bars({'a rather long name': run, 'b': run}, waits=True)",
    "office",
    "check('01a', lambda waiting, job, capacity: True)",
    "def try_put(waiting, job, capacity):\n"
    "    if len(waiting) < capacity:\n        waiting.append(job)\n        return True\n"
    "    return False\n\ncheck('01a', try_put)",
    "hint('01a')",
    "progress()",
    "show(BoundedQueue.try_put)",
    "size(workers=8, service_s=0.04, deadline_s=0.5)",
    "animate(Settings.unprotected(), times=2, retries=1, name='no bound')",
    "load(office, second=3)",
)
#: Everything that the lab shows, each in a cell of its own; a learner's slip is the last.
COCKPIT, FORM, TWO, ANIMATED = 1, 3, 5, -2
#: Whether the cell's outputs are drawn, and have the room they are given.
DRAWN = """place => {
  const node = jupyterapp.shell.currentWidget.content.widgets[place].node;
  return node.querySelector(".main-svg text") !== null;
}"""
#: Of a stored picture: from where to where it goes, its height, what that should be, and its room.
STORED = """place => {
  const node = jupyterapp.shell.currentWidget.content.widgets[place].node;
  const image = node.querySelector("img.plot-img");
  const box = image.getBoundingClientRect();
  const room = node.querySelector(".jp-OutputArea-child").getBoundingClientRect();
  const wanted = box.width * image.naturalHeight / image.naturalWidth;
  return [box.left, box.right, box.height, wanted, [room.left, room.right]];
}"""
#: Whether a cell has run since it had that count, and has its output.
RAN_AGAIN = """([place, before]) => {
  const cell = jupyterapp.shell.currentWidget.content.widgets[place];
  return cell.model.executionCount > before && cell.node.querySelector(".bp-requests input");
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
#: The cockpit's sliders and menus that are not wholly in view.
OUT_OF_VIEW = """() => [...document.querySelectorAll(
  ".bp-cockpit :is(.widget-slider, select, button)")]
  .filter(at => {
    const box = at.getBoundingClientRect();
    const view = at.closest(".jp-WindowedPanel-outer").getBoundingClientRect();
    return box.top < view.top - 1 || box.bottom > view.bottom + 1 || box.right > view.right + 1;
  }).map(at => at.textContent)"""


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


@pytest.mark.parametrize("letters", ["usual", "widest"])
@pytest.mark.parametrize("screen", SCREENS)
def test_no_text_is_cut_or_covered(desk: Notebook, screen: str, letters: str) -> None:
    """With the side bar open, in whatever the lab shows: pictures of real runs, the cockpit, forms,
    verdicts, tables, code."""
    desk.page.set_viewport_size(SCREENS[screen])
    drawn(desk, COCKPIT)
    with widest_letters(desk.page) if letters == "widest" else nullcontext():
        found = faults_in_cells(desk)
        desk.show(COCKPIT)
        shoot(desk.page, f"desk-{screen}-{letters}")
    assert found == {}


@pytest.mark.parametrize("screen", SCREENS)
def test_all_of_the_cockpits_hands_are_in_view(desk: Notebook, screen: str) -> None:
    """Every slider, both menus and the button at once, without scrolling between them."""
    desk.page.set_viewport_size(SCREENS[screen])
    page = drawn(desk, COCKPIT)
    desk.cell(COCKPIT).evaluate(STILL)
    assert page.evaluate(OUT_OF_VIEW) == []
    expect(page.get_by_role("button", name="Start the load")).to_be_in_viewport(ratio=1)


def test_single_requests_obey_the_keyboard_and_are_there_once(desk: Notebook) -> None:
    """In a notebook the space bar starts and pauses them, an arrow key moves their time and not
    the notebook; a cell that ran again shows one animation."""
    page, place = desk.page, len(CELLS) + ANIMATED
    page.set_viewport_size(SCREENS["1440x900"])
    desk.show(place)
    [before] = [cell.count or 0 for cell in desk.cells() if cell.place == place]
    page.evaluate("() => jupyterapp.commands.execute('notebook:run-cell')")
    page.wait_for_function(RAN_AGAIN, arg=[place, before])
    shown = desk.cell(place).locator(".bp-requests")
    expect(shown).to_have_count(1)
    expect(shown.get_by_role("img")).to_be_in_viewport(ratio=1)
    button, slider = shown.get_by_role("button").first, shown.get_by_role("slider")
    button.focus()
    page.keyboard.press("Space")
    expect(button).to_have_text("Pause")
    page.keyboard.press("Space")
    expect(button).to_have_text("Play")
    slider.focus()
    for key in ("End", "ArrowLeft", "ArrowUp"):
        was = slider.input_value()
        page.keyboard.press(key)
        expect(slider).to_be_focused()
        assert slider.input_value() != was
    shoot(page, "desk-requests")


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Dark High Contrast"])
def test_everything_can_be_read_in_a_dark_theme(desk: Notebook, theme: str) -> None:
    """Labels, boxes, replies, verdicts and tables have the contrast that WCAG asks for; pictures
    take the ground. While a load runs, too."""
    page = desk.page
    page.set_viewport_size(SCREENS["1280x720"])
    wear(page, theme)
    found = faults_in_cells(desk)
    drawn(desk, COCKPIT)
    page.get_by_role("button", name="Start the load").click()
    stop = page.get_by_role("button", name="Stop the load")
    expect(stop).to_be_visible()
    if running := desk.cell(COCKPIT).evaluate(PALE):
        found[-1] = running
    shoot(page, f"desk-{theme}-running")
    stop.click()
    expect(page.get_by_role("button", name="Start the load")).to_be_visible(timeout=30_000)
    wear(page, "JupyterLab Light")
    assert found == {}


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


def test_a_picture_that_was_stored_fits_into_its_cell(desk: Notebook) -> None:
    """An image of it stands there when the page is loaded again, as high as it should be."""
    page = desk.page
    page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    page.reload()
    Notebook(page).open(page.url)
    desk.show(TWO)
    expect(desk.cell(TWO).locator("img.plot-img")).to_be_visible()
    for width, height in ((1440, 900), (1280, 720), (960, 600)):
        page.set_viewport_size({"width": width, "height": height})
        desk.show(TWO)
        page.wait_for_function(f"place => ({STORED})(place)[1] < {width}", arg=TWO)
        left, right, high, wanted, room = page.evaluate(STORED, TWO)
        assert right - left > 400
        assert (left >= room[0] - 1, right <= room[1] + 1) == (True, True)
        assert high == pytest.approx(wanted, abs=1.5)


@pytest.mark.parametrize("place", [COCKPIT, FORM], ids=["cockpit", "form"])
def test_a_button_that_nobody_hears_says_so(desk: Notebook, workshop: Workshop, place: int) -> None:
    """While the kernel hangs: the line comes, and goes with the kernel's answer."""
    page = drawn(desk, COCKPIT)
    desk.show(place)
    unheard = desk.cell(place).locator(".bp-unheard")
    hand = desk.cell(place).locator("button").first
    (kernel,) = workshop.family.named("ipykernel")
    expect(unheard).to_be_hidden()
    kernel.suspend()
    try:
        hand.click()
        expect(unheard).to_be_in_viewport(ratio=1, timeout=15_000)
        shoot(page, f"desk-unheard-{place}")
    finally:
        kernel.resume()
    expect(unheard).to_be_hidden(timeout=30_000)


@pytest.mark.parametrize("end", ["restart", "kill"])
def test_a_button_whose_kernel_has_ended_says_so(
    desk: Notebook, workshop: Workshop, end: str
) -> None:
    """Restarted by its learner, or gone by itself: the page looks as before, and a press is told
    what to do; once the cells have run again it acts."""
    page = drawn(desk, COCKPIT)
    if end == "restart":
        page.evaluate(
            "() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
        )
    else:
        (kernel,) = workshop.family.named("ipykernel")
        kernel.kill()
        page.locator(".jp-Dialog .jp-mod-accept").click(timeout=30_000)  # that it has died
    unheard = desk.cell(COCKPIT).locator(".bp-unheard")
    page.get_by_role("button", name="Start the load").click()
    expect(unheard).to_be_in_viewport(ratio=1, timeout=15_000)
    expect(unheard).to_contain_text("run the notebook's cells again")
    assert faults_in(desk.cell(COCKPIT)) == []
    shoot(page, f"desk-dead-{end}")
    desk.run_all(within_s=90)
    drawn(desk, COCKPIT)
    start = page.get_by_role("button", name="Start the load")
    start.click()
    expect(page.get_by_role("button", name="Stop the load")).to_be_visible()
    expect(start).to_be_visible(timeout=30_000)
