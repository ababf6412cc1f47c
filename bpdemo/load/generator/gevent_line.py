"""The child's line, made of what works under gevent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import gevent
from gevent import monkey

from bpdemo.load.generator.childline import OwnerPipe, exit_at_once

LEAVE_WITHIN_S: Final = 3.0


def open_line(leave: Callable[[], object] | None = None) -> OwnerPipe:
    """A line whose threads and lock are the system's own: gevent's cannot leave its loop.

    When the owner is gone, `leave` is called in a greenlet, and has three seconds; without it the
    process ends at once.
    """
    return OwnerPipe(
        monkey.get_original("_thread", "start_new_thread"),
        gevent.sleep,
        gevent.get_hub().threadpool.apply,
        monkey.get_original("_thread", "allocate_lock")(),
        exit_at_once if leave is None else _in_greenlet(leave),
    )


def _in_greenlet(leave: Callable[[], object]) -> Callable[[], None]:
    # Of all watchers only this kind may be woken from another thread.
    watcher = gevent.get_hub().loop.async_()
    watcher.start(lambda: gevent.spawn(leave))
    sleep = monkey.get_original("time", "sleep")

    def at_end() -> None:
        watcher.send()
        sleep(LEAVE_WITHIN_S)
        exit_at_once()

    return at_end
