"""Each lesson run once, one after another, and kept until something that it runs on changes."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from bpdemo.core.environment import own_environment

ROOT: Final = Path(__file__).resolve().parents[1]
#: Of a notebook's metadata, where it stands how it was run.
RAN: Final = "bpdemo_ran"
CELL_TIMEOUT_S: Final = 300
#: Twice not measured is a machine that measures nothing.
TRIES: Final = 2
NOT_MEASURED: Final = "NotMeasured"

Say = Callable[[str], object]


class LessonFailed(Exception):
    """Which lesson, which cell, and what it said."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a page came about. `profile` is full or short; `commit` of what was run."""

    profile: str
    date: str
    machine: str
    commit: str
    key: str = ""

    @property
    def told(self) -> str:
        runs = "" if self.profile == "full" else ", each run just long enough for its claim"
        return (
            f"Run on {self.date} in the {self.profile} profile{runs}, on {self.machine}; "
            f"commit {self.commit}."
        )


def this_run(profile: str, key: str = "") -> Ran:
    return Ran(profile, datetime.now(UTC).strftime("%d %B %Y"), this_machine(), commit(), key)


def this_machine() -> str:
    cores = os.cpu_count() or 1
    python = f"Python {platform.python_version()}"
    return f"{cores} cores ({platform.machine()}), {platform.system()}, {python}"


def commit() -> str:
    """The checkout's commit, with a word where files differ from it; `unknown` outside of git."""
    try:
        found = _git("rev-parse", "--short=12", "HEAD").strip()
        changed = _git("status", "--porcelain", "--untracked-files=no").strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"{found} with changes" if changed else found


def _git(*words: str) -> str:
    return subprocess.run(
        ["git", *words], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout


def key_of(notebook: Path, profile: str) -> str:
    """Changes with the notebook's cells, and with all code that they may run."""
    digest = hashlib.sha256(profile.encode())
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    digest.update(json.dumps([cell["source"] for cell in cells]).encode())
    digest.update((ROOT / "requirements.txt").read_bytes())
    for path in sorted((ROOT / "bpdemo").rglob("*")):
        if path.is_file() and path.suffix != ".pyc":
            digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def run_all(
    notebooks: Iterable[Path], profile: str, folder: Path, say: Say, *, fresh: bool = False
) -> None:
    """Leave each as it reads when run in `folder`. `fresh` runs those again that are kept there.

    Raises `LessonFailed` for a cell with an error, and for a machine that was busy twice.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for path in notebooks:
        kept, key = folder / path.name, key_of(path, profile)
        if not fresh and kept.exists() and ran_of(kept).get("key") == key:
            continue
        say(f"{path.name}: running …")
        began = datetime.now(UTC)
        notebook = run(path, profile, folder.parent)
        notebook.metadata[RAN] = asdict(this_run(profile, key))
        nbformat.write(notebook, kept)
        say(f"{path.name}: ran in {(datetime.now(UTC) - began).total_seconds():.0f} s")


def ran_of(path: Path) -> dict[str, Any]:
    """How the notebook at this path was run; nothing of one that was not."""
    told = json.loads(path.read_text("utf-8"))["metadata"].get(RAN)
    return told if isinstance(told, dict) else {}


def run(path: Path, profile: str, folder: Path) -> Any:
    """The notebook with the outputs of its cells, run once more if the machine was busy."""
    for left in reversed(range(TRIES)):
        try:
            return executed(path, profile, folder)
        except CellExecutionError as error:
            if error.ename == NOT_MEASURED and left:
                continue
            raise LessonFailed(f"{path.name}: {error.ename}: {error.evalue}") from error
    raise AssertionError("tried, and neither run nor refused")


def executed(path: Path, profile: str, folder: Path) -> Any:
    """One run, in a kernel of its own, with a home of its own: no learner's is touched."""
    work, home = folder / "work", folder / f"home-{profile}"
    work.mkdir(parents=True, exist_ok=True)
    notebook = nbformat.read(path, as_version=4)
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"  # the kernel is this Python, and no other
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT_S,
        kernel_name="python3",
        resources={"metadata": {"path": str(work)}},
        store_widget_state=False,
        # It warns of its own transport, which does not leave this machine.
        extra_arguments=["--log-level=ERROR"],
    )
    client.execute(
        env=own_environment(
            {
                "BPDEMO_PROFILE": profile,
                "BPDEMO_HOME": str(home),
                "JUPYTER_PREFER_ENV_PATH": "1",
                # As data: the page has its own plotly.js.
                "PLOTLY_RENDERER": "plotly_mimetype",
            }
        )
    )
    ran_in = str(work.resolve())
    shorten(
        notebook,
        {f"{ran_in}{os.sep}": "", ran_in: ".", str(home.resolve()): "~", f"{ROOT}{os.sep}": ""},
    )
    return notebook


def shorten(notebook: Any, places: Mapping[str, str]) -> None:
    """In what cells have shown, put for each of these paths what stands for it, the first of them
    first: nobody else has the folders of the machine that ran them."""
    for cell in notebook.cells:
        if "outputs" in cell:
            cell.outputs = [_short(output, places) for output in cell.outputs]


def _short(told: Any, places: Mapping[str, str]) -> Any:
    if isinstance(told, dict):
        return type(told)({name: _short(inside, places) for name, inside in told.items()})
    if isinstance(told, list):
        return [_short(one, places) for one in told]
    if not isinstance(told, str):
        return told
    for place, short in places.items():
        told = told.replace(place, short)
    return told
