"""What libraries have to say, as lines of ours: whole, escaped, and no line of theirs beside them.

Without this Python prints it as plain text of any number of lines, whatever stands in it.
"""

import logging

from bpdemo.telemetry.logs import Logger


class LibraryLines(logging.Handler):
    """Writes each warning, and what is worse, as one line with the name of the library's logger."""

    def __init__(self, log: Logger) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
        except Exception:  # its arguments do not fit: then it stays as it was written
            text = str(record.msg)
        write = self._log.error if record.levelno >= logging.ERROR else self._log.warning
        write("library", logger=record.name, text=text, exc_info=record.exc_info)


def take_library_logs(log: Logger) -> None:
    """For the rest of this process, which must be the service's own, not a notebook's kernel."""
    logging.captureWarnings(capture=True)
    logging.getLogger().addHandler(LibraryLines(log))
