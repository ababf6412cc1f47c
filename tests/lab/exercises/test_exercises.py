"""Every exercise of the course: it can be solved, it is not solved by a blank, and each usual
wrong answer is told what is wrong with it."""

import ast
import importlib.util
import json
import os
import re
import shutil
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from bpdemo.lab.exercises.catalogue import EXERCISES
from bpdemo.lab.exercises.replies import Told
from bpdemo.lab.exercises.trial import Trial
from bpdemo.lab.exercises.verdict import Verdict
from bpdemo.results.validity import NotMeasured
from tests.lab.exercises.wrong.table import WRONG
from tests.support.measured import until_measured

ROOT = Path(__file__).parents[3]
SOURCES = sorted((ROOT / "solutions").glob("*.ipynb"))
NAMES = sorted(EXERCISES)
#: These judges send a real load, which needs the machine to itself.
LIVE = {"09a"}
ON_ITS_OWN = [pytest.mark.load, pytest.mark.slow]
SOLVED = [pytest.param(name, marks=ON_ITS_OWN if name in LIVE else ()) for name in NAMES]
TRIED = [
    pytest.param(
        name, source, words, id=f"{name}-{number}", marks=ON_ITS_OWN if name in LIVE else ()
    )
    for name in NAMES
    for number, (source, words) in enumerate(WRONG[name].items(), start=1)
]

Cells = list[Any]


@cache
def cells_of(notebook: Path) -> Cells:
    return list(nbformat.read(notebook, as_version=4).cells)


def notebook_of(name: str, folder: str) -> Path:
    (notebook,) = (ROOT / folder).glob(f"{name[:2]}_*.ipynb")
    return notebook


def tags_of(cell: Any) -> list[str]:
    return list(cell.metadata.get("tags", []))


@cache
def verdicts_of(notebook: Path) -> dict[str, str]:
    """Run it all in one kernel: what each `check` said, by the name of the exercise."""
    played = nbformat.read(notebook, as_version=4)
    # A blank that is called in a cell of its own may raise; the verdicts are what counts here.
    NotebookClient(played, timeout=60, kernel_name="python3", allow_errors=True).execute()
    told = {}
    for cell in played.cells:
        for name in re.findall(r'^check\("(\w+)"', cell.source, re.MULTILINE):
            results = [out for out in cell.outputs if out.output_type == "execute_result"]
            told[name] = results[-1].data["text/plain"] if results else str(cell.outputs)
    return told


@pytest.fixture(autouse=True)
def own_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BPDEMO_HOME", str(tmp_path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))


@pytest.mark.parametrize("name", NAMES)
def test_an_exercise_left_alone_is_not_tried(name: str) -> None:
    """The notebook as it is handed out, run from end to end, passes nothing by accident."""
    told = verdicts_of(notebook_of(name, "exercises"))[name]
    assert told.startswith(f"○ {name} not tried: "), told


@pytest.mark.parametrize("name", SOLVED)
def test_the_solution_passes(name: str) -> None:
    """What we call the solution does what the exercise asks for."""

    def judged() -> str:
        told = verdicts_of(notebook_of(name, "solutions"))[name]
        if name in LIVE and told.startswith("?"):
            verdicts_of.cache_clear()
            raise NotMeasured([told])
        return told

    told = until_measured(judged)
    assert told.startswith(f"✔ {name} passed: "), told


@pytest.mark.parametrize(("name", "source", "words"), TRIED)
def test_a_usual_wrong_answer_is_told_what_is_wrong_with_it(
    name: str, source: str, words: str
) -> None:
    """It is never taken for right, and its sentence is its own."""
    exercise = EXERCISES[name]
    names: dict[str, Any] = {}
    exec(compile(source, f"answer-{name}", "exec"), names)

    def judged() -> Told:
        told = Trial(exercise, source.splitlines()).judge(names[exercise.answer])
        if name in LIVE and told["state"] == "could not judge":
            raise NotMeasured([str(told["says"])])
        return told

    told = until_measured(judged)
    said = str(Verdict.of(name, exercise.title, told))
    assert told["state"] == "not yet", said
    assert words in said, said
    assert "Traceback" not in said


@pytest.mark.parametrize("name", NAMES)
def test_an_exercise_has_what_a_learner_needs(name: str) -> None:
    """Three hints that differ, at least two usual wrong answers, a title, a time to be done in."""
    exercise = EXERCISES[name]
    assert len(exercise.hints) == len(set(exercise.hints)) == 3
    assert all(len(hint) > 20 for hint in exercise.hints)
    assert len(WRONG[name]) >= 2
    assert exercise.title
    assert all(words.strip() for words in WRONG[name].values())


@pytest.mark.parametrize("folder", ["solutions", "exercises"])
@pytest.mark.parametrize("name", NAMES)
def test_the_notebook_asks_for_the_answer_and_checks_it(name: str, folder: str) -> None:
    """One cell carries the tag by which `bpdemo check` finds it and binds the answer's name; a
    later one checks just that."""
    cells = cells_of(notebook_of(name, folder))
    (at,) = (i for i, cell in enumerate(cells) if f"answer-{name}" in tags_of(cell))
    answer = EXERCISES[name].answer
    bound = {
        getattr(target, "id", "")
        for statement in ast.parse(cells[at].source).body
        for target in (statement.targets if isinstance(statement, ast.Assign) else ())
    } | {getattr(statement, "name", "") for statement in ast.parse(cells[at].source).body}
    assert answer in bound
    checks = [i for i, cell in enumerate(cells) if cell.source == f'check("{name}", {answer})']
    assert len(checks) == 1
    assert checks[0] > at
    assert any(f'hint("{name}")' in cell.source for cell in cells)


def test_every_exercise_has_its_wrong_answers_and_none_is_left_over() -> None:
    """They lie with the tests, lesson by lesson, under the names of the exercises."""
    assert set(WRONG) == set(NAMES)


def test_every_answer_cell_belongs_to_an_exercise() -> None:
    """No tag in solutions/ that no judge knows: its check would fail in the learner's hands."""
    tags = {tag for path in SOURCES for cell in cells_of(path) for tag in tags_of(cell)}
    assert {tag for tag in tags if tag.startswith("answer-")} == {f"answer-{n}" for n in NAMES}


def test_exercises_are_what_the_solutions_give(capsys: pytest.CaptureFixture[str]) -> None:
    """exercises/ is generated; an edit there, or a forgotten `make exercises`, shows here."""
    assert maker().main(["--check"]) == 0, capsys.readouterr().out


def test_it_is_told_what_was_written_and_that_nothing_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The second time there is nothing left to write."""
    module: Any = maker()
    module.EXERCISES = tmp_path
    assert module.main([]) == 0
    assert capsys.readouterr().out.count(": written\n") == len(list(tmp_path.iterdir())) > 0
    assert module.main([]) == 0
    assert capsys.readouterr().out.endswith("are up to date\n")


def test_no_solution_is_handed_out() -> None:
    """Between the marks stands the solution, and neither it nor a mark reaches the learner."""
    for path in (ROOT / "exercises").glob("*.ipynb"):
        assert "### " not in "".join(c.source for c in cells_of(path) if c.cell_type == "code")


def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "make_exercises", ROOT / "scripts" / "make_exercises.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("inside", "stub"),
    [
        ("    return a\n", "    # your code here\n    raise NotImplementedError\n"),
        ("    ### STUB return ...\n    return a\n", "    return ...\n"),
    ],
    ids=["by default", "as said"],
)
def test_a_solution_becomes_its_stub(inside: str, stub: str) -> None:
    """What stands around the solution stays, to the letter."""
    cell = {
        "cell_type": "code",
        "source": [f"def f(a):\n    ### BEGIN SOLUTION\n{inside}    ### END SOLUTION\n\nf(1)"],
    }
    source = "".join(maker()._unsolved(cell, "here")["source"])
    assert source == f"def f(a):\n{stub}\nf(1)"


def test_a_mark_without_its_partner_is_refused() -> None:
    """Else half a solution would be handed out."""
    cell = {"cell_type": "code", "source": ["### BEGIN SOLUTION\na = 1\n"]}
    with pytest.raises(ValueError, match="without its partner"):
        maker()._unsolved(cell, "here")


@pytest.mark.skipif(os.name == "nt", reason="the launcher's own tests cover Windows' paths")
def test_make_lab_hands_out_what_is_new_and_keeps_what_is_the_learners(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """my-work/ gets each exercise once; an answer in it survives every later `make lab`."""
    launcher = launcher_at(tmp_path, monkeypatch)
    (tmp_path / "exercises").mkdir()
    (tmp_path / "exercises" / "01.ipynb").write_text("task")
    launcher.hand_out_exercises()
    (tmp_path / "my-work" / "01.ipynb").write_text("answer")
    (tmp_path / "exercises" / "01.ipynb").write_text("a later edition")
    (tmp_path / "exercises" / "02.ipynb").write_text("another task")
    launcher.hand_out_exercises()
    assert (tmp_path / "my-work" / "01.ipynb").read_text() == "answer"
    assert (tmp_path / "my-work" / "02.ipynb").read_text() == "another task"


@pytest.mark.parametrize("lesson", [path.name for path in SOURCES])
def test_a_notebook_from_before_gets_its_new_exercises_beside_it(
    lesson: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For each exercise of each lesson: without it, it comes in a notebook of its own, alone and
    with what it imports; the learner's stays to the letter, and a second time adds nothing."""
    launcher = launcher_at(tmp_path, monkeypatch)
    edition = json.loads((ROOT / "exercises" / lesson).read_text("utf-8"))
    names = launcher.exercises_in(ROOT / "exercises" / lesson)
    for name in names:
        work = tmp_path / "my-work"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        old = [cell for cell in edition["cells"] if f"answer-{name}" not in tags_in(cell)]
        before = json.dumps(edition | {"cells": old})
        (work / lesson).write_text(before, "utf-8")
        for _ in range(2):
            launcher.lay_new_exercises_beside(work / lesson, ROOT / "exercises" / lesson)
            beside = work / f"{lesson.removesuffix('.ipynb')}_{name}.ipynb"
            assert sorted(work.iterdir()) == sorted([work / lesson, beside])
            assert (work / lesson).read_text("utf-8") == before
        assert launcher.exercises_in(beside) == [name]
        got = nbformat.read(beside, as_version=4)
        nbformat.validate(got)
        assert "import" in got.cells[0].source
        assert any(cell.source.startswith(f'check("{name}"') for cell in got.cells)
        others = [f"## {other} " for other in names if other != name]
        assert not any(heading in cell.source for cell in got.cells for heading in others)


def test_what_is_no_notebook_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A learner's half-saved file neither ends `make lab` nor is touched."""
    launcher = launcher_at(tmp_path, monkeypatch)
    (mine := tmp_path / "01.ipynb").write_text("{ half")
    launcher.lay_new_exercises_beside(mine, next(iter((ROOT / "exercises").glob("01_*.ipynb"))))
    assert mine.read_text() == "{ half"
    assert list(tmp_path.iterdir()) == [mine]


def tags_in(cell: dict[str, Any]) -> list[str]:
    return list(cell["metadata"].get("tags", []))


def launcher_at(root: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    spec = importlib.util.spec_from_file_location("lab_launcher", ROOT / "lab.py")
    assert spec is not None
    assert spec.loader is not None
    launcher = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(launcher)
    monkeypatch.setattr(launcher, "ROOT", root)
    return launcher
