"""Counters and histograms whose values belong to the one service that made them.

Where `PROMETHEUS_MULTIPROC_DIR` is set, prometheus_client keeps the values of every instrument in
files there, to be scraped for a group of processes: ours would fail without that folder, and with
it begin where the last service ended. The choice is made when the library is imported, for the
whole process, which may be a notebook's kernel; so these make their values themselves.
"""

import time

import prometheus_client
from prometheus_client.values import MutexValue


def _value() -> MutexValue:
    # What it could be told is for files.
    return MutexValue("", "", "", (), (), "")  # type: ignore[no-untyped-call]


class Counter(prometheus_client.Counter):
    """A counter in memory."""

    def _metric_init(self) -> None:
        self._value = _value()
        self._created = time.time()


class Histogram(prometheus_client.Histogram):
    """A histogram in memory."""

    def _metric_init(self) -> None:
        self._sum = _value()
        self._buckets = [_value() for _ in self._upper_bounds]
        self._created = time.time()
