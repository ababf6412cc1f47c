"""A line in the notebook while a service starts that takes its time to."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Iterator

from bpdemo.load.progress_line import ProgressText


@contextlib.contextmanager
def starting(where: str, store: str) -> Iterator[None]:
    """Say that it starts, and what takes the time: the first of a kernel loads its modules, one in
    a process of its own does so each time, and a database has to come up."""
    is_first = where == "thread" and "bpdemo.assembly.app" not in sys.modules
    told = "The database and the service start" if store == "embedded" else "The service starts"
    takes_time = is_first or where == "process" or store == "embedded"
    # A line from another thread would stand below whatever cell runs.
    if not takes_time or threading.current_thread() is not threading.main_thread():
        yield
        return
    with ProgressText() as progress:
        progress.show(told)
        yield
