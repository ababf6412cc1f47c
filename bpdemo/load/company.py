"""Who else drives a load on this machine."""

from __future__ import annotations

import os
from typing import Final

import psutil

SENDS: Final = "bpdemo.load.generator"


def senders_beside() -> set[int]:
    """The load generators of others that run now, by process; those of this process are none."""
    found = set()
    for process in psutil.process_iter(["cmdline", "ppid"]):
        line = process.info["cmdline"] or []
        if process.info["ppid"] != os.getpid() and any(word.startswith(SENDS) for word in line):
            found.add(process.pid)
    return found
