"""What libraries have to say, as lines of ours: whole, escaped, and no line of theirs beside them.

Without this Python prints it as plain text of any number of lines, whatever stands in it, and as
often as a library finds a reason: some say the same thousands of times a second, in the middle of
the trouble that they complain of.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from bpdemo.telemetry.logs import Logger

#: The same text is written once in so long, with how often it was said.
WINDOW_S = 1.0
#: Other texts in that time; what comes beyond them is one summary for each logger.
MOST_TEXTS = 20

_Said = tuple[str, bool, str]


class LibraryLines(logging.Handler):
    """Writes each warning, and what is worse, as one line with the name of the library's logger.

    The first of its kind at once; those that follow within a second are counted, and told in one
    line with `count` when it is over. `flush` tells them now.
    """

    def __init__(self, log: Logger, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(logging.WARNING)
        self._log = log
        self._clock = clock
        self._since_s = clock()
        self._counts: dict[_Said, int] = {}  # of this window; the first of each has been written
        self._timer: threading.Timer | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if self._clock() - self._since_s >= WINDOW_S:
            self._tell_counts()
        said = self._known(record)
        if said in self._counts:
            self._counts[said] += 1
            self._tell_later()
        else:
            self._counts[said] = 0
            self._write(said, exc_info=record.exc_info)

    def flush(self) -> None:
        with self.lock or threading.RLock():
            self._tell_counts()

    def _known(self, record: logging.LogRecord) -> _Said:
        try:
            text = record.getMessage()
        except Exception:  # its arguments do not fit: then it stays as it was written
            text = str(record.msg)
        said = (record.name, record.levelno >= logging.ERROR, text)
        if said in self._counts or len(self._counts) < MOST_TEXTS:
            return said
        return (record.name, said[1], "and more")

    def _tell_counts(self) -> None:
        counts, self._counts = self._counts, {}
        self._since_s = self._clock()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for said, count in counts.items():
            if count:
                self._write(said, count=count)

    def _tell_later(self) -> None:
        """By a thread: anyone who complains may be the loop that has no time for it."""
        if self._timer is None:
            self._timer = threading.Timer(WINDOW_S, self.flush)
            self._timer.daemon = True
            self._timer.start()

    def _write(self, said: _Said, **fields: Any) -> None:
        logger, is_error, text = said
        write = self._log.error if is_error else self._log.warning
        write("library", logger=logger, text=text, **fields)


def take_library_logs(log: Logger) -> None:
    """For the rest of this process, which must be the service's own, not a notebook's kernel."""
    logging.captureWarnings(capture=True)
    logging.getLogger().addHandler(LibraryLines(log))
