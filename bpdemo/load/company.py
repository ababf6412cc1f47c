"""Who else drives a load on this machine."""

from __future__ import annotations

import os
from collections.abc import Container
from typing import Final

import psutil

from bpdemo.load.spare import MODULE

SENDS: Final = "bpdemo.load.generator"


def senders_beside() -> set[int]:
    """The load generators of others that run now, by process; those of this process are none."""
    found = set()
    for process in psutil.process_iter(["cmdline", "ppid"]):
        line = process.info["cmdline"] or []
        if process.info["ppid"] == os.getpid() or not any(w.startswith(SENDS) for w in line):
            continue
        if not only_waits(process, line):
            found.add(process.pid)
    return found


def only_waits(process: psutil.Process, line: Container[str]) -> bool:
    """Whether a process with that command line is a spare one, and has no load yet: it waits on its
    only thread, and one that sends has another, for the line to its owner."""
    return MODULE in line and _threads_of(process) <= 1


def _threads_of(process: psutil.Process) -> int:
    try:
        return int(process.num_threads())
    except psutil.Error:  # it has ended
        return 0
