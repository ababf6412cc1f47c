"""`bpdemo check`, `bpdemo hint` and `bpdemo progress`: the exercises from a terminal."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from bpdemo.lab.exercises.answer_cells import NoAnswerCell, find_answer
from bpdemo.lab.exercises.catalogue import EXERCISES
from bpdemo.lab.exercises.comparison import with_production
from bpdemo.lab.exercises.desk import next_hint, progress, require_exercise
from bpdemo.lab.exercises.judging_process import judge_source
from bpdemo.lab.exercises.marks import note_check


def run_check(name: str) -> int:
    """Check the answer in the saved notebook: 0 if it passed, else 1.

    ValueError if there is no such exercise.
    """
    require_exercise(name)
    try:
        cell = find_answer(name, Path.cwd(), EXERCISES[name].answer)
    except NoAnswerCell as missing:
        print(f"bpdemo: {missing}", file=sys.stderr)
        return 1
    verdict = judge_source(
        name,
        cell.imports,
        cell.source,
        cell.notebook.parent,
        lambda told: print(told, file=sys.stderr, flush=True),
    )
    note_check(name, verdict.state)
    verdict = replace(verdict, file=str(cell.notebook))
    print(with_production(verdict, lambda: cell.source))
    return 0 if verdict.passed else 1


def run_hint(name: str, again: bool) -> None:
    print(repr(next_hint(name, again, f"bpdemo hint {name} --again")))


def run_progress() -> None:
    print(progress())
