"""Every command in every installation: it works, or says in one sentence what to install."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from bpdemo.cli.main import app
from bpdemo.core.extras import EXTRAS
from tests.support.base import ROOT

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="commands run in forks"),
    pytest.mark.slow,
]

COMMANDS: dict[str, Any] = get_command(app).commands  # type: ignore[attr-defined]
#: As they are called so that each ends at once where everything is installed. One that is missing
#: here is called without a word more: then it ends with what it wants, or runs on its defaults.
WORDS: dict[str, list[list[str]]] = {
    "serve": [
        ["serve", "--port", "0", "--until-stdin-closes"],
        ["serve", "--port", "0", "--until-stdin-closes", "--set", "store=embedded"],
        ["serve", "--port", "0", "--until-stdin-closes", "--set", "traces=console"],
    ],
    "load": [["load", "--url", "http://127.0.0.1:9"]],
    "load-worker": [["load-worker", "--join", "no address"]],
    "judge": [["judge", "no_such_module:app"], ["judge", "http://127.0.0.1:9"]],
    "simulate": [["simulate", "--seconds", "1"], ["simulate", "--seconds", "1", "--json", "a"]],
    "margin": [
        ["margin", "--set", "workers=2", "--at", "0.5", "--seeds", "1", "--most-seconds", "1"],
        ["margin", "--html", "a.html", "--seeds", "0"],
    ],
    "lab": [["lab", os.devnull]],
    "demo": [["demo", "--out", os.devnull]],
    "check": [["check", "01a"], ["check", "99z"]],
    "hint": [["hint", "01a"], ["hint", "99z"]],
    "score": [["score", "--name", "Ada", "--word", "plum"]],
    "board": [["board", "no code"]],
    "doctor": [],  # a minute; tests/cli/test_base.py has it
}
CALLS = [words for name in COMMANDS for words in WORDS.get(name, [[name]])]
CALLS += [[], ["--version"]]


@pytest.mark.parametrize("extras", ["base", "postgres", "load", "lab"])
def test_a_command_works_or_names_what_to_install(extras: str, tmp_path: Path) -> None:
    """Exit code 0 or 1, or 2 and one line; where something is not installed, that line names an
    extra that this installation lacks, and installing it is all that is asked for."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("BPDEMO_")}
    ran = subprocess.run(
        [sys.executable, "-m", "tests.support.other_installs", extras, str(tmp_path)],
        input=json.dumps(CALLS), capture_output=True, text=True, check=True, timeout=300, cwd=ROOT,
        env=kept | {"BPDEMO_HOME": str(tmp_path / "home"), "BPDEMO_LOG_LEVEL": "error"},
    )  # fmt: skip
    has_all = extras == "lab"
    wrong = {}
    for words, line in zip(CALLS, ran.stdout.splitlines(), strict=True):
        came = json.loads(line)
        in_order = came["code"] in (0, 1, 2) and "Traceback" not in came["err"] + came["out"]
        if came["code"] == 2:
            in_order &= came["err"].startswith("bpdemo: ") and came["err"].count("\n") == 1
        if "install" in came["err"]:
            named = [each for each in EXTRAS if f"pip install 'bpdemo[{each}]'" in came["err"]]
            in_order &= len(named) == 1 and not has_all and named[0] not in extras.split(",")
        if not in_order:
            wrong[" ".join(words)] = came
    assert wrong == {}
