"""Run a module on the other Pythons that this machine has: what `make test-pythons` calls.

    python scripts/other_pythons.py pytest -q tests/core

Each Python has an environment of its own, .venv-3.12 and so on, made once from what is pinned.
One that the machine does not have is told and passed over. Exits with 1 if the module failed on
any of them, or could not be installed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = ROOT / "requirements-dev.txt"
PINNED = (ROOT / "requirements.txt", ROOT / "requirements-site.txt", REQUIREMENTS)
VERSIONS = ("3.11", "3.12", "3.13")
PYENV = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))


def main(command: list[str]) -> int:
    failed = [version for version in others() if not holds(version, command)]
    if failed:
        print(f"failed on Python {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def others() -> list[str]:
    """The versions beside the one that runs this."""
    return [version for version in VERSIONS if version != "{}.{}".format(*sys.version_info)]


def holds(version: str, command: list[str]) -> bool:
    began_s = time.monotonic()
    if (found := find(version)) is None:
        print(f"Python {version}: not on this machine, passed over", flush=True)
        return True
    python = environment(version, found)
    done = python and subprocess.run([str(python), "-m", *command], cwd=ROOT, check=False)
    verb = "holds" if done and not done.returncode else "fails"
    print(f"Python {version}: {verb}, after {time.monotonic() - began_s:.0f} s", flush=True)
    return verb == "holds"


def find(version: str) -> str | None:
    """A Python of that version that runs: a name in PATH may be there and not run."""
    return next((path for path in candidates(version) if version_of(path) == version), None)


def candidates(version: str) -> Iterator[str]:
    if found := shutil.which(f"python{version}"):
        yield found
    yield from map(str, sorted(PYENV.glob(f"versions/{version}.*/bin/python3")))


def version_of(path: str) -> str | None:
    ask = "import sys, venv, ensurepip; print('{}.{}'.format(*sys.version_info))"
    done = subprocess.run([path, "-c", ask], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def environment(version: str, found: str) -> Path | None:
    """Its Python, with the packages installed; None if that failed, and then the reason is told."""
    folder = ROOT / f".venv-{version}"
    python, stamp = folder / "bin" / "python", folder / "made-from.txt"
    made_from = hashlib.sha256(b"".join(path.read_bytes() for path in PINNED)).hexdigest()
    if stamp.exists() and stamp.read_text("utf-8") == made_from:
        return python
    pip = [str(python), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    for step in (
        [found, "-m", "venv", "--clear", str(folder)],
        [*pip, "-r", str(REQUIREMENTS)],
        [*pip, "--no-deps", "--no-build-isolation", "-e", str(ROOT)],
    ):
        if subprocess.run(step, cwd=ROOT, check=False).returncode:
            return None
    stamp.write_text(made_from, encoding="utf-8")
    return python


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
