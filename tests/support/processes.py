"""Processes that a test started, directly or not: found, and seen to be gone."""

import os
import socket
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from uuid import uuid4

import psutil

from bpdemo.load.company import only_waits

MARK = "BPDEMO_TEST_FAMILY"


class Family:
    """All that comes from processes started with `environment`, wherever they stand by now.

    Most carry the mark in their environment. PostgreSQL writes its status over its own, so `meet`
    also notes anyone who stands below a process.
    """

    def __init__(self) -> None:
        self.mark = uuid4().hex
        self.environment = {MARK: self.mark}
        self._met: set[psutil.Process] = set()

    def meet(self, pid: int) -> None:
        """Note a process with all its descendants."""
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            self._met |= {process, *process.children(recursive=True)}

    def alive(self, *, but: Iterable[int] = ()) -> list[psutil.Process]:
        """Those that run now, less those with the pids `but`."""
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                if process.environ().get(MARK) == self.mark:
                    self._met.add(process)
        spared = set(but)
        return [p for p in self._met if p.pid not in spared and not has_ended(p)]

    def named(self, word: str) -> list[psutil.Process]:
        """Those running with that word in their command line."""
        return [process for process in self.alive() if word in command_line(process)]

    def loading(self) -> list[psutil.Process]:
        """The load generators that send, or are about to; not one that waits for the next load."""
        return [p for p in self.named("locust") if not only_waits(p, command_line(p))]

    def ports(self) -> set[int]:
        """The TCP ports they listen on."""
        return {port for process in self.alive() for port in ports_of(process)}

    def see_out(self, client_timeout_s: float = 5.0) -> None:
        """Wait until all have ended; kill those that have not by then.

        Not at once: a guardian that is killed leaves its folder behind.
        """
        give_up_s = time.monotonic() + client_timeout_s
        while self.alive() and time.monotonic() < give_up_s:
            time.sleep(0.02)
        for process in self.alive():
            with suppress(psutil.NoSuchProcess):
                process.kill()

    def told(self) -> str:
        """Who is alive, to explain a failure."""
        return "; ".join(f"{p.pid} {command_line(p)[:120]}" for p in self.alive()) or "nobody"


def has_ended(process: psutil.Process) -> bool:
    """Dead, though perhaps not buried: the first process of a container may never bury orphans."""
    with suppress(psutil.NoSuchProcess):
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    return True


def is_gone(pid: int) -> bool:
    """The same of its number, which may be anybody's by now or nobody's."""
    try:
        return has_ended(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return True


def command_line(process: psutil.Process) -> str:
    with suppress(psutil.Error):
        return " ".join(process.cmdline()) or process.name()
    return ""


def ports_of(process: psutil.Process) -> set[int]:
    """The TCP ports it listens on; none if it has ended."""
    with suppress(psutil.Error):
        connections = process.net_connections("tcp")
        return {c.laddr.port for c in connections if c.status == psutil.CONN_LISTEN}
    return set()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        if os.name == "posix" and sys.platform != "cygwin":
            # As servers do: connections that linger from before do not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen()
        except OSError:
            return False
        return True
