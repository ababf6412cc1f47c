"""Notebooks as the JSON that they are.

To import nbformat takes a second and a half of processor time, which every process that finds
tests would spend; to read with it checks the whole against a schema. Whether the course's
notebooks keep to that schema is seen wherever one runs in a kernel.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

KERNELSPEC = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}


@dataclass(frozen=True, slots=True)
class Cell:
    cell_type: str
    source: str
    metadata: dict[str, Any]


def cells_in(path: Path) -> list[Cell]:
    """The cells of the notebook at this path, in order."""
    told = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [Cell(c["cell_type"], "".join(c["source"]), c["metadata"]) for c in told]


def code_cell(source: str, tags: list[str] | None = None) -> Cell:
    return Cell("code", source, {"tags": tags} if tags else {})


def write_notebook(path: Path, *cells: Cell | str) -> None:
    """A notebook of these cells, of code where they are only their source."""
    made = [code_cell(cell) if isinstance(cell, str) else cell for cell in cells]
    notebook = {
        "cells": [
            {
                "id": f"cell-{number}",
                "cell_type": cell.cell_type,
                "source": cell.source,
                "metadata": cell.metadata,
            }
            | ({"outputs": [], "execution_count": None} if cell.cell_type == "code" else {})
            for number, cell in enumerate(made)
        ],
        "metadata": {"kernelspec": KERNELSPEC},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    path.write_text(json.dumps(notebook), encoding="utf-8")
