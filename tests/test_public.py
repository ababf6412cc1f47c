"""What a stranger needs before they may use the project, cite it or build it elsewhere is there."""

import json
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.support.built_wheel import wheel_from_sdist

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"[\w-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def held_to(schema: str, path: Path) -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout


def test_a_citation_can_be_read_by_tools_and_is_of_this_version():
    """By the schema of the citation format; version and licence are those of the package."""
    citation = ROOT / "CITATION.cff"
    held_to("vendor.citation-file-format", citation)
    told = citation.read_text("utf-8")
    assert f"version: {PROJECT['version']}\n" in told
    assert f"license: {PROJECT['license']}\n" in told


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_is_well_formed_and_may_do_little(path):
    """By the schema of the service that runs it; it reads the repository, and no more."""
    held_to("vendor.github-workflows", path)
    told = path.read_text("utf-8")
    assert re.findall(r"^permissions:\n((?:  .*\n)+)", told, re.MULTILINE) == ["  contents: read\n"]
    assert told.count("permissions:") == 1


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_what_a_workflow_uses_of_others_is_one_commit_of_theirs(path):
    """A tag can be moved by somebody else; a commit cannot. The version stands beside it."""
    used = re.findall(r"uses: (.+)", path.read_text("utf-8"))
    assert used
    assert [line for line in used if not PINNED.fullmatch(line)] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_calls_what_people_call(path):
    """Targets of the Makefile, our scripts, the command: each exists."""
    told = path.read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    called = re.findall(r"\bmake (?:[A-Z]+=\S+ )*([a-z-]+)$", told, re.MULTILINE)
    assert called
    assert set(called) <= targets
    assert "run: .ci/run\n" in told
    for folder in re.findall(r"\btests/\w+", told):
        assert (ROOT / folder).is_dir(), folder


def test_all_pythons_that_the_package_names_are_tried():
    """The classifiers' versions are those of the workflow, on each of the three systems."""
    named = {
        line.rpartition(" ")[2] for line in PROJECT["classifiers"] if ":: Python :: 3." in line
    }
    told = (ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8")
    tried = re.search(r"python: (\[.*\])", told)
    assert tried is not None
    assert set(json.loads(tried[1])) == named


def test_the_container_to_write_in_sets_up_as_a_learner_does():
    """Its file is JSON with comments; what it calls is `lab.py`, with options that exist."""
    told = (ROOT / ".devcontainer" / "devcontainer.json").read_text("utf-8")
    container = json.loads(re.sub(r"^\s*//.*$", "", told, flags=re.MULTILINE))
    script, option = container["postCreateCommand"].removeprefix("python ").split()
    assert f'"{option}"' in (ROOT / script).read_text("utf-8")
    assert {"name", "image"} <= set(container)


@pytest.mark.process
def test_the_wheel_made_from_the_sdist_carries_licence_types_and_course(tmp_path):
    """What reaches a stranger is built twice on the way, and nothing is lost."""
    wheel = wheel_from_sdist(tmp_path)
    with zipfile.ZipFile(wheel) as archived:
        names = set(archived.namelist())
        (about,) = [name for name in names if name.endswith(".dist-info/METADATA")]
        metadata = archived.read(about).decode()
    assert "License-Expression: MIT\n" in metadata
    assert any(name.endswith("/licenses/LICENSE") for name in names)
    assert "bpdemo/py.typed" in names
    lessons = {path.name for path in (ROOT / "notebooks").glob("*.ipynb")}
    exercises = {path.name for path in (ROOT / "exercises").glob("*.ipynb")}
    carried = {name.removeprefix("bpdemo/course/") for name in names if "/course/" in name}
    assert {f"notebooks/{name}" for name in lessons} <= carried
    assert {f"exercises/{name}" for name in exercises} <= carried
