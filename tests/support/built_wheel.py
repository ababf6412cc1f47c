"""What a stranger installs: the wheel that is made from the sdist, and not from the checkout."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = "import hatchling.build as b, sys; print(b.build_{}(sys.argv[1]))"


def wheel_from_sdist(folder: Path) -> Path:
    """Both are built in `folder`."""
    built = subprocess.run(
        [sys.executable, "-c", BUILD.format("sdist"), str(folder)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    archive = folder / built.stdout.split()[-1]
    unpacked = folder / archive.name.removesuffix(".tar.gz")
    subprocess.run(["tar", "-xzf", archive.name], cwd=folder, check=True)
    subprocess.run(
        [sys.executable, "-c", BUILD.format("wheel"), str(folder)],
        cwd=unpacked, capture_output=True, text=True, check=True,
    )  # fmt: skip
    (wheel,) = folder.glob("*.whl")
    return wheel


def wheelhouse(folder: Path) -> Path:
    """All that is pinned, as wheels for this Python: of `wheelhouse/` if it is there, else fetched
    into `folder`. Skips, with pip's reason, where the index cannot be reached."""
    mine = ROOT / "wheelhouse"
    if mine.is_dir():
        return mine
    fetched = subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:",
         "--no-input", "-r", str(ROOT / "requirements.txt"), "--dest", str(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if fetched.returncode:
        pytest.skip(f"no wheelhouse/, and no index: {fetched.stderr.strip()[-200:]}")
    return folder


def installed(wheel: Path, extra: str, wheels: Path, environment: Path) -> Path:
    """The folder of the programs of a fresh environment with that wheel, from `wheels` alone.
    Skips where a `wheelhouse/` that somebody made is for other machines, or of before."""
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    programs = environment / ("Scripts" if os.name == "nt" else "bin")
    nowhere = {"PIP_CONFIG_FILE": os.devnull, "http_proxy": DEAD, "https_proxy": DEAD}
    done = subprocess.run(
        [str(programs / "python"), "-m", "pip", "install", "--quiet", "--no-input", "--no-index",
         "--disable-pip-version-check", "--find-links", str(wheels),
         "--constraint", str(ROOT / "requirements.txt"), f"bpdemo[{extra}] @ {wheel.as_uri()}"],
        env=plain_environment() | nowhere, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode and wheels == ROOT / "wheelhouse":
        pytest.skip(f"wheelhouse/ is not for this machine: {done.stderr.strip()[-200:]}")
    assert done.returncode == 0, done.stderr
    return programs


#: Nobody listens there.
DEAD = "http://127.0.0.1:9"


def plain_environment() -> dict[str, str]:
    """Of this process, without what steers Python, pip, Jupyter and the workshop."""
    steering = ("BPDEMO_", "PYTHON", "PIP_", "JUPYTER", "VIRTUAL_ENV")
    return {name: text for name, text in os.environ.items() if not name.startswith(steering)}
