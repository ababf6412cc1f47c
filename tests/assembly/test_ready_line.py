"""What `serve` and `worker` say when they take work: to a program one line, to a person some more;
to nobody a password."""

import os
import pty
import re
import select
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from bpdemo.assembly.ready_line import readable_at_terminal
from bpdemo.core.settings import Settings
from tests.support.http import BODY

#: Letters that a shell would act upon, were they not quoted.
PASSWORD = "ge heim$&'x"
UNREACHABLE = (
    "postgresql://u:{}@127.0.0.1:1/x",
    "postgresql://127.0.0.1:1/x?user=u&password={}",
    "postgresql://u:{}@127.0.0.1:port/x",
    "mysql://u:{}@127.0.0.1/x",
)


@contextmanager
def at_terminal(*words: str) -> "Iterator[Terminal]":
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "bpdemo", *words],
        stdin=subprocess.DEVNULL, stdout=follower, stderr=follower,
    )  # fmt: skip
    os.close(follower)
    try:
        yield Terminal(leader)
        process.terminate()
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        os.close(leader)


class Terminal:
    """What stands on it."""

    def __init__(self, leader: int) -> None:
        self._leader = leader
        self.said = ""

    def until(self, pattern: str, within_s: float = 60) -> "re.Match[str]":
        give_up_s = time.monotonic() + within_s
        while time.monotonic() < give_up_s:
            if found := re.search(pattern, self.said):
                return found
            if select.select([self._leader], [], [], 0.2)[0]:
                self.said += os.read(self._leader, 4096).decode().replace("\r\n", "\n")
        raise AssertionError(f"no {pattern} in {self.said!r}")


@pytest.mark.skipif(sys.platform == "win32", reason="no such terminals")
@pytest.mark.slow
def test_a_person_reads_lines_of_text_and_how_to_join() -> None:
    """At a terminal an order is no line of JSON; and the database's address can be pasted into a
    shell as it stands."""
    with at_terminal("serve", "--port", "0", "--set", "store=embedded") as terminal:
        url = terminal.until(r"^ready (http://127\.0\.0\.1:\d+)\n")[1]
        database = terminal.until(r"\ndatabase (postgresql://\S+)\n")[1]
        pasted = terminal.until(r"\n +(bpdemo worker --set .*)\n")[1]
        assert shlex.split(pasted)[-1] == f"database_url={database}"
        assert f"{url}/docs" in terminal.said
        headers = {"Content-Type": "application/json"}
        with httpx.Client(trust_env=False, timeout=30) as caller:
            assert caller.post(f"{url}/orders", content=BODY, headers=headers).status_code == 201
        line = terminal.until(r"\n(.* order .*)\n")[1]
        assert "{" not in line


def test_a_program_reads_json_unless_it_asks_for_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """The setting has the last word, at a terminal too; and what is piped is as ever."""
    for watched in (True, False):
        monkeypatch.setattr(sys.stderr, "isatty", lambda watched=watched: watched, raising=False)
        made = readable_at_terminal(Settings())
        assert made.log_format == ("console" if watched else "json")
        for asked in ("json", "console"):
            assert readable_at_terminal(Settings(log_format=asked)).log_format == asked
            monkeypatch.setenv("BPDEMO_LOG_FORMAT", asked)
            assert readable_at_terminal(Settings()).log_format == asked
            monkeypatch.delenv("BPDEMO_LOG_FORMAT")


@pytest.mark.parametrize(
    ("command", "address"), [("worker", UNREACHABLE[0])] + [("serve", each) for each in UNREACHABLE]
)
@pytest.mark.slow
def test_no_word_shows_a_password(command: str, address: str) -> None:
    """Of a database that cannot be used: one line, exit code 2, and not a piece of the password."""
    words = [command] + (["--port", "0"] if command == "serve" else [])
    given = {"BPDEMO_STORE": "postgres", "BPDEMO_DATABASE_URL": address.format(PASSWORD)}
    done = subprocess.run(
        [sys.executable, "-m", "bpdemo", *words],
        env=os.environ | given, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("bpdemo: database_url: ")
    assert done.stderr.count("\n") == 1
    assert not any(piece in done.stderr for piece in ("heim", "$&'x"))
