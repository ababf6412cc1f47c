"""What libraries say becomes one line each, as all else."""

import io
import json
import logging
import warnings

import pytest

from bpdemo.telemetry.library_logs import MOST_TEXTS, LibraryLines, take_library_logs
from bpdemo.telemetry.logs import make_logger
from tests.support.waiting import eventually

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


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def say(handler, text, name="asyncio"):
    handler.handle(logging.LogRecord(name, logging.ERROR, "x.py", 1, text, (), None))


def test_the_same_text_is_told_once_a_second(stream):
    """The first at once, the rest as a count: ten thousand complaints are a handful of lines."""
    clock = Clock()
    handler = LibraryLines(make_logger("json", "info", stream), clock)
    for number in range(10_000):
        clock.now = number / 4000
        say(handler, "out of descriptors")
        say(handler, "something else", name="other")
    handler.flush()
    written = lines(stream)
    for name in ("asyncio", "other"):
        mine = [line for line in written if line["logger"] == name]
        assert sum(line.get("count", 1) for line in mine) == 10_000
        assert len(mine) == 6  # in each of three seconds: the first, and how many followed


def test_other_texts_without_end_are_summarised_too(stream):
    """A library that never says the same twice does not fill the disk either."""
    handler = LibraryLines(make_logger("json", "info", stream), Clock())
    for number in range(1000):
        say(handler, f"descriptor {number} is gone")
    handler.flush()
    written = lines(stream)
    assert sum(line.get("count", 1) for line in written) == 1000
    assert len(written) == MOST_TEXTS + 2


def test_a_count_is_told_though_nothing_follows(stream):
    """A second later, by itself."""
    handler = LibraryLines(make_logger("json", "info", stream))
    say(handler, "trouble")
    say(handler, "trouble")
    eventually(lambda: len(lines(stream)) == 2)
    assert lines(stream)[1]["count"] == 1
