"""What became of orders, and of what was no request, as log lines."""

from collections.abc import Callable
from typing import Any

from bpdemo.core.events import (
    BreakerMoved,
    ConnectionAnswered,
    DurableOrderEnded,
    Event,
    MoneyOwed,
    OrderEnded,
    OrderRejected,
)
from bpdemo.telemetry.logs import Logger
from bpdemo.telemetry.traces import SpanIds

#: How many for each reason, and the id of the first.
_Tally = dict[str, list[Any]]


def _count(tally: _Tally, event: OrderRejected | ConnectionAnswered) -> None:
    found = tally.get(event.reason)
    if found is None:
        tally[event.reason] = [1, event.request_id]
    else:
        found[0] += 1


def _no_span() -> SpanIds | None:
    return None


class OrderLog:
    """One line per admitted caller; refusals as one line per reason and `flush`.

    Saying no must stay far cheaper than saying yes, and a line costs more than all else about
    a refusal: so it only counts, and keeps the first request id of each reason as an example.
    """

    def __init__(self, log: Logger, ids: Callable[[], SpanIds | None] = _no_span) -> None:
        self._log = log
        self._ids = ids
        self._refused: _Tally = {}
        self._unread: _Tally = {}
        self._flushed_s: float | None = None
        self._owed = 0
        self._hear: dict[type[Any], Callable[[Any], None]] = {
            OrderEnded: self._ended,
            OrderRejected: lambda event: _count(self._refused, event),
            ConnectionAnswered: lambda event: _count(self._unread, event),
            BreakerMoved: self._breaker_moved,
            MoneyOwed: self._money_owed,
            DurableOrderEnded: self._durable_ended,
        }

    def observe(self, event: Event, /) -> None:
        hear = self._hear.get(type(event))
        if hear is not None:
            hear(event)

    def flush(self, now: float) -> None:
        """Writes what was refused since the last flush; to be called once a second, and last.

        `now` is of the service's clock; each line tells the time it covers in `over_s`.
        """
        covered = {} if self._flushed_s is None else {"over_s": round(now - self._flushed_s, 3)}
        self._flushed_s = now
        refused, self._refused = self._refused, {}
        for reason, (count, example) in refused.items():
            self._log.warning(
                "refused", reason=reason, count=count, example_request_id=example, **covered
            )
        unread, self._unread = self._unread, {}
        for reason, (count, example) in unread.items():
            self._log.warning(
                "connection_answered",
                reason=reason,
                count=count,
                example_request_id=example,
                **covered,
            )

    def _ended(self, event: OrderEnded) -> None:
        ids = self._ids()
        self._log.info(
            "order",
            outcome=event.outcome,
            reason=event.reason,
            request_id=event.request_id,
            queue_ms=round(event.queue_s * 1000, 3),
            service_ms=round(event.service_s * 1000, 3),
            **({} if ids is None else ids._asdict()),
        )

    def _durable_ended(self, event: DurableOrderEnded) -> None:
        self._log.info(
            "durable_order",
            outcome=event.outcome,
            reason=event.reason,
            order_id=event.order_id,
            service_ms=round(event.service_s * 1000, 3),
        )

    def _breaker_moved(self, event: BreakerMoved) -> None:
        write = self._log.warning if event.to == "open" else self._log.info
        write("breaker", dependency=event.dependency, to=event.to)

    def _money_owed(self, event: MoneyOwed) -> None:
        # Told again with every failed refund: only a change is news.
        if event.owed != self._owed:
            self._owed = event.owed
            self._log.warning("money_owed", owed=event.owed)
