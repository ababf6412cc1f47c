"""Log lines: structlog without its global configuration, and the observer that writes them.

Values are escaped in both formats, so that nothing a caller sends can start a line of its own,
or forge a field.
"""

import json
import sys
from collections.abc import Callable, MutableMapping
from typing import Any, Protocol, cast

import structlog
from pydantic_core import to_json
from structlog.typing import FilteringBoundLogger as Logger
from structlog.typing import Processor

from bpdemo.core.choices import LogFormat, LogLevel

__all__ = ["ForgivingStream", "Logger", "TextTarget", "make_logger"]

_Fields = MutableMapping[str, Any]


class TextTarget(Protocol):
    """Where lines go: any text stream will do."""

    def write(self, text: str, /) -> object: ...

    def flush(self) -> None: ...


class ForgivingStream:
    """A stream that may be full, closed or broken: what it cannot take is counted, not raised.

    A target that neither takes nor refuses blocks the writer: see standard_error.py.
    """

    def __init__(self, stream: TextTarget) -> None:
        self._stream = stream
        self.lost_writes = 0

    def write(self, text: str, /) -> None:
        try:
            self._stream.write(text)
        except (OSError, ValueError):  # ValueError: closed, or an encoding that lacks the letter
            self.lost_writes += 1

    def flush(self) -> None:
        try:
            self._stream.flush()
        except (OSError, ValueError):
            self.lost_writes += 1


def make_logger(
    log_format: LogFormat = "json", level: LogLevel = "info", stream: TextTarget | None = None
) -> Logger:
    """A logger that writes to `stream` (standard error if None), for this service alone.

    To learn how much a broken target lost, pass a `ForgivingStream` and keep it.
    """
    target = sys.stderr if stream is None else stream
    forgiving = target if isinstance(target, ForgivingStream) else ForgivingStream(target)
    processors: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.processors.format_exc_info,
        _render_json if log_format == "json" else _console_renderer(_is_terminal(target)),
    ]
    # `bind` turns the lazy proxy into the logger itself, which is several times as fast.
    return cast(
        "Logger",
        structlog.wrap_logger(
            structlog.WriteLogger(cast("Any", forgiving)),
            processors=processors,
            wrapper_class=structlog.make_filtering_bound_logger(level),
            context_class=dict,
        ).bind(),
    )


def _render_json(_: object, __: str, fields: _Fields) -> str:
    # Plain ASCII comes out, so any stream can take it, and no control character survives.
    try:
        return to_json(fields, ensure_ascii=True, fallback=str).decode()
    except ValueError:  # bytes or half a character that are no text; json takes three times as long
        return json.dumps(fields, default=str, separators=(",", ":"))


_COLOURS = {"debug": "2", "info": "32", "warning": "33", "error": "31", "critical": "31;1"}


def _console_renderer(coloured: bool) -> Processor:
    def render(_: object, level: str, fields: _Fields) -> str:
        stamp, event = fields.pop("timestamp"), fields.pop("event")
        fields.pop("level")
        trace = fields.pop("exception", "")
        mark = f"\x1b[{_COLOURS.get(level, '0')}m{level:<8}\x1b[0m" if coloured else f"{level:<8}"
        # repr quotes and escapes whatever is not printable, line breaks and terminal codes too.
        values = " ".join(f"{name}={value!r}" for name, value in fields.items())
        return "\n    | ".join([f"{stamp} {mark} {event:<12} {values}", *_printable(trace)])

    return render


def _printable(text: str) -> list[str]:
    """The lines of a traceback, each safe to print."""
    return [line if line.isprintable() else repr(line)[1:-1] for line in text.split("\n") if line]


def _is_terminal(target: object) -> bool:
    isatty: Callable[[], bool] | None = getattr(target, "isatty", None)
    try:
        return bool(isatty and isatty())
    except ValueError:  # closed
        return False
