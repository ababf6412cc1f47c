"""The tests, as many at once as proves something: what `make test` and `make test-all` call.

    python scripts/suite.py          what a change can break, in about eight minutes
    python scripts/suite.py --long   the rest: long loads, and every lesson in the browser

Two runs of pytest, one after the other. The first has a process for each core. The second plays
real loads and opens browsers, one at a time and with nothing beside them: on two cores a load needs
both, and beside other tests, however low their priority, too many runs do not count. A load that
fails is judged once more on a quiet machine, since that it was disturbed is no fault of the
service; what fails again fails.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.support.measured import await_quiet  # noqa: E402

LOADS, OTHERS = "(load or browser)", "not (load or browser)"
FAILED, NO_TESTS = 1, 5
#: Were there more, the machine is not the reason.
AGAIN_MOST = 12
AGAIN_TRIES = 3
QUIET_S = 60.0


def pytest(folder: Path, *arguments: str) -> tuple[int, list[str]]:
    """A run of pytest: its exit code, and the ids of the tests that failed.

    That it chose no test is no failure.
    """
    told = Path(tempfile.mkdtemp(dir=folder)) / "failed.json"
    code = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments],
        check=False,
        cwd=ROOT,
        env=os.environ | {"BPDEMO_FAILED_TO": str(told)},
    ).returncode
    failed = list(json.loads(told.read_text("utf-8"))) if told.exists() else []
    return (0 if code == NO_TESTS else code), failed


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
    others_code, _ = pytest(folder, *side_by_side, *chosen)
    loads_code, failed = pytest(folder, "-m", f"{LOADS} and {length}", *chosen)
    if loads_code == FAILED and 0 < len(failed) <= AGAIN_MOST:
        loads_code = judged_again(folder, failed)
    return others_code or loads_code


def judged_again(folder: Path, loads: list[str]) -> int:
    """Play these loads once more; the exit code of what came last.

    Only a machine that is not quiet by then is a reason for yet another time.
    """
    code = FAILED
    for _ in range(AGAIN_TRIES):
        quiet = await_quiet(QUIET_S)
        print(f"\nOnce more: {', '.join(loads)}", flush=True)
        code, loads = pytest(folder, *loads)
        if not code or quiet:
            break
    return code


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
