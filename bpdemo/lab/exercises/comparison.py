"""Once an answer has passed: the production version beside the learner's."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from bpdemo.lab.exercises.beside import Beside
from bpdemo.lab.exercises.next_step import next_step
from bpdemo.lab.exercises.production import PRODUCTION
from bpdemo.lab.exercises.verdict import Verdict

NEXT: Final = "What next"


def with_production(verdict: Verdict, mine: Callable[[], str]) -> Verdict:
    """A verdict that passed, with what to do next and, where there is one, the production version
    of its answer.

    `mine` gives the learner's own source.
    """
    if not verdict.passed:
        return verdict
    verdict = replace(verdict, says=(*verdict.says, (NEXT, next_step(verdict.name))))
    production = PRODUCTION.get(verdict.name)
    if production is None:
        return verdict
    beside = Beside(mine(), tuple(production.sources()), production.differs)
    return replace(verdict, beside=beside)


def source_of(name: str, answer: Any) -> str:
    """The source of an answer called `name`: of a function, a file, or a value."""
    if callable(answer):
        try:
            return textwrap.dedent(inspect.getsource(answer)).rstrip("\n")
        except (OSError, TypeError):  # it was not written in a cell, nor in a file
            return ""
    if isinstance(answer, Path):
        return answer.read_text("utf-8").rstrip("\n")
    return f"{name} = {answer!r}"
