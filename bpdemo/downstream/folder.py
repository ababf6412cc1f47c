"""The folder that an embedded server lives in: made, looked into, removed with all that runs there.

folder/             closed to all other users, and with it the socket
  data/             what initdb makes; postmaster.pid tells of the running server
  .s.PGSQL.5432     the socket, where there are sockets
  log
"""

import ctypes
import os
import shutil
import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil

from bpdemo.downstream.binaries import is_open

PREFIX = "bpdemo-pg-"
#: Operating systems allow a socket's path about 100 bytes; this leaves room for the rest of it.
LONGEST_PLACE = 60
IPC_RMID = 0
STOP_S = 1.5
TICK_S = 0.02


def make_folder() -> Path:
    """A fresh folder, where its socket has a short path and the server's user may enter."""
    place = Path(tempfile.gettempdir())
    if sys.platform != "win32":
        serves_another = os.geteuid() == 0
        if len(str(place)) > LONGEST_PLACE or (serves_another and not is_open(place)):
            place = Path("/tmp")
    return Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))


def pid_file(folder: Path) -> list[str]:
    """`postmaster.pid`, by line: process, folder, start, port, socket, address, memory, state."""
    with suppress(OSError, UnicodeDecodeError):
        return (folder / "data" / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    return []


def postmaster(folder: Path) -> psutil.Process | None:
    """The running server's first process."""
    with suppress(ValueError, IndexError, psutil.Error):
        process = psutil.Process(int(pid_file(folder)[0]))
        # A dead server's number may have passed to another process.
        if process.name().startswith("postgres") and not has_ended(process):
            return process
    return None


def remove(folder: Path) -> None:
    """Stop the server at once, no matter who started it, and remove its folder."""
    server = postmaster(folder)
    if server is not None:
        _stop(server)
    _free_memory(folder)
    deadline_s = time.monotonic() + STOP_S
    while folder.exists() and time.monotonic() < deadline_s:
        # Windows keeps open files, and children of a killed server may still write some.
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            time.sleep(TICK_S)


def _free_memory(folder: Path) -> None:
    """Free the memory segment of a server that was killed: it would stay for ever.

    One that ended by itself has freed it, and removed the file that names it. Without this, macOS,
    which has room for 32, would start no PostgreSQL after as many kills.
    """
    if sys.platform == "win32":
        return
    with suppress(ValueError, IndexError, AttributeError, OSError):
        segment = int(pid_file(folder)[6].split()[1])
        ctypes.CDLL(None).shmctl(segment, IPC_RMID, None)


def has_ended(process: psutil.Process) -> bool:
    """Dead, though perhaps not buried: a container's first process may never do that."""
    with suppress(psutil.NoSuchProcess):
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    return True


def family(process: psutil.Process) -> list[psutil.Process]:
    """The process and all that it started."""
    with suppress(psutil.NoSuchProcess):
        return [process, *process.children(recursive=True)]
    return []


def kill(processes: list[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def _stop(server: psutil.Process) -> None:
    processes = family(server)
    if sys.platform == "win32":
        kill(processes)
    else:
        # PostgreSQL's "immediate": all it tidies up is shared memory, which a SIGKILL leaves.
        with suppress(psutil.NoSuchProcess):
            server.send_signal(signal.SIGQUIT)
    deadline_s = time.monotonic() + STOP_S
    while not all(map(has_ended, processes)):
        if time.monotonic() > deadline_s:
            return kill(processes)
        time.sleep(TICK_S)
    return None
