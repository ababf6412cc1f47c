"""Puts the chunks that children report together into columns.

Each child tells of every order, so percentiles are those of all orders together, and never an
average over children.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from bpdemo.results.looks import told_of_looks
from bpdemo.results.records import Column, Records, Samples

TICK_S: Final = 1e-4
LABELS: Final = ("reason", "client", "priority")
COLUMNS: Final = (*("t", "latency", "lag", "fate", "status", "attempts"), *LABELS)


class Gathered:
    """What was heard so far of a load; `records` and `samples` may be asked at any time."""

    def __init__(self) -> None:
        self.started_at_s = 0.0
        self.counts = [0, 0, 0, 0]
        self.endings: list[dict[str, Any]] = []
        self.lost: list[str] = []
        self.clocks_apart_s = 0.0
        self._parts: list[dict[str, Column]] = []
        self._sent: list[Column] = []
        self._samples: list[list[float]] = []
        self._looks: dict[str, list[Column]] = {}

    def add(self, chunk: dict[str, Any]) -> None:
        """Take in a chunk as the child wrote it."""
        orders = chunk["orders"]
        part = {name: np.asarray(orders[name]) for name in ("fate", "status", "attempts")}
        part |= {n: np.asarray(orders[n], dtype=float) * TICK_S for n in ("t", "latency", "lag")}
        for name in LABELS:
            table = np.asarray(orders[f"{name}_table"], dtype=object)
            part[name] = table[np.asarray(orders[name], dtype=int)]
        self._parts.append(part)
        self._sent.append(np.asarray(orders["sent"], dtype=float) * TICK_S)
        self._samples.extend(chunk["samples"])
        for came_from, latencies in chunk["looks"].items():
            self._looks.setdefault(came_from, []).append(np.asarray(latencies) * TICK_S)
        for code, count in enumerate(np.bincount(np.asarray(orders["fate"], int), minlength=4)):
            self.counts[code] += int(count)

    def end(self, ending: dict[str, Any]) -> None:
        self.endings.append(ending)

    def lose(self, why: str, last_chunk: dict[str, Any] | None) -> None:
        """One will tell no more. What it had sent by its last chunk stays."""
        self.lost.append(why)
        last = last_chunk or {"t": 0, "planned": 0, "unsent": 0, "waiting": 0}
        self.endings.append(
            {
                "planned": last["planned"],
                "unsent": last["unsent"] + last["waiting"],
                "seconds": last["t"] * TICK_S,
                "loop_lag_p99_s": None,
                "clock_jump_s": 0.0,
                "cpu_s": 0.0,
            }
        )

    @property
    def records(self) -> Records:
        # Copied first: a reader thread may add a chunk at any moment.
        parts, sent = list(self._parts), list(self._sent)
        column = {name: _joined(parts, name) for name in COLUMNS}
        return Records.of(
            column["t"],
            column["latency"],
            column["fate"],
            status=column["status"],
            reason=column["reason"],
            attempts=column["attempts"],
            client=column["client"],
            priority=column["priority"],
            send_lag_s=column["lag"],
            attempt_t_s=np.sort(np.concatenate(sent)) if sent else [],
        )

    @property
    def samples(self) -> Samples:
        return Samples.of(list(self._samples))

    @property
    def browse(self) -> dict[str, Any]:
        """What became of the GETs: counts by X-Cache (or status), and latency over all of them."""
        looks = {
            came_from: np.concatenate(parts).tolist() for came_from, parts in self._looks.items()
        }
        return told_of_looks(looks)

    def facts(self) -> dict[str, Any]:
        """The fields of `Meta` that the children know, added up over them."""
        ends = self.endings
        lags = [e["loop_lag_p99_s"] for e in ends if e["loop_lag_p99_s"] is not None]
        planned = sum(e["planned"] for e in ends)
        return {
            "planned": planned,
            "sent": planned - sum(e["unsent"] for e in ends),
            "loop_lag_p99_s": max(lags, default=None),
            "clock_jump_s": max((e["clock_jump_s"] for e in ends), default=0.0),
            "clocks_apart_s": self.clocks_apart_s,
            "lost": tuple(self.lost),
            "browse": self.browse,
        }

    def seconds(self, planned_s: float) -> float:
        """How long orders were sent for: less than planned if the load was stopped."""
        return min(planned_s, *(float(e["seconds"]) for e in self.endings), planned_s)

    @property
    def cpu_s(self) -> float:
        """Processor time the load generators took from the start on, without Locust's own."""
        return float(sum(e["cpu_s"] for e in self.endings))


def _joined(parts: list[dict[str, Column]], name: str) -> Column:
    return np.concatenate([part[name] for part in parts]) if parts else np.array([])
