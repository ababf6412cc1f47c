"""Before anything is fetched, what was asked for is looked at."""

import subprocess
import sys
from pathlib import Path

from benchmarks.environment import sections_in
from benchmarks.sections import SECTIONS

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "environment.py"


def test_a_section_that_does_not_exist_costs_no_download():
    """It is named, and so are those that there are."""
    told = subprocess.run(
        [sys.executable, str(SCRIPT), "--size", "tiny", "parts", "prats"],
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert told.returncode == 2
    assert "no such section: prats" in told.stderr
    assert all(section in told.stderr for section in SECTIONS)


def test_options_and_their_values_are_no_sections():
    """However they are mixed with sections."""
    assert sections_in(["--size", "full", "parts", "--out", "there", "growth"]) == [
        "parts",
        "growth",
    ]
    assert sections_in(["--size=full"]) == []
