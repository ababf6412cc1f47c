"""The contracts of imports hold, and each of them fails when it is broken on purpose."""

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
