"""Lines a machine can read and nobody can forge; writing them never breaks the service."""

import io
import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpdemo.telemetry.logs import ForgivingStream, make_logger


def written(log_format, level="info", **fields):
    stream = io.StringIO()
    make_logger(log_format, level, stream).info("order", **fields)
    return stream.getvalue()


class Broken:
    """A full disk, from the first letter on."""

    def write(self, text):
        raise OSError(28, "No space left on device")

    def flush(self):
        raise OSError(28, "No space left on device")


def closed():
    stream = io.StringIO()
    stream.close()
    return stream


def ascii_only():
    return io.TextIOWrapper(io.BytesIO(), encoding="ascii")


def test_a_json_line_has_event_level_time_and_fields():
    line = json.loads(written("json", outcome="success", queue_ms=1.5))
    stamp = line.pop("timestamp")
    assert line == {"event": "order", "level": "info", "outcome": "success", "queue_ms": 1.5}
    assert stamp.endswith("Z")


@given(st.text())
def test_no_value_can_break_out_of_its_json_line(hostile):
    text = written("json", request_id=hostile)
    assert text.isascii()
    assert text.count("\n") == 1
    assert text.endswith("\n")
    assert json.loads(text)["request_id"] == hostile


@given(st.text())
def test_no_value_can_break_out_of_its_console_line(hostile):
    text = written("console", request_id=hostile)
    assert text[:-1].isprintable()
    assert text.endswith("\n")


@pytest.mark.parametrize(
    "hostile",
    [
        "a\n2026-01-01 error forged",
        "a\r\x1b[2Kforged",
        "a\u2028forged",
        "a\u202eforged",
        "a\x85forged",
        "a' outcome='success",
    ],
)
def test_a_console_line_quotes_what_would_pass_for_another_field_or_line(hostile):
    text = written("console", request_id=hostile, outcome="failure")
    assert len(text.splitlines()) == 1
    assert f"request_id={hostile!r} outcome='failure'" in text


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_traceback_stays_within_its_entry(log_format):
    stream = io.StringIO()
    log = make_logger(log_format, "info", stream)
    try:
        raise ValueError("x\nforged \x1b[31m line")
    except ValueError:
        log.exception("crash", request_id="r")
    first, *rest = stream.getvalue().splitlines()
    assert "crash" in first
    assert all(line.startswith("    | ") for line in rest)
    assert "\x1b" not in stream.getvalue()
    assert "ValueError" in stream.getvalue()


def test_lines_below_the_level_are_not_written():
    assert written("json", level="warning") == ""


def test_colours_only_for_a_terminal():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    make_logger("console", "info", terminal).info("order")
    assert "\x1b[" in terminal.getvalue()
    assert "\x1b[" not in written("console")


def test_without_a_stream_lines_go_to_standard_error(capsys):
    make_logger().info("order")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert json.loads(captured.err)["event"] == "order"


def test_two_loggers_have_nothing_in_common():
    one, other = io.StringIO(), io.StringIO()
    strict, chatty = make_logger("json", "error", one), make_logger("console", "debug", other)
    strict.info("order")
    chatty.debug("order")
    assert one.getvalue() == ""
    assert "order" in other.getvalue()


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.parametrize("broken", [Broken, closed])
def test_a_broken_target_is_counted_and_never_raises(broken, log_format):
    target = ForgivingStream(broken())
    log = make_logger(log_format, "info", target)
    log.info("order")
    lost = target.lost_writes
    assert lost > 0
    log.info("order")
    assert target.lost_writes == 2 * lost


def test_a_letter_the_target_cannot_hold_is_lost_alone():
    target = ForgivingStream(ascii_only())
    target.write("Grüße\n")
    target.write("fine\n")
    assert target.lost_writes == 1


@pytest.mark.skipif(sys.platform != "linux", reason="no /dev/full here")
def test_a_full_disk_is_survived():
    full = open("/dev/full", "w")  # noqa: SIM115  # closing it raises too: see below
    target = ForgivingStream(full)
    log = make_logger("json", "info", target)
    for _ in range(3):
        log.info("order")
    assert target.lost_writes >= 3
    with pytest.raises(OSError, match="No space left"):
        full.close()
