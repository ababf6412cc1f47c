"""Standard error that takes nothing: lines are lost, and nobody waits."""

import io
import os
import sys

import pytest

from bpdemo.telemetry.logs import ForgivingStream, make_logger
from bpdemo.telemetry.standard_error import ReadyTarget, standard_error

pytestmark = pytest.mark.skipif(os.name != "posix", reason="descriptors as POSIX has them")


@pytest.fixture
def pipe():
    """What is read from, and a text stream to write to."""
    reader, writer = os.pipe()
    with open(reader, "rb", buffering=0) as source, open(writer, "w") as stream:
        yield source, stream


def test_lines_arrive_as_they_were_written(pipe):
    """At once, in order, and whatever letters are in them."""
    source, stream = pipe
    target = ReadyTarget(stream)
    target.write("one\n")
    target.write("zwölf\n")
    assert source.read(100) == "one\nzwölf\n".encode()


def test_a_pipe_that_nobody_reads_costs_lines_and_no_time(pipe):
    """Once full it loses lines; read again, it takes whole lines again, after the broken one."""
    source, stream = pipe
    target = ForgivingStream(ReadyTarget(stream))
    log = make_logger("json", "info", target)
    for _ in range(5000):
        log.info("order", text="x" * 100)
    log.info("order", text="y" * 100_000)
    assert target.lost_writes > 1000
    old = b""
    while b"y" * 10 not in old and len(piece := source.read(65536)) == 65536:
        old += piece
    log.info("the last")
    *_, last = source.read(65536).splitlines()
    assert b'"event":"the last"' in last
    assert last.startswith(b"{")


def test_a_long_line_that_breaks_off_does_not_swallow_the_next(pipe):
    """What follows it begins on a line of its own."""
    source, stream = pipe
    target = ReadyTarget(stream)
    with pytest.raises(BlockingIOError):
        target.write("x" * 1_000_000 + "\n")
    assert set(source.read(1_000_000)) == {ord("x")}
    target.write("next\n")
    assert source.read(100) == b"\nnext\n"


def test_a_stream_in_the_place_of_standard_error_is_respected(monkeypatch):
    """A notebook's, or a test's: it gets the lines itself."""
    stand_in = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stand_in)
    assert standard_error() is stand_in
