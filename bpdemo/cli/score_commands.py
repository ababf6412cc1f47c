"""`bpdemo score` prints a code for one's settings; `bpdemo board` ranks the codes of a room."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from bpdemo.cli.console import make_console
from bpdemo.core.errors import SettingsInvalid
from bpdemo.core.person_text import decoded
from bpdemo.core.settings import Settings
from bpdemo.lab.contest.board import Board
from bpdemo.lab.contest.challenge import challenge
from bpdemo.lab.contest.code import FORM, code_of, plain_name
from bpdemo.lab.exercises.answer_cells import NoAnswerCell, find_answer

CELL: Final = "08"
ANSWER: Final = "mine"


def run_score(name: str, word: str, knobs: Mapping[str, str]) -> int:
    """Score the settings of the saved notebook, or `knobs`, and print the code.

    Exit code 1 if there are no settings to be found. ValueError for a name or word without a
    letter, `SettingsInvalid` for settings.
    """
    plain_name(name)  # before the work, not after it
    try:
        settings, source = (_typed(knobs), "--set") if knobs else _saved()
    except NoAnswerCell as missing:
        print(f"bpdemo: {missing}", file=sys.stderr)
        return 1
    score = challenge(word).score(settings)
    scored = ", ".join(f"{name}={value}" for name, value in settings.items())
    print(f"Scored: {scored or 'the defaults'} (from {source})\n")
    print(score)
    print(f"\nYour code:  {code_of(name, word, score.total)}")
    return 0


def run_board(codes: list[str], file: Path | None) -> int:
    """Rank codes given, of a file, or line by line from standard input. 1 if none was valid."""
    lines = list(codes)
    if file is not None:
        try:
            lines += decoded(file.read_bytes()).splitlines()
        except OSError as error:
            raise ValueError(f"file: {file} cannot be read ({error.strerror})") from None
    elif not codes:
        lines += _pasted() if sys.stdin.isatty() else _piped()
    board = Board.of(lines)
    console = make_console()
    for table in board.tables():
        console.print(table)
    for code, why in board.refused:
        print(f"Not counted: {code}: {why}. Please ask for it again.")
    for text in codes:
        if Board.of([text]) == Board():  # neither read nor refused
            print(f"Not counted: {text!r} is no code: {FORM}.")
    if not board.words:
        print("There is no valid code yet.")
    return 0 if board.words else 1


def _pasted() -> Iterable[str]:
    print("Paste the codes; an empty line ends the list.", file=sys.stderr)
    return iter(sys.stdin.readline, "\n")


def _piped() -> Iterable[str]:
    """What another program wrote, which may have encoded it as it does its files."""
    raw = getattr(sys.stdin, "buffer", None)
    text = decoded(raw.read()) if raw else sys.stdin.read()
    return text.splitlines()


def _typed(knobs: Mapping[str, str]) -> dict[str, Any]:
    made = Settings(**knobs)
    return {name: getattr(made, name) for name in knobs}


def _saved() -> tuple[dict[str, Any], str]:
    """The dict of the learner's cell, which is read, not run, and the file that it is in."""
    cell = find_answer(CELL, Path.cwd())
    try:
        for statement in ast.parse(cell.source).body:
            if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == ANSWER:
                settings = ast.literal_eval(statement.value)
                if isinstance(settings, dict):
                    named = {str(name): value for name, value in settings.items()}
                    return named, str(cell.notebook)
    except (SyntaxError, ValueError):
        pass
    where = f"the cell tagged answer-{CELL} in {cell.notebook}"
    raise SettingsInvalid(ANSWER, f"must be a plain dict of numbers and words in {where}")
