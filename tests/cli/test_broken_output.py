"""Standard output that is full, closed, or whose reader has left: every command ends in order.

Full: exit code 2 and one line. Its reader has left: exit code 1 and not a word, as everywhere.
Closed: as if somebody read. Never a traceback, and never a process that runs on unheard of.
"""

import errno
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import httpx
import psutil
import pytest
from typer.main import get_command

from bpdemo.cli.doctor import doctor
from bpdemo.cli.doctor.finding import Finding
from bpdemo.cli.main import app
from bpdemo.cli.start import main
from tests.support.postgres import database_url, postgres_server
from tests.support.waiting import eventually

__all__ = ["database_url", "postgres_server"]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no such devices")

COMMANDS: dict[str, Any] = get_command(app).commands  # type: ignore[attr-defined]
OUTPUTS = ("full", "left", "closed")
#: Those that end by themselves and at once, as they are called.
QUICK = (
    (),
    ("--version",),
    ("simulate", "--rate", "20", "--seconds", "1"),
    ("progress",),
    ("hint", "01a"),
    ("board", "no code"),
    ("doctor",),
    *((name, "--help") for name in COMMANDS),
)
FULL = f"bpdemo: standard output took no more ({os.strerror(errno.ENOSPC)})\n"


def stream(kind: str) -> Any:
    """None is what Python has for a closed one."""
    if kind == "full":
        return open("/dev/full", "w")
    if kind == "closed":
        return None
    reading, writing = os.pipe()
    os.close(reading)
    return open(writing, "w")


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("words", QUICK, ids=" ".join)
def test_a_command_ends_in_order(
    words: tuple[str, ...],
    output: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """All that end at once, and the help page of each."""
    monkeypatch.setenv("BPDEMO_HOME", str(tmp_path))
    monkeypatch.setattr(doctor, "CHECKS", ())
    monkeypatch.setattr(doctor, "calibration", lambda: Finding("calibration", "ok", "measured"))
    monkeypatch.setattr(sys, "argv", ["bpdemo", *words])
    made = stream(output)
    monkeypatch.setattr(sys, "stdout", made)
    with pytest.raises(SystemExit) as ended:
        main()
    monkeypatch.undo()
    if made:
        made.close()
    told = capfd.readouterr().err
    code = ended.value.code
    if output == "full":
        assert (code, told) == (2, FULL)
    elif output == "left":
        assert (code, told) == (1, "")
    else:
        assert (code in (0, 1), told) == (True, "")


def ended(*words: str, output: str, **environment: str) -> tuple[int, str]:
    """Exit code and standard error of a process of its own."""
    made = stream(output)
    command = [sys.executable, "-m", "bpdemo", *words]
    with Popen(
        command, stdout=made, stderr=PIPE, text=True, env=os.environ | environment
    ) as process:
        made.close()
        try:
            _, told = process.communicate(timeout=60)
        finally:
            process.kill()
    return process.returncode, told


@pytest.mark.parametrize("output", ["full", "left"])
@pytest.mark.parametrize("store", ["memory", "embedded"])
@pytest.mark.slow
def test_a_service_whose_ready_line_nobody_hears_ends(store: str, output: str) -> None:
    """Else its port would be lost, and its database with it."""
    words = ("serve", "--port", "0", "--set", f"store={store}", "--set", "log_level=error")
    assert ended(*words, output=output) == ((2, FULL) if output == "full" else (1, ""))


@pytest.mark.parametrize("output", ["full", "left"])
@pytest.mark.slow
def test_a_worker_whose_ready_line_nobody_hears_ends(output: str, database_url: str) -> None:
    """As a service does: its owner waits for that line."""
    environment = {"BPDEMO_DATABASE_URL": database_url, "BPDEMO_LOG_LEVEL": "error"}
    found = ended("worker", output=output, **environment)
    assert found == ((2, FULL) if output == "full" else (1, ""))


@pytest.mark.slow
def test_a_service_started_with_its_output_closed_serves() -> None:
    """Some starters close it, and know the port: it runs until it is told to stop."""
    command = f"exec {sys.executable} -m bpdemo serve --port 0 >&-"
    with Popen(["sh", "-c", command], stderr=PIPE, text=True) as process:
        try:
            eventually(lambda: _answers(process.pid), "it answers", within_s=30)
            process.send_signal(signal.SIGTERM)
            _, told = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 0
    assert "Traceback" not in told


def _answers(pid: int) -> bool:
    """Only then does it heed a signal: it listens before."""
    for connection in psutil.Process(pid).net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN:
            with suppress(httpx.HTTPError), httpx.Client(trust_env=False, timeout=1) as caller:
                port = connection.laddr.port
                return caller.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    return False
