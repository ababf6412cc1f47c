"""The exercises in JupyterLab: checked unsolved, misspelt, wrong and right."""

import shutil
from collections.abc import Iterator

import pytest

from tests.support.browser import Browser, Notebook, expect, shoot
from tests.support.jupyter import ROOT, Workshop
from tests.support.legible import SCREENS, faults_at_once, wear
from tests.support.notebooks import write_notebook

pytestmark = [pytest.mark.browser, pytest.mark.light, pytest.mark.timeout(240)]

#: The answer that was not written, four that are wrong in ways of their own, and one that does it.
ANSWERS = {
    "unsolved": ("raise NotImplementedError", "There is no answer yet"),
    "misspelt": ("waiting.appendd(job)\n    return True", "appendd"),
    "wrong": ("waiting.append(job)\n    return True", "Expected"),
    "nothing": ("pass", "There is no answer yet"),
    "right": (
        "if len(waiting) < capacity:\n        waiting.append(job)\n        return True\n"
        "    return False",
        "Passed",
    ),
}
CELLS = [
    "from bpdemo.lab import check, hint, progress",
    *(
        f"def try_put(waiting, job, capacity):\n    {body}\n\ncheck('01a', try_put)"
        for body, _ in ANSWERS.values()
    ),
    "hint('01a')",
    "progress()",
    "check('01a')",
]
#: Texts with marks in them that were meant to become code; those of code itself may have some.
RAW = """root => {
  const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT), found = [];
  while (walk.nextNode())
    if (walk.currentNode.data.includes("`") && !walk.currentNode.parentElement.closest("pre"))
      found.push(walk.currentNode.data);
  return found;
}"""
#: What stands below a cell that its learner reads, without the picture of a prompt.
OUTPUT = ".jp-Cell-outputArea"


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    started = Workshop(tmp_path_factory.mktemp("workshop")).lay_out()
    shutil.copytree(ROOT / "exercises", started.folder / "exercises")
    write_notebook(started.folder / "notebooks" / "answers.ipynb", *CELLS)
    try:
        started.start()
        yield started
    finally:
        assert started.stop() == 0


@pytest.fixture(scope="module")
def answered(workshop: Workshop, browser: Browser) -> Iterator[Notebook]:
    """All answers checked; the last cell forgets to give one."""
    with browser.new_context(viewport=SCREENS["1440x900"]) as context:
        notebook = Notebook(context.new_page()).open(workshop.address_of("answers"))
        notebook.run_all(within_s=120)
        yield notebook


@pytest.mark.parametrize("answer", ANSWERS)
def test_each_answer_is_told_what_it_is(answered: Notebook, answer: str) -> None:
    """In words, and by no traceback; a name that is misspelt inside is quoted."""
    place = 1 + list(ANSWERS).index(answer)
    answered.show(place)
    said = answered.cell(place).locator(OUTPUT)
    expect(said).to_contain_text(ANSWERS[answer][1])
    expect(said).not_to_contain_text("Traceback")
    assert said.evaluate(RAW) == []
    shoot(answered.page, f"exercise-{answer}")


def test_a_check_without_an_answer_names_what_is_missing(answered: Notebook) -> None:
    """In a box, with the call that was meant."""
    answered.show(len(CELLS) - 1)
    said = answered.cell(len(CELLS) - 1).locator(OUTPUT)
    expect(said).to_contain_text("check takes your answer as well: check('01a', try_put)")
    shoot(answered.page, "exercise-missing")


def test_verdicts_can_be_read_on_every_screen_and_in_every_theme(answered: Notebook) -> None:
    """Nothing of them is cut, covered or pale."""
    page, found = answered.page, {}
    for name, size in SCREENS.items():
        page.set_viewport_size(size)
        found[name] = faults_at_once(answered)
    page.set_viewport_size(SCREENS["1280x720"])
    for theme in ("JupyterLab Dark", "JupyterLab Dark High Contrast"):
        wear(page, theme)
        found[theme] = faults_at_once(answered)
        answered.show(3)
        shoot(page, f"exercise-{theme}")
    wear(page, "JupyterLab Light")
    assert {name: faults for name, faults in found.items() if faults} == {}


def test_an_exercise_that_nobody_has_begun_runs_to_its_end(
    workshop: Workshop, answered: Notebook
) -> None:
    """Run All: every check says that there is no answer yet, none stops the rest; and the tab's
    name is not that of the lesson."""
    page = answered.page
    address = workshop.address.replace(
        "notebooks/00_start_here.ipynb", "exercises/01_exercises.ipynb"
    )
    notebook = Notebook(page).open(address)
    notebook.run_all(within_s=60)
    assert [cell.error for cell in notebook.cells() if cell.error] == []
    expect(page.locator(".lm-TabBar-tab.jp-mod-current")).to_contain_text("01_exercises")
    assert faults_at_once(notebook) == {}
    notebook.show(6)
    shoot(page, "exercise-untouched")
