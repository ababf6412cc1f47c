"""In CI, a property tries the same examples whatever else its process has done."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

#: Prints what a property has drawn; the words are modules to import before.
DRAWS = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
from hypothesis import given, settings, strategies as st
from tests.support.repeatable import REPEATABLE, draw_without_constants

draw_without_constants()
drawn = []

@settings(max_examples=60, database=None, **REPEATABLE)
@given(st.integers(), st.floats(), st.text())
def prop(whole, real, text):
    drawn.append((whole, real, text))

prop()
print(drawn)
"""
OTHERS: tuple[list[str], ...] = ([], ["bpdemo.core.settings", "tests.vopr.dice"])


@pytest.mark.process
def test_what_else_is_imported_changes_no_example(tmp_path: Path) -> None:
    """The same number of draws, and each the same, with two modules full of numbers or none."""
    script = tmp_path / "draws.py"  # in a file: hypothesis begins with what it reads there
    script.write_text(DRAWS, "utf-8")
    alone, beside = (
        subprocess.run(
            [sys.executable, script, *names], env=os.environ | {"PYTHONPATH": str(ROOT)},
            check=True, capture_output=True, text=True, timeout=60,
        ).stdout
        for names in OTHERS
    )  # fmt: skip
    assert alone == beside
    assert alone.count("), (") == 59
