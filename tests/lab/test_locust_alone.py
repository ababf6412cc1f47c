"""Locust runs as we start it, whatever a person has configured for load tests of their own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bpdemo.core.environment import own_environment
from bpdemo.load.driver import LOCUST, LOCUSTFILE, drive
from bpdemo.plan.plan import Plan
from tests.load.stub import StubServer
from tests.support.locales import CHARMAPS, make_locale

OTHERS = "master = true\nheadless = false\nlocustfile = no_such_file.py\nhost = http://192.0.2.1\n"


def plant(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another load's configuration, in the home folder and in the variables."""
    (folder / ".locust.conf").write_text(OTHERS, "utf-8")
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    monkeypatch.setenv("LOCUST_USERS", "1000")
    monkeypatch.setenv("GEVENT_RESOLVER", "no-such-resolver")
    monkeypatch.setenv("PYTHONUTF8", "0")
    monkeypatch.setenv("PYTHONWARNINGS", "error")


@pytest.mark.parametrize("language", ["C", *CHARMAPS])
def test_a_load_is_the_load_that_was_asked_for(language, tmp_path, monkeypatch):
    """With the hostile configuration of another load, in each locale that is not UTF-8."""
    variables = {"LC_ALL": "C"} if language == "C" else make_locale(language, tmp_path)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    plant(tmp_path, monkeypatch)
    plan = Plan(100, seconds=0.3, seed=1)
    with StubServer() as server:
        facts = drive(server.url, plan).facts()
        assert facts["sent"] == facts["planned"] == server.orders > 10


@pytest.mark.parametrize("name", ["pyproject.toml", "locust.conf"])
def test_no_file_of_the_folder_it_runs_in_is_read(name, tmp_path, monkeypatch):
    """Not even one that no parser could read: it is another program's."""
    (tmp_path / name).write_bytes(b'[tool.locust]\nusers = "\xff\xfe\n')
    plant(tmp_path, monkeypatch)
    shown = subprocess.run(
        [sys.executable, "-m", LOCUST, "-f", str(LOCUSTFILE), "--list"],
        cwd=tmp_path, env=own_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    assert "BoxOfficeCrowd" in shown.stdout


def test_what_is_planted_would_steer_plain_locust(tmp_path, monkeypatch):
    """Or the tests above would prove nothing."""
    plant(tmp_path, monkeypatch)
    shown = subprocess.run(
        [sys.executable, "-m", "locust", "--list"],
        cwd=tmp_path, env=os.environ | {"PYTHONWARNINGS": "", "GEVENT_RESOLVER": "thread"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert shown.returncode != 0
    assert "no_such_file.py" in shown.stderr
