"""The child's line, made of what works under gevent."""

from __future__ import annotations

from collections.abc import Callable

import gevent
from gevent import monkey

from bpdemo.lab.childline import Line, exit_at_once


def open_line(at_end: Callable[[], object] = exit_at_once) -> Line:
    """A line whose threads and lock are the system's own: gevent's cannot leave its loop.

    `at_end` is called in such a thread when the owner is gone.
    """
    return Line(
        monkey.get_original("_thread", "start_new_thread"),
        gevent.sleep,
        gevent.get_hub().threadpool.apply,
        monkey.get_original("_thread", "allocate_lock")(),
        at_end,
    )
