"""After a passed check the production version stands beside the learner's."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import pytest

from bpdemo.lab import check
from bpdemo.lab.exercises.catalogue import EXERCISES
from bpdemo.lab.exercises.comparison import source_of, with_production
from bpdemo.lab.exercises.production import PRODUCTION
from bpdemo.lab.exercises.verdict import State, Verdict

#: Calculations on paper: the service has no code that does the same.
ON_PAPER = {"06c", "07b"}


def verdict_of(name: str, state: State = "passed") -> Verdict:
    return Verdict(name, EXERCISES[name].title, state, (("Seen", "so much."),))


@pytest.fixture(autouse=True)
def own_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BPDEMO_HOME", str(tmp_path))


def test_every_mechanism_that_a_learner_writes_has_its_production_version() -> None:
    """Every exercise whose answer is code, and no other name."""
    functions = {name for name, exercise in EXERCISES.items() if exercise.is_function}
    assert functions - ON_PAPER <= set(PRODUCTION) <= set(EXERCISES) - ON_PAPER


@pytest.mark.parametrize("name", sorted(PRODUCTION))
def test_the_production_version_is_found_and_its_differences_are_told(name: str) -> None:
    """The code is that which runs today, not a copy; each difference is a sentence."""
    shown = with_production(verdict_of(name), lambda: "mine = 1")
    assert shown.beside is not None
    assert all(each.code and each.file.startswith("bpdemo/") for each in shown.beside.theirs)
    assert len(shown.beside.differs) >= 2
    assert all(
        each[0] in "`" + ascii_uppercase and each[-1] in ".`" for each in shown.beside.differs
    )
    for text in (str(shown), shown._repr_html_()):
        assert "mine = 1" in text
        assert all(each.place in text for each in shown.beside.theirs)
        assert "What differs" in text


def test_showing_it_imports_nothing_of_it() -> None:
    """Locust patches the process that imports it, and that would be the notebook's kernel."""
    source = (
        "import sys\n"
        "from bpdemo.lab.exercises.production import PRODUCTION\n"
        "shown = [each for one in PRODUCTION.values() for each in one.sources()]\n"
        "print(len(shown), {'locust', 'gevent', 'fastapi'} & set(sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, check=True, timeout=60
    )
    told = sum(len(one.where) for one in PRODUCTION.values())
    assert done.stdout == f"{told} set()\n"


@pytest.mark.parametrize("state", ["not yet", "not tried", "could not judge"])
@pytest.mark.parametrize("name", sorted(PRODUCTION))
def test_nothing_is_given_away_before_the_check_has_passed(name: str, state: State) -> None:
    """Production code is the solution, or close to it."""
    verdict = verdict_of(name, state)
    assert with_production(verdict, lambda: "mine = 1") == verdict


def test_a_passed_check_shows_both(tmp_path: Path) -> None:
    """The learner's own source, as its cell has it, and the service's."""
    source = (
        "def sheds(waited_s, standing_s, target_s, interval_s):\n"
        "    return waited_s > target_s and standing_s > interval_s  # <mine>\n"
    )
    (cell := tmp_path / "cell.py").write_text(source)
    names: dict[str, Any] = {}
    exec(compile(source, str(cell), "exec"), names)
    passed = check("03c", names["sheds"])
    assert passed.passed
    assert source.rstrip() in str(passed).replace("\n    ", "\n").replace("    def", "def")
    assert "# &lt;mine&gt;" in passed._repr_html_()
    assert "bpdemo/flow/codel.py" in passed._repr_html_()
    assert passed._repr_html_().count("white-space:pre;word-break:normal") == 3
    assert check("03c", lambda *_: True).beside is None


def test_what_has_no_source_is_left_out(tmp_path: Path) -> None:
    """A value is shown as its assignment, a file as its text, and something built in not at all."""
    (file := tmp_path / "shop.py").write_text("app = None\n")
    assert source_of("order", ["retry"]) == "order = ['retry']"
    assert source_of("shop", file) == "app = None"
    assert source_of("try_put", max) == ""
    shown = with_production(verdict_of("01a"), lambda: "")
    assert "Yours" not in str(shown) + shown._repr_html_()


@pytest.mark.parametrize("name", sorted(PRODUCTION))
def test_two_versions_stand_beside_each_other_only_where_neither_is_cut(name: str) -> None:
    """Each asks for the width of its longest line, so that they stand one below the other where
    there is no room for both; a font of one width takes up to 0.61 of its size a character."""
    mine = "x" * 70
    shown = with_production(verdict_of(name), lambda: mine)
    assert shown.beside is not None
    theirs = (line for each in shown.beside.theirs for line in each.code.splitlines())
    asked_px = [int(px) for px in re.findall(r"min\(100%,(\d+)px\)", shown._repr_html_())]
    for px, longest in zip(asked_px, (len(mine), max(map(len, theirs))), strict=True):
        assert px >= 0.61 * 14 * longest + 16
