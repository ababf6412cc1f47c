"""`make test` is green only where every test that was chosen has passed."""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

SUITE = Path(__file__).resolve().parents[2] / "scripts" / "suite.py"
NONE = 5
Script = dict[str, list[object]]


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


@pytest.fixture
def play(suite: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., int]:
    """Plays these runs in turn, instead of pytest's: the exit code."""

    def call(*runs: object) -> int:
        left = list(runs)
        monkeypatch.setattr(suite, "pytest", lambda *_: left.pop(0))
        code = suite.play(tmp_path, "not long", [])
        assert left == [], "a run that was not asked for"
        return int(code)

    return call


def test_all_passed_is_green(suite, play):
    """Both runs, or one where the other had nothing to do."""
    good = suite.Run(0, True, (), ("a",))
    assert play(good, good) == 0
    assert play(suite.Run(NONE, True), good) == 0
    assert play(good, suite.Run(NONE, True)) == 0


def test_a_choice_of_nothing_is_not_green(suite, play):
    """A misspelt -k proves nothing."""
    assert play(suite.Run(NONE, True), suite.Run(NONE, True)) == NONE


def test_a_failure_of_what_needs_no_clock_is_final(suite, play):
    """Only loads are disturbed by a machine."""
    assert play(suite.Run(1, True, ("a",)), suite.Run(0, True, (), ("b",))) == 1


def test_a_load_that_holds_the_second_time_is_named(suite, play, capsys):
    """It is green, and does not go unseen."""
    good = suite.Run(0, True, (), ("a",))
    assert play(good, suite.Run(1, True, ("b",), ("c",)), suite.Run(0, True, (), ("b",))) == 0
    assert "Held only when played once more: b" in capsys.readouterr().out


@pytest.mark.parametrize(
    "again",
    [
        {"code": 1, "whole": True, "failed": ("b",)},
        {"code": 0, "whole": True},  # skipped: it did not pass
        {"code": 1},  # it died
        {"code": 0, "whole": True, "passed": ("c",)},
    ],
)
def test_what_does_not_pass_the_second_time_fails(suite, play, again):
    """Failed again, skipped, dead, or something else was played."""
    good = suite.Run(0, True, (), ("a",))
    assert play(good, suite.Run(1, True, ("b",), ("c",)), suite.Run(**again)) == 1


@pytest.mark.parametrize(
    "cut",
    [
        {"code": 1, "whole": False, "failed": ("b",)},  # -x: the rest never ran
        {"code": 1},  # died without a word
        {"code": 2, "whole": False},
        {"code": 1, "whole": True, "failed": tuple("abcdefghijklmnop")},  # no matter of chance
    ],
)
def test_a_run_that_was_cut_short_is_not_judged_again(suite, play, cut):
    """A second run of a part would say nothing of the rest."""
    good = suite.Run(0, True, (), ("a",))
    assert play(good, suite.Run(**cut)) != 0


def test_a_real_run_tells_what_became_of_each(suite, tmp_path, monkeypatch):
    """Passed, failed and skipped by name, and whether it came to its end."""
    monkeypatch.setattr(suite, "ROOT", tmp_path)
    conftest = SUITE.parents[1] / "tests" / "conftest.py"
    (tmp_path / "conftest.py").write_text(
        "import os, json\nfrom pathlib import Path\nimport pytest\n"
        "from tests.conftest import Outcomes\n"
        "def pytest_configure(config):\n"
        "    told = Path(os.environ['BPDEMO_OUTCOMES_TO'])\n"
        "    config.pluginmanager.register(Outcomes(told))\n",
        encoding="utf-8",
    )
    (tmp_path / "test_toy.py").write_text(
        "import pytest\n"
        "def test_good(): pass\n"
        "def test_bad(): assert False\n"
        "def test_skipped(): pytest.skip('no')\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("PYTHONPATH", str(conftest.parents[1]))
    whole = suite.pytest(tmp_path, "-q", "-p", "no:cacheprovider", "test_toy.py")
    assert whole == suite.Run(1, True, ("test_toy.py::test_bad",), ("test_toy.py::test_good",))
    cut = suite.pytest(tmp_path, "-q", "-x", "-p", "no:cacheprovider", "test_toy.py")
    assert (cut.code, cut.whole) == (1, False)
