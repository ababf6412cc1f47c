"""The table of claims as a page tells it: written by `scripts/claims.py --arms`, read by tests."""

from __future__ import annotations

import re
from pathlib import Path

from tests.claims.entry import SLOWER, Arm, Claim, NotApplicable, Recommended

PAGE = Path(__file__).parents[2] / "notebooks" / "CLAIMS.md"
HEADING = "## Each mechanism alone"
COLUMNS = (
    "claim",
    "lesson",
    "what does it",
    "figure",
    "each other mechanism alone",
    f"what is recommended, with the payment {' and '.join(f'{by:g}×' for by in SLOWER)} slower",
)


def row_of(claim: Claim) -> str:
    """A row of the page, measured now."""
    cells = (
        claim.name,
        claim.lesson[:2],
        claim.mechanism,
        claim.figure or "–",
        _told(claim.arms),
        _told(claim.recommended),
    )
    return f"| {' | '.join(cells)} |"


def rows_told() -> dict[str, str]:
    """The rows that stand on the page, by the label of their claim."""
    rows = {}
    for line in PAGE.read_text("utf-8").split(HEADING)[1].splitlines():
        if found := re.match(r"\| ([\w-]+) \| (\d\d) \|", line):
            rows[_label(found[2], found[1])] = line
    return rows


def figures_told(claim: Claim, name: str) -> list[float]:
    """What the page says of an arm, or of a recommended value at each slowness."""
    found = re.search(re.escape(name) + r": (-?[\d.]+(?:, -?[\d.]+)*)", rows_told()[claim.label])
    assert found, f"{PAGE.name} has no figure for {name!r} of {claim.label}"
    return [float(figure) for figure in found[1].split(", ")]


def _told(part: tuple[Arm, ...] | tuple[Recommended, ...] | NotApplicable) -> str:
    if isinstance(part, NotApplicable):
        return part.reason
    return "; ".join(_figures(one) for one in part)


def _figures(one: Arm | Recommended) -> str:
    if isinstance(one, Arm):
        return f"{one.name}: {one.measure():.2f}"
    return f"{one.value}: " + ", ".join(f"{one.measure(by):.2f}" for by in SLOWER)


def _label(number: str, name: str) -> str:
    [notebook] = (PAGE.parent).glob(f"{number}_*.ipynb")
    return f"{notebook.stem} {name}"
