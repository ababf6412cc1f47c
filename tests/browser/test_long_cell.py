"""A cell that takes its time, as one sees it in JupyterLab."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.browser import Notebook, Page, expect, shoot
from tests.support.jupyter import Workshop
from tests.support.legible import faults_in
from tests.support.notebooks import write_notebook

pytestmark = [pytest.mark.browser, pytest.mark.light, pytest.mark.timeout(120)]

#: It ends once that file is there.
WAITS = "import pathlib\nwhile not pathlib.Path('over').exists():\n    pass"
#: A kernel that is at work may take longer to end than a test can wait.
IDLE = "() => jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'"
CELLS = (f"from bpdemo.lab import simulate\n{WAITS}", "'the end'")


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    started = Workshop(tmp_path).lay_out()
    write_notebook(started.folder / "notebooks" / "long.ipynb", *CELLS)
    try:
        started.start()
        yield started
    finally:
        (tmp_path / "notebooks" / "over").touch()
        assert started.stop() == 0


def test_a_long_cell_says_how_long_it_runs(workshop: Workshop, page: Page) -> None:
    """Below it, in letters that can be read; as it ends the line is gone, and leaves no gap."""
    notebook = Notebook(page).open(workshop.address_of("long"))
    page.evaluate("() => { jupyterapp.commands.execute('notebook:run-all-cells'); }")
    notebook.show(0)
    line = notebook.cell(0).get_by_text("Running for")
    expect(line).to_be_in_viewport(ratio=1, timeout=30_000)
    assert faults_in(notebook.cell(0).locator(".jp-Cell-outputArea")) == []
    shoot(page, "long-cell")
    (workshop.folder / "notebooks" / "over").touch()
    expect(notebook.cell(1)).to_contain_text("'the end'", timeout=30_000)
    expect(line).to_have_count(0)
    expect(notebook.cell(0).locator(".jp-OutputArea-child").filter(visible=True)).to_have_count(0)


def test_a_page_that_is_left_meanwhile_says_so(workshop: Workshop, page: Page) -> None:
    """Loaded again, it shows no line that stands still: it tells what to do instead."""
    notebook = Notebook(page).open(workshop.address_of("long"))
    page.evaluate("() => { jupyterapp.commands.execute('notebook:run-all-cells'); }")
    notebook.show(0)
    expect(notebook.cell(0).get_by_text("Running for")).to_be_visible(timeout=30_000)
    page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    page.reload()
    told = page.get_by_text("The page was left while this cell ran.")
    expect(told).to_be_visible(timeout=30_000)
    expect(page.get_by_text("Running for")).to_have_count(0)
    shoot(page, "long-cell-left")
    (workshop.folder / "notebooks" / "over").touch()
    page.wait_for_function(IDLE, timeout=30_000)
