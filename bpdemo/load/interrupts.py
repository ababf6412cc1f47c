"""The stop button of a notebook, and Ctrl-C, while a load runs.

Python's own handler raises in whatever code runs, such as between the start of a process and the
note of who must end it, or in the middle of ending it. So an interrupt is only noted here, and
raised where the code that waits for the load looks for it.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from bpdemo.core.box import say_instead

LOOK_S: Final = 0.2
"""So often a load that is waited for looks whether it is to end."""
STOPPED: Final = "Stopped: the load has ended, and nothing of it is left running."


@contextmanager
def interrupts_noted() -> Iterator[Callable[[], None]]:
    """What it gives raises KeyboardInterrupt if one has come; so does the end of the block, which
    no second press cuts short. A notebook shows a line in place of a traceback."""
    before, came = signal.getsignal(signal.SIGINT), False

    def note(*_: object) -> None:
        nonlocal came
        came = True

    def look() -> None:
        if came:
            raise _interrupt()

    if not callable(before):  # ignored, or the system's own: no interrupt is raised here
        yield look
        return
    try:
        signal.signal(signal.SIGINT, note)
    except ValueError:  # not the main thread, to which no signal comes
        yield look
        return
    try:
        yield look
    finally:
        signal.signal(signal.SIGINT, before)
    look()


def _interrupt() -> KeyboardInterrupt:
    interrupt = KeyboardInterrupt(STOPPED)
    say_instead(interrupt, STOPPED)
    return interrupt
