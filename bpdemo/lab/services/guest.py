"""`serve(app=…)`: any ASGI application, run as the box office is."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import Any, Final

from bpdemo.core.environment import own_environment
from bpdemo.core.members import forgiving_class
from bpdemo.lab.services.host import START_S, STOP_S, Host, OnThread, ServiceFailed
from bpdemo.lab.services.running import RunningService
from bpdemo.load.child import Child
from bpdemo.plan.plan import require_range
from bpdemo.telemetry.traces import FinishedSpan

GUEST: Final = "bpdemo.assembly.guest_process"
#: Callers that keep their connection get so long before it is cut.
LEAVE_S: Final = 1.0


@forgiving_class
class GuestService(RunningService):
    """A running application. As a context manager it stops at the end of the block.

    `capacity_per_s` is what you say it is, None until then: `capacity_of` measures it.
    """

    def __init__(self, name: str, host: Host, capacity_per_s: float | None) -> None:
        super().__init__(name, host)
        self.capacity_per_s = capacity_per_s

    def require_running(self) -> None:
        """Raises `ServiceFailed` when it was stopped, or another has taken its name."""
        super().require_running()
        if not self.is_running:
            raise ServiceFailed(f"{self.name!r} has ended by itself: {self._last_words()}")

    def _last_words(self) -> str:
        said = [line for line in self.logs if line.strip()]
        return said[-1].strip() if said else "it said nothing"

    def __repr__(self) -> str:
        state = "running" if self.is_running else "stopped"
        per_s = self.capacity_per_s
        pace = f", about {per_s:,.0f} requests a second" if per_s else ", capacity unknown"
        return f"<{self.name}: {state} at {self.url}{pace}>"


def start_guest(name: str, app: Any, where: str, capacity_per_s: float | None) -> GuestService:
    """Run `app` and wait until it takes requests. ValueError, `ServiceFailed`."""
    return GuestService(name, _host(app, where), capacity_per_s)


def require_guest(app: Any, where: str, capacity_per_s: float | None) -> None:
    """ValueError for what cannot be served that way."""
    from bpdemo.assembly.guest_server import require_asgi

    if capacity_per_s is not None:
        require_range("capacity_per_s", capacity_per_s, 0.001, 1_000_000)
    if where == "thread" and isinstance(app, str):
        raise ValueError(f'app: {app!r} is looked up in a process of its own: give where="process"')
    if where == "thread":
        require_asgi("app", app)
    elif not isinstance(app, str) or not all(app.partition(":")):
        raise ValueError(
            f'app: where="process" needs "module:app", to be imported there, not {app!r}'
        )


def _host(app: Any, where: str) -> Host:
    return GuestThread(app) if where == "thread" else GuestProcess(app, Path.cwd())


class GuestThread(OnThread):
    """On a daemon thread of this kernel."""

    database_url: str | None = None

    def __init__(self, app: Any) -> None:
        from bpdemo.assembly.guest_server import GuestServer, ThreadLog

        super().__init__()
        self._log = ThreadLog(self._tail)
        self._server = GuestServer(app)
        self.url = self._server.url
        self._begin(self._run)
        if not self._server.ready.wait(START_S) or not self._server.started:
            self.stop()
            why = self._server.why_not or f"it was not ready within {START_S:.0f} s"
            raise ServiceFailed(f"the application did not start: {why}")

    @property
    def spans(self) -> list[FinishedSpan]:
        return []

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(LEAVE_S)
        self._server.force_exit = True
        self._thread.join(STOP_S)

    def _run(self) -> None:
        self._log.begin()
        try:
            self._server.serve_until_stopped()
        finally:
            self._log.end()


class GuestProcess:
    """In a child that cannot outlive this kernel. It has this kernel's environment, since the
    application may need it, but not what steers a Python."""

    database_url: str | None = None

    def __init__(self, where: str, folder: Path) -> None:
        self._told = threading.Event()
        self.url = ""
        ours = own_environment()
        theirs = {n: text for n, text in os.environ.items() if not n.upper().startswith("PYTHON")}
        self._child = Child(
            [sys.executable, "-m", GUEST, where, str(folder)],
            env=theirs | {name: text for name, text in ours.items() if name.startswith("PYTHON")},
            on_line=self._hear,
            on_exit=lambda _: self._told.set(),
            stderr_lines=500,
        )
        if not self._told.wait(START_S) or not self.url:
            self._child.stop(0)
            said = [line for line in self.logs if line.strip()]
            why = said[-1].strip() if said else f"it was not ready within {START_S:.0f} s"
            raise ServiceFailed(f"the application did not start: {why}")

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def is_alive(self) -> bool:
        return self._child.is_alive

    @property
    def logs(self) -> list[str]:
        return self._child.stderr_tail.splitlines()

    @property
    def spans(self) -> list[FinishedSpan]:
        return []

    def stop(self) -> None:
        self._child.stop(STOP_S)

    def _hear(self, line: str) -> None:
        if line.startswith("ready "):
            self.url = line.split()[1]
            self._told.set()
