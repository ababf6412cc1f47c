"""Who else drives a load on this machine."""

from __future__ import annotations

import os
from typing import Final

import psutil

SENDS: Final = "bpdemo.load.generator"
#: Waits for a load on its only thread; one that sends has another, for the line to its owner.
WAITS: Final = f"{SENDS}.locust_spare"


def senders_beside() -> set[int]:
    """The load generators of others that run now, by process; those of this process are none."""
    found = set()
    for process in psutil.process_iter(["cmdline", "ppid"]):
        line = process.info["cmdline"] or []
        if process.info["ppid"] == os.getpid() or not any(w.startswith(SENDS) for w in line):
            continue
        if WAITS not in line or _threads_of(process) > 1:
            found.add(process.pid)
    return found


def _threads_of(process: psutil.Process) -> int:
    try:
        return int(process.num_threads())
    except psutil.Error:  # it has ended
        return 0
