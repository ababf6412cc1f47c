"""Cost of a rejection: to reject is what a service does most in an overload.

`POST /orders` at a bpdemo whose only place is taken, and at a FastAPI application behind
`AdmissionControl` whose only slot is, beside two on the same uvicorn, event loop and
parser: an ASGI function that does nothing but answer 503 (*bare*: no ASGI application on this
server can do it for less), and a FastAPI hello, as every tutorial has it. bpdemo itself rejects
once the head has been read, before there is an ASGI request. 32 connections ask again as soon as
they are answered, from the other core. bpdemo decides, counts it in books and metrics, makes a
request id and draws a Retry-After; its log tells rejections once a second and reason.

The aims are on CPU time, a core's worth of answers beside a core's worth of the other's: each of
these servers fills its core, as the share that it used shows, and time in which others had the core
is left out so. What the rejection of bpdemo does beyond the bare one, named above, is
why it is slower.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from benchmarks.flood import AGAIN
from benchmarks.measured import Aim, Found, Report, Say, Size, Table, ratio
from benchmarks.servers import Rate, Server, closed_loop, ours, peer

OURS, BARE, HELLO = "bpdemo rejects", "bare ASGI 503", "FastAPI hello"
HOME = "AdmissionControl rejects"
CONNECTIONS = 32
KNOBS = {
    "workers": 1,
    "queue_capacity": 0,
    "payment_latency_s": 600,
    "request_timeout_s": 0,
    "attempt_timeout_s": 0,
    "drain_timeout_s": 0,
}


def measure(size: Size, say: Say) -> Found:
    with ExitStack() as running:
        servers = {
            OURS: running.enter_context(full_house()),
            HOME: running.enter_context(full_at_home()),
            BARE: running.enter_context(peer("bare_no")),
            HELLO: running.enter_context(peer("hello")),
        }
        rates = in_turn(servers, size, say)
    for name in (OURS, HOME):
        assert all(set(rate.counts) == {"503"} for rate in rates[name]), "somebody was let in"
    return Found(_report(rates))


@contextmanager
def full_house() -> Iterator[Server]:
    """A bpdemo that has one place, and a customer in it."""
    with ours(**KNOBS) as server, socket.create_connection(("127.0.0.1", server.port)) as customer:
        customer.sendall(AGAIN)
        yield server


@contextmanager
def full_at_home() -> Iterator[Server]:
    """The same of an application that a learner has protected."""
    with (
        peer("admission_full") as server,
        socket.create_connection(("127.0.0.1", server.port)) as customer,
    ):
        customer.sendall(AGAIN)
        yield server


def in_turn(servers: dict[str, Server], size: Size, say: Say) -> dict[str, list[Rate]]:
    """All of them stay up; one is busy at a time."""
    rates: dict[str, list[Rate]] = {name: [] for name in servers}
    for number in range(-1, size.bursts):
        for name, server in servers.items():
            say(f"round {number + 1} of {size.bursts}: {name}" if number >= 0 else "warming up")
            rate = closed_loop(server, CONNECTIONS, size.burst_s if number >= 0 else 0.5)
            if number >= 0:
                rates[name].append(rate)
    return rates


def table_of(title: str, rates: dict[str, list[Rate]]) -> Table:
    columns = ["responses a second", "CPU time, µs a response", "share of a core"]
    rows = {
        name: [
            [rate.per_s for rate in found],
            [rate.cpu_us for rate in found],
            [rate.busy_share for rate in found],
        ]
        for name, found in rates.items()
    }
    return Table(title=title, columns=columns, rows=rows)


def _report(rates: dict[str, list[Rate]]) -> Report:
    cpu_us = {name: [rate.cpu_us for rate in found] for name, found in rates.items()}
    return Report(
        title="Cost of a rejection",
        what=__doc__ or "",
        logs="on: one line a second and reason",
        tables=[table_of("Rejections", rates)],
        aims=[
            Aim(
                text="rejections of one core, at least 0.85 of a bare ASGI 503's",
                values=ratio(cpu_us, BARE, OURS),
                at_least=0.85,
            ),
            Aim(
                text="rejections of one core, at least 2.5 times a FastAPI hello's",
                values=ratio(cpu_us, HELLO, OURS),
                at_least=2.5,
            ),
        ],
    )
