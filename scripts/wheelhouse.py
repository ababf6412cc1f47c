"""Fetch the wheels of requirements.txt for other machines, so that a room needs no network.

    python scripts/wheelhouse.py win_amd64 macosx_arm64

fills wheelhouse/, from which `make lab` and `python lab.py` then install. pip judges environment
markers by the machine it runs on, not by the one it fetches for; so they are judged here, and
pip is asked for exactly the pins that hold on the target.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
PYTHONS = ("3.11", "3.12", "3.13")
# A marker may tell patch releases apart: the oldest and the newest stand for all between.
PATCHES = ("0", "99")
NO_WHEEL = re.compile(r"No matching distribution found for ([^\s=]+)==")


@dataclass(frozen=True)
class Target:
    """A kind of machine: the wheel tags it takes, best first, and what its Python calls itself."""

    tags: tuple[str, ...]
    sys_platform: str
    platform_system: str
    machine: str
    pythons: tuple[str, ...] = PYTHONS

    def markers(self, python: str, version: str) -> dict[str, str]:
        return {
            "implementation_name": "cpython",
            "os_name": "nt" if self.sys_platform == "win32" else "posix",
            "platform_machine": self.machine,
            "platform_python_implementation": "CPython",
            "platform_system": self.platform_system,
            "python_full_version": version,
            "python_version": python,
            "sys_platform": self.sys_platform,
        }


def linux(machine: str) -> Target:
    """Oldest glibc first, so that a wheel serves as many distributions as it can."""
    legacy = [f"manylinux{year}_{machine}" for year in (1, 2010, 2014)]
    tags = (*legacy, *(f"manylinux_2_{minor}_{machine}" for minor in range(5, 36)))
    return Target(tags, "linux", "Linux", machine)


def macos(machine: str) -> Target:
    """Wheels that run on macOS 12 first; those that need 14 only where there is no other."""
    tags = tuple(f"macosx_{major}_0_{machine}" for major in (12, 14))
    return Target(tags, "darwin", "Darwin", machine)


def windows(tag: str, machine: str) -> Target:
    return Target((tag,), "win32", "Windows", machine)


TARGETS = {
    "win_amd64": windows("win_amd64", "AMD64"),
    # PyYAML has no wheel for Python 3.11 there.
    "win_arm64": replace(windows("win_arm64", "ARM64"), pythons=("3.12", "3.13")),
    "macosx_x86_64": macos("x86_64"),
    "macosx_arm64": macos("arm64"),
    "linux_x86_64": linux("x86_64"),
    "linux_aarch64": linux("aarch64"),
}


def pins(path: Path) -> list[Requirement]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line and not line.lstrip().startswith("#")]


def wanted(requirements: list[Requirement], markers: dict[str, str]) -> list[str]:
    """The pins that hold on a machine, without their markers."""
    return [
        f"{requirement.name}{requirement.specifier}"
        for requirement in requirements
        if requirement.marker is None or requirement.marker.evaluate(markers)
    ]


def download(pinned: list[str], target: Target, version: str, into: Path) -> list[str]:
    """Fetch wheels into the folder; gives the names that have none for this target."""
    missing: list[str] = []
    while pinned:
        done = run_pip(pinned, target, version, into)
        if done.returncode == 0:
            break
        found = NO_WHEEL.search(done.stderr)
        if not found:
            sys.exit(f"pip failed for a reason of its own:\n{done.stderr[-2000:]}")
        missing.append(found[1])
        pinned = [pin for pin in pinned if pin.split("==")[0] != found[1]]
    return missing


def run_pip(
    pinned: list[str], target: Target, version: str, into: Path
) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-input"]
    command += ["--disable-pip-version-check", "--only-binary=:all:", "--dest", str(into)]
    command += ["--implementation", "cp", "--python-version", version]
    command += [f"--platform={tag}" for tag in target.tags]
    with tempfile.TemporaryDirectory() as folder:
        wish = Path(folder) / "requirements.txt"
        wish.write_text("\n".join(pinned), encoding="utf-8")
        return subprocess.run(
            [*command, "-r", str(wish)], capture_output=True, text=True, check=False
        )


def fetch(name: str, python: str, requirements: list[Requirement], into: Path) -> list[str]:
    """Fetch all that one target and Python need; gives what has no wheel."""
    target, asked, missing = TARGETS[name], set[str](), list[str]()
    for patch in PATCHES:
        version = f"{python}.{patch}"
        pinned = wanted(requirements, target.markers(python, version))
        missing += download([pin for pin in pinned if pin not in asked], target, version, into)
        asked.update(pinned)
    outcome = f"no wheel of {', '.join(missing)}" if missing else "complete"
    print(f"  {name} Python {python}: {len(asked) - len(missing)} wheels, {outcome}", flush=True)
    return missing


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "targets", nargs="+", choices=TARGETS, metavar="TARGET", help=", ".join(TARGETS)
    )
    parser.add_argument("--into", type=Path, default=ROOT / "wheelhouse")
    parser.add_argument("--python", nargs="+", choices=PYTHONS, default=PYTHONS)
    options = parser.parse_args()
    requirements = pins(ROOT / "requirements.txt")
    options.into.mkdir(parents=True, exist_ok=True)
    print(f"Fetching wheels into {options.into}; some minutes for each target ...", flush=True)
    gaps = [
        name
        for name in options.targets
        for python in TARGETS[name].pythons
        if python in options.python and fetch(name, python, requirements, options.into)
    ]
    wheels = list(options.into.glob("*.whl"))
    megabytes = sum(wheel.stat().st_size for wheel in wheels) / 1e6
    print(f"{options.into}: {len(wheels)} wheels, {megabytes:.0f} MB")
    if gaps:
        sys.exit(f"Not complete for {', '.join(sorted(set(gaps)))}: those machines need a network.")


if __name__ == "__main__":
    main()
