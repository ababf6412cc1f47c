"""One PostgreSQL server in a folder of its own: laid out, started, looked after."""

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import psutil

from bpdemo.downstream.binaries import CannotRun, User, find_programs, find_user, within_reach
from bpdemo.downstream.folder import STOP_S, TICK_S, family, kill, pid_file, postmaster

SUPERUSER = "postgres"
SOCKET_PORT = 5432
START_S = 20.0

# Nothing acknowledged is lost when the server is killed. A commit returns after its log record has
# been handed to the operating system (synchronous_commit stays on), which keeps it whatever
# becomes of the process; fsync would protect from the machine's own crash, after which nobody
# wants this folder back. full_page_writes stays on: a kill can tear a page in the middle of its
# write, and recovery then needs the whole one.
SETTINGS = """
fsync = off
max_connections = 200
log_min_messages = fatal
jit = off
"""


# Shared memory as files in the folder, so that it goes with the folder whatever became of the
# server. Windows knows only a kind of its own, which ends with the processes.
SHARED_MEMORY = "" if sys.platform == "win32" else "dynamic_shared_memory_type = mmap\n"


class ServerFailed(Exception):
    """The server did not start this time; says why."""


def _never() -> bool:
    return False


class Cluster:
    """The server in `folder`. Not for the event loop: `create` and `start` block.

    Both end early when `is_over` comes true.
    """

    def __init__(self, folder: Path, *, over_tcp: bool = sys.platform == "win32") -> None:
        self.folder = folder
        self.over_tcp = over_tcp
        self._data = folder / "data"
        self._log = folder / "log"
        self._password = secrets.token_urlsafe(16)
        self._port = _free_port() if over_tcp else SOCKET_PORT
        self._user = User()
        self._programs = Path()
        self._server: subprocess.Popen[bytes] | None = None

    @property
    def dsn(self) -> str:
        if self.over_tcp:
            # Other users of the machine can reach the port, so a secret stands before it.
            who = f"{SUPERUSER}:{self._password}"
            return f"postgresql://{who}@127.0.0.1:{self._port}/postgres?sslmode=disable"
        folder = quote(str(self.folder))
        return f"postgresql://{SUPERUSER}@/postgres?host={folder}&port={SOCKET_PORT}"

    def create(self, is_over: Callable[[], bool] = _never) -> None:
        """Lay out the database. Raises `CannotRun`."""
        self._user = find_user()
        self._programs = within_reach(find_programs(), self._user, self.folder)
        secret = self.folder / "secret"
        secret.write_text(self._password, encoding="utf-8")
        self._user.own(self.folder, secret)
        initdb = self._launch(
            "initdb", "--pgdata", str(self._data), "--username", SUPERUSER,
            "--auth", "scram-sha-256" if self.over_tcp else "trust", "--pwfile", str(secret),
            "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions",
        )  # fmt: skip
        if not _wait(initdb, is_over):
            raise CannotRun(f"initdb failed: {self._last_words()}")
        with (self._data / "postgresql.conf").open("a", encoding="utf-8") as conf:
            conf.write(SETTINGS + SHARED_MEMORY + self._where_to_listen())

    def start(self, is_over: Callable[[], bool] = _never) -> None:
        """Start the server and wait until it takes connections.

        Raises `ServerFailed`, for one while the children of a killed server still hold its memory.
        """
        if sys.platform == "win32":
            # pg_ctl sheds an administrator's rights, with which the server refuses to run.
            starting = self._launch("pg_ctl", "start", "-w", "-D", str(self._data))
            _wait(starting, is_over)
        else:
            # Our own child and not pg_ctl's: so we learn at once when it ends.
            self._server = self._launch("postgres", "-D", str(self._data))
        deadline_s = time.monotonic() + START_S
        while not self._is_ready() and not is_over():
            if not self.is_running() or time.monotonic() > deadline_s:
                raise ServerFailed(self._last_words())
            time.sleep(TICK_S)

    def is_running(self) -> bool:
        if self._server is not None:
            return self._server.poll() is None  # which also buries a dead child
        return postmaster(self.folder) is not None

    def _is_ready(self) -> bool:
        lines = pid_file(self.folder)
        ours = self._server is None or lines[:1] == [str(self._server.pid)]
        return ours and len(lines) >= 8 and lines[7].strip() == "ready"

    def _where_to_listen(self) -> str:
        if self.over_tcp:
            return f"listen_addresses = '127.0.0.1'\nport = {self._port}\n"
        return (
            f"listen_addresses = ''\nport = {SOCKET_PORT}\n"
            f"unix_socket_directories = '{self.folder}'\n"
        )

    def _launch(self, program: str, *args: str) -> "subprocess.Popen[bytes]":
        try:
            with self._log.open("ab") as log:  # no pipe: who inherits it would have to be read
                return subprocess.Popen(
                    [self._programs / program, *args],
                    stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    cwd=self.folder, env=_clean_environment(),
                    user=self._user.uid, group=self._user.gid,
                    extra_groups=self._user.extra_groups,
                )  # fmt: skip
        except (OSError, subprocess.SubprocessError) as error:
            raise CannotRun(f"{program} does not run here: {error}") from error

    def _last_words(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else "it gave no reason"


def _wait(process: "subprocess.Popen[bytes]", is_over: Callable[[], bool]) -> bool:
    """Whether it came to a good end."""
    while process.poll() is None:
        if is_over():
            _end(process)
        time.sleep(TICK_S)
    return process.returncode == 0


def _end(process: "subprocess.Popen[bytes]") -> None:
    processes = family(psutil.Process(process.pid))
    process.terminate()  # initdb lets its child finish, which otherwise leaves shared memory behind
    with suppress(subprocess.TimeoutExpired):
        process.wait(STOP_S)
    kill(processes)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _clean_environment() -> dict[str, str]:
    """Without PGDATA, PGPORT and the like; in the language that logs are read in."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"LC_ALL": "C"}
