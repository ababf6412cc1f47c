"""The tests, as many at once as proves something: what `make test` and `make test-all` call.

    python scripts/suite.py          what a change can break, in about eight minutes
    python scripts/suite.py --long   the rest: long loads, and every lesson in the browser

Two runs of pytest stand side by side. One plays real loads and opens browsers, one at a time. The
other has a process for each core, and gives way: beside it, a load and its service find the machine
as good as free. A load that holds in such company holds alone. One that fails there is judged again
when nothing else runs, since that it was disturbed is no fault of the service.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.support.measured import await_quiet  # noqa: E402

LOADS, OTHERS = "(load or browser)", "not (load or browser)"
GIVING_WAY = 10
FAILED, NO_TESTS = 1, 5
#: Were there more, it is no matter of company.
AGAIN_MOST = 20
#: As long as the machine is not quiet, a load that failed has not been judged alone.
AGAIN_TRIES = 3
QUIET_S = 60.0


class Run:
    """A run of pytest: its exit code, and the ids of the tests that failed.

    One that gives way prints into a file, which is shown when it is over.
    """

    def __init__(self, folder: Path, *arguments: str, gives_way: bool = False) -> None:
        self._told = Path(tempfile.mkdtemp(dir=folder)) / "failed.json"
        self._printed = self._told.with_name("printed.txt")
        with self._printed.open("wb") as printed:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "pytest", *arguments],
                cwd=ROOT,
                env=os.environ | {"BPDEMO_FAILED_TO": str(self._told)},
                stdout=printed if gives_way else None,
                stderr=subprocess.STDOUT if gives_way else None,
            )
        if gives_way:
            psutil.Process(self._process.pid).nice(_lower())

    def end(self) -> int:
        """Wait for it, and show what it printed aside. That it chose no test is no failure."""
        code = self._process.wait()
        print(self._printed.read_text("utf-8", "replace"), end="", flush=True)
        return 0 if code == NO_TESTS else code

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()

    @property
    def failed(self) -> list[str]:
        return list(json.loads(self._told.read_text("utf-8"))) if self._told.exists() else []


def _lower() -> int:
    return psutil.BELOW_NORMAL_PRIORITY_CLASS if sys.platform == "win32" else GIVING_WAY


def main(arguments: list[str]) -> int:
    length = "long" if "--long" in arguments else "not long"
    chosen = [word for word in arguments if word != "--long"]
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        verdict = play(Path(folder), length, chosen)
    verb = "failed" if verdict else "hold"
    print(f"tests ({length}): they {verb}, after {time.monotonic() - began_s:.0f} s", flush=True)
    return verdict


def play(folder: Path, length: str, chosen: list[str]) -> int:
    """Both runs, and the second judgement of loads; the exit code of what failed, or 0."""
    cores = str(max(2, os.cpu_count() or 1))
    side_by_side = ["-n", cores, "--dist", "worksteal", "-m", f"{OTHERS} and {length}"]
    others = Run(folder, *side_by_side, *chosen, gives_way=True)
    try:
        loads = Run(folder, "-m", f"{LOADS} and {length}", *chosen)
        loads_code, others_code = loads.end(), others.end()
    except BaseException:
        others.stop()
        raise
    if loads_code == FAILED and len(loads.failed) <= AGAIN_MOST:
        loads_code = judged_alone(folder, loads.failed)
    return others_code or loads_code


def judged_alone(folder: Path, loads: list[str]) -> int:
    """Play these loads with nothing beside them; the exit code of what came last."""
    code = FAILED
    for _ in range(AGAIN_TRIES):
        quiet = await_quiet(QUIET_S)
        print(f"\nOnce more, alone: {', '.join(loads)}", flush=True)
        run = Run(folder, *loads)
        code, loads = run.end(), run.failed
        if not code or quiet:
            break
    return code


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
