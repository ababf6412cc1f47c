"""Where a service runs: in a background thread of this kernel, or in a process of its own."""

import json
import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from queue import Empty, Queue
from typing import Any, Protocol

from bpdemo.assembly.collector import calm_collector
from bpdemo.core.box import SaysItself
from bpdemo.core.settings import Settings
from bpdemo.load.child import Child
from bpdemo.telemetry.traces import FinishedSpan

START_S = 20.0
STOP_S = 8.0
#: Queued work is shed after so long when a lab service stops; work begun gets as much again.
DRAIN_S = 0.2
LOG_LINES = 2000


class ServiceFailed(SaysItself, RuntimeError):
    """The service did not start, or does not run any more; says why."""


class Host(Protocol):
    url: str

    @property
    def pid(self) -> int:
        """The process it runs in."""
        ...

    @property
    def is_alive(self) -> bool: ...

    @property
    def logs(self) -> list[str]:
        """The last log lines, oldest first."""
        ...

    @property
    def spans(self) -> list[FinishedSpan]:
        """Finished spans, oldest first; empty if it keeps none."""
        ...

    @property
    def database_url(self) -> str | None:
        """Where its own PostgreSQL listens, if it has one."""
        ...

    def stop(self) -> None: ...


class LogTail:
    """A text stream that keeps the last lines."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=LOG_LINES)

    def write(self, text: str) -> None:
        self._lines.extend(text.splitlines())

    def flush(self) -> None:
        pass

    @property
    def lines(self) -> list[str]:
        return list(self._lines)


class OnThread:
    """What runs on a daemon thread of this kernel, and logs into a tail that it keeps."""

    _thread: threading.Thread

    def __init__(self) -> None:
        # A busy cell holds the interpreter for a switch interval at a time: at the usual 5 ms the
        # service's loop would lag by as much for every turn, and each measurement with it.
        sys.setswitchinterval(0.0005)
        self._tail = LogTail()

    @property
    def pid(self) -> int:
        return os.getpid()

    @property
    def is_alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def logs(self) -> list[str]:
        return self._tail.lines

    def _begin(self, run: Callable[..., object], *given: object) -> None:
        self._thread = threading.Thread(target=run, args=given, daemon=True)
        self._thread.start()


class ThreadHost(OnThread):
    """The real service in a daemon thread: it ends with the kernel, and answers while cells run.

    Raises `ServiceFailed` if it does not start.
    """

    def __init__(self, settings: Settings) -> None:
        from bpdemo.api.server import DrainingServer, address_of, bind
        from bpdemo.assembly.app import create_app

        super().__init__()
        calm_collector()
        self.app = create_app(settings, log_stream=self._tail)
        office = self.app.state.assembly.office
        self._server = DrainingServer(
            self.app,
            lambda: office.drain(DRAIN_S, finish_s=DRAIN_S),
            read_timeout_s=settings.read_timeout_s,
            verdict=self.app.state.verdict,
            observer=self.app.state.telemetry.observer,
        )
        self._listener = bind("127.0.0.1", 0)
        self.url = address_of(self._listener)
        ready = threading.Event()
        self._server.on_ready = ready.set
        self._error: BaseException | None = None
        self._begin(self._run, ready)
        if not ready.wait(START_S) or not self._server.started:
            self.stop()
            raise ServiceFailed(self._why())

    @property
    def spans(self) -> list[FinishedSpan]:
        self._server.finish_turn()  # callers who have their answer will look for its span, too
        kept: list[FinishedSpan] = self.app.state.telemetry.tracer.finished()
        return kept

    @property
    def database_url(self) -> str | None:
        url: str | None = self.app.state.assembly.database_url
        return url

    def stop(self) -> None:
        self._server.stop()
        self._thread.join(STOP_S)
        self._listener.close()

    def _run(self, ready: threading.Event) -> None:
        try:
            self._server.run(sockets=[self._listener])
        except BaseException as error:  # a start that fails leaves by SystemExit
            self._error = error
        finally:
            ready.set()

    def _why(self) -> str:
        error = getattr(self.app.state, "startup_error", None) or self._error
        return str(error or f"it was not ready within {START_S:.0f} s")


class ProcessHost:
    """The real service as a child that cannot outlive this kernel.

    Raises `ServiceFailed` if it does not start.
    """

    def __init__(self, settings: Settings) -> None:
        self._lines: Queue[str | None] = Queue()
        self._database_url: str | None = None
        self._child = Child(
            [sys.executable, "-m", "bpdemo", "serve", "--port", "0", "--until-stdin-closes"],
            env=as_environment(settings),
            on_line=self._lines.put,
            on_exit=lambda _: self._lines.put(None),
        )
        self.url = self._await_ready(with_database=settings.store == "embedded")

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
        return []  # they are in its own memory, if anywhere

    @property
    def database_url(self) -> str | None:
        return self._database_url

    def stop(self) -> None:
        self._child.stop(STOP_S)

    def _await_ready(self, *, with_database: bool) -> str:
        url = self._await_line("ready ")
        if with_database:
            self._database_url = self._await_line("database ")
        return url

    def _await_line(self, start: str) -> str:
        try:
            while (line := self._lines.get(timeout=START_S)) is not None:
                if line.startswith(start):
                    return line.split()[1]
        except Empty:
            self._child.stop(0)
            raise ServiceFailed(f"it was not ready within {START_S:.0f} s") from None
        said = self._child.stderr_tail.strip().splitlines()
        raise ServiceFailed(said[-1] if said else "it ended before it was ready")


def as_environment(settings: Settings) -> dict[str, str]:
    """Every setting that is set, as the variables that set it.

    No other: some act only where they are set, and the process has the same defaults.
    """
    chosen = settings.model_fields_set
    return {
        f"BPDEMO_{name.upper()}": _text(value)
        for name, value in settings
        if value is not None and name in chosen
    }


def _text(value: Any) -> str:
    plain = value.get_secret_value() if hasattr(value, "get_secret_value") else value
    return plain if isinstance(plain, str) else json.dumps(plain)
