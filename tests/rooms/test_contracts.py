"""The contracts of imports hold, and each of them fails when it is broken on purpose."""

import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest

import bpdemo

PACKAGE = Path(bpdemo.__file__).parent
CONFIGURATION = PACKAGE.parent / "pyproject.toml"
LINTER = Path(sysconfig.get_path("scripts")) / "lint-imports"

#: Contract → where it is broken, and by which import. Those in a function count too.
BREAKS: dict[str, list[tuple[str, str]]] = {
    "rooms": [("flow/budget.py", "import bpdemo.telemetry.lag")],
    "rooms-of-the-lab": [("lab/home.py", "import bpdemo.lab.services.host")],
    "rooms-of-the-command-line": [("cli/rows.py", "import bpdemo.cli.main")],
    "no-circles": [("flow/budget.py", "import bpdemo.flow.guard")],
    "pure-flow": [("core/model.py", "import asyncpg")],
    "protect-goes-home": [
        ("protect/guarded.py", "import fastapi"),
        ("protect/rule.py", "import bpdemo.service.gate"),
        ("flow/codel.py", "import cachetools"),
    ],
    "pure-sim": [
        ("sim/play.py", "import numpy"),
        ("results/meta.py", "import pandas"),
        ("flow/queue.py", "import structlog"),
        ("assembly/office.py", "import bpdemo.downstream.postgres"),
        ("service/box_office.py", "import subprocess"),
        ("plan/changes.py", "import threading"),
        ("downstream/memory.py", "from concurrent.futures import ThreadPoolExecutor"),
        ("core/events.py", "import opentelemetry.trace"),
    ],
    "light-generator": [
        ("load/generator/childline.py", "import numpy"),
        ("load/watcher.py", "import bpdemo.results.records"),
    ],
    "no-gevent": [("load/driver.py", "import gevent")],
    "locustfile-is-a-child": [("load/driver.py", "import bpdemo.load.generator.master")],
    "parts-of-locusts-processes": [("load/driver.py", "import bpdemo.load.generator.crowd")],
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package and its configuration, to be broken."""
    folder = tmp_path_factory.mktemp("copy")
    ignored = shutil.ignore_patterns("__pycache__", "static")
    shutil.copytree(PACKAGE, folder / "bpdemo", ignore=ignored)
    shutil.copy(CONFIGURATION, folder)
    return folder


def lint(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(LINTER), "--no-cache", "--no-logo", *words],
        cwd=folder, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip


def test_every_contract_holds_and_has_a_way_to_be_broken(copy: Path) -> None:
    """One that nobody can break proves nothing."""
    told = tomllib.loads(CONFIGURATION.read_text(encoding="utf-8"))
    contracts = told["tool"]["importlinter"]["contracts"]
    assert {contract["id"] for contract in contracts} == set(BREAKS)
    linted = lint(copy)
    assert linted.returncode == 0, linted.stdout


@pytest.mark.parametrize(
    ("contract", "where", "line"),
    [(name, *broken) for name, ways in BREAKS.items() for broken in ways],
)
def test_a_broken_contract_is_seen(copy: Path, contract: str, where: str, line: str) -> None:
    """Even by an import that waits in a function."""
    path = copy / "bpdemo" / where
    whole = path.read_text(encoding="utf-8")
    path.write_text(f"{whole}\n\ndef _broken():\n    {line}\n", encoding="utf-8")
    try:
        linted = lint(copy, "--contract", contract)
    finally:
        path.write_text(whole, encoding="utf-8")
    assert linted.returncode == 1, linted.stdout + linted.stderr
    assert "1 broken" in linted.stdout


def floors() -> list[list[str]]:
    """The rooms, from the roof down; those of one floor stand side by side."""
    told = tomllib.loads(CONFIGURATION.read_text(encoding="utf-8"))
    contracts = {each["id"]: each for each in told["tool"]["importlinter"]["contracts"]}
    return [
        [room.strip() for room in layer.split("|")]
        for layer in contracts["rooms"]["layers"]
        if layer != "(__main__)"
    ]


def pairs() -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Which room may import which, and which may not: up, or to the side."""
    rooms = [(floor, room) for floor, names in enumerate(floors()) for room in names]
    pairs = [(one, other) for one in rooms for other in rooms if one != other]
    down = {(one[1], other[1]) for one, other in pairs if one[0] < other[0]}
    return down, {(one[1], other[1]) for one, other in pairs} - down


def with_imports(copy: Path, wanted: set[tuple[str, str]]) -> str:
    """What the linter says of the rooms when each of `wanted` imports its other in a function."""
    probes = {room: copy / "bpdemo" / room / "_probe.py" for room, _ in wanted}
    for room, probe in probes.items():
        lines = [f"    import bpdemo.{other}" for one, other in sorted(wanted) if one == room]
        probe.write_text("\n".join(["def _probe():", *lines, ""]), encoding="utf-8")
    try:
        return lint(copy, "--contract", "rooms").stdout
    finally:
        for probe in probes.values():
            probe.unlink()


def test_no_room_may_import_one_above_or_beside_it(copy: Path) -> None:
    """All such imports at once: each of them is named."""
    _, forbidden = pairs()
    said = with_imports(copy, forbidden)
    named = re.findall(r"bpdemo\.(\w+) is not allowed to import bpdemo\.(\w+)", said)
    assert set(named) == forbidden


def test_every_room_may_import_those_below_it(copy: Path) -> None:
    """`assembly` puts `api` together, so it stands above it; nothing that the floors allow is
    forbidden by accident."""
    allowed, _ = pairs()
    assert ("assembly", "api") in allowed
    assert "1 kept, 0 broken" in with_imports(copy, allowed)


def test_a_room_of_no_floor_is_seen(copy: Path) -> None:
    """The floors are all the rooms: a new one must be given its own."""
    attic = copy / "bpdemo" / "attic"
    attic.mkdir()
    (attic / "__init__.py").touch()
    try:
        linted = lint(copy, "--contract", "rooms")
    finally:
        shutil.rmtree(attic)
    assert linted.returncode == 1
    assert "attic" in linted.stdout


def test_plan_and_readme_draw_the_same_floors() -> None:
    """The line of floors in both is the linter's, room by room."""
    for name in ("README.md", "IMPLEMENTATION_PLAN.md"):
        text = (PACKAGE.parent / name).read_text(encoding="utf-8")
        [line] = re.findall(r"^    cli → .*(?:\n        → .*)*", text, flags=re.M)
        drawn = [re.split(r"\s*\|\s*", floor.strip()) for floor in line.split("→")]
        assert drawn == floors(), name
