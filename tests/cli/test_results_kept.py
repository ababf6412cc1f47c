"""A result that cannot be written is told in one line, and costs nothing else."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bpdemo.cli.demo import demo
from bpdemo.lab.contest.code import code_of
from tests.support.command import Run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no such devices")

SIMULATE = ("simulate", "--rate", "50", "--seconds", "1")


def ended(
    *words: str, stdout: Any = subprocess.PIPE, limit_bytes: int = 0, **env: str
) -> subprocess.CompletedProcess[str]:
    """`limit_bytes`: no file may grow beyond it, as on a disk that is full."""

    def limit() -> None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))

    target = stdout.open("w") if isinstance(stdout, Path) else None
    try:
        return subprocess.run(
            [sys.executable, "-m", "bpdemo", *words],
            stdout=target or stdout, stderr=subprocess.PIPE, text=True, check=False, timeout=60,
            env=os.environ | env, preexec_fn=limit if limit_bytes else None,
        )  # fmt: skip
    finally:
        if target:
            target.close()


def assert_one_line(told: str) -> None:
    assert told.startswith("bpdemo: ")
    assert told.count("\n") == 1


def test_numbers_are_shown_whatever_becomes_of_the_file():
    """`--json /dev/full`: the whole result on the terminal, then one line."""
    done = ended(*SIMULATE, "--json", "/dev/full")
    assert done.returncode == 2
    assert "of requests served" in done.stdout
    assert_one_line(done.stderr)
    assert "json: /dev/full" in done.stderr


def test_an_old_result_outlives_a_disk_that_is_full(tmp_path):
    """It was destroyed before its successor was complete."""
    old = tmp_path / "run.json"
    old.write_text('{"old": true}', "utf-8")
    done = ended(*SIMULATE, "--json", str(old), limit_bytes=1000)
    assert done.returncode == 2
    assert_one_line(done.stderr)
    assert json.loads(old.read_text("utf-8")) == {"old": True}
    assert list(tmp_path.iterdir()) == [old]


@pytest.mark.parametrize("words", [("progress",), ("hint", "01a"), ("--version",), SIMULATE])
def test_a_full_standard_output_is_one_line(words, tmp_path):
    """No traceback, and nothing of Python's own end."""
    done = ended(*words, stdout=Path("/dev/full"), BPDEMO_HOME=str(tmp_path))
    assert done.returncode == 2
    assert_one_line(done.stderr)
    assert "standard output took no more (No space left on device)" in done.stderr


def test_a_service_that_cannot_say_that_it_is_ready_ends():
    """Nobody would ever learn its port."""
    done = ended("serve", "--port", "0", stdout=Path("/dev/full"), BPDEMO_LOG_LEVEL="error")
    assert done.returncode == 2
    assert_one_line(done.stderr)
    assert "standard output took no more (No space left on device)" in done.stderr


def test_a_full_standard_output_does_not_cost_the_file(tmp_path):
    """What was asked for in a file is there."""
    path = tmp_path / "run.json"
    done = ended(*SIMULATE, "--json", str(path), stdout=Path("/dev/full"))
    assert done.returncode == 2
    assert json.loads(path.read_text("utf-8"))["valid"] is True


def test_a_reader_that_has_left_is_no_error(tmp_path):
    """`bpdemo progress | head -1`: not a word."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = ended("progress", stdout=writing, BPDEMO_HOME=str(tmp_path))
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")


def test_a_closed_standard_output_is_none():
    """Some starters close it."""
    closed = subprocess.run(
        f"{sys.executable} -m bpdemo --version >&-", shell=True, capture_output=True, check=False
    )
    assert (closed.returncode, closed.stderr) == (0, b"")


def test_a_report_that_cannot_be_written_leaves_the_verdict(tmp_path, monkeypatch):
    """The demo's folder may vanish, or its disk fill up, while it plays."""

    def full(*_: object) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(demo, "write_demo_report", full)
    with pytest.raises(ValueError, match=r"out: .*No space left.*the verdict stands above"):
        demo._write(tmp_path, None, None)


def test_looking_whether_a_report_can_be_written_writes_none(tmp_path):
    """A demo that is interrupted must not leave an empty report behind, nor touch an old one."""
    demo._made(tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_a_board_reads_what_any_editor_saved(encoding, tmp_path, run: Run):
    """From a file, and through a pipe."""
    codes = [code_of("Ada", "plum", 812), code_of("Bo", "plum", 640)]
    data = "".join(f"{code}\r\n" for code in codes).encode(encoding)
    (tmp_path / "codes.txt").write_bytes(data)
    code, out, _ = run("board", "--file", tmp_path / "codes.txt")
    assert code == 0
    assert "ADA" in out
    assert "BO" in out
    piped = subprocess.run(
        [sys.executable, "-m", "bpdemo", "board"], input=data, capture_output=True, check=False
    )
    assert piped.returncode == 0, piped.stderr
    assert b"ADA" in piped.stdout
