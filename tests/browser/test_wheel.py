"""The course out of the wheel: installed where nothing of ours is, and opened in a browser."""

from pathlib import Path

import pytest

from bpdemo.results.validity import NotMeasured
from tests.support.browser import Journal, Notebook, Page, expect
from tests.support.built_wheel import installed, plain_environment, wheel_from_sdist, wheelhouse
from tests.support.jupyter import Workshop
from tests.support.measured import until_measured

# Not marked `browser`: with no network it is skipped, wherever browsers are required.
pytestmark = [pytest.mark.load, pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(1200)]
pytest.importorskip("playwright")

RUN_S = 300


def test_lesson_00_runs_from_a_wheel_that_was_installed_without_a_network(
    tmp_path: Path, page: Page, journal: Journal
) -> None:
    """From the sdist a wheel, from wheels on disk a fresh environment, from `bpdemo lab` a folder
    with the course, in it lesson 00: every cell runs, with all pictures, and nothing is asked of
    any other machine."""
    folders = [tmp_path / name for name in ("built", "wheels", "work")]
    built, wheels, work = folders
    for folder in folders:
        folder.mkdir()
    programs = installed(
        wheel_from_sdist(built), "lab", wheelhouse(wheels), tmp_path / "environment"
    )
    workshop = Workshop(work)
    environment = plain_environment() | {"HOME": str(tmp_path / "home")}
    (tmp_path / "home").mkdir()
    try:
        workshop.start_as(
            [str(programs / "bpdemo"), "lab", "course"],
            work / "course" / ".jupyter" / "config",
            environment,
        )
        notebook = Notebook(page).open(workshop.address)
        expect(page.get_by_role("heading", name="00 · Start here")).to_be_visible()
        until_measured(lambda: run_all(notebook))
        assert [cell.place for cell in notebook.cells() if cell.is_picture]
        for cell in notebook.cells():
            if cell.is_picture:
                assert notebook.picture(cell.place).traces > 0
        notebook.shut_down()
    finally:
        code = workshop.stop()
    assert code == 0
    laid = {path.name for path in (work / "course").glob("*/*.ipynb")}
    assert {"00_start_here.ipynb", "01_exercises.ipynb"} <= laid
    assert journal.errors == []
    assert journal.other_hosts == set()


def run_all(notebook: Notebook) -> None:
    notebook.run_all(within_s=RUN_S)
    errors = [cell.error for cell in notebook.cells() if cell.error]
    if any(NotMeasured.__name__ in error for error in errors):
        raise NotMeasured(errors)
    assert errors == []
