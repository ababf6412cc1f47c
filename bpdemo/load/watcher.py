"""Watches the server during a load: /stats ten times a second, /metrics before and after.

It has a connection of its own, so that overload in the orders does not blind it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from math import inf, nan
from typing import Any, Final

from bpdemo.core.events import BREAKER_CODES
from bpdemo.load.histogram import buckets_of, quantile

PERIOD_S: Final = 0.1
#: From the start: what has told nothing by then is no box office, and is not asked any more.
LOOKS_IN_VAIN: Final = 10
LAG_METRIC: Final = "bpdemo_event_loop_lag_seconds"


class Watcher:
    """Collects samples of the server. `get` answers a path with the body of a 200, or
    None; `now_s` is the run's own clock. A server without such /stats is left alone after a
    second."""

    def __init__(
        self,
        get: Callable[[str], str | None],
        now_s: Callable[[], float],
        sleep: Callable[[float], object],
    ) -> None:
        self._get = get
        self._now_s = now_s
        self._sleep = sleep
        self._samples: list[list[float]] = []
        self._lag_before: dict[float, float] = {}

    def begin(self) -> None:
        self._lag_before = buckets_of(self._get("/metrics") or "", LAG_METRIC)

    def loop_lag_p99_s(self) -> float | None:
        """p99 of the server's event-loop lag since `begin`; None if it does not tell."""
        after = buckets_of(self._get("/metrics") or "", LAG_METRIC)
        return quantile({le: n - self._lag_before.get(le, 0) for le, n in after.items()}, 0.99)

    def run(self) -> None:
        due_s, in_vain = 0.0, 0.0
        while in_vain < LOOKS_IN_VAIN:
            if self._sample():
                in_vain = -inf
            in_vain += 1
            # A slow answer skips the samples it has missed, it does not pile them up.
            due_s = max(due_s + PERIOD_S, self._now_s())
            self._sleep(due_s - self._now_s())

    def take(self) -> list[list[float]]:
        """Samples since the last call: see `row_of` for the columns."""
        taken, self._samples = self._samples, []
        return taken

    def _sample(self) -> bool:
        """Whether it told anything."""
        row = self._row()
        if row:
            self._samples.append([round(self._now_s(), 4), *row])
        return row is not None

    def _row(self) -> list[float] | None:
        text = self._get("/stats")
        if text is None:
            return None
        try:
            return row_of(json.loads(text))
        except (ValueError, KeyError, TypeError):
            # Not a box office, or one in trouble: the load goes on, unwatched.
            return None


def row_of(stats: dict[str, Any]) -> list[float]:
    """Queue depth and capacity, workers, busy, payment and store breaker, in flight, limit."""
    queue, workers, breakers = stats["queue"], stats["workers"], stats.get("breakers", {})
    return [
        queue["depth"],
        queue["capacity"],
        workers["total"],
        workers["busy"],
        BREAKER_CODES[breakers.get("payment", "closed")],
        BREAKER_CODES[breakers.get("store", "closed")],
        stats.get("in_flight", nan),
        stats.get("limit", nan),
    ]
