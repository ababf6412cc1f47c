"""The base alone: what works in it, and what each command says that needs more."""

import json
import re
import tomllib
import urllib.request
from importlib.metadata import packages_distributions
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import pytest
from packaging.requirements import Requirement
from typer.main import get_command

from bpdemo.cli.main import app
from bpdemo.core.extras import EXTRAS, extra_with, lacking
from tests.support.base import ROOT, BaseEnvironment
from tests.support.http import BODY

#: Command → how it is called, and the extra that it needs. None: the base is enough.
COMMANDS: dict[str, tuple[list[str], str | None]] = {
    "serve": (["--set", "store=embedded"], "postgres"),
    "worker": ([], "postgres"),
    "load": (["--url", "http://127.0.0.1:9"], "load"),
    "load-worker": (["--join", "127.0.0.1:9"], "load"),
    "judge": (["shop:app"], "load"),
    "simulate": ([], "load"),
    "margin": (["--set", "workers=2", "--at", "0.5", "--seeds", "1", "--most-seconds", "1"], None),
    "lab": ([], "lab"),
    "demo": ([], "load"),
    "check": (["01a"], "lab"),
    "hint": (["01a"], None),
    "progress": ([], None),
    "score": ([], "load"),
    "board": (["code"], "load"),
    "doctor": ([], None),
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> BaseEnvironment:
    return BaseEnvironment(tmp_path_factory.mktemp("base"))


def test_every_command_is_looked_at() -> None:
    """A new one belongs into the table, with what it needs."""
    assert set(get_command(app).commands) == set(COMMANDS)  # type: ignore[attr-defined]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_works_or_names_its_extra_in_one_line(
    command: str, base: BaseEnvironment, tmp_path: Path
) -> None:
    """Exit code 2, nothing on standard output, no traceback, and what to install."""
    words, extra = COMMANDS[command]
    ended = base.run(command, *words, cwd=tmp_path, BPDEMO_HOME=str(tmp_path / "home"))
    if extra is None:
        assert ended.returncode in (0, 1), ended.stderr  # a doctor may find fault with the machine
        assert ended.stderr == ""
        return
    assert (ended.returncode, ended.stdout) == (2, "")
    [line] = ended.stderr.splitlines()
    assert line.startswith("bpdemo: ")
    assert line.endswith(f"pip install 'bpdemo[{extra}]'")


def test_traces_that_go_somewhere_name_their_extra(base: BaseEnvironment, tmp_path: Path) -> None:
    """The setting asks for it, not the command."""
    ended = base.run("serve", "--set", "traces=otlp", "--port", "0", cwd=tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.endswith("pip install 'bpdemo[traces]'\n")


def test_the_doctor_finds_no_fault_with_a_base(base: BaseEnvironment, tmp_path: Path) -> None:
    """What is not installed is told, line by line, and is no failure."""
    said = base.run("doctor", cwd=tmp_path, BPDEMO_HOME=str(tmp_path / "home")).stdout
    assert re.search(r"^ok    packages .*without bpdemo\[postgres\]", said, re.MULTILINE)
    assert "report it" not in said
    for extra in ("postgres", "load", "lab"):
        assert f"pip install 'bpdemo[{extra}]'" in said
    assert not re.search(r"^FAIL .*(bpdemo\[|import)", said, re.MULTILINE)


def test_it_tells_its_version(base: BaseEnvironment, tmp_path: Path) -> None:
    """The first thing that anybody tries."""
    assert base.run("--version", cwd=tmp_path).stdout.startswith("bpdemo ")


@pytest.mark.parametrize("knobs", [[], ["--unprotected"], ["--set", "payment_failure_rate=0.3"]])
def test_a_simulation_writes_the_same_file_without_numpy(
    base: BaseEnvironment, tmp_path: Path, knobs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Summary, reasons, bins and facts, to the last digits that floats keep."""
    words = ["simulate", "--seconds", "8", "--rate", "300", *knobs, "--json"]
    plain = tmp_path / "plain.json"
    ended = base.run(*words, str(plain), cwd=tmp_path)
    assert (ended.returncode, ended.stderr) == (0, "")
    whole = tmp_path / "whole.json"
    get_command(app)([*words, str(whole)], standalone_mode=False)
    mine, theirs = (json.loads(path.read_text("utf-8")) for path in (plain, whole))
    assert mine["sentence"] + "\n" == ended.stdout
    assert_alike(mine, theirs)


def assert_alike(mine: Any, theirs: Any, where: str = "") -> None:
    if isinstance(theirs, dict):
        assert list(mine) == list(theirs), where
        for name in theirs:
            assert_alike(mine[name], theirs[name], f"{where}.{name}")
    elif isinstance(theirs, list):
        assert len(mine) == len(theirs), where
        for number, pair in enumerate(zip(mine, theirs, strict=True)):
            assert_alike(*pair, f"{where}[{number}]")
    elif isinstance(theirs, float):
        assert mine == pytest.approx(theirs), where
    else:
        assert mine == theirs, where


def test_the_service_sells_tickets(base: BaseEnvironment, tmp_path: Path) -> None:
    """`serve` as it is: an order, the metrics, and the page of the documentation."""
    command = [str(base.python), "-m", "bpdemo", "serve", "--port", "0"]
    with Popen(command, cwd=tmp_path, stdout=PIPE, stderr=PIPE, text=True) as process:
        try:
            assert process.stdout
            url = process.stdout.readline().split()[1]
            headers = {"Content-Type": "application/json"}
            order = urllib.request.Request(f"{url}/orders", BODY, headers)
            with urllib.request.urlopen(order, timeout=10) as answer:
                assert answer.status == 201
            for path in ("/metrics", "/docs", "/"):
                with urllib.request.urlopen(url + path, timeout=10) as answer:
                    assert answer.status == 200
        finally:
            process.terminate()
            process.communicate(timeout=20)


def test_the_table_of_extras_is_the_projects() -> None:
    """Each package of an extra stands in it, by the name under which it is imported."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"][
        "optional-dependencies"
    ]
    assert set(extras) == set(EXTRAS)
    distributions = packages_distributions()
    for extra, texts in extras.items():
        asked = {Requirement(text).name for text in texts} - {"bpdemo"}
        told = {
            name.replace("_", "-").lower()
            for module in EXTRAS[extra]
            for name in distributions[module.partition(".")[0]]
        }
        assert asked <= told
        assert len(EXTRAS[extra]) == len(asked)


def test_a_module_is_known_by_the_extra_that_brings_it() -> None:
    """Its submodules too; what is of the base is of no extra."""
    assert extra_with("asyncpg.pool") == "postgres"
    assert extra_with("opentelemetry.sdk") == "traces"
    assert extra_with("opentelemetry") is None
    assert extra_with("numpy") == "load"
    assert extra_with("fastapi") is None
    assert extra_with(None) is None
    assert not any(lacking("lab"))  # everything is here, where the tests run
