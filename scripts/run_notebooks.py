"""Run notebooks one after another and hold each to its claims: what `make notebooks` calls.

A run on a machine that was busy proves nothing, and says so (`NotMeasured`). Such a notebook is run
again once the machine is quiet, up to four times in all; any other failure is one at once.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bpdemo.core.environment import own_environment  # noqa: E402
from bpdemo.results.validity import NotMeasured  # noqa: E402
from tests.support.measured import NeverMeasured, until_measured  # noqa: E402

CELL_TIMEOUT_S = 120
#: What every sentence of a run that does not count has in it; the notebook shows no traceback then.
NOT_MEASURED = "this run proves nothing"


def main(notebooks: list[str]) -> int:
    failed = [notebook for notebook in notebooks if not passes(notebook)]
    print(f"notebooks: {len(notebooks) - len(failed)} passed, {len(failed)} failed", flush=True)
    for notebook in failed:
        print(f"  {notebook}")
    return 1 if failed else 0


def passes(notebook: str) -> bool:
    try:
        code, output = until_measured(lambda: judged(notebook))
    except NeverMeasured as busy:
        print(f"{notebook}: {busy}", flush=True)
        return False
    if code:
        print(output, flush=True)
    return code == 0


def judged(notebook: str) -> tuple[int, str]:
    """As `run`. Raises `NotMeasured` if the machine was too busy."""
    code, output = run(notebook)
    if code and NOT_MEASURED in output:
        print(f"{notebook}: the machine was busy", flush=True)
        raise NotMeasured([output.strip().splitlines()[-1]])
    return code, output


def run(notebook: str) -> tuple[int, str]:
    """Exit code and output of one notebook under nbval."""
    before = time.monotonic()
    # The cell's time-out must strike before the test's: it interrupts the cell and names it. Only
    # the plugins of need: all that are installed take longer to load than some notebooks to run.
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "--rootdir=.",
         "-p", "nbval.plugin", "--nbval-lax", f"--nbval-cell-timeout={CELL_TIMEOUT_S}",
         "-p", "pytest_timeout", "--timeout=300", notebook],
        env=own_environment(
            # The kernel is this Python, and no other that is installed for this user.
            {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "JUPYTER_PREFER_ENV_PATH": "1"}
        ),
        capture_output=True, text=True, check=False, cwd=ROOT,
    )  # fmt: skip
    verdict = "passed" if done.returncode == 0 else "failed"
    print(f"{notebook}: {verdict} in {time.monotonic() - before:.0f} s", flush=True)
    return done.returncode, done.stdout + done.stderr


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
