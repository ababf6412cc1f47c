"""When a lesson is run for the site, and what becomes of one that cannot be."""

import shutil
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

from tests.support.notebooks import write_notebook
from website import lessons
from website.lessons import LessonFailed, key_of, ran_of, run_all


@pytest.fixture
def lesson(tmp_path: Path) -> Path:
    path = tmp_path / "99_a_lesson.ipynb"
    write_notebook(path, "1 + 1")
    return path


class Kernel:
    """Runs notebooks as told: each time the next of `errors` is raised, where it is none."""

    def __init__(self, *errors: str) -> None:
        self.errors = list(errors)
        self.runs = 0

    def __call__(self, path: Path, profile: str, folder: Path) -> Any:
        self.runs += 1
        if self.errors and (error := self.errors.pop(0)):
            raise CellExecutionError("", error, "what it said")
        return nbformat.read(path, as_version=4)


def told_of(*errors: str) -> Kernel:
    return Kernel(*errors)


def test_a_busy_machine_is_given_one_more_try(monkeypatch, lesson, tmp_path):
    """What was not measured is run again; twice is the end."""
    monkeypatch.setattr(lessons, "executed", once := told_of("NotMeasured"))
    run_all([lesson], "short", tmp_path / "kept", print)
    assert once.runs == 2
    monkeypatch.setattr(lessons, "executed", twice := told_of("NotMeasured", "NotMeasured"))
    with pytest.raises(LessonFailed, match=r"99_a_lesson\.ipynb: NotMeasured: what it said"):
        run_all([lesson], "short", tmp_path / "kept", print, fresh=True)
    assert twice.runs == 2


@pytest.mark.parametrize("error", ["ClaimFailed", "NameError"])
def test_any_other_error_is_one_at_once(monkeypatch, lesson, tmp_path, error):
    """A claim that fails on a machine that was quiet has failed, and nothing is kept."""
    monkeypatch.setattr(lessons, "executed", kernel := told_of(error))
    with pytest.raises(LessonFailed, match=error):
        run_all([lesson], "short", tmp_path / "kept", print)
    assert kernel.runs == 1
    assert not list((tmp_path / "kept").glob("*.ipynb"))


def test_what_was_run_is_kept_until_something_changes(monkeypatch, lesson, tmp_path):
    """The profile, a cell, or code that it may run; `fresh` runs it all the same."""
    monkeypatch.setattr(lessons, "executed", kernel := told_of())
    kept = tmp_path / "kept"
    run_all([lesson], "short", kept, print)
    run_all([lesson], "short", kept, print)
    assert kernel.runs == 1
    ran = ran_of(kept / lesson.name)
    assert ran["profile"] == "short"
    assert ran["machine"]
    assert ran["date"]
    assert ran["commit"]
    run_all([lesson], "short", kept, print, fresh=True)
    assert kernel.runs == 2
    write_notebook(lesson, "1 + 2")
    run_all([lesson], "short", kept, print)
    assert kernel.runs == 3


def test_a_key_changes_with_the_code_that_a_lesson_may_run(monkeypatch, lesson, tmp_path):
    """A file of the package is enough, and so is the profile."""
    shutil.copy(lessons.ROOT / "requirements.txt", tmp_path)
    package = tmp_path / "bpdemo"
    package.mkdir()
    (package / "one.py").write_text("x = 1")
    monkeypatch.setattr(lessons, "ROOT", tmp_path)
    before = key_of(lesson, "full")
    assert key_of(lesson, "short") != before
    (package / "one.py").write_text("x = 2")
    assert key_of(lesson, "full") != before


def test_outside_of_git_the_commit_is_unknown(monkeypatch):
    """As in a copy of the project that was unpacked from an archive."""
    monkeypatch.setattr("subprocess.run", lambda *_, **__: no_git())
    assert lessons.commit() == "unknown"


def no_git():
    raise FileNotFoundError("git")
