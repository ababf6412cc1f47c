"""The lessons in JupyterLab in a real browser, started by `lab.py` as `make lab` starts it."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bpdemo.lab.predictions.questions.catalogue import QUESTIONS
from bpdemo.lab.predictions.questions.question import Question
from bpdemo.results.validity import NotMeasured
from tests.support.browser import SCREEN, Journal, Notebook, Page, expect, shoot
from tests.support.jupyter import Workshop
from tests.support.legible import SCREENS, faults_at_once, wear
from tests.support.measured import until_measured
from tests.support.notebooks import write_notebook

pytestmark = [pytest.mark.browser, pytest.mark.load, pytest.mark.slow, pytest.mark.timeout(1200)]

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
#: All of them take a quarter of an hour: BPDEMO_LESSONS=all, or some: BPDEMO_LESSONS="03 06".
CHOSEN = os.environ.get("BPDEMO_LESSONS", "00 02").split()
LESSONS = sorted(
    path.stem
    for path in NOTEBOOKS.glob("[01]?_*.ipynb")
    if CHOSEN == ["all"] or path.stem[:2] in CHOSEN
)
#: Half a minute on an idle laptop; a busy machine has ten times as long before it stands still.
RUN_S = 300
#: In these Run All comes twice, in one kernel; a second time takes as long as the first.
TWICE = ("00", "02")
#: To change the theme takes longest: the other lessons are seen in one of them.
DARK = ("JupyterLab Dark", "JupyterLab Dark High Contrast")
#: A word with stress, as a question is written.
STRESSED = re.compile(r"\*([^*]+)\*")
#: The smallest picture that a person can read, in pixels.
LEAST_WIDTH, LEAST_HEIGHT = 600, 150
BUSY = NotMeasured.__name__
#: Two runs that take no time, in every arrangement of the picture.
ALL_PICTURES = """
from bpdemo.lab import side_by_side, simulate
a, b = (simulate({"queue_capacity": room}, times=2, seconds=10) for room in (-1, 8))
""", "a.figure()", "side_by_side(a, b)"  # fmt: skip


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    started = Workshop(tmp_path_factory.mktemp("workshop")).lay_out()
    try:
        started.start()
        yield started
    finally:
        assert started.stop() == 0


def run_all(notebook: Notebook) -> None:
    """Every cell, without an error; again if the machine was busy, as `make notebooks` does."""

    def attempt() -> None:
        notebook.run_all(within_s=RUN_S)
        errors = {cell.place: cell.error for cell in notebook.cells() if cell.error}
        if busy := [error for error in errors.values() if BUSY in error]:
            raise NotMeasured(busy)
        assert not errors

    until_measured(attempt)


def check_pictures(notebook: Notebook, name: str) -> int:
    """Each figure is drawn, with its lines and areas, and large enough to read; how many."""
    places = [cell.place for cell in notebook.cells() if cell.is_picture]
    for place in places:
        picture = notebook.picture(place)
        shoot(notebook.page, f"{name}-cell-{place:02}")
        assert picture.traces > 0, (place, picture)
        assert picture.width >= LEAST_WIDTH, (place, picture)
        assert picture.height >= LEAST_HEIGHT, (place, picture)
    return len(places)


def faults_on_every_screen(notebook: Notebook, themes: tuple[str, ...]) -> dict[str, Any]:
    """What a lesson's real runs leave cut, covered or pale: on laptops' screens with the side bar
    open, and in the dark. The test of the desk has the widest letters besides."""
    page, found = notebook.page, {}
    for name, size in SCREENS.items():
        page.set_viewport_size(size)
        found[name] = faults_at_once(notebook)
    page.set_viewport_size(SCREEN)
    for theme in themes:
        wear(page, theme)
        found[theme] = faults_at_once(notebook)
    wear(page, "JupyterLab Light")
    return {name: faults for name, faults in found.items() if faults}


def questions_of(notebook: Notebook, lesson: str) -> dict[int, Question]:
    """By the place of the cell that asks them."""
    asked = [question for key, question in QUESTIONS.items() if key.startswith(lesson[:2])]
    places = [cell.place for cell in notebook.cells() if cell.is_form]
    return dict(zip(places, asked, strict=True))


def predict(notebook: Notebook, place: int, question: Question) -> None:
    """Find a radio button for each answer, and take the first."""
    form = notebook.form(place)
    expect(form.get_by_text(STRESSED.sub(r"\1", question.text))).to_be_visible()
    radios = form.locator("input[type=radio]")
    expect(radios).to_have_count(len(question.choices))
    for radio in radios.all():
        expect(radio).to_be_visible()
    radios.first.check()
    expect(form.get_by_text("Kept.")).to_be_visible()


def check_revealed(notebook: Notebook, place: int, question: Question) -> None:
    """The radio button is still pressed, and below the run stands what was said, and a reply."""
    form = notebook.form(place)
    expect(form.locator("input[type=radio]").first).to_be_checked()
    choice = form.locator("label", has=form.page.locator("input[type=radio]")).first.inner_text()
    told = notebook.page.locator(".jp-RenderedHTML", has_text="You said").filter(has_text=choice)
    notebook.show(place + 1)
    expect(told.first).to_be_visible()
    expect(told.first).to_contain_text("Measured:")
    assert ("Not quite." in told.first.inner_text()) == (choice != question.right)


@pytest.mark.long
@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_runs_to_its_end(
    lesson: str, workshop: Workshop, page: Page, journal: Journal
) -> None:
    """Run All, in some twice: no error, no dialog, all pictures, and all of it can be read;
    predictions are answered."""
    # Beside it no lesson of before, saved with widgets whose kernel is gone.
    notebook = Notebook(page).open(f"{workshop.address_of(lesson)}&reset")
    run_all(notebook)
    notebook.expect_nothing_in_the_way()
    drawn = check_pictures(notebook, f"{lesson}-first")
    assert drawn > 0
    for place, question in questions_of(notebook, lesson).items():
        predict(notebook, place, question)
        shoot(page, f"{lesson}-first-form-{place:02}")
    if asked := questions_of(notebook, lesson):
        kept = json.loads((workshop.home / "predictions.json").read_text(encoding="utf-8"))
        assert sum(name.startswith(lesson[:2]) for name in kept) == len(asked)

    themes = DARK if lesson.startswith(TWICE) else (DARK[int(lesson[:2]) % 2],)
    assert faults_on_every_screen(notebook, themes) == {}

    if lesson.startswith(TWICE):
        run_all(notebook)
        notebook.expect_nothing_in_the_way()
        assert check_pictures(notebook, f"{lesson}-second") == drawn
        for place, question in questions_of(notebook, lesson).items():
            check_revealed(notebook, place, question)
            shoot(page, f"{lesson}-second-reveal-{place:02}")
    notebook.shut_down()
    assert journal.errors == []
    assert journal.other_hosts == set()


@pytest.mark.light
def test_no_picture_is_cut_off(workshop: Workshop, page: Page) -> None:
    """On a laptop's screen, with the file browser open, the right edge of a picture is in view."""
    write_notebook(workshop.folder / "notebooks" / "pictures.ipynb", *ALL_PICTURES)
    notebook = Notebook(page).open(workshop.address_of("pictures"))
    run_all(notebook)
    cut = {
        cell.place: picture.hidden_right
        for cell in notebook.cells()
        if cell.is_picture and (picture := notebook.picture(cell.place)).hidden_right
    }
    notebook.shut_down()
    assert cut == {}


@pytest.mark.light
def test_the_page_that_opens_is_lesson_00(workshop: Workshop, page: Page) -> None:
    """The address that `lab.py` prints opens the first lesson; without its token nothing opens."""
    Notebook(page).open(workshop.address)
    expect(page.get_by_role("heading", name="00 · Start here")).to_be_visible()
    contents = workshop.address.split("/lab")[0] + "/api/contents"
    assert page.request.get(contents).status == 200
    page.context.clear_cookies()
    assert page.request.get(contents).status == 403
