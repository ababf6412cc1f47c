"""Figures that pages tell from theory, worked out anew."""

import json
from pathlib import Path
from random import Random

import pytest

from bpdemo.core.choices import Distribution
from bpdemo.downstream.payment import PaymentPolicy
from bpdemo.sim import theory

ROOT = Path(__file__).resolve().parents[1]
SHEET = (ROOT / "notebooks" / "CHEATSHEET.md").read_text("utf-8").replace("\n", " ")


def lesson(number: str) -> str:
    """What its cells of text say."""
    [path] = (ROOT / "notebooks").glob(f"{number}_*.ipynb")
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return "\n".join("".join(one["source"]) for one in cells if one["cell_type"] == "markdown")


def rejected(load: float, workers: int, places: int) -> float:
    return theory.mmck(load * workers, 1, workers, workers + places).blocking_probability


def wait(load: float, workers: int) -> float:
    """In service times, without a bound."""
    return theory.mmck(load * workers, 1, workers, None).mean_wait_s


@pytest.mark.parametrize(
    ("distribution", "told"),
    [("exponential", "2% of calls"), ("lognormal", "3% with"), ("bimodal", "10% with bimodal")],
)
def test_a_timeout_of_four_service_times_cuts_off_what_the_sheet_says(
    distribution: Distribution, told: str
) -> None:
    """In a dependency that is well: of twenty thousand calls, to within a percentage point."""
    draw = PaymentPolicy(latency_s=1.0, distribution=distribution).sampler(Random(1))
    share = sum(draw() > 4 for _ in range(20_000)) / 20_000
    assert told in SHEET
    assert share == pytest.approx(float(told.partition("%")[0]) / 100, abs=0.01)


def test_waits_at_a_load_of_0_8_hang_on_the_workers() -> None:
    """The sheet says of one and of eight."""
    assert f"waits {wait(0.8, 1):.0f} service times, that of eight {wait(0.8, 8):.1f})" in SHEET


def test_lesson_02_tells_the_exact_figures() -> None:
    """Of four workers with ten places, and of what load does to the wait."""
    told = lesson("02")
    assert f"({100 * rejected(0.9, 4, 10):.3g}% by theory" in told
    assert wait(0.95, 8) / wait(0.8, 8) > 7
    assert "to more than seven times as much" in told


def test_lesson_09_tells_what_a_split_limit_costs() -> None:
    """One process beside four with a quarter each."""
    one, four = rejected(0.9, 8, 8), rejected(0.9, 2, 2)
    assert f"rejects {one:.0%} at 0.9 of capacity, and four with 2 and 2 reject {four:.0%}" in (
        lesson("09")
    )
