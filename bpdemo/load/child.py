"""Child processes that cannot outlive their owner.

A child of ours leads a session of its own, so the notebook's interrupt button does not
reach it, and holds a pipe from its owner as stdin. When the owner ends, however it ends,
the system closes that pipe; the child sees it and exits.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from bpdemo.core.environment import PACKAGE_PARENT, own_environment

STDERR_LINES: Final = 50


class Child:
    """A running child. `on_line` gets each whole line of its stdout, in a thread of this object;
    `on_exit` its exit code, after the last line."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str] | None = None,
        on_line: Callable[[str], object],
        on_exit: Callable[[int], object] = int,
        stderr_lines: int = STDERR_LINES,
    ) -> None:
        self._on_line = on_line
        self._on_exit = on_exit
        self._stderr: deque[str] = deque(maxlen=stderr_lines)
        self._process = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=own_environment(env),
            cwd=PACKAGE_PARENT,
            start_new_session=True,  # does nothing on Windows, which has the flag instead
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        self._drain = threading.Thread(target=self._read_stderr, daemon=True)
        self._reader = threading.Thread(target=self._read_stdout, daemon=True)
        try:
            self._drain.start()
            self._reader.start()
        except RuntimeError:  # the system gives no more threads: nobody would hear it
            _kill_tree(self._process)
            self._process.wait()
            if self._drain.ident is not None:
                self._drain.join()  # to the end of what it reads, which has come
            self._close_pipes()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    @property
    def stderr_tail(self) -> str:
        """The last lines the child wrote to stderr, for an error message."""
        return "".join(self._stderr)

    def say(self, line: str) -> None:
        """Send a line to the child's stdin; a child that has gone does not hear it."""
        stdin = self._process.stdin
        with contextlib.suppress(OSError, ValueError):
            if stdin is not None:
                stdin.write(line + "\n")
                stdin.flush()

    def wait(self, timeout_s: float | None = None) -> int | None:
        """Its exit code, or None if it still runs after `timeout_s`."""
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def kill(self, within_s: float = 2.0) -> None:
        """End it and its own children hard, in the middle of whatever they do."""
        _kill_tree(self._process)
        self.wait(within_s)
        self._reader.join(within_s)  # what it wrote until then is read

    def stop(self, grace_s: float = 2.0) -> None:
        """End it: close its stdin, then, if it is still there, kill it and its own children."""
        with contextlib.suppress(OSError, ValueError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        if self.wait(grace_s) is None:
            _kill_tree(self._process)
            self.wait(grace_s)
        if threading.current_thread() is not self._reader:
            self._reader.join(grace_s)

    def _read_stdout(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            # A child that was killed leaves its last line cut off.
            if line.endswith("\n"):
                self._on_line(line)
        code = self._process.wait()
        self._drain.join(1.0)
        self._on_exit(code)
        self._close_pipes()

    def _close_pipes(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            with contextlib.suppress(OSError, ValueError):
                if pipe is not None:
                    pipe.close()

    def _read_stderr(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._stderr.append(line)


def _kill_tree(process: subprocess.Popen[str]) -> None:
    if sys.platform == "win32":
        process.kill()
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
