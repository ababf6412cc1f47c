"""`bpdemo lab`: the course is laid out, and what a learner has stays as it is."""

import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from bpdemo.cli.workshop import course_home, lay_out
from tests.support.processes import free_port


def test_the_whole_course_is_laid_out(tmp_path: Path) -> None:
    """Each lesson, and each exercise under the name of the learner's own folder."""
    lay_out(tmp_path / "course")
    for name, own_name in (("notebooks", "notebooks"), ("exercises", "my-work")):
        wanted = {path.name for path in (course_home() / name).glob("*.ipynb")}
        assert wanted
        assert {path.name for path in (tmp_path / "course" / own_name).glob("*.ipynb")} == wanted
    assert not list(tmp_path.rglob("*.part"))


def test_what_is_there_is_never_touched(tmp_path: Path) -> None:
    """A second time only what is missing comes."""
    lay_out(tmp_path)
    mine, gone = sorted((tmp_path / "my-work").glob("*.ipynb"))[:2]
    mine.write_text("mine", "utf-8")
    gone.unlink()
    lay_out(tmp_path)
    assert mine.read_text("utf-8") == "mine"
    assert gone.stat().st_size > 100


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
