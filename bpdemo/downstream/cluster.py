"""One PostgreSQL server in a folder of its own: made, started, stopped, removed.

folder/             closed to all other users, and with it the socket
  data/             what initdb makes
  .s.PGSQL.5432     the socket, where there are sockets
  log
"""

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

import psutil

from bpdemo.downstream.binaries import CannotRun, User, find_programs, find_user, is_open
from bpdemo.downstream.binaries import within_reach as programs_within_reach

PREFIX = "bpdemo-pg-"
SUPERUSER = "postgres"
SOCKET_PORT = 5432
#: The operating system allows a socket's path about 100 bytes; this leaves room for its name.
LONGEST_FOLDER = 80
START_S = 20.0
STOP_S = 1.5
TICK_S = 0.02

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


class ServerFailed(Exception):
    """The server did not start this time; says why."""


def make_folder() -> Path:
    """A fresh folder, where its socket has a short path and the server's user may enter."""
    place = Path(tempfile.gettempdir())
    if sys.platform != "win32" and (len(str(place)) > LONGEST_FOLDER - 20 or not _reachable(place)):
        place = Path("/tmp")
    return Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))


def _reachable(place: Path) -> bool:
    return sys.platform != "win32" and (os.geteuid() != 0 or is_open(place))


class Cluster:
    """The server in `folder`. Not for the event loop: every method may block."""

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
            return f"postgresql://{who}@127.0.0.1:{self._port}/postgres"
        return f"postgresql://{SUPERUSER}@/postgres?host={quote(str(self.folder))}"

    def create(self) -> None:
        """Lay out the database. Raises `CannotRun`."""
        self._user = find_user()
        self._programs = programs_within_reach(find_programs(), self._user, self.folder)
        secret = self.folder / "secret"
        secret.write_text(self._password, encoding="utf-8")
        self._user.own(self.folder, secret)
        done = self._run(
            "initdb", "--pgdata", str(self._data), "--username", SUPERUSER,
            "--auth", "scram-sha-256" if self.over_tcp else "trust", "--pwfile", str(secret),
            "--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions",
        )  # fmt: skip
        if done.returncode:
            raise CannotRun(f"initdb failed: {_last_line(done.stdout)}")
        with (self._data / "postgresql.conf").open("a", encoding="utf-8") as conf:
            conf.write(SETTINGS + self._where_to_listen())

    def start(self, is_over: Callable[[], bool] = lambda: False) -> None:
        """Start the server and wait until it takes connections, or until `is_over`.

        Raises `ServerFailed`, for one while the children of a killed server still hold its memory.
        """
        self._launch()
        deadline_s = time.monotonic() + START_S
        while not self._is_ready() and not is_over():
            if not self.is_running() or time.monotonic() > deadline_s:
                raise ServerFailed(_last_line(self._log.read_bytes()))
            time.sleep(TICK_S)

    def is_running(self) -> bool:
        if self._server is not None:
            return self._server.poll() is None  # which also lays a dead child to rest
        return postmaster(self.folder) is not None

    def _launch(self) -> None:
        if sys.platform == "win32":
            # pg_ctl sheds an administrator's rights, with which the server refuses to run.
            self._run("pg_ctl", "start", "-W", "-D", str(self._data), "-l", str(self._log))
            return
        # Our own child and not pg_ctl's: so we learn at once when it ends.
        with self._log.open("ab") as log:
            self._server = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.folder, env=_clean_environment(), start_new_session=True,
                user=self._user.uid, group=self._user.gid, extra_groups=self._user.extra_groups,
            )  # fmt: skip

    def _is_ready(self) -> bool:
        lines = _pid_file(self.folder)
        ours = self._server is None or lines[:1] == [str(self._server.pid)]
        return ours and len(lines) >= 8 and lines[7].strip() == "ready"

    def _where_to_listen(self) -> str:
        if self.over_tcp:
            return f"listen_addresses = '127.0.0.1'\nport = {self._port}\n"
        return (
            f"listen_addresses = ''\nport = {SOCKET_PORT}\n"
            f"unix_socket_directories = '{self.folder}'\n"
        )

    def _run(self, program: str, *args: str) -> "subprocess.CompletedProcess[bytes]":
        try:
            return subprocess.run(
                [self._programs / program, *args],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                cwd=self.folder, env=_clean_environment(), check=False,
                user=self._user.uid, group=self._user.gid, extra_groups=self._user.extra_groups,
            )  # fmt: skip
        except OSError as error:
            raise CannotRun(f"{program} does not run here: {error}") from error


def postmaster(folder: Path) -> psutil.Process | None:
    """The running server's first process."""
    with suppress(ValueError, IndexError, psutil.Error):
        process = psutil.Process(int(_pid_file(folder)[0]))
        # A dead server's number may have passed to another process.
        if process.name().startswith("postgres") and process.status() != psutil.STATUS_ZOMBIE:
            return process
    return None


def remove(folder: Path) -> None:
    """Stop the server at once, whoever started it, and remove its folder."""
    server = postmaster(folder)
    if server is not None:
        _stop(server)
    deadline_s = time.monotonic() + STOP_S
    while folder.exists() and time.monotonic() < deadline_s:
        # Windows keeps open files, and children of a killed server may still write some.
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            time.sleep(TICK_S)


def _stop(server: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess):
        family = [server, *server.children(recursive=True)]
        if sys.platform == "win32":
            _kill(family)
        else:
            # PostgreSQL's "immediate": nothing is tidied up but shared memory, which a SIGKILL
            # would leave behind.
            server.send_signal(signal.SIGQUIT)
        _, alive = psutil.wait_procs(family, timeout=STOP_S)
        _kill(alive)
        psutil.wait_procs(alive, timeout=0.5)


def _kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def _pid_file(folder: Path) -> list[str]:
    """`postmaster.pid`, by line: process, folder, start, port, socket, address, memory, state."""
    with suppress(OSError, UnicodeDecodeError):
        return (folder / "data" / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    return []


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _clean_environment() -> dict[str, str]:
    """Without PGDATA, PGPORT and the like; in the language that logs are read in."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"LC_ALL": "C"}


def _last_line(output: bytes) -> str:
    lines = output.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it gave no reason"
