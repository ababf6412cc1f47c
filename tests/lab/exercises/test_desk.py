"""What a learner meets at an exercise: verdicts in words, hints one at a time, and progress."""

import asyncio
import os
import re
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bpdemo.cli.main import main
from bpdemo.lab import check, hint, progress
from bpdemo.lab.exercises import judging_process
from bpdemo.lab.exercises.answered import Answered, NotTried, Slept, is_blank
from bpdemo.lab.exercises.catalogue import EXERCISES
from bpdemo.lab.exercises.exercise import Exercise, NotYet
from bpdemo.lab.exercises.marks import ExerciseMark, all_marks, note_check, note_hint
from bpdemo.lab.exercises.trial import Trial
from bpdemo.lab.home import note, noted
from bpdemo.load.progress_line import ProgressText
from tests.support.notebooks import code_cell, write_notebook

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def own_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BPDEMO_HOME", str(tmp_path / "home"))


def good(waiting: Any, job: Any, capacity: int) -> bool:
    if len(waiting) >= capacity:
        return False
    waiting.append(job)
    return True


def cell(source: str) -> Any:
    """A function as a notebook's cell defines it: its code is from no file."""
    names: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(source, "cell", "exec"), names)
    return names["try_put"]


# --- verdicts


def test_an_answer_that_does_it_passes_whoever_wrote_it_how() -> None:
    """Judged by effect: this is not our solution, and it prints besides."""
    verdict = check(
        "01a",
        cell(
            "def try_put(waiting, job, capacity):\n"
            "    free = capacity - len(waiting)\n"
            "    if not waiting: print('the first')\n"
            "    return free > 0 and (waiting.append(job) or True)\n"
        ),
    )
    assert verdict.passed
    assert verdict.state == "passed"
    assert "the first" in verdict.printed
    assert len(verdict.printed) <= 1000


def test_an_endless_loop_is_told_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check ends although the answer does not, in its exercise's time, and names the line."""
    monkeypatch.setitem(EXERCISES, "01a", replace(EXERCISES["01a"], limit_s=1.5))
    verdict = check(
        "01a", cell("def try_put(waiting, job, capacity):\n    while True:\n        1\n")
    )
    assert verdict.state == "not yet"
    assert "endless loop" in str(verdict)
    assert "line " in str(verdict)
    (spent_s,) = re.findall(r"(\d+(?:\.\d+)?) s", str(verdict))
    assert 1 <= float(spent_s) < 10  # the limit given, also on a starved machine


def test_that_it_is_judged_is_said_while_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By a line that goes: nothing of it is printed above the verdict."""
    told: list[str] = []
    monkeypatch.setattr(ProgressText, "show", lambda _, text: told.append(text))
    monkeypatch.setattr(judging_process, "QUIET_S", 0.0)
    assert check("01a", good).passed
    assert told == ["Judging 01a; your answer has 10 s of processor time"]
    assert "Judging" not in capsys.readouterr().out


def test_an_answer_may_calculate_for_ten_seconds() -> None:
    """As `check` says; no exercise gives less."""
    assert all(exercise.limit_s >= 10 for exercise in EXERCISES.values())
    assert EXERCISES["01a"].limit_s == 10


@pytest.mark.parametrize("imported", ["import time", "from time import sleep"])
def test_a_sleep_is_told_what_it_would_do(imported: str) -> None:
    """It is not slept through: the sentence comes at once, however it was imported."""
    call = "time.sleep" if imported == "import time" else "sleep"
    source = f"{imported}\ndef try_put(waiting, job, capacity):\n    {call}(9)\n    return True\n"
    verdict = check("01a", cell(source))
    assert verdict.state == "not yet"
    assert "calls “time.sleep”, at line 3" in str(verdict)


def test_an_exception_is_told_with_its_kind_and_line() -> None:
    """Prose, not a traceback."""
    verdict = check("01a", cell("def try_put(waiting, job, capacity):\n    return waiting.size\n"))
    assert verdict.state == "not yet"
    assert "AttributeError" in str(verdict)
    assert "line 2" in str(verdict)
    assert "Traceback" not in str(verdict)


@pytest.mark.parametrize("blank", [None, ...], ids=repr)
def test_a_blank_is_not_tried(blank: object) -> None:
    assert check("01a", blank).state == "not tried"


@pytest.mark.parametrize(
    "body",
    ["...", "pass", "'''Doc.'''", "'''Doc.'''\n    ...", "raise NotImplementedError",
     "# your code here\n    raise NotImplementedError('to do')", "return ..."],
)  # fmt: skip
def test_a_stub_is_not_tried(body: str) -> None:
    """Whatever way one leaves a function open."""
    told = Trial(EXERCISES["01a"], []).judge(
        cell(f"def try_put(waiting, job, capacity):\n    {body}\n")
    )
    assert told["state"] == "not tried"


def test_a_short_answer_is_no_blank() -> None:
    """A constant may be all that somebody has tried."""
    assert not is_blank(cell("def try_put(waiting, job, capacity):\n    return True\n"))
    assert is_blank({"queue_capacity": ..., "reason": "a"})
    assert is_blank((3, ...))
    assert not is_blank({"queue_capacity": 3})


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (True, "is a function, try_put(waiting, job, capacity)"),
        (lambda job: True, "other parameters"),
    ],
)
def test_an_answer_of_another_form_is_told_the_form(answer: object, words: str) -> None:
    verdict = check("01a", answer)
    assert verdict.state == "not yet"
    assert words in str(verdict)


def test_what_cannot_travel_is_told_so() -> None:
    """An answer bound to something of this process, here a lock, cannot be judged elsewhere."""
    lock = threading.Lock()

    def try_put(waiting: Any, job: Any, capacity: int) -> bool:
        with lock:
            return False

    verdict = check("01a", try_put)
    assert verdict.state == "could not judge"
    assert "lock" in str(verdict)


def test_an_answer_that_ends_the_process_is_told_so() -> None:
    """The kernel lives, and the verdict says what to do next."""
    verdict = check(
        "01a", cell("import os\ndef try_put(waiting, job, capacity):\n    os._exit(7)\n")
    )
    assert verdict.state == "could not judge"
    assert "restart the kernel" in str(verdict)


def test_a_verdict_says_its_state_in_words_not_by_colour() -> None:
    """In the notebook, on the terminal, and safe from what an answer contains."""
    verdict = check("01a", "<b>5</b>")
    assert "… 01a Not yet: A queue that can reject" in verdict._repr_html_()
    assert "<b>5</b>" not in verdict._repr_html_()
    assert str(verdict).startswith("… 01a not yet: A queue that can reject")


def test_what_a_function_raises_inside_a_service_is_not_lost() -> None:
    """A service turns exceptions into answers; the learner hears of the first one all the same."""

    def judge(function: Any) -> str:
        for _ in range(2):
            try:
                function(0)
            except ZeroDivisionError:
                continue
        return "all went well"

    exercise = Exercise("?", "f", judge, ("a", "b", "c"), parameters=("x",))
    told = Trial(exercise, ["1 / x"]).judge(lambda x: 1 / x)
    assert told["state"] == "not yet"
    assert "ZeroDivisionError" in str(told["says"])


async def test_a_coroutine_function_is_watched_too() -> None:
    """Its mistakes and its blanks come when it is awaited."""

    async def blank(x: int) -> object:
        return ...

    answered = Answered(blank)
    with pytest.raises(NotTried):
        await answered(1)
    assert isinstance(answered.error, NotTried)


async def test_a_sleep_in_a_coroutine_is_not_lost() -> None:
    """Cancelling one is nobody's mistake; what it raises of its own accord is."""

    async def sleeps(x: int) -> object:
        raise Slept

    answered = Answered(sleeps)
    with pytest.raises(Slept):
        await answered(1)
    assert isinstance(answered.error, Slept)

    waiting = Answered(asyncio.sleep)
    task = asyncio.ensure_future(waiting(60))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert waiting.error is None


def test_settings_that_cannot_be_are_not_yet_right() -> None:
    """The service's own sentence about them, which names field and range."""

    def judge(settings: Any) -> str:
        from bpdemo.core.settings import Settings

        return str(Settings(**settings))

    told = Trial(Exercise("?", "s", judge, ("a", "b", "c")), []).judge({"workers": 0})
    assert told["state"] == "not yet"
    assert "workers" in str(told["says"])


def test_a_stumble_of_the_judge_is_not_held_against_the_answer() -> None:
    """A judge that fails on an answer it did not foresee says so."""
    judge: Any = len
    told = Trial(Exercise("?", "s", judge, ("a", "b", "c")), []).judge(5)
    assert told["state"] == "could not judge"


def test_not_yet_has_four_parts() -> None:
    def judge(_: Any) -> str:
        raise NotYet(expected="one.", seen="two.", why="three.", look="four.")

    told = Trial(Exercise("?", "s", judge, ("a", "b", "c")), []).judge(5)
    assert [text for _, text in told["says"]] == ["one.", "two.", "three.", "four."]


# --- hints and progress


def test_hints_come_one_at_a_time_and_may_begin_again() -> None:
    """Each call gives the next; after the third it says that there is no other."""
    first, second, third, none = (hint("01a") for _ in range(4))
    assert [first, second, third] == [
        f"Hint {i} of 3: {text}" for i, text in enumerate(EXERCISES["01a"].hints, start=1)
    ]
    assert "all 3 hints" in none
    assert hint("01a", again=True) == first
    assert hint("01a") == second
    assert all_marks()["01a"].hints == 3


def test_progress_keeps_what_was_passed() -> None:
    """A later slip does not take it back; blanks are no tries."""
    check("01a", ...)
    assert all_marks()["01a"].tries == 0
    check("01a", good)
    check("01a", 5)
    kept = progress()
    assert (kept.marks["01a"].state, kept.marks["01a"].tries, kept.passed) == ("passed", 2, 1)
    assert "A queue that can reject" in str(kept)
    assert "✔ passed" in kept._repr_html_()


SWAPPED = [("03a", "03c"), ("03c", "03a")]


@pytest.mark.parametrize(("then", "today"), SWAPPED)
def test_a_mark_counts_for_what_was_asked_then(then: str, today: str) -> None:
    """03a and 03c have swapped letters: what was passed, tried and hinted before is the other's;
    the letter itself has not been tried."""
    note("exercises", {"name": then, "checked": "passed"})
    note("exercises", {"name": then, "checked": "not yet"})
    note("exercises", {"name": then, "hint": 2})
    marks = all_marks()
    assert (marks[today].state, marks[today].tries, marks[today].hints) == ("passed", 2, 2)
    assert marks[then] == ExerciseMark()
    assert progress().passed == 1


@pytest.mark.parametrize("name", sorted(EXERCISES))
def test_a_mark_made_today_counts_for_its_own_letter(name: str) -> None:
    """For each exercise, and for no other."""
    note_check(name, "passed")
    note_hint(name, 1)
    marks = all_marks()
    assert [each for each, mark in marks.items() if mark != ExerciseMark()] == [name]
    assert (marks[name].state, marks[name].hints) == ("passed", 1)


@pytest.mark.parametrize("name", sorted(EXERCISES))
def test_of_the_marks_from_before_only_what_was_asked_else_has_moved(name: str) -> None:
    """05a asked for the half-open rule alone, which no exercise asks for any more."""
    note("exercises", {"name": name, "checked": "passed"})
    passed = [each for each, mark in all_marks().items() if mark.state == "passed"]
    assert passed == {"03a": ["03c"], "03c": ["03a"], "05a": []}.get(name, [name])


def test_what_is_no_exercise_any_more_costs_no_mark() -> None:
    """A line of another edition, or of another shape, is passed over."""
    note("exercises", {"name": "99z", "asked": "x", "checked": "passed"})
    note("exercises", {"name": "03a", "asked": "gone", "checked": "passed"})
    note("exercises", {"checked": "passed"})
    assert progress().passed == 0


@pytest.mark.parametrize(("then", "today"), SWAPPED)
def test_an_answer_under_its_former_letter_is_told_its_letter_of_today(
    then: str, today: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a notebook from before has it."""
    names: dict[str, Any] = {"__name__": "__main__"}
    asked = EXERCISES[today]
    exec(f"def {asked.form}:\n    return True\n", names)
    verdict = check(then, names[asked.answer])
    assert verdict.state == "not yet"
    said = capsys.readouterr().out
    assert f"{asked.answer} is the answer of {today}: check('{today}', {asked.answer})" in said


def test_two_writers_lose_nothing() -> None:
    """Two kernels, one memory: every fact of both is there afterwards."""

    def write(who: str) -> None:
        for number in range(200):
            note("facts", {"who": who, "number": number})

    writers = [threading.Thread(target=write, args=(who,)) for who in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    facts = noted("facts")
    assert len(facts) == 400
    for who in "ab":
        assert [f["number"] for f in facts if f["who"] == who] == list(range(200))


def test_a_damaged_memory_costs_only_the_damaged_line(tmp_path: Path) -> None:
    note("facts", {"a": 1})
    with (tmp_path / "home" / "facts.jsonl").open("a") as file:
        file.write('{"torn\n[]\n')
    note("facts", {"b": 2})
    assert noted("facts") == [{"a": 1}, {"b": 2}]


def test_a_wrong_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"no exercise '01A'\. Did you mean 01a\? There are 01a"):
        check("01A", 5)
    with pytest.raises(ValueError, match="There are 01a"):
        hint("zz")


# --- from a terminal


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def call(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["bpdemo", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return int(ended.value.code or 0), told.out, told.err

    return call


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The learner's current folder, somewhere below one with a my-work/."""
    (tmp_path / "my-work").mkdir()
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    return tmp_path


SOLVED = """def try_put(waiting, job, capacity):
    return not operator.ge(len(waiting), capacity) and (waiting.append(job) or True)
"""


def save(path: Path, *sources: str, tag: str = "answer-01a") -> None:
    """A notebook whose last cell has the tag."""
    *before, last = sources
    write_notebook(path, *before, code_cell(last, [tag]))


def test_the_saved_answer_is_checked(run: Run, folder: Path) -> None:
    """The cell with the tag, with the imports before it, but without running those cells."""
    save(folder / "my-work" / "a.ipynb", "import operator\nraise SystemExit", "%matplotlib", SOLVED)
    code, out, _ = run("check", "01a")
    assert (code, out.startswith("✔ 01a passed")) == (0, True), out
    assert "a.ipynb" in out
    assert run("progress")[1].count("✔ passed") == 1


def test_the_answer_saved_last_counts(run: Run, folder: Path) -> None:
    """A copy of the notebook beside it does not hide it."""
    save(folder / "my-work" / "a.ipynb", SOLVED)
    save(folder / "my-work" / "b.ipynb", "try_put = ...")
    os.utime(folder / "my-work" / "a.ipynb", (1, 1))
    code, out, _ = run("check", "01a")
    assert (code, "not tried" in out, "b.ipynb" in out) == (1, True, True)


def test_of_two_cells_of_a_letter_the_one_with_the_answers_name_counts(
    run: Run, folder: Path
) -> None:
    """A notebook from before asked for something else under it, and was saved last."""
    save(folder / "my-work" / "new.ipynb", SOLVED.replace("operator.ge", "int.__ge__"))
    save(folder / "my-work" / "old.ipynb", "def waits(job):\n    return job\n")
    os.utime(folder / "my-work" / "new.ipynb", (1, 1))
    code, out, _ = run("check", "01a")
    assert (code, "new.ipynb" in out) == (0, True), out


def test_a_broken_cell_is_told_its_line(run: Run, folder: Path) -> None:
    save(folder / "my-work" / "a.ipynb", "def try_put(:\n    pass\n")
    code, out, _ = run("check", "01a")
    assert (code, "SyntaxError" in out, "line 1" in out) == (1, True, True), out
    assert "it was called with" not in out  # it was not


def test_a_cell_that_defines_another_name_is_told_both(run: Run, folder: Path) -> None:
    """A slip in the name is no blank."""
    save(folder / "my-work" / "a.ipynb", "N = 3\ndef tryput(waiting, job, capacity):\n    pass\n")
    code, out, _ = run("check", "01a")
    assert code == 1
    assert "defines N, tryput; the check looks for try_put." in " ".join(out.split())


def test_no_answer_says_what_was_looked_for_and_where(run: Run, folder: Path) -> None:
    code, _, err = run("check", "01a")
    assert code == 1
    assert "'answer-01a'" in err
    assert str(folder / "my-work") in err
    assert str(folder / "notebooks") in err


@pytest.mark.parametrize("command", ["check", "hint"])
def test_a_wrong_name_ends_with_2(run: Run, folder: Path, command: str) -> None:
    code, _, err = run(command, "01A")
    assert (code, "Did you mean 01a?" in err) == (2, True)


def test_hints_from_a_terminal(run: Run, folder: Path) -> None:
    """The same hints, and the same count, as in the notebook."""
    assert run("hint", "01a")[1].startswith("Hint 1 of 3")
    assert hint("01a").startswith("Hint 2 of 3")
    assert run("hint", "01a", "--again")[1].startswith("Hint 1 of 3")
    assert [run("hint", "01a")[0] for _ in range(2)] == [0, 0]
    assert "“bpdemo hint 01a --again” begins again" in run("hint", "01a")[1]
