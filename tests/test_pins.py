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
DEV, SITE = ROOT / "requirements-dev.txt", ROOT / "requirements-site.txt"
#: What no learner should have to download: Chromium's driver alone has 165 MB.
TOOLS = {"sphinx", "playwright", "mypy", "schemathesis", "hypothesis", "ruff", "hatchling", "nbval"}


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


@pytest.mark.parametrize(
    ("group", "path"), [("", MAIN), ("dev", DEV), ("site", SITE), ("bench", BENCH)]
)
def test_every_pin_is_one_that_the_project_takes(group, path):
    """Also after a bound was moved and the pins were not made again."""
    pinned = pins(lab.wanted_lines(path))
    for requirement in wanted(group):
        versions = pinned[canonicalize_name(requirement.name)]
        assert all(requirement.specifier.contains(version) for version in versions), requirement


@pytest.mark.parametrize("path", [BENCH, DEV, SITE])
def test_other_files_pin_only_what_the_project_does_not(path):
    """They stand on the project's own pins, and lab.py reads both files as one."""
    own = pins(path.read_text("utf-8").splitlines())
    assert own
    assert not own.keys() & pins(MAIN.read_text("utf-8").splitlines()).keys()
    assert pins(lab.wanted_lines(path)).keys() > own.keys()


def test_the_tools_of_the_tests_and_those_of_the_site_are_pinned_once():
    """One environment has both, so that what builds the site is tested."""
    dev, site = (pins(path.read_text("utf-8").splitlines()) for path in (DEV, SITE))
    assert not dev.keys() & site.keys()
    assert pins(lab.wanted_lines(DEV)).keys() >= site.keys()


def test_a_learner_downloads_no_tools_of_the_tests():
    """They are pinned on top, for those who work on it."""
    assert not TOOLS & pins(MAIN.read_text("utf-8").splitlines()).keys()
    assert pins(lab.wanted_lines(DEV)).keys() >= TOOLS


def test_uvicorn_has_a_ceiling():
    """The connection is built on its internals, so a later one is tried before it is taken."""
    [uvicorn] = [each for each in wanted("") if each.name == "uvicorn"]
    [pinned] = pins(lab.wanted_lines(MAIN))["uvicorn"]
    major, minor, _ = map(int, pinned.split("."))
    assert not uvicorn.specifier.contains(f"{major}.{minor + 1}.0")
