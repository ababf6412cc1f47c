"""`bpdemo check` from a terminal, in a course folder anywhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bpdemo.cli import score_commands
from bpdemo.cli.exercise_commands import run_check
from bpdemo.cli.score_commands import run_score
from bpdemo.lab.exercises.judging_process import judge_answer

TEAPOT = """
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        for word in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{word}.complete"})
        return
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})
"""
ANSWERS = {
    "as the task has it": "shop = shop_file()",
    "by its name alone": "shop = 'shop.py'",
}


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A course folder whose learner's shop is known by what it answers."""
    work = tmp_path / "course" / "my-work"
    (work / "deeper").mkdir(parents=True)
    (work / "shop.py").write_text(TEAPOT, "utf-8")
    return work.parent


def save_answer(course: Path, source: str) -> None:
    def cell(text: str, *tags: str) -> dict[str, object]:
        return {"cell_type": "code", "source": text, "metadata": {"tags": list(tags)}}

    imports = cell("from bpdemo.lab.lessons.shop_file import shop_file")
    notebook = {"cells": [imports, cell(source, "answer-09a")]}
    (course / "my-work" / "09.ipynb").write_text(json.dumps(notebook), "utf-8")


@pytest.mark.parametrize(
    ("answer", "here"),
    [
        ("as the task has it", "."),
        ("by its name alone", "."),
        ("as the task has it", "my-work/deeper"),
    ],
)
def test_the_learners_own_shop_is_judged(
    answer: str,
    here: str,
    course: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Their file, by the answer that only it gives, before any load; nothing is laid out anew."""
    save_answer(course, ANSWERS[answer])
    before = sorted(course.rglob("*.py"))
    monkeypatch.chdir(course / here)
    assert run_check("09a") == 1
    assert "418" in capsys.readouterr().out
    assert sorted(course.rglob("*.py")) == before


def test_a_file_named_in_a_notebook_is_that_beside_it(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`check("09a", "shop.py")`: judged in another process, looked up from the kernel's folder."""
    monkeypatch.chdir(course / "my-work")
    verdict = judge_answer("09a", "shop.py", lambda _: None)
    assert "418" in str(verdict)


def test_what_lies_in_the_learners_folder_is_not_what_the_judge_imports(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of theirs that is called as a module of Python's does not steer the judging."""
    for name in ("json", "pickle", "asyncio", "httpx"):
        (course / "my-work" / f"{name}.py").write_text("raise SystemExit('theirs')", "utf-8")
    monkeypatch.chdir(course / "my-work")
    verdict = judge_answer("09a", "no-such-file.py", lambda _: None)
    assert verdict.state == "not yet"
    assert "no-such-file.py" in str(verdict)


def test_without_a_folder_of_answers_it_is_told_what_makes_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And only then: where my-work/ is, the answer is what is missing."""
    monkeypatch.chdir(tmp_path)
    assert run_check("01a") == 1
    assert "`make lab`) makes it" in capsys.readouterr().err
    (tmp_path / "my-work").mkdir()
    assert run_check("01a") == 1
    assert "make lab" not in capsys.readouterr().err


def test_a_score_says_what_was_scored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The settings, and the notebook they are from, or that they were given."""
    monkeypatch.setattr(score_commands, "challenge", lambda _: _Scorer())
    assert run_score("Ada", "hi", {"queue_capacity": "8"}) == 0
    assert "Scored: queue_capacity=8 (from --set)" in capsys.readouterr().out
    notebook = tmp_path / "my-work" / "08.ipynb"
    notebook.parent.mkdir()
    cell = {
        "cell_type": "code",
        "source": "mine = {'workers': 4}",
        "metadata": {"tags": ["answer-08"]},
    }
    notebook.write_text(json.dumps({"cells": [cell]}), "utf-8")
    monkeypatch.chdir(tmp_path)
    assert run_score("Ada", "hi", {}) == 0
    assert f"Scored: workers=4 (from {notebook})" in capsys.readouterr().out


class _Scorer:
    total = 260

    def score(self, _: object) -> _Scorer:
        return self
