"""A process that keeps one PostgreSQL server running for as long as its owner lives.

    python -m bpdemo.downstream.guardian FOLDER

Prints one JSON line, `{"dsn": …}` or `{"error": …}`, when it knows. Starts the server again when it
crashed. When standard input ends or the parent process does, which happens however the owner ended,
the server and the folder are removed.
"""

import json
import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

from bpdemo.downstream.binaries import CannotRun
from bpdemo.downstream.cluster import Cluster, ServerFailed
from bpdemo.downstream.folder import remove

LOOK_S = 0.05
#: Before the first try: as long as a quick failover takes, so that an outage can be seen and the
#: breaker has something to open for. The children of a killed server are gone by then, too.
RESTART_S = 2.0
LONGEST_RESTART_S = 10.0


def main(folder: Path) -> None:
    owner_gone = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: owner_gone.set())
    for watch in (_wait_for_end_of_input, _wait_for_end_of_parent):
        threading.Thread(target=watch, args=(owner_gone,), daemon=True).start()
    try:
        cluster = Cluster(folder)
        cluster.create(owner_gone.is_set)
        cluster.start(owner_gone.is_set)
    except (CannotRun, ServerFailed, OSError) as error:
        _tell(error=str(error))
    else:
        _tell(dsn=cluster.dsn)
        keep_running(cluster, owner_gone)
    finally:
        remove(folder)


def keep_running(cluster: Cluster, owner_gone: threading.Event) -> None:
    """Start the server whenever it is down, with growing pauses, until the owner is gone."""
    pause_s = RESTART_S
    while not owner_gone.is_set():
        if cluster.is_running():
            owner_gone.wait(LOOK_S)
            continue
        if owner_gone.wait(pause_s):
            return
        try:
            cluster.start(owner_gone.is_set)
            pause_s = RESTART_S
        except (CannotRun, ServerFailed, OSError):
            pause_s = min(2 * pause_s, LONGEST_RESTART_S)


def _wait_for_end_of_input(owner_gone: threading.Event) -> None:
    # Not sys.stdin: its lock, held by this thread, would upset the interpreter's end.
    with suppress(OSError):
        while os.read(0, 1024):
            pass
    owner_gone.set()


def _wait_for_end_of_parent(owner_gone: threading.Event) -> None:
    # A child that the owner forked holds the other end of our input, and may outlive the owner.
    # On Windows nothing is forked, and the number never changes.
    parent = os.getppid()
    while os.getppid() == parent:
        if owner_gone.wait(LOOK_S):
            return
    owner_gone.set()


def _tell(**what: str) -> None:
    with suppress(OSError):  # an owner that is gone reads nothing
        print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
