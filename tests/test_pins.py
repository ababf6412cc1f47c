"""What is pinned is what pyproject.toml asks for, and each pin stands in one file."""

import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import lab

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
MAIN, BENCH = ROOT / "requirements.txt", ROOT / "benchmarks" / "requirements.txt"
#: The tools of those who work on it, where they are kept apart.
DEV = max(ROOT.glob("requirements*.txt"))


def pins(lines: list[str]) -> dict[str, set[str]]:
    """Name to its pinned versions: two where they differ by the Python."""
    found: dict[str, set[str]] = {}
    for line in lines:
        if pinned := re.match(r"([A-Za-z0-9._-]+)(?:\[.*?\])?==([^\s;]+)", line):
            found.setdefault(canonicalize_name(pinned[1]), set()).add(pinned[2])
    return found


def wanted(group: str) -> list[Requirement]:
    extras = PROJECT["project"].get("optional-dependencies", {})
    lists = {"": [*PROJECT["project"]["dependencies"], *chain(*extras.values())]}
    texts = (lists | PROJECT["dependency-groups"])[group]
    # An extra may name the project's own others.
    return [r for r in map(Requirement, texts) if canonicalize_name(r.name) != "bpdemo"]


@pytest.mark.parametrize(("group", "path"), [("", MAIN), ("dev", DEV), ("bench", BENCH)])
def test_every_pin_is_one_that_the_project_takes(group, path):
    """Also after a bound was moved and the pins were not made again."""
    pinned = pins(lab.wanted_lines(path))
    for requirement in wanted(group):
        versions = pinned[canonicalize_name(requirement.name)]
        assert all(requirement.specifier.contains(version) for version in versions), requirement


def test_the_benchmarks_pin_only_what_the_project_does_not():
    """They stand on the project's own pins, and lab.py reads both files as one."""
    own = pins(BENCH.read_text("utf-8").splitlines())
    assert own
    assert not own.keys() & pins(MAIN.read_text("utf-8").splitlines()).keys()
    assert pins(lab.wanted_lines(BENCH)).keys() > own.keys()


def test_uvicorn_has_a_ceiling():
    """The connection is built on its internals, so a later one is tried before it is taken."""
    [uvicorn] = [each for each in wanted("") if each.name == "uvicorn"]
    [pinned] = pins(lab.wanted_lines(MAIN))["uvicorn"]
    major, minor, _ = map(int, pinned.split("."))
    assert not uvicorn.specifier.contains(f"{major}.{minor + 1}.0")
