"""Callers who leave at any moment, read nothing, never come to an end, or come in thousands."""

import contextlib
import resource
import socket
import struct
import sys
from collections.abc import Callable, Iterator

import psutil
import pytest

from tests.faults.stand import on_trial, process_on_trial
from tests.support.http import BODY
from tests.support.waiting import eventually

pytestmark = [pytest.mark.load, pytest.mark.light]

ORDER = b"POST /orders HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n" % len(BODY) + BODY


Dial = Callable[..., socket.socket]


@pytest.fixture
def dial() -> Iterator[Dial]:
    """Connects a caller to a port; closed in the end, if not before."""
    callers = []

    def connect(port: int, receive_bytes: int = 0) -> socket.socket:
        caller = socket.socket()
        callers.append(caller)
        if receive_bytes:
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        caller.connect(("127.0.0.1", port))
        return caller

    yield connect
    for caller in callers:
        caller.close()


def hang_up(caller: socket.socket, *, rudely: bool) -> None:
    """By the book, or by a reset."""
    if rudely:
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    caller.close()


def test_callers_who_leave_at_every_stage_take_nothing_with_them(dial):
    """From before the first byte to before the answer is read, by the book or by a reset."""
    with on_trial(queue_capacity=100) as (server, _):
        for number in range(400):  # in head and body, with the whole order as the last step
            caller = dial(server.port)
            caller.sendall(ORDER[: number * len(ORDER) // 399])
            hang_up(caller, rudely=bool(number % 2))
        for number in range(10):  # answered, and not read
            caller = dial(server.port)
            caller.sendall(ORDER)
            caller.settimeout(5)
            assert caller.recv(1, socket.MSG_PEEK)
            hang_up(caller, rudely=bool(number % 2))
        callers = [dial(server.port) for _ in range(60)]
        for caller in callers:
            caller.sendall(ORDER)
        eventually(lambda: server.books["queued"] and server.books["running"], "both are there")
        for number, caller in enumerate(callers):
            hang_up(caller, rudely=bool(number % 2))


def test_slow_readers_hold_no_place_for_ever(dial):
    """Those who ask and never read what they get: cut off after the time to read, places free.

    There are many more of them than places, for none who is refused asks again, and they have long
    to read: that others are refused does not hang on how many of those come in the meantime.
    """
    asked = b"GET /items?limit=100 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 30
    with on_trial(read_timeout_s=6.0, max_in_flight=50) as (server, crowd):
        (listener,) = server.server.servers[0].sockets
        # Accepted connections inherit it: with usual buffers each would take megabytes to stall.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        callers = [dial(server.port, receive_bytes=4096) for _ in range(100)]
        refused = crowd.crowd.statuses[503]
        for caller in callers:
            caller.sendall(asked)
        # Told by the crowd: on a busy machine one look at the service takes longer than they stand.
        eventually(lambda: crowd.crowd.statuses[503] > refused + 20, "others are refused for them")
        eventually(lambda: server.stats["in_flight"] < 20, "they are gone", within_s=30)
        for caller in callers:
            caller.close()


def test_bodies_without_end_are_survived(dial):
    """A hundred at once, chunk after chunk or byte by byte: 413 or 408, and the sale goes on."""
    head = b"POST /orders HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    with on_trial(read_timeout_s=0.5, queue_capacity=200) as (server, _):
        callers = [dial(server.port) for _ in range(100)]
        for caller in callers:
            caller.sendall(head)
            caller.setblocking(False)
        open_callers = dict(enumerate(callers))

        def all_told() -> bool:
            for number, caller in list(open_callers.items()):
                chunk = b"1000\r\n" + b" " * 4096 + b"\r\n" if number % 2 else b"1\r\n \r\n"
                with contextlib.suppress(OSError):
                    caller.send(chunk)
                with contextlib.suppress(BlockingIOError, ConnectionError):
                    answer = caller.recv(4096)
                    assert answer.split()[1] in ((b"413", b"408") if number % 2 else (b"408",))
                    del open_callers[number]
            return not open_callers

        eventually(all_told, "all are told")
        for caller in callers:
            caller.close()


IDLE = 5000
#: While it is there, a connection takes five kilobytes or so: these would take 25.
MOST_MORE_MB = 12


@pytest.fixture
def many_files() -> Iterator[None]:
    """Lets this process and its children open as many files as it takes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = IDLE + 1000
    if hard < wanted:
        pytest.skip(f"this machine lets a process open {hard} files, {wanted} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.long
@pytest.mark.skipif(sys.platform != "linux", reason="memory as Linux counts it")
def test_five_thousand_idle_connections_are_survived(database_url, many_files, dial):
    """With them it sells as without; they leave or are shown out; the next need no more memory."""
    with process_on_trial(database_url, "read_timeout_s=8") as (server, crowd):
        process = psutil.Process(server.pid())
        kept_mb: list[float] = []
        for _ in range(2):
            callers = [dial(server.port) for _ in range(IDLE)]
            eventually(lambda: process.num_fds() > IDLE, "all are in")
            if not kept_mb:
                crowd.until_selling(8)
                assert process.num_fds() > IDLE
            stay = 0 if kept_mb else 100  # in the first round a few stay on, to be shown out
            for caller in callers[stay:]:
                caller.close()
            eventually(lambda: process.num_fds() < 400, "those who leave have left")
            kept_mb.append(process.memory_info().rss / 1e6)
        eventually(lambda: process.num_fds() < 100, "the rest are shown out", within_s=15)
        assert kept_mb[1] - kept_mb[0] < MOST_MORE_MB
