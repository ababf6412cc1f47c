"""`bpdemo check` from a terminal, in a course folder anywhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bpdemo.cli.exercise_commands import run_check
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
