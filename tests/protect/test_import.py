"""Taken home, it brings no framework along, and is there at once."""

import json
import subprocess
import sys
from statistics import median

import pytest

pytestmark = pytest.mark.process

#: Of this machine at rest it needs about half of that, most of it for asyncio.
MOST_S = 0.060
ROUNDS = 7


def fresh(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    ).stdout


def test_it_imports_nothing_that_is_installed() -> None:
    """No fastapi, starlette, numpy or pydantic: the standard library and bpdemo alone."""
    code = (
        "import sys, json; before = set(sys.modules); import bpdemo.protect; "
        "print(json.dumps(sorted({name.partition('.')[0] for name in set(sys.modules) - before})))"
    )
    names = set(json.loads(fresh(code)))
    assert names - set(sys.stdlib_module_names) == {"bpdemo"}


def test_of_bpdemo_it_needs_flow_and_core_alone() -> None:
    """What stands on it may be installed without the rest."""
    code = (
        "import sys, bpdemo.protect; "
        "print(*{name.split('.')[1] for name in sys.modules if name.startswith('bpdemo.')})"
    )
    assert set(fresh(code).split()) == {"protect", "flow", "core"}


def test_it_is_imported_in_under_sixty_milliseconds() -> None:
    """Processor time over a bare interpreter, of the best of several: others run beside us."""
    code = (
        "import time; began = time.process_time(); import bpdemo.protect; "
        "print(time.process_time() - began)"
    )
    took_s = sorted(float(fresh(code)) for _ in range(ROUNDS))
    assert took_s[0] < MOST_S, f"best {took_s[0]:.3f} s, median {median(took_s):.3f} s"


@pytest.mark.parametrize(
    "name",
    ["AdmissionControl", "Rule", "AdmissionBooks", "deadline_of", "Admitted", "Rejected", "Left"],
)
def test_the_names_one_takes_home_are_at_the_front(name: str) -> None:
    """`from bpdemo.protect import …`, whatever file they live in."""
    assert fresh(f"from bpdemo.protect import {name}; print({name}.__name__)").strip() == name
