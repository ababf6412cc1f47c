"""The page of claims: written by `scripts/claims.py`, read by tests.

Its first table is a log: each row is one claim as it was last played. Its second measures each
mechanism alone. What follows them is kept by hand, and nothing here touches it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bpdemo.lab.lessons.shared.claims import Claim as Measured
from tests.claims.entry import SLOWER, Arm, Claim, NotApplicable, Recommended
from tests.claims.table import CLAIMS
from tests.support.claims import texts_of

PAGE = Path(__file__).parents[2] / "benchmarks" / "CLAIMS.md"
LOG = "## As played"
ARMS = "## Each mechanism alone"
#: Of a claim that nobody has played since its text became what it is.
NOT_YET = "not yet"
LOG_COLUMNS = ("claim", "lesson", "what it claims", "asked", "measured", "held", "how", "on")
ARM_COLUMNS = (
    "claim",
    "lesson",
    "what does it",
    "figure",
    "each other mechanism alone",
    f"what is recommended, with the payment {' and '.join(f'{by:g}×' for by in SLOWER)} slower",
)


@dataclass(slots=True)
class Played:
    """What came of playing the claims of one tag so many times."""

    claim: Claim
    how: str
    on: str
    times: int = 0
    busy: int = 0
    measured: dict[str, list[Measured]] = field(default_factory=dict)

    def heard(self, found: Measured) -> None:
        """A claim was made, and held or not."""
        self.measured.setdefault(found.text, []).append(found)

    def rows(self) -> list[str]:
        """A row for each text of the tag."""
        return [self._row(text) for text in texts_of(self.claim.lesson, self.claim.name)]

    def _row(self, text: str) -> str:
        found = self.measured.get(text, [])
        held = f"{sum(one.holds for one in found)} of {len(found)}" if found else NOT_YET
        if self.busy:
            held += f" ({self.busy} busy)"
        asked, worst = (f"{found[0].bounds}{_unit(found[0])}", spread(found)) if found else ("", "")
        return _line(_cells_of(self.claim, text, asked, worst, held, self.how, self.on))


def spread(found: Sequence[Measured]) -> str:
    """The worst figure where there is a worst; of a range, from the least to the greatest."""
    values = sorted(one.value for one in found)
    bounds = found[0].bounds
    if bounds.startswith("≥"):
        return figure(values[0])
    if bounds.startswith("≤") or values[0] == values[-1]:
        return figure(values[-1])
    return f"{figure(values[0])} to {figure(values[-1])}"


def figure(value: float) -> str:
    """Three digits, never as a power of ten."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def write_played(played: Played) -> None:
    """Put it in the place of what the page said of this tag, unless nothing could be measured."""
    rows = played_rows()
    told = {claim.label: rows.get(claim.label, []) for claim in CLAIMS}
    if played.measured:
        told[played.claim.label] = played.rows()
    _write(LOG, LOG_COLUMNS, [row for claim in CLAIMS for row in told[claim.label]])


def tidy() -> None:
    """Give each claim its rows: those it has, or one that says that it was not played yet."""
    rows = played_rows()
    told = []
    for claim in CLAIMS:
        before = {_text(row): row for row in rows.get(claim.label, [])}
        for text in texts_of(claim.lesson, claim.name):
            told.append(before.get(text) or _line(_cells_of(claim, text, held=NOT_YET)))
    _write(LOG, LOG_COLUMNS, told)


def write_arm(claim: Claim) -> str:
    """Measure each mechanism of it alone, now, put that on the page, and give the row."""
    rows = rows_told() | {claim.label: row_of(claim)}
    _write(ARMS, ARM_COLUMNS, [rows[one.label] for one in CLAIMS if one.label in rows])
    return rows[claim.label]


def row_of(claim: Claim) -> str:
    """A row of the second table, measured now."""
    figures = (claim.figure or "–", _told(claim.arms), _told(claim.recommended))
    return _line((claim.name, claim.lesson[:2], claim.mechanism, *figures))


def rows_told() -> dict[str, str]:
    """The rows of the second table, by the label of their claim."""
    return {label: rows[0] for label, rows in _rows(ARMS).items()}


def played_rows() -> dict[str, list[str]]:
    """The rows of the log, by the label of their claim."""
    return _rows(LOG)


def texts_told() -> dict[str, list[str]]:
    """What the log says that each tag claims, word for word."""
    return {label: [_text(row) for row in rows] for label, rows in played_rows().items()}


def figures_told(claim: Claim, name: str) -> list[float]:
    """What the page says of an arm, or of a recommended value at each slowness."""
    found = re.search(re.escape(name) + r": (-?[\d.]+(?:, -?[\d.]+)*)", rows_told()[claim.label])
    assert found, f"{PAGE.name} has no figure for {name!r} of {claim.label}"
    return [float(figure) for figure in found[1].split(", ")]


def _cells_of(claim: Claim, text: str, *rest: str, held: str = "") -> tuple[str, ...]:
    told = rest or ("", "", held, "", "")
    return (claim.name, claim.lesson[:2], text, *told)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _text(row: str) -> str:
    return row.strip("|").split(" | ")[2].strip()


def _rows(heading: str) -> dict[str, list[str]]:
    labels = {(claim.name, claim.lesson[:2]): claim.label for claim in CLAIMS}
    rows: dict[str, list[str]] = {}
    for line in _section(heading)[1].splitlines():
        found = re.match(r"\| ([\w-]+) \| (\d\d) \|", line)
        if found and (label := labels.get((found[1], found[2]))):
            rows.setdefault(label, []).append(line)
    return rows


def _section(heading: str) -> tuple[str, str, str]:
    """What stands before it on the page, the section, and what stands after it."""
    before, rest = PAGE.read_text("utf-8").split(f"{heading}\n", maxsplit=1)
    section, *after = re.split(r"(?m)^(?=## )", rest, maxsplit=1)
    return f"{before}{heading}\n", section, "".join(after)


def _write(heading: str, columns: Sequence[str], rows: Sequence[str]) -> None:
    before, section, after = _section(heading)
    prose = section.split("\n| ", maxsplit=1)[0].rstrip("\n")
    table = "\n".join([_line(columns), f"|{'---|' * len(columns)}", *rows])
    PAGE.write_text(f"{before}{prose}\n\n{table}\n{after and chr(10)}{after}", "utf-8")


def _unit(found: Measured) -> str:
    return "" if found.unit in ("", "share") else f" {found.unit}"


def _told(part: tuple[Arm, ...] | tuple[Recommended, ...] | NotApplicable) -> str:
    if isinstance(part, NotApplicable):
        return part.reason
    return "; ".join(_figures(one) for one in part)


def _figures(one: Arm | Recommended) -> str:
    measure: Callable[[float], float]
    if isinstance(one, Arm):
        return f"{one.name}: {one.measure():.2f}"
    measure = one.measure
    return f"{one.value}: " + ", ".join(f"{measure(by):.2f}" for by in SLOWER)
