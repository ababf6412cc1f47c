"""What is kept between sessions, and what becomes of it where nothing can be kept."""

import json
import os
import subprocess
import sys

import pytest

from bpdemo.core.settings import Settings
from bpdemo.lab import home as homes
from bpdemo.lab.home import NoHome, home, keep, note, noted, recall
from bpdemo.lab.predictions.keepsakes import keep_run, kept_runs
from bpdemo.lab.services.simulation import simulate

#: A user that the system does not know, with no HOME: a container with `--user 12345`.
NOBODY = """
import os, pwd, sys
def unknown(*_): raise KeyError("getpwuid(): uid not found: 12345")
pwd.getpwuid = pwd.getpwnam = unknown
from bpdemo.cli.main import main
sys.argv = ["bpdemo", *sys.argv[1:]]
main()
"""


@pytest.fixture
def no_home(monkeypatch):
    def unknown(*_: object, **__: object) -> str:
        raise RuntimeError("could not determine the home directory")

    monkeypatch.delenv("BPDEMO_HOME", raising=False)
    monkeypatch.setattr("platformdirs.user_data_dir", unknown)
    homes._say_once.cache_clear()
    yield
    homes._say_once.cache_clear()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows users always have a profile")
@pytest.mark.parametrize(
    "words", [("progress",), ("hint", "01a"), ("check", "01a"), ("doctor", "--help")]
)
def test_a_user_without_a_home_can_use_every_command(words, tmp_path):
    """Only the memory is lost; one line says so, and how to have it."""
    nothing = {
        n: v for n, v in os.environ.items() if n not in ("HOME", "BPDEMO_HOME", "XDG_DATA_HOME")
    }
    ended = subprocess.run(
        [sys.executable, "-c", NOBODY, *words],
        cwd=tmp_path, env=nothing, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Traceback" not in ended.stderr
    lines = [line for line in ended.stderr.splitlines() if "is kept between sessions" in line]
    assert len(lines) == (words[0] != "doctor" and words[0] != "check")
    assert all("BPDEMO_HOME" in line for line in lines)
    assert ended.stdout or words[0] == "check"


def test_everything_that_is_kept_is_let_go(no_home, capsys):
    """Runs, answers, predictions; said once however often."""
    with pytest.raises(NoHome):
        home()
    keep("machine", {"workers": 8})
    note("marks", {"name": "01a"})
    keep_run("01a", simulate(Settings(), rate=20, seconds=1))
    assert (recall("machine"), noted("marks"), list(kept_runs())) == ({}, [], [])
    assert capsys.readouterr().err.count("\n") == 1


def test_a_folder_that_cannot_be_used_is_said_once(tmp_path, monkeypatch, capsys):
    """Here a file stands in the place of the folder."""
    homes._say_once.cache_clear()
    (tmp_path / "file").write_text("", "utf-8")
    monkeypatch.setenv("BPDEMO_HOME", str(tmp_path / "file"))
    keep("machine", {})
    note("marks", {})
    assert (recall("machine"), noted("marks")) == ({}, [])
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "File exists" in told or "Not a directory" in told


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_what_a_person_edited_is_still_read(encoding, tmp_path, monkeypatch):
    """In an editor that leaves a mark, and ends lines as Windows does."""
    monkeypatch.setenv("BPDEMO_HOME", str(tmp_path))
    (tmp_path / "machine.json").write_bytes(json.dumps({"workers": 3}).encode(encoding))
    (tmp_path / "marks.jsonl").write_bytes('{"a": 1}\r\n{"a": 2}\r\n'.encode(encoding))
    assert recall("machine") == {"workers": 3}
    assert noted("marks") == [{"a": 1}, {"a": 2}]
