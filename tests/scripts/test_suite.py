"""`make test` is green only where every test that was chosen has passed."""

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from itertools import combinations
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from _pytest.mark.expression import Expression

from tests.untimed import UNTIMED, is_untimed

ROOT = Path(__file__).resolve().parents[2]
SUITE = ROOT / "scripts" / "suite.py"
NONE = 5
#: The test that walks a lesson, by the name that pytest gives it.
WALK = "tests/browser/test_lessons.py::test_a_lesson_runs_to_its_end"
SOLVED = "tests/lab/exercises/test_exercises.py::test_a_learners_kernel_judges_alike"


@pytest.fixture
def suite(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    spec = importlib.util.spec_from_file_location("suite", SUITE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "suite", module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "await_quiet", lambda _: True)
    return module


class Over:
    """A run that has long been over."""

    def __init__(self, run: Any) -> None:
        self._run = run

    def wait(self) -> Any:
        return self._run


@pytest.fixture
def play(suite: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., int]:
    """Plays these runs in turn, instead of pytest's, beside a good one: the exit code."""

    def call(*runs: object, beside: Any = None, length: str = "not long") -> int:
        left = list(runs)
        monkeypatch.setattr(suite, "pytest", lambda *_: left.pop(0))
        monkeypatch.setattr(suite, "aside", lambda *_: nullcontext(Over(beside or good(suite))))
        code = suite.play(tmp_path, length, ["tests"])
        assert left == [], "a run that was not asked for"
        return int(code)

    return call


@pytest.fixture
def notebooks(suite: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """After these tests have passed: the notebooks that nbval is asked to run."""

    def call(*passed: str) -> list[str]:
        asked: list[list[str]] = []

        def run(command: list[str], **_: object) -> object:
            asked.append(command[2:])
            return subprocess.CompletedProcess(command, 0)

        with monkeypatch.context() as patched:
            patched.setattr(suite.subprocess, "run", run)
            assert suite.notebooks(passed) == 0
        return asked[0]

    return call


def walk(lesson: str) -> str:
    return f"{WALK}[{lesson}]"


def test_the_test_that_walks_a_lesson_is_there():
    """Renamed, it would count for nothing, and all notebooks be run twice."""
    file, _, name = WALK.partition("::")
    assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")


def good(suite: ModuleType) -> Any:
    return suite.Run(0, True, (), ("a",), {kind: ["tests/x.py"] for kind in ("light", "", "whole")})


@pytest.mark.parametrize("idle", [(), (0,), (1,), (2,), (3,), (0, 1), (1, 2), (0, 2), (1, 2, 3)])
def test_all_passed_is_green(suite, play, idle):
    """All runs, or some where the others had nothing to do."""
    runs = [suite.Run(NONE, True) if place in idle else good(suite) for place in range(4)]
    assert play(*runs) == 0
    assert play(*runs, beside=suite.Run(NONE, True)) == 0


def test_a_choice_of_nothing_is_not_green(suite, play):
    """A misspelt -k proves nothing."""
    nothing = suite.Run(NONE, True)
    assert play(*[nothing] * 4, beside=nothing) == NONE
    assert play(*[nothing] * 4) == 0


def test_a_failure_of_what_needs_no_clock_is_final(suite, play):
    """Nothing that the machine does can disturb it."""
    failed = suite.Run(1, True, ("a",))
    assert play(*[good(suite)] * 4, beside=failed) == 1
    assert play(*[good(suite)] * 4, beside=suite.Run(-15)) != 0  # it died


def with_failure(suite: ModuleType, place: int, failure: Any) -> list[Any]:
    """The runs that follow one another, the one at this place being `failure`."""
    runs = [good(suite)] * 4
    runs[place] = failure
    return runs


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_what_holds_the_second_time_is_named(suite, play, capsys, place):
    """It is green, and does not go unseen."""
    runs = with_failure(suite, place, suite.Run(1, True, ("b",), ("c",)))
    assert play(*runs, suite.Run(0, True, (), ("b",))) == 0
    assert "Held only when played once more: b" in capsys.readouterr().out


def test_failures_of_several_runs_are_judged_together(suite, play, capsys):
    """Once, and each has to pass."""
    first = good(suite), suite.Run(1, True, ("b",)), suite.Run(1, True, ("c",)), good(suite)
    assert play(*first, suite.Run(0, True, (), ("b", "c"))) == 0
    assert "played once more: b, c" in capsys.readouterr().out
    assert play(*first, suite.Run(1, True, ("c",), ("b",))) == 1
    many = suite.Run(1, True, tuple("abcdefgh"))  # of each no more than may be, of both too many
    assert play(good(suite), many, many, good(suite)) == 1


@pytest.mark.parametrize(("failed", "code"), [("abc", 0), ("abcd", 1)])
def test_of_what_plays_no_load_few_are_forgiven(suite, play, failed, code):
    """A machine seldom disturbs it; what fails beside others may hold alone for other reasons."""
    runs = with_failure(suite, 0, suite.Run(1, True, tuple(failed)))
    again = [] if code else [suite.Run(0, True, (), tuple(failed))]
    assert play(*runs, *again) == code


@pytest.mark.parametrize("place", [0, 1, 2, 3])
@pytest.mark.parametrize(
    "again",
    [
        {"code": 1, "whole": True, "failed": ("b",)},
        {"code": 0, "whole": True},  # skipped: it did not pass
        {"code": 1},  # it died
        {"code": 0, "whole": True, "passed": ("c",)},
    ],
)
def test_what_does_not_pass_the_second_time_fails(suite, play, again, place):
    """Failed again, skipped, dead, or something else was played."""
    runs = with_failure(suite, place, suite.Run(1, True, ("b",), ("c",)))
    assert play(*runs, suite.Run(**again)) == 1


@pytest.mark.parametrize("place", [0, 1, 2, 3])
@pytest.mark.parametrize(
    "cut",
    [
        {"code": 1, "whole": False, "failed": ("b",)},  # -x: the rest never ran
        {"code": 1},  # died without a word
        {"code": 2, "whole": False},
        {"code": 1, "whole": True, "failed": tuple("abcdefghijklmnop")},  # no matter of chance
    ],
)
def test_a_run_that_was_cut_short_is_not_judged_again(suite, play, cut, place):
    """A second run of a part would say nothing of the rest."""
    assert play(*with_failure(suite, place, suite.Run(**cut))) != 0


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_a_run_cut_short_is_not_saved_by_the_other(suite, play, place):
    """What failed in the other is judged again, and the verdict stays."""
    runs = with_failure(suite, place, suite.Run(1))
    runs[(place + 1) % 4] = suite.Run(1, True, ("b",))
    assert play(*runs, suite.Run(0, True, (), ("b",))) == 1


def test_every_notebook_is_run_by_a_browser_or_by_nbval(suite, notebooks):
    """What a browser ran to its end is left out, and nothing else; one lesson is run by both."""
    every = notebooks()
    paths = [p for folder in ("notebooks", "solutions") for p in (ROOT / folder).glob("*.ipynb")]
    assert sorted(every) == sorted(str(path.relative_to(ROOT)) for path in paths)
    lessons = [path.stem for path in (ROOT / "notebooks").glob("[01]?_*.ipynb")]
    left = notebooks(*map(walk, lessons))
    out = {f"notebooks/{name}.ipynb" for name in lessons if name != suite.ALWAYS}
    assert set(every) - set(left) == out
    assert len(out) == len(lessons) - 1 >= 10
    # A lesson that another test opened has not been run.
    assert notebooks("tests/browser/test_lessons.py::test_another[02_x]") == every


def test_solutions_that_a_kernel_ran_to_their_end_are_left_out(notebooks):
    """Those whose test passed, and no others; renamed, that test would count for nothing."""
    every = notebooks()
    assert set(every) - set(notebooks(f"{SOLVED}[03_solutions.ipynb]")) == {
        "solutions/03_solutions.ipynb"
    }
    assert notebooks(f"{SOLVED}_not[03_solutions.ipynb]", f"{SOLVED}[03_x.ipynb]") == every
    file, _, name = SOLVED.partition("::")
    assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8")


def test_notebooks_follow_the_long_tests_and_have_a_say(suite, play, monkeypatch):
    """Their failure is one of the whole; what failed before does not keep them from running."""
    told: list[tuple[str, ...]] = []

    def fail(passed: tuple[str, ...]) -> int:
        told.append(passed)
        return 1

    monkeypatch.setattr(suite, "notebooks", fail)
    assert play(*[good(suite)] * 4, length="long") == 1
    assert told == [("a", "a", "a")]
    assert play(*[good(suite)] * 4) == 0
    assert len(told) == 1


@pytest.fixture
def toys(suite: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small project that tells its outcomes by the configuration of these tests.

    pytest loads only what the suite needs of it: plugins take longer to start than all its tests.
    """
    monkeypatch.setattr(suite, "ROOT", tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    conftest = "from tests.conftest import pytest_configure\n"
    (tmp_path / "conftest.py").write_text(conftest, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nmarkers =\n    load\n    browser\n    light\n    whole\n", encoding="utf-8"
    )
    return tmp_path


def test_a_real_run_tells_what_became_of_each(suite, toys):
    """Passed, failed and skipped by name, and whether it came to its end."""
    (toys / "test_toy.py").write_text(
        "import pytest\n"
        "def test_good(): pass\n"
        "def test_bad(): assert False\n"
        "def test_skipped(): pytest.skip('no')\n",
        encoding="utf-8",
    )
    whole = suite.pytest(toys, "-q", "-p", "no:cacheprovider", "test_toy.py")
    assert whole == suite.Run(1, True, ("test_toy.py::test_bad",), ("test_toy.py::test_good",))
    assert whole.load_files == {}
    cut = suite.pytest(toys, "-q", "-x", "-p", "no:cacheprovider", "test_toy.py")
    assert (cut.code, cut.whole) == (1, False)


@pytest.mark.parametrize(("said", "told"), [(None, "few"), ("all", "all"), ("few", "few")])
def test_a_run_tries_few_examples_unless_all_are_asked_for(suite, toys, monkeypatch, said, told):
    """`make test-all` asks for all, and gets them in every run of pytest."""
    if said is None:
        monkeypatch.delenv("BPDEMO_EXAMPLES", raising=False)
    else:
        monkeypatch.setenv("BPDEMO_EXAMPLES", said)
    (toys / "test_toy.py").write_text(
        f"import os\ndef test_it(): assert os.environ['BPDEMO_EXAMPLES'] == {told!r}\n",
        encoding="utf-8",
    )
    assert suite.pytest(toys, "-q", "-p", "no:cacheprovider").code == 0


def test_make_test_all_asks_for_all_examples():
    """For what `make test` runs, too: what a target exports holds for what it calls first."""
    recipe = (ROOT / "Makefile").read_text("utf-8")
    assert "\ntest-all: export BPDEMO_EXAMPLES ?= all\n" in recipe
    assert "\ntest-all: test " in recipe


MARKED = {
    "a test": "import pytest\n@pytest.mark.load\ndef test_it(): pass\n",
    "a file": "import pytest\npytestmark = [pytest.mark.browser]\ndef test_it(): pass\n",
    "light": "import pytest\n@pytest.mark.light\n@pytest.mark.browser\ndef test_it(): pass\n",
    "whole": "import pytest\n@pytest.mark.whole\n@pytest.mark.load\ndef test_it(): pass\n",
    "a parameter": "import pytest\nWAYS = [1, pytest.param(2, marks=[pytest.mark.load])]\n"
    "@pytest.mark.parametrize('way', WAYS)\ndef test_it(way): pass\n",
}


@pytest.mark.slow
@pytest.mark.parametrize("at_once", [(), ("-p", "xdist", "-n", "2")], ids=["one", "side by side"])
def test_files_with_loads_are_told_whatever_was_chosen(suite, toys, at_once):
    """By the markers that their tests have in the end, so no load can be forgotten."""
    (toys / "test_none.py").write_text("def test_it(): pass\n", encoding="utf-8")
    for name, source in MARKED.items():
        (toys / f"test_{name.replace(' ', '_')}.py").write_text(source, encoding="utf-8")
    chosen = ("-q", "-p", "no:cacheprovider", "-k", "no_such_test", *at_once)
    found = suite.pytest(toys, *chosen).load_files
    assert found == {
        "": ["test_a_file.py", "test_a_parameter.py", "test_a_test.py"],
        "light": ["test_light.py"],
        "whole": ["test_whole.py"],
    }


def test_loads_are_looked_for_where_they_were_found(suite, monkeypatch, tmp_path):
    """Each kind where it is, if it is anywhere, unless something was chosen."""
    asked: list[tuple[str, ...]] = []
    files = {"light": ["tests/x.py"], "": ["tests/y.py", "tests/x.py"]}

    def note(_: Path, *words: str) -> Any:
        asked.append(words)
        return suite.Run(0, True, (), ("a",), files)

    monkeypatch.setattr(suite, "pytest", note)
    monkeypatch.setattr(suite, "aside", lambda *words: nullcontext(Over(note(*words))))
    assert suite.play(tmp_path, "not long", []) == suite.play(tmp_path, "not long", ["-x"]) == 0
    beside, others, light, loads, *chosen = asked
    assert beside[-len(UNTIMED) :] == UNTIMED
    assert f"--timeout={suite.ASIDE_S}" in beside  # to wait is no failure there
    assert not {"tests/x.py", *UNTIMED} & set(others)
    assert light[-1] == "tests/x.py"
    assert loads[-2:] == ("tests/y.py", "tests/x.py")
    assert [words[-1] for words in chosen] == ["-x"] * 5


@pytest.mark.parametrize("length", ["not long", "long"])
def test_nothing_goes_on_beside_a_load(suite, monkeypatch, tmp_path, length):
    """Of those that judge speed: nothing that yields, since two virtual processors may be one real
    one, and no other load."""
    told: list[Any] = []

    class Beside(Over):
        def wait(self) -> Any:
            told.append("over")
            return super().wait()

    def note(_: Path, *words: str) -> Any:
        told.append(words)
        return good(suite)

    monkeypatch.setattr(suite, "pytest", note)
    monkeypatch.setattr(suite, "aside", lambda *_: nullcontext(Beside(good(suite))))
    monkeypatch.setattr(suite, "notebooks", lambda _: 0)
    assert suite.play(tmp_path, length, ["x"]) == 0
    light, loads, whole = (
        next(place for place, words in enumerate(told) if f"{kind} and {length}" in words)
        for kind in (suite.LIGHT, suite.LOADS, suite.WHOLE)
    )
    assert light < told.index("over") < loads < whole
    assert "-n" not in (*told[loads], *told[whole])


def test_every_test_is_in_one_run_and_in_no_other(suite, tmp_path, monkeypatch):
    """Whatever its markers are, long or not."""
    asked: list[tuple[str, ...]] = []

    def note(_: Path, *words: str) -> Any:
        asked.append(words)
        return good(suite)

    monkeypatch.setattr(suite, "pytest", note)
    monkeypatch.setattr(suite, "aside", lambda *words: nullcontext(Over(note(*words))))
    monkeypatch.setattr(suite, "notebooks", lambda _: 0)
    for length in ("not long", "long"):
        assert suite.play(tmp_path, length, []) == 0
    chosen = [Expression.compile(words[words.index("-m") + 1]) for words in asked]
    assert len(chosen) == 10
    for marks in (
        *subsets("load", "browser", "light", "whole", "long"),
        ("untimed",),
        ("untimed", "long"),
    ):
        runs = [one for one in chosen if one.evaluate(lambda name, /, **_: name in marks)]  # noqa: B023
        assert len(runs) == 1, marks


def subsets(*words: str) -> list[tuple[str, ...]]:
    return [some for size in range(len(words) + 1) for some in combinations(words, size)]


YIELDS = """
import os, sys
def test_it():
    if hasattr(os, "getpriority"):
        assert os.getpriority(os.PRIO_PROCESS, 0) == 19
    if hasattr(os, "SCHED_IDLE"):
        assert os.sched_getscheduler(0) == os.SCHED_IDLE
"""


def test_what_runs_aside_yields_to_everybody_and_says_so_later(suite, toys, capfd):
    """Its processes have the lowest priority, and it speaks when the others are done."""
    (toys / "test_toy.py").write_text(YIELDS, encoding="utf-8")
    with suite.aside(toys, "-q", "-p", "no:cacheprovider") as beside:
        assert beside._process.wait() == 0  # over, and nobody was told
        assert "passed" not in capfd.readouterr().out
        assert beside.wait() == suite.Run(0, True, (), ("test_toy.py::test_it",))
    assert "1 passed" in capfd.readouterr().out


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="no groups of processes here")
def test_what_runs_aside_ends_when_the_others_are_broken_off(suite, toys):
    """With Ctrl-C, say: it would go on for minutes with nobody to hear of it."""
    (toys / "test_toy.py").write_text(
        "import signal\ndef test_it(): signal.pause()\n", encoding="utf-8"
    )
    processes = []

    def break_off() -> None:
        with suite.aside(toys, "-q", "-p", "no:cacheprovider") as beside:
            processes.append(beside._process)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert processes[0].poll() is not None


def test_what_is_said_to_need_no_time_lies_where_it_is_said_to_lie():
    """A place that has moved would be looked for in vain, and its tests disturb the loads."""
    assert [place for place in UNTIMED if not (ROOT / place).exists()] == []
    assert is_untimed("tests/flow/test_queue.py::test_it", {"slow"})
    assert not is_untimed("tests/flower.py::test_it", set())
    for marker in ("load", "browser", "process"):
        assert not is_untimed("tests/flow/test_queue.py::test_it", {marker})
