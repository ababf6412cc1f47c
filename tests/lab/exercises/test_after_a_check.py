"""Where a verdict says that the answer stands, and what to do next."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest

from bpdemo.lab.exercises.answer_file import SESSION, VS_CODE, file_of
from bpdemo.lab.exercises.catalogue import EXERCISES
from bpdemo.lab.exercises.comparison import NEXT, with_production
from bpdemo.lab.exercises.next_step import next_step
from bpdemo.lab.exercises.verdict import FILE, State, Verdict
from bpdemo.lab.lessons.shared.course import COURSE

STATES: list[State] = ["passed", "not yet", "not tried", "could not judge"]


def add(a: int, b: int) -> int:
    return a + b


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(SESSION, raising=False)
    monkeypatch.delitem(sys.modules["__main__"].__dict__, VS_CODE, raising=False)
    (tmp_path / "shop.py").write_text("app = None\n")
    (tmp_path / "02.ipynb").write_text("{}")


@pytest.mark.parametrize(
    "answer",
    [Path("shop.py"), "shop.py", {"crowd": Path("shop.py"), "capacity_per_s": 66}],
    ids=["a path", "its text", "in a dict"],
)
def test_an_answer_that_names_a_file(answer: Any, tmp_path: Path) -> None:
    """That file it is, and not the notebook: the learner edits it elsewhere."""
    assert file_of(answer) == str(tmp_path / "shop.py")


@pytest.mark.parametrize("answer", [add, {"because": "c", "queue_capacity": 8}, ["retry"], ...])
@pytest.mark.parametrize("front_end", ["Jupyter", "VS Code"])
def test_any_other_answer_stands_in_the_notebook(
    answer: Any, front_end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the front end calls it."""
    notebook = str(tmp_path / "02.ipynb")
    if front_end == "Jupyter":
        monkeypatch.setenv(SESSION, notebook)
    else:
        monkeypatch.setitem(sys.modules["__main__"].__dict__, VS_CODE, notebook)
    assert file_of(answer) == notebook


@pytest.mark.parametrize("told", ["", "02.ipynb", "/renamed/since.ipynb", "console-1"])
def test_no_path_is_made_up(told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A console has no notebook, and one that was renamed is not where it was."""
    monkeypatch.setenv(SESSION, told)
    assert file_of(add) == ""
    assert file_of(Path("gone.py")) == ""


@pytest.mark.parametrize("state", STATES)
def test_the_verdict_says_where_whatever_it_says(state: State) -> None:
    """In a terminal and in a notebook, where a path is code and not mark-up."""
    verdict = Verdict("01a", "A title", state, (("Seen", "so much."),), file="/home/a<b/01.ipynb")
    assert str(verdict).splitlines()[-1] == f"  {FILE}: /home/a<b/01.ipynb"
    assert "<code>/home/a&lt;b/01.ipynb</code>" in verdict._repr_html_()
    assert FILE not in str(Verdict("01a", "A title", state, (("Seen", "so much."),)))


@pytest.mark.parametrize("name", sorted(EXERCISES))
def test_after_a_pass_there_is_a_next_step(name: str) -> None:
    """The next exercise of the lesson with its minutes, and the next lesson; both exist."""
    told = next_step(name)
    more = re.match(r"(\d\d\w), (.+), takes about (\d+) minutes[;.]", told)
    lesson = re.search(r"go on with lesson (\d\d), (.+)\.$", told)
    if name[:2] == max(lesson.number for lesson in COURSE):  # the course ends here
        assert lesson is None
        assert more or told.endswith("well done.")
    else:
        assert lesson is not None
        assert (lesson[1], lesson[2]) in {(each.number, each.title) for each in COURSE}
        assert int(lesson[1]) == int(name[:2]) + 1
    if more is None:
        assert told.startswith("that was the last exercise")
        assert not [other for other in EXERCISES if other[:2] == name[:2] and other > name]
    else:
        following = EXERCISES[more[1]]
        assert more[1] > name
        assert (more[2], int(more[3])) == (following.title, following.minutes)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", sorted(EXERCISES))
def test_only_a_pass_has_a_next_step(name: str, state: State) -> None:
    """Before that, the next step is where to look."""
    verdict = Verdict(name, EXERCISES[name].title, state, (("Seen", "so much."),))
    labels = [label for label, _ in with_production(verdict, lambda: "").says]
    assert (NEXT in labels) == (state == "passed")
