"""A plugin under which starting a process or listening on a port is an error: `make test-quick`.

So that the quick tests stay what they say they are: one that needs more is to be marked `process`.
"""

from __future__ import annotations

import sys
from collections.abc import Generator
from typing import Any

import pytest

FORBIDDEN = frozenset(
    {"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "socket.bind"}
)


class Watch:
    """What was asked of the system while a test ran."""

    def __init__(self) -> None:
        self._watches = False
        self.seen: list[str] = []
        sys.addaudithook(self._hear)  # it cannot be taken back, hence the flag

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._watches and event in FORBIDDEN:
            self.seen.append(event)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        self.seen.clear()
        self._watches = True
        try:
            yield
        finally:
            self._watches = False
        if self.seen:
            pytest.fail(
                f"a quick test started something: {', '.join(self.seen)}; mark it `process`"
            )


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Watch())
