"""`bpdemo lab`, from the first word to Ctrl-C."""

import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.support.processes import free_port


@pytest.mark.slow
def test_it_opens_and_closes(tmp_path: Path) -> None:
    """It tells the address of the first lesson, JupyterLab answers there, and Ctrl-C ends it."""
    command = [sys.executable, "-m", "bpdemo", "lab", "here", "--no-browser"]
    command += ["--port", str(free_port())]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        found = None
        for line in process.stdout:
            if found := re.search(r"http://\S+", line):
                break
        assert found
        assert "/lab/tree/notebooks/00_start_here.ipynb?token=" in found[0]
        with urllib.request.urlopen(found[0], timeout=30) as answer:
            assert answer.status == 200
        os.kill(process.pid, signal.SIGINT)
        assert process.wait(20) in (0, -signal.SIGTERM, 128 + signal.SIGTERM, 143)
