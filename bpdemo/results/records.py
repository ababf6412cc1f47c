"""What a run recorded, as columns: its orders, and samples of the server.

A real load and the virtual-time simulation both end in these and a `Meta`; `LoadRun` and the
picture start from them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

Column = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """One entry per order; all columns are equally long but `attempt_t_s`.

    `t_s` is the intended send in seconds from the start of the run, `latency_s` runs from
    there to the end of the last attempt (to the hang-up, if the caller left), `send_lag_s`
    is how late the first attempt was sent. `fate` holds the codes of fates.py. `reason`,
    `client` and `priority` are strings, empty for none. `attempt_t_s` holds the intended
    send of every attempt, of all orders together.
    """

    t_s: Column
    latency_s: Column
    fate: Column
    status: Column
    reason: Column
    attempts: Column
    client: Column
    priority: Column
    send_lag_s: Column
    attempt_t_s: Column

    @classmethod
    def of(
        cls,
        t_s: ArrayLike,
        latency_s: ArrayLike,
        fate: ArrayLike,
        *,
        status: ArrayLike = 0,
        reason: ArrayLike = "",
        attempts: ArrayLike = 1,
        client: ArrayLike = "",
        priority: ArrayLike = "",
        send_lag_s: ArrayLike = 0.0,
        attempt_t_s: ArrayLike | None = None,
    ) -> Self:
        """Records from arrays or lists; a scalar stands for the same value everywhere."""
        intended = np.asarray(t_s, dtype=float)

        def column(values: ArrayLike, kind: Any) -> Column:
            return np.broadcast_to(np.asarray(values, dtype=kind), intended.shape)

        return cls(
            t_s=intended,
            latency_s=column(latency_s, float),
            fate=column(fate, np.int8),
            status=column(status, np.int16),
            reason=column(reason, object),
            attempts=column(attempts, np.int16),
            client=column(client, object),
            priority=column(priority, object),
            send_lag_s=column(send_lag_s, float),
            attempt_t_s=intended if attempt_t_s is None else np.asarray(attempt_t_s, dtype=float),
        )

    def __len__(self) -> int:
        return len(self.t_s)

    def where(self, keep: Column) -> Records:
        """The orders for which `keep` is true. Attempts cannot be told apart: all stay."""
        columns = {f.name: getattr(self, f.name) for f in fields(self)}
        kept = {n: c if n == "attempt_t_s" else c[keep] for n, c in columns.items()}
        return Records(**kept)


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """The server as seen during the run, one entry per look.

    Breakers: 0 closed, 1 half-open, 2 open. A `queue_capacity` of -1 is unbounded. `in_flight` are
    the requests inside, `limit` is how many orders of them may be (0: no limit); NaN where nobody
    looked, as in runs saved before this was noted.
    """

    t_s: Column
    queue_depth: Column
    queue_capacity: Column
    workers: Column
    workers_busy: Column
    breaker_payment: Column
    breaker_store: Column
    in_flight: Column = field(default_factory=lambda: np.array([]))
    limit: Column = field(default_factory=lambda: np.array([]))

    def __post_init__(self) -> None:
        for name in ("in_flight", "limit"):
            if not len(getattr(self, name)):
                object.__setattr__(self, name, np.full(len(self.t_s), np.nan))

    @classmethod
    def of(cls, rows: ArrayLike) -> Self:
        """Samples from rows of (t_s, depth, capacity, workers, busy, payment, store, in_flight,
        limit), the last two of which may be left out."""
        table = np.asarray(rows, dtype=float)
        return cls(*table.T) if table.size else cls(*[np.array([])] * 7)

    @classmethod
    def none(cls) -> Self:
        return cls.of([])

    def __len__(self) -> int:
        return len(self.t_s)
