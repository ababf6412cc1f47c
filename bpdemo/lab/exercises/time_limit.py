"""How long an answer may take, in time that this process had a processor for.

A laptop that is busy with something else must not turn a right answer into an endless loop: what
counts is the processor time used here. Only who waits without calculating is held to the clock.
"""

from __future__ import annotations

import faulthandler
import threading
import time
from collections.abc import Callable
from typing import Final

LOOK_S: Final = 0.1
#: Below this share of a processor an answer is waiting, not calculating.
IDLE_SHARE: Final = 0.05
#: Over so many seconds: a starved process gets its turns in bursts.
IDLE_SPAN_S: Final = 2.0
#: A process that waits of its own accord can look this often, of all the looks it wants; one that
#: gets no processor looks late.
LOOKS_SHARE: Final = 0.5
#: However busy the machine, nobody waits longer than so many times the limit.
MOST_BY_THE_CLOCK: Final = 6
#: The same, where no thread of ours can look at the processor time.
STUCK: Final = 3
GRACE_S: Final = 1.0


def longest_s(limit_s: float) -> float:
    """The most that a trial with this limit may take by the clock."""
    return MOST_BY_THE_CLOCK * limit_s


class TimeLimit:
    """Calls `strike(spent_s)` once from a thread of its own when the time is over.

    `spent_s` is processor time where that ran out, else time by the clock. A loop inside one C
    call lets no thread run: then faulthandler ends the process. It knows only the clock, so it
    waits a while longer.
    """

    def __init__(self, limit_s: float, strike: Callable[[float], object]) -> None:
        self._limit_s = limit_s
        self._strike = strike
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> TimeLimit:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(GRACE_S)
        faulthandler.cancel_dump_traceback_later()

    def _watch(self) -> None:
        began_s, cpu_began_s = time.monotonic(), time.process_time()
        span = [(began_s, cpu_began_s)]
        while True:
            faulthandler.dump_traceback_later(STUCK * self._limit_s + GRACE_S, exit=True)
            if self._over.wait(LOOK_S):
                return
            now_s, cpu_s = time.monotonic(), time.process_time()
            span = [look for look in span if look[0] >= now_s - IDLE_SPAN_S - LOOK_S]
            span.append((now_s, cpu_s))
            waited_s, used_s = now_s - began_s, cpu_s - cpu_began_s
            is_starved = len(span) < LOOKS_SHARE * IDLE_SPAN_S / LOOK_S
            is_idle = not is_starved and cpu_s - span[0][1] < IDLE_SHARE * (now_s - span[0][0])
            if used_s >= self._limit_s:
                self._give_up(used_s)
                return
            if waited_s >= longest_s(self._limit_s) or (is_idle and waited_s >= self._limit_s):
                self._give_up(waited_s)
                return

    def _give_up(self, spent_s: float) -> None:
        if not self._over.is_set():
            self._strike(spent_s)
