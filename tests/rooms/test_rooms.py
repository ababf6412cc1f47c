"""The rooms of the package: what an `__init__` may do, and that importing one shadows no name."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import bpdemo

PACKAGE = Path(bpdemo.__file__).parent
INITS = sorted(path for path in PACKAGE.rglob("__init__.py") if path.parent != PACKAGE)
#: More than these many modules side by side are a heap, not a room.
MOST_MODULES = 25
MOST_IN_LAB = 8


def run_fresh(code: str) -> subprocess.CompletedProcess[str]:
    """What a fresh interpreter makes of it: nothing has been imported there yet."""
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("path", INITS, ids=lambda path: str(path.parent.relative_to(PACKAGE)))
def test_an_init_says_what_lives_there_and_imports_nothing(path: Path) -> None:
    """Importing a module runs the `__init__` of every room above it; only what a person imports by
    hand has a face: the lab, and what they take home."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    said = ast.get_docstring(tree) or ""
    assert len(said.splitlines()) >= 3
    assert re.search(r"\b(Uses|May use|Imports nothing)\b", said, re.IGNORECASE)
    if path.parent.name != "lab":
        begin = re.search(r"Begin\s+with\s+`([\w.]+)`", said)
        assert begin is not None
        assert (path.parent / begin[1]).is_file()
        assert len(tree.body) == 1 or path.parent.name == "protect"


def test_every_room_can_be_imported_before_every_public_name() -> None:
    """A room with the name of a public function would take its place."""
    rooms = [
        ".".join(("bpdemo", *path.parent.relative_to(PACKAGE).parts))
        for path in INITS
        if path.parent.parts[-1] != "generator"
    ]
    code = (
        f"import importlib\nfor room in {rooms!r}: importlib.import_module(room)\n"
        "import bpdemo.lab as lab, types\n"
        "wrong = [n for n in lab.__all__ if n != 'theory' "
        "and isinstance(getattr(lab, n), types.ModuleType)]\n"
        "assert not wrong, wrong"
    )
    ran = run_fresh(code)
    assert ran.returncode == 0, ran.stderr


def test_no_room_is_a_heap() -> None:
    """A stranger finds a file by its room; the lab itself is a thin face."""
    for folder in {path.parent for path in PACKAGE.rglob("*.py")}:
        modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
        most = MOST_IN_LAB if folder.name == "lab" else MOST_MODULES
        assert len(modules) <= most, f"{folder.relative_to(PACKAGE)}: {len(modules)} modules"


@pytest.mark.parametrize(
    "module",
    ["bpdemo.load.generator.childline", "bpdemo.plan.visits", "bpdemo.plan.retries"],
)
def test_what_runs_in_a_load_generator_stays_light(module: str) -> None:
    """Each of Locust's processes would pay for numpy, pandas and plotly once more."""
    code = (
        f"import sys, {module}\n"
        "heavy = {'numpy', 'pandas', 'plotly'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    ran = run_fresh(code)
    assert ran.returncode == 0, ran.stderr
