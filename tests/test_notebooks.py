"""Every notebook of the course as a file: nothing stored in it that a reader has not made."""

import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("notebooks", "solutions", "exercises")
NOTEBOOKS = sorted(path for folder in FOLDERS for path in ROOT.glob(f"{folder}/*.ipynb"))
LINES_MAX = 15
BYTES_MAX = 200_000

each_notebook = pytest.mark.parametrize(
    "path", NOTEBOOKS, ids=lambda p: f"{p.parent.name}/{p.stem}"
)


def code_cells(path: Path) -> list[Any]:
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == "code"]


@each_notebook
def test_no_outputs_are_stored(path: Path) -> None:
    """What one sees is what one has run; and a diff shows words, not pictures."""
    for cell in code_cells(path):
        assert cell["outputs"] == []
        assert cell["execution_count"] is None


@each_notebook
def test_cells_are_short(path: Path) -> None:
    """A cell is read at a glance. Marks of a solution do not count: no learner sees them."""
    for cell in code_cells(path):
        lines = "".join(cell["source"]).splitlines()
        assert len([line for line in lines if "### " not in line]) <= LINES_MAX, lines


@each_notebook
def test_the_file_is_small(path: Path) -> None:
    """No pictures inside: a room downloads it in a moment."""
    assert path.stat().st_size <= BYTES_MAX


@each_notebook
def test_it_names_its_kernel_and_its_cells(path: Path) -> None:
    """Without a kernelspec Lab asks each learner which kernel to take; cell ids are unique."""
    notebook = json.loads(path.read_text("utf-8"))
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(ids) == len(set(ids))


def test_there_are_notebooks() -> None:
    """The tests above prove nothing over an empty list."""
    assert len(NOTEBOOKS) >= 4
