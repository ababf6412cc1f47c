"""One observer that passes everything on to several."""

import traceback

from bpdemo.core.events import Event
from bpdemo.core.ports import Observer
from bpdemo.telemetry.logs import Logger, make_logger


class Fanout:
    """Tells each observer in turn. One that raises has a bug, and never the service's trouble.

    The first bug of each observer is logged with its traceback, all are counted in `bugs`.
    """

    def __init__(self, *observers: Observer, log: Logger | None = None) -> None:
        self.bugs = 0
        self._tell = tuple(observer.observe for observer in observers)
        self._log = log or make_logger("json", "error")
        self._reported: set[object] = set()

    def observe(self, event: Event, /) -> None:
        for tell in self._tell:
            try:
                tell(event)
            except Exception as error:
                self._report(tell, event, error)

    def _report(self, tell: object, event: Event, error: Exception) -> None:
        self.bugs += 1
        if tell in self._reported:
            return
        self._reported.add(tell)
        self._log.error(
            "observer_bug",
            observer=type(getattr(tell, "__self__", tell)).__name__,
            heard=type(event).__name__,
            traceback="".join(traceback.format_exception(error)),
        )
