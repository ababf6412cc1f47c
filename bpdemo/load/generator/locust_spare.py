"""A generator that waits for a load, with all that it needs loaded. Run only as a child, by
`python -m`, and never imported where a kernel lives.

It says `waits`, and waits in a read of its stdin, on its only thread: that takes no processor time.
What it is handed is one message: eight digits, the length of what follows, then that many bytes of
JSON with `arguments`, Locust's command line, and `environment`, all of the variables. Then it is
the child that would have been started with these. End of file instead means the owner is dead, or
wants it no more. What was forked off a dead owner keeps the pipe open: so it ends anyway if no load
has come after the seconds that its command line says.
"""

from __future__ import annotations

# Before all others, which it patches.
import locust  # noqa: F401  # isort: skip

import json
import os
import signal
import sys

# What the locustfile imports, which Locust loads by its path when the load is there.
import bpdemo.load.generator.crowd
import bpdemo.load.generator.pinned
import bpdemo.load.generator.worker_line  # noqa: F401
from bpdemo.load.generator.locust_alone import run_locust

DIGITS = 8


def end_after(lifetime_s: int) -> None:
    """By the system's own alarm, which takes no thread, and whatever this process hangs in."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)  # an owner may have bequeathed it ignored
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGALRM])
    signal.alarm(lifetime_s)


def take_load() -> bool:
    """Wait for a load, and become the process that was to be started for it; False if none comes.

    Not a byte more is read than belongs to it: what follows is for the load itself.
    """
    os.write(1, b'{"kind":"waits"}\n')
    length = _read(DIGITS)
    message = _read(int(length)) if length else b""
    if not message:
        return False
    signal.alarm(0)  # from here on it lives as long as the load
    load = json.loads(message)
    sys.argv[1:] = load["arguments"]
    os.environ.clear()
    os.environ.update(load["environment"])
    return True


def _read(count: int) -> bytes:
    """So many bytes, or nothing if they do not come any more."""
    data = b""
    while len(data) < count:
        more = os.read(0, count - len(data))
        if not more:
            return b""
        data += more
    return data


if __name__ == "__main__":
    end_after(int(sys.argv[1]))
    if take_load():
        run_locust()
