"""What libraries say becomes one line each, as all else."""

import io
import json
import logging
import warnings

import pytest

from bpdemo.telemetry.library_logs import LibraryLines, take_library_logs
from bpdemo.telemetry.logs import make_logger

HOSTILE = 'x\n{"event":"forged"}\r\x1b[31m'


@pytest.fixture
def stream():
    """Where lines go; the process's own logging is as before afterwards."""
    root, target = logging.getLogger(), io.StringIO()
    handlers = list(root.handlers)
    take_library_logs(make_logger("json", "info", target))
    yield target
    logging.captureWarnings(capture=False)
    for handler in set(root.handlers) - set(handlers):
        root.removeHandler(handler)


def lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_error_of_a_library_is_one_line(stream):
    """With its logger, its text as it is, and the traceback in a field."""
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        logging.getLogger("asyncio").exception("task died: %s", HOSTILE)
    [line] = lines(stream)
    assert (line["event"], line["level"], line["logger"]) == ("library", "error", "asyncio")
    assert line["text"] == f"task died: {HOSTILE}"
    assert "ValueError" in line["exception"]


def test_a_warning_is_one_line(stream):
    """Python's warnings go the same way."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn(HOSTILE, UserWarning, stacklevel=1)
        logging.captureWarnings(capture=False)
    [line] = lines(stream)
    assert line["level"] == "warning"
    assert HOSTILE in line["text"]


def test_what_is_no_warning_is_not_written(stream):
    """Libraries chat; only what is wrong is ours to tell."""
    logging.getLogger("asyncio").info("hello")
    assert lines(stream) == []


def test_arguments_that_do_not_fit_lose_nothing_but_themselves(stream):
    """A library's mistake in logging is no mistake of the service."""
    record = logging.LogRecord("some", logging.ERROR, "x.py", 1, "%d orders", ("many",), None)
    LibraryLines(make_logger("json", "info", stream)).emit(record)
    [line] = lines(stream)
    assert line["text"] == "%d orders"
