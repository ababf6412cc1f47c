"""Plant faults in a copy of the code, and see that the tests catch each: `make planted`.

    python scripts/planted.py                 all of tests/planted/faults.py
    python scripts/planted.py flow/queue.py   those of some modules

For each fault the tests that it names are run, of those only what `make test` runs. Exits with 1
if one is caught by nothing.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.planted.faults import FAULTS, Fault  # noqa: E402

SELECTED = "not long and not load and not browser"
FAILED = 1
COPIED = ("bpdemo", "tests", "benchmarks", "scripts", "notebooks", "solutions", "exercises")
UNWANTED = shutil.ignore_patterns("__pycache__", ".*")


def main(modules: list[str]) -> int:
    known = {fault.module: fault for fault in FAULTS}
    if strangers := [module for module in modules if module not in known]:
        print(f"no fault is known for {', '.join(strangers)}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        copy = copied(Path(folder))
        missed = [one for one in modules or known if not is_caught(known[one], copy)]
    print(f"faults: {len(modules or known) - len(missed)} caught, {len(missed)} missed", flush=True)
    return 1 if missed else 0


def copied(folder: Path) -> Path:
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=UNWANTED)
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, folder)
    return folder


def is_caught(fault: Fault, copy: Path) -> bool:
    """Plant it, run its tests, and take it out again; tells the first test that failed."""
    began_s, module = time.monotonic(), copy / "bpdemo" / fault.module
    right = module.read_text("utf-8")
    assert right.count(fault.right) == 1, f"{fault.module} has moved on: {fault.right!r}"
    module.write_text(right.replace(fault.right, fault.wrong), encoding="utf-8")
    done = pytest(copy, "-x", "-m", SELECTED, fault.caught_by)
    module.write_text(right, encoding="utf-8")
    found = re.search(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
    caught, told = False, "MISSED"
    if done.returncode == FAILED and found:
        # A test that fails without the fault as well has caught nothing.
        caught = pytest(copy, found[1]).returncode == 0
        told = f"caught by {found[1]}" if caught else f"{found[1]} FAILS WITHOUT IT"
    print(f"{fault.module}: {told} ({time.monotonic() - began_s:.0f} s)", flush=True)
    return caught


def pytest(copy: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        cwd=copy, capture_output=True, text=True, check=False,
        env=os.environ
        | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1", "BPDEMO_EXAMPLES": "few"},
    )  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
