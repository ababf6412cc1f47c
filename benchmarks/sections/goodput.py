"""Goodput kept: how much of capacity is served in time when many times as much is asked for.

The same orders, Poisson arrivals of one seed, each on a connection of its own, at two workers of
40 ms: capacity is 50 a second, so that many times as much can be sent from the other core. Counted
is what was served within the client timeout of 500 ms, from half a second after the start to the
end.

Beside bpdemo stand what people use instead. *Semaphore*: FastAPI with `asyncio.Semaphore(2)` and
nothing else. *uvicorn limit*: the same behind `--limit-concurrency`, with as many places as bpdemo
has. *hyx bulkhead*: two at a time and eight waiting, the rest rejected in the route. *granian*: the
semaphore behind `--backpressure` of ten, which takes no more in at once and rejects nothing.
*AdmissionControl* is what one takes home from the workshop: a few lines before a route of 40 ms.
Each has its own process and the same event loop; bpdemo alone also writes logs, counts metrics, and
takes a payment and stores an order.

*Offered, as drawn* is what arrived while it counted: a short round draws a little more or less than
was meant, the same for all of them. At ×1 a lull in random arrivals leaves workers idle besides,
which no server makes up for in so short a round. Rounds whose load could not be sent on time (p99
of send lag above 50 ms) count for no aim. What waits without a bound serves less the longer it
lasts: the shares of *semaphore* and *granian* above capacity are those of so short a round, on
their way to nothing.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

import plotly.graph_objects as go

from benchmarks.drawing import lines
from benchmarks.flood import Load, drawn_per_s
from benchmarks.measured import Aim, Found, Report, Say, Size, Table
from benchmarks.peers import ROOM, SERVICE_S, WORKERS
from benchmarks.servers import Came, Server, flood, ours, peer

OURS, HOME = "bpdemo", "AdmissionControl"
TIMES = (0.5, 1, 2, 5, 10, 20, 50)
CAPACITY_PER_S = WORKERS / SERVICE_S
PLACES = WORKERS + ROOM
TOLERATED = 0.01
DRAWN = "*offered, as drawn*"

SERVERS: dict[str, Callable[[], AbstractContextManager[Server]]] = {
    OURS: partial(
        ours, workers=WORKERS, queue_capacity=ROOM, payment_latency_s=SERVICE_S, store_latency_s=0
    ),
    HOME: partial(peer, "admission"),
    # It counts the connection that asks, so one more lets the same number in.
    "uvicorn limit": partial(peer, "semaphore", limit=PLACES + 1),
    "hyx bulkhead": partial(peer, "bulkhead"),
    "semaphore": partial(peer, "semaphore"),
    "granian": partial(peer, "granian"),
}
#: They take on all they are offered, so what one load leaves behind would spoil the next.
HOARDERS = ("semaphore", "granian")
#: Beyond this there is nothing left to see of a server that has served nothing since.
HOARDERS_UP_TO = 5

Points = dict[tuple[str, float], list[Came]]


def measure(size: Size, say: Say) -> Found:
    points: Points = {(name, times): [] for name in SERVERS for times in TIMES}
    for number in range(size.long_rounds):
        for name in SERVERS:
            say(f"round {number + 1} of {size.long_rounds}: {name}")
            for times, came in _all_loads(name, size.seconds, number):
                points[name, times].append(came)
    shares = {
        key: [c.sold_per_s / CAPACITY_PER_S for c in counted(came)] for key, came in points.items()
    }
    return Found(
        Report(
            title="Goodput kept",
            what=__doc__ or "",
            logs="on (bpdemo); the peers write none",
            tables=[
                served_table(shares, size),
                _table("p99 of those served, ms", _p99s(points)),
            ],
            aims=_aims(points, shares),
            notes=_notes(points),
            pictures=["goodput"],
        ),
        {"goodput": _figure(shares)},
    )


def good(came: list[Came]) -> list[Came]:
    return [each for each in came if each.is_valid]


def counted(came: list[Came]) -> list[Came]:
    """What a cell is made of: none of them where a single round of several was good."""
    those = good(came)
    return those if len(those) >= min(2, len(came)) else []


def _all_loads(name: str, seconds: float, seed: int) -> list[tuple[float, Came]]:
    if name in HOARDERS:
        found = []
        for times in (t for t in TIMES if t <= HOARDERS_UP_TO):
            with SERVERS[name]() as server:
                found.append((times, _one_load(server, times, seconds, seed)))
        return found
    with SERVERS[name]() as server:
        return [(times, _one_load(server, times, seconds, seed)) for times in TIMES]


def _one_load(server: Server, times: float, seconds: float, seed: int) -> Came:
    return flood(server.port, _load(times, seconds, seed))


def _load(times: float, seconds: float, seed: int) -> Load:
    return Load(rate_per_s=times * CAPACITY_PER_S, seconds=seconds + 0.5, seed=seed)


def served_table(shares: dict[tuple[str, float], list[float]], size: Size) -> Table:
    """What was drawn stands above what was served of it."""
    table = _table("Served in time, share of capacity", shares)
    drawn = [
        [drawn_per_s(_load(t, size.seconds, n)) / CAPACITY_PER_S for n in range(size.long_rounds)]
        for t in TIMES
    ]
    return table.model_copy(update={"rows": {DRAWN: drawn} | table.rows})


def _table(title: str, cells: dict[tuple[str, float], list[float]]) -> Table:
    rows = {name: [cells[name, times] for times in TIMES] for name in SERVERS}
    return Table(title=title, columns=[f"×{times:g}" for times in TIMES], rows=rows)


def _p99s(points: Points) -> dict[tuple[str, float], list[float]]:
    return {
        key: [p99 for each in counted(came) if (p99 := each.sold_ms(0.99)) is not None]
        for key, came in points.items()
    }


def _aims(points: Points, shares: dict[tuple[str, float], list[float]]) -> list[Aim]:
    aims = []
    for times in TIMES:
        peers = [name for name in SERVERS if name not in (OURS, HOME) and shares[name, times]]
        best = max(peers, key=lambda name: statistics.median(shares[name, times]), default=OURS)
        if ahead := _ahead(points[OURS, times], points[best, times]):
            if times < 20:
                text = f"goodput at ×{times:g} at most {TOLERATED} below the best peer's ({best})"
                aims.append(Aim(text=text, values=ahead, at_least=-TOLERATED))
            else:
                text = f"goodput at ×{times:g} level with the best peer's ({best}) or ahead"
                aims.append(Aim(text=text, values=ahead, at_least=0.0))
        if ahead := _ahead(points[HOME, times], points[best, times]):
            text = f"{HOME} at ×{times:g} at most {TOLERATED} below the best peer's ({best})"
            aims.append(Aim(text=text, values=ahead, at_least=-TOLERATED))
    return aims


def _ahead(ours: list[Came], theirs: list[Came]) -> list[float]:
    """By how much of capacity, in the rounds that count for both: they had the same arrivals."""
    return [
        round((mine.sold_per_s - other.sold_per_s) / CAPACITY_PER_S, 6)
        for mine, other in zip(ours, theirs, strict=True)
        if mine.is_valid and other.is_valid
    ]


def _notes(points: Points) -> list[str]:
    spoilt = [f"{name} ×{t:g}" for (name, t), came in points.items() if len(good(came)) < len(came)]
    why = "they serve next to nothing in time by then"
    notes = [f"{' and '.join(HOARDERS)} are not driven beyond ×{HOARDERS_UP_TO}: {why}"]
    if spoilt:
        notes.append(f"points with rounds whose load could not be sent: {', '.join(spoilt)}")
    return notes


def _figure(shares: dict[tuple[str, float], list[float]]) -> go.Figure:
    series = {
        name: {t: statistics.median(shares[name, t]) for t in TIMES if shares[name, t]}
        for name in SERVERS
    }
    return lines(
        series,
        title="Goodput under overload, by how it is met",
        x="orders offered (× capacity)",
        y="served in time (share of capacity)",
        log_x=True,
        main=OURS,
    )
