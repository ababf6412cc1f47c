"""The price of protection: an order through door, queue, worker, guards, metrics and log.

`POST /orders` at a bpdemo whose payment and store take no time, beside a bare FastAPI route with
the same model and the same answer, on the same uvicorn, event loop and parser. *Bare, with a log
line* writes one JSON line per order with structlog, which a service in production does anyway;
*bare, behind AdmissionControl* has a slot for each order.
Eight connections ask again as soon as they are answered, from the other core, so that every order
is admitted and none waits long. The aim is on processor time: orders of one core, beside those of
the other's.

The profile is of one run of its own, in shares, since a moment of the machine in which all was
slow would be told as well: a thousand samples of processor time a second inside the service, each
given to the innermost part of it that was at work. What an order costs beyond the bare route is
there, spread over many parts, and is why the aims are missed. The peer's own log line is small
beside what the machine moves from burst to burst: where *bare* and *bare, with a log line* cost the
same, read it as chance.
"""

from __future__ import annotations

import json
import signal
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.measured import Aim, Found, Report, Say, Size, Table, ratio
from benchmarks.sections.refusals import table_of
from benchmarks.servers import Rate, Server, closed_loop, ours, ours_profiled, peer

OURS, SILENT, BARE, LOGGED = "bpdemo", "bpdemo, logs off", "bare", "bare, with a log line"
HOME = "bare, behind AdmissionControl"
CONNECTIONS = 8
KNOBS = {"workers": 8, "payment_latency_s": 0, "store_latency_s": 0}


def measure(size: Size, say: Say) -> Found:
    with ExitStack() as running:
        servers = {
            OURS: running.enter_context(ours(**KNOBS)),
            SILENT: running.enter_context(ours(**KNOBS, log_level="error")),
            BARE: running.enter_context(peer("bare_orders")),
            LOGGED: running.enter_context(peer("logged_orders")),
            HOME: running.enter_context(peer("admission_orders")),
        }
        rates = _in_turn(servers, size, say)
    for name, found in rates.items():
        assert all(set(rate.counts) == {"201"} for rate in found), f"{name} refused orders"
    say("where the time of an order goes")
    profile = _profile(2 * size.seconds)
    return Found(_report(rates, profile))


def _in_turn(servers: dict[str, Server], size: Size, say: Say) -> dict[str, list[Rate]]:
    rates: dict[str, list[Rate]] = {name: [] for name in servers}
    for server in servers.values():
        say("warming up")
        closed_loop(server, CONNECTIONS, 0.5)
    for number in range(size.bursts):
        for name, server in servers.items():
            say(f"round {number + 1} of {size.bursts}: {name}")
            rates[name].append(closed_loop(server, CONNECTIONS, size.burst_s))
    return rates


def _profile(seconds: float) -> dict[str, list[list[float]]]:
    """The share of each part of the service in an order, in per cent."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tally.json"
        with ours_profiled(path, **KNOBS) as server:
            closed_loop(server, CONNECTIONS, 0.5)
            server.process.send_signal(signal.SIGUSR1)  # what came before was its start
            closed_loop(server, CONNECTIONS, seconds)
        tally: dict[str, int] = json.loads(path.read_text())
    total = sum(tally.values())
    parts = sorted(tally.items(), key=lambda part: -part[1])
    return {part: [[100 * count / total]] for part, count in parts}


def _report(rates: dict[str, list[Rate]], profile: dict[str, list[list[float]]]) -> Report:
    cpu_us = {name: [rate.cpu_us for rate in found] for name, found in rates.items()}
    return Report(
        title="The price of protection",
        what=__doc__ or "",
        logs="on, but where a row says otherwise",
        tables=[
            table_of("Orders", rates),
            Table(
                title="Where the time of an order goes",
                columns=["% of its processor time"],
                rows=profile,
            ),
        ],
        aims=[
            Aim(
                text="orders of one core, logs on, at least 0.75 of a bare FastAPI route's",
                values=ratio(cpu_us, BARE, OURS),
                at_least=0.75,
            ),
            Aim(
                text="orders of one core, logs on, at least 0.9 of a bare route's with a log line",
                values=ratio(cpu_us, LOGGED, OURS),
                at_least=0.9,
            ),
        ],
    )
