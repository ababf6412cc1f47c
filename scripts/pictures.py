"""The pictures of the README, from real runs: what `make pictures` calls.

    python scripts/pictures.py                        every lesson that has such a picture
    python scripts/pictures.py notebooks/01_*.ipynb   only these

Runs the lessons at full length, up to their last picture, and draws what the cells tagged
`picture-NAME` show into pictures/NAME.png. Needs Chromium or Chrome, and a machine with nothing
else to do.
"""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import plotly.graph_objects as go
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bpdemo.results.validity import NotMeasured  # noqa: E402
from tests.support.measured import NeverMeasured, until_measured  # noqa: E402

PICTURES = ROOT / "pictures"
TAG = "picture-"
PLOTLY = "application/vnd.plotly.v1+json"
CELL_TIMEOUT_S = 300


def main(chosen: list[str]) -> int:
    paths = [Path(path) for path in chosen] or sorted(ROOT.glob("notebooks/*.ipynb"))
    if strangers := [str(p) for p in paths if p.suffix != ".ipynb" or not p.is_file()]:
        print(f"no such notebook: {', '.join(strangers)}", file=sys.stderr)
        return 2
    PICTURES.mkdir(exist_ok=True)
    wanted = [path for path in paths if any(True for _ in tagged(read(path)))]
    if not wanted:
        print(f"no cell is tagged {TAG}NAME in {', '.join(map(str, paths))}", file=sys.stderr)
        return 2
    failed = [path.name for path in wanted if not draw(path)]
    if failed:
        print(f"not drawn, see above: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def draw(path: Path) -> bool:
    """Run one lesson, again while the machine is busy, and write its pictures."""
    began_s = time.monotonic()
    print(f"{path.name}: running ...", flush=True)
    try:
        notebook = until_measured(lambda: executed(path))
    except (CellExecutionError, NeverMeasured) as error:
        print(f"{path.name}: {error}", file=sys.stderr)
        return False
    for name, cell in tagged(notebook):
        figure_of(cell).write_image(PICTURES / f"{name}.png", scale=2)
        print(f"  pictures/{name}.png", flush=True)
    print(f"{path.name}: {time.monotonic() - began_s:.0f} s", flush=True)
    return True


def executed(path: Path) -> Any:
    """The notebook with what its cells show. Raises `NotMeasured` if the machine was too busy."""
    notebook = read(path)
    last = max(i for i, cell in enumerate(notebook.cells) if _names_of(cell))
    notebook.cells = notebook.cells[: last + 1]  # no picture comes after it
    client = NotebookClient(
        notebook, timeout=CELL_TIMEOUT_S, resources={"metadata": {"path": path.parent}}
    )
    try:
        client.execute()
    except CellExecutionError as error:
        if error.ename != NotMeasured.__name__:
            raise
        print(f"{path.name}: the machine was busy", flush=True)
        raise NotMeasured([error.evalue]) from None
    return notebook


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def tagged(notebook: Any) -> Iterator[tuple[str, Any]]:
    """The name of each picture, and the cell that shows it."""
    for cell in notebook.cells:
        for name in _names_of(cell):
            yield name, cell


def _names_of(cell: Any) -> list[str]:
    tags = cell.metadata.get("tags", [])
    return [tag.removeprefix(TAG) for tag in tags if tag.startswith(TAG)]


def figure_of(cell: Any) -> go.Figure:
    """The last figure among a cell's outputs."""
    found = [output.data[PLOTLY] for output in cell.outputs if PLOTLY in output.get("data", {})]
    if not found:
        raise SystemExit(f"this cell shows no picture: {cell.source}")
    return go.Figure(json.loads(json.dumps({k: found[-1][k] for k in ("data", "layout")})))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
