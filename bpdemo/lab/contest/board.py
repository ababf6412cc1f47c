"""The codes of a room as a ranking, one for each word."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from rich.table import Table

from bpdemo.lab.contest.code import BadCode, Result, read_code

#: What somebody may have meant as a code, in a line of a chat for example.
_LIKE_A_CODE = re.compile(r"\S+-\S+-\S+-\S+|\S+-\d{3,4}-\S+")
_AROUND = "'\"`()[]<>,;:!?*."


@dataclass
class Board:
    """`words` → the results of that word, the best first; `refused` are codes with the reason."""

    words: dict[str, list[Result]] = field(default_factory=dict)
    refused: list[tuple[str, str]] = field(default_factory=list)

    @classmethod
    def of(cls, lines: Iterable[str]) -> Board:
        """From lines that hold codes, among other words or not. Of each name its best counts."""
        board, best = cls(), dict[tuple[str, str], Result]()
        for code in _codes_in(lines):
            try:
                result = read_code(code)
            except BadCode as error:
                board.refused.append((code, str(error)))
                continue
            whose = (result.word, result.name)
            best[whose] = max(result, best.get(whose, result), key=lambda each: each.points)
        for result in sorted(best.values(), key=lambda each: (each.word, -each.points, each.name)):
            board.words.setdefault(result.word, []).append(result)
        return board

    def tables(self) -> list[Table]:
        return [_table(word, results) for word, results in self.words.items()]


def ranks(results: list[Result]) -> list[int]:
    """The same points, the same rank: 1, 2, 2, 4."""
    points = [result.points for result in results]
    return [points.index(each) + 1 for each in points]


def _codes_in(lines: Iterable[str]) -> list[str]:
    words = (word.strip(_AROUND) for line in lines for word in line.split())
    return list(dict.fromkeys(word for word in words if _LIKE_A_CODE.fullmatch(word)))


def _table(word: str, results: list[Result]) -> Table:
    table = Table(title=f"The word {word}: {len(results)} in the room")
    table.add_column("rank", justify="right")
    table.add_column("name")
    table.add_column("points", justify="right")
    for rank, result in zip(ranks(results), results, strict=True):
        table.add_row(str(rank), result.name, str(result.points))
    return table
