"""Every exercise of the course: it can be solved, it is not solved by a blank, and each usual
wrong answer is told what is wrong with it."""

import ast
import asyncio
import importlib.util
import itertools
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir, contextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

import pytest
from prometheus_client import REGISTRY

from bpdemo.lab.exercises.catalogue import EXERCISES
from bpdemo.lab.exercises.judges import judging, lesson_09
from bpdemo.lab.exercises.replies import Told
from bpdemo.lab.exercises.trial import Trial
from bpdemo.lab.exercises.verdict import Verdict
from bpdemo.lab.lessons.shared.course import COURSE
from bpdemo.lab.services import service, simulation
from bpdemo.lab.services.service import serve
from bpdemo.results.validity import NotMeasured
from tests.lab.exercises.wrong.table import WRONG
from tests.support.examples import USUAL, examples
from tests.support.measured import TRIES, until_measured
from tests.support.notebooks import Cell, cells_in

ROOT = Path(__file__).parents[3]
SOURCES = sorted((ROOT / "solutions").glob("*.ipynb"))
NAMES = sorted(EXERCISES)
SPOKEN = {8: "eight", 10: "ten", 12: "twelve", 15: "fifteen", 20: "twenty"}
#: These judges send a real load, which needs the machine to itself.
LIVE = {"08a", "09a"}
TRIED = [
    pytest.param(name, source, words, id=f"{name}-{number}")
    for name in NAMES
    if name not in LIVE
    for number, (source, words) in enumerate(WRONG[name].items(), start=1)
]
TRIED_LIVE = {
    f"{name}-{number}": (name, source, words)
    for name in sorted(LIVE)
    for number, (source, words) in enumerate(WRONG[name].items(), start=1)
}
#: What is wrong on one of these days is wrong on the worst of the judge's five; all five are played
#: to each wrong answer in `make test-all`, and to each solution always.
FEW_SEEDS = judging.SEEDS[:2] if examples() < USUAL else judging.SEEDS
#: Judges that work at the same time; the load of each asks for a tenth of a core.
TOGETHER = 4

Cells = list[Cell]


@cache
def cells_of(notebook: Path) -> Cells:
    return cells_in(notebook)


def notebook_of(name: str, folder: str) -> Path:
    (notebook,) = (ROOT / folder).glob(f"{name[:2]}_*.ipynb")
    return notebook


def tags_of(cell: Any) -> list[str]:
    return list(cell.metadata.get("tags", []))


@cache
def run_in_a_kernel(notebook: Path) -> list[Any]:
    """All of its cells, with what each came to in one kernel."""
    import nbformat
    from nbclient import NotebookClient

    played = nbformat.read(notebook, as_version=4)
    # A blank that is called in a cell of its own may raise; the verdicts are what counts here.
    with TemporaryDirectory() as folder:  # where an exercise lays out files of the learner's
        NotebookClient(
            played,
            timeout=60,
            kernel_name="python3",
            allow_errors=True,
            resources={"metadata": {"path": folder}},
        ).execute()
    return list(played.cells)


def verdicts_of(notebook: Path) -> dict[str, str]:
    """Run it all in one kernel: what each `check` said, by the name of the exercise."""
    told = {}
    for cell in run_in_a_kernel(notebook):
        for name in re.findall(r'^check\("(\w+)"', cell.source, re.MULTILINE):
            results = [out for out in cell.outputs if out.output_type == "execute_result"]
            told[name] = results[-1].data["text/plain"] if results else str(cell.outputs)
    return told


def errors_of(notebook: Path) -> list[str]:
    """The errors that its cells ended with, in order."""
    outputs = (out for cell in run_in_a_kernel(notebook) for out in cell.get("outputs", []))
    return ["\n".join(out.traceback) for out in outputs if out.output_type == "error"]


@cache
def verdicts_here(notebook: Path) -> dict[str, str]:
    """The same without a kernel, and without a process for each answer."""
    told: dict[str, str] = {}
    cells = [cell for cell in cells_of(notebook) if cell.cell_type == "code"]
    sources = {tag: cell.source for cell in cells for tag in tags_of(cell)}
    names: dict[str, Any] = {}

    def judge(name: str, answer: Any) -> None:
        exercise = EXERCISES[name]
        found = Trial(exercise, sources[f"answer-{name}"].splitlines()).judge(answer)
        told[name] = str(Verdict.of(name, exercise.title, found))

    for cell in cells:
        with suppress(NotImplementedError):  # of a blank that is called in a cell of its own
            # A cell that awaits gives a coroutine, as it does in Jupyter.
            code = compile(cell.source, str(notebook), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            if (coming := eval(code, names)) is not None:
                asyncio.run(coming)
        names["check"] = judge  # in place of what the first cell imports
    return told


@pytest.fixture(autouse=True)
def own_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BPDEMO_HOME", str(tmp_path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))


@pytest.fixture(autouse=True)
def own_registry() -> Iterator[None]:
    """What an answer registers for the whole process is gone afterwards."""
    before = set(REGISTRY._collector_to_names)
    yield
    for collector in set(REGISTRY._collector_to_names) - before:
        REGISTRY.unregister(collector)


@pytest.mark.parametrize("name", NAMES)
def test_an_exercise_left_alone_is_not_tried(name: str) -> None:
    """The notebook as it is handed out, run from end to end, passes nothing by accident."""
    assert_not_tried(verdicts_here(notebook_of(name, "exercises")), name)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in LIVE])
def test_the_solution_passes(name: str) -> None:
    """What we call the solution does what the exercise asks for."""
    assert_passed(verdicts_here(notebook_of(name, "solutions")), name)


Played = Told | dict[str, str] | NotMeasured
"""What a judge said of an answer, or those in a kernel of all solutions of a lesson."""


@pytest.fixture(scope="module")
def played_together(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Played]:
    """What the judges that send a load say of what was chosen: wrong answers, and solutions."""
    turn, number = threading.Lock(), itertools.count()

    @contextmanager
    def in_turn(folder: Path) -> Iterator[None]:
        with turn, chdir(folder):  # all threads are in one
            yield

    def under_a_name_of_its_own(*, name: str, **how: Any) -> Any:
        return serve(name=f"{name} {next(number)}", **how)  # of two of one name the first ends

    def play(what: str) -> Played:
        try:
            return judged_live(what) if what in TRIED_LIVE else in_a_kernel(what)
        except NotMeasured as busy:
            return busy

    tests = [item for item in request.session.items if item.path == request.path]
    live = [test for test in tests if test.get_closest_marker("load")]
    chosen = [test.callspec.id for test in live if isinstance(test, pytest.Function)]
    with pytest.MonkeyPatch.context() as patched, ThreadPoolExecutor(TOGETHER) as pool:
        home = str(tmp_path_factory.mktemp("home"))
        patched.setenv("BPDEMO_HOME", home)
        patched.setenv("IPYTHONDIR", home)
        patched.setattr(lesson_09, "chdir", in_turn)
        patched.setattr(service, "serve", under_a_name_of_its_own)
        answers = {tried: pool.submit(play, tried) for tried in chosen if tried in TRIED_LIVE}
        # Those in a kernel one after another in this thread: its client leaves a loop in each.
        found = {name: play(name) for name in chosen if name not in TRIED_LIVE}
        return found | {tried: answer.result() for tried, answer in answers.items()}


def judged_live(tried: str) -> Told:
    """What is said of it. Raises `NotMeasured` if the machine was too busy for its judge."""
    name, source, _ = TRIED_LIVE[tried]
    told = judged(name, source)
    if told["state"] == "could not judge":
        raise NotMeasured([str(told["says"])])
    return told


@pytest.mark.parametrize("tried", TRIED_LIVE)
@pytest.mark.load
@pytest.mark.slow
def test_a_usual_wrong_answer_to_a_live_exercise_is_told_what_is_wrong_with_it(
    tried: str, played_together: dict[str, Played]
) -> None:
    """The same where the judge sends a real load; alone, if the machine was too busy before."""
    told = played_together[tried]
    if isinstance(told, NotMeasured):
        told = until_measured(lambda: judged_live(tried), TRIES - 1)
    name, _, words = TRIED_LIVE[tried]
    assert_told(name, told, words)


@pytest.mark.parametrize("name", sorted(LIVE))
@pytest.mark.load
@pytest.mark.slow
def test_the_solution_of_a_live_exercise_passes(
    name: str, played_together: dict[str, Played]
) -> None:
    """The same, where the judge sends a real load, in the learner's own way."""
    told = played_together[name]
    if isinstance(told, NotMeasured):
        told = until_measured(lambda: in_a_kernel(name), TRIES - 1)
    assert_passed(told, name)


@pytest.mark.parametrize("lesson", [p.name for p in SOURCES if p.name[:2] + "a" not in LIVE])
@pytest.mark.long
@pytest.mark.slow
def test_a_learners_kernel_judges_alike(lesson: str) -> None:
    """Through Jupyter, and with a process for each answer: solved it passes, handed out not; and
    what is solved runs to its end without an error, for which `scripts/suite.py` counts on it."""
    names = [name for name in NAMES if name[:2] == lesson[:2]]
    assert names
    assert errors_of(ROOT / "solutions" / lesson) == []
    for name in names:
        assert_passed(verdicts_of(ROOT / "solutions" / lesson), name)
        assert_not_tried(verdicts_of(notebook_of(name, "exercises")), name)


@pytest.mark.parametrize("lesson", [p.name for p in SOURCES if p.name[:2] + "a" in LIVE])
@pytest.mark.long
@pytest.mark.slow
def test_a_learners_kernel_takes_a_blank_for_untried(lesson: str) -> None:
    """Where the solution would be a load: the notebook as it is handed out, through Jupyter."""
    for name in (name for name in NAMES if name[:2] == lesson[:2]):
        assert_not_tried(verdicts_of(notebook_of(name, "exercises")), name)


def in_a_kernel(name: str) -> dict[str, str]:
    """All verdicts of the solutions; `NotMeasured` if the machine was too busy for this one."""
    told = verdicts_of(notebook_of(name, "solutions"))
    if told[name].startswith("?"):
        run_in_a_kernel.cache_clear()
        raise NotMeasured([told[name]])
    return told


def assert_passed(verdicts: dict[str, str], name: str) -> None:
    assert verdicts[name].startswith(f"✔ {name} passed: "), verdicts[name]


def assert_not_tried(verdicts: dict[str, str], name: str) -> None:
    assert verdicts[name].startswith(f"○ {name} not tried: "), verdicts[name]


def judged(name: str, source: str) -> Told:
    """What the judge of that exercise says of the answer that this source gives."""
    exercise = EXERCISES[name]
    names: dict[str, Any] = {}
    exec(compile(source, f"answer-{name}", "exec"), names)
    return Trial(exercise, source.splitlines()).judge(names[exercise.answer])


def assert_told(name: str, told: Told, words: str) -> None:
    said = str(Verdict.of(name, EXERCISES[name].title, told))
    assert told["state"] == "not yet", said
    assert words in said, said
    assert "Traceback" not in said


@pytest.mark.parametrize(("name", "source", "words"), TRIED)
def test_a_usual_wrong_answer_is_told_what_is_wrong_with_it(
    name: str, source: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is never taken for right, and its sentence is its own."""
    monkeypatch.setattr(judging, "SEEDS", FEW_SEEDS)
    assert_told(name, judged(name, source), words)


def test_a_judge_that_has_seen_what_is_wrong_plays_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that fails on the first of five days is told so after one."""
    played: list[int] = []

    def simulate(*settings: Any, seed: int, **load: Any) -> Any:
        played.append(seed)
        return simulation.simulate(*settings, seed=seed, **load)

    monkeypatch.setattr(judging, "simulate", simulate)
    source, words = next(iter(WRONG["01c"].items()))
    assert_told("01c", judged("01c", source), words)
    assert played == [0]
    assert len(judging.over_seeds({}, times=1, seconds=0.5)) == 5
    assert played == [0, *judging.SEEDS]


@pytest.mark.parametrize("name", NAMES)
def test_an_exercise_has_what_a_learner_needs(name: str) -> None:
    """Three hints that differ, at least two usual wrong answers, a title, a time to be done in."""
    exercise = EXERCISES[name]
    assert len(exercise.hints) == len(set(exercise.hints)) == 3
    assert all(len(hint) > 20 for hint in exercise.hints)
    assert len(WRONG[name]) >= 2
    assert exercise.title
    assert all(words.strip() for words in WRONG[name].values())


@pytest.mark.parametrize("name", NAMES)
def test_the_notebook_says_how_long_an_exercise_takes_if_not_the_usual_time(name: str) -> None:
    """In the introduction for the first exercise of a lesson, under its heading for the others."""
    text = "\n".join(c.source for c in cells_of(notebook_of(name, "solutions")))
    in_introduction = rf"^\*\*{name} is the core one, (\w+) minutes"
    under_heading = rf"^## {name} .*\n\n\*(\w+) minutes"
    told = re.findall(f"{in_introduction}|{under_heading}", text, re.MULTILINE)
    if told or EXERCISES[name].minutes != 8:
        assert ["".join(found).lower() for found in told] == [SPOKEN[EXERCISES[name].minutes]]


def test_the_core_exercises_take_as_long_as_the_table_of_the_course_says() -> None:
    """09a belongs to the minutes of its lesson."""
    core = {one.exercises[0]: one.exercise_minutes for one in COURSE if one.exercise_minutes}
    assert {name: EXERCISES[name].minutes for name in core} == core


def test_no_letter_is_a_safe_guess() -> None:
    """Over the course each of the four reasons is the right one somewhere, and none often."""
    text = "\n".join(cell.source for path in SOURCES for cell in cells_of(path))
    right = re.findall(r'^(?!### STUB).*"because": "(\w)"', text, re.MULTILINE)
    assert len(right) >= 6
    assert set(right) == set("abcd")
    assert all(right.count(letter) <= len(right) // 3 for letter in right)


def reasons() -> Iterator[tuple[str, dict[str, str]]]:
    """The letter of the right reason and the text of each, exercise by exercise."""
    for path in SOURCES:
        offered: dict[str, str] = {}
        for cell in cells_of(path):
            offered = (
                dict(re.findall(r"^- \*\*(\w)\*\* (.+)$", cell.source, re.MULTILINE)) or offered
            )
            if right := re.findall(r'^(?!### STUB).*"because": "(\w)"', cell.source, re.MULTILINE):
                yield right[0], offered


@pytest.mark.parametrize("of", [max, min], ids=["longest", "shortest"])
def test_the_length_of_a_reason_gives_nothing_away(of: Any) -> None:
    """The right one is the longest, or the shortest, no more often than by chance."""
    found = [*reasons()]
    assert len(found) >= 6
    assert all(set(offered) == set("abcd") for _, offered in found)
    lengths = [{letter: len(text) for letter, text in offered.items()} for _, offered in found]
    extreme = [
        of(each.values()) == each[right] for each, (right, _) in zip(lengths, found, strict=True)
    ]
    assert sum(extreme) <= len(found) / 4


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


def test_a_solution_that_is_called_like_a_lesson_is_refused(tmp_path: Path) -> None:
    """Or its exercises would be, and their tab would look like the lesson's."""
    with pytest.raises(ValueError, match=r"is to be called NN_solutions\.ipynb"):
        maker().name_of(tmp_path / "01_when_queues_explode.ipynb")


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
