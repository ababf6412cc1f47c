"""Adaptive concurrency limits: what each keeps of what was possible, where it alone protects.

In virtual time, with the service's own code: open loop, lognormal payments (σ 1), callers who wait
half a second, and the naive service, which has no deadline, no bound and goes on working for
clients that have disconnected.
Each published algorithm stands at its published defaults, least and greatest limit included, *and*
**tuned**: by as many trials as ours, in the same scenes, on the same seeds (`benchmarks/tuning.py`,
before a queue of one file), starting at two orders a worker and free from 1 to 1000. The seeds here
were used for none of them, nor was the scene of exponential times. What no count of trials shows:
the *form* of ours was worked out on scenes like these, and theirs was not.

Beside them a **well-sized** fixed bound (two orders a worker; six for each of the two of the drift,
where chance needs more), one **sized for another day** (eight a worker, and in the drift for four
times the workers), and CoDel. All play the same orders with the same seeds.

*Goodput* is what was answered in time, of the lesser of the offer and the nominal capacity. *Worst*
is its worst ten seconds, outside the five after a change; since service times scatter, what the
workers really could serve in ten seconds is itself often below the nominal. *False* are false
rejections, made while a worker was idle, of the offer. In the drift the last tenth of the time
stands beside: every demonstration is too short to show it. Whether an aim that ours misses can be
reached at all is asked in the section [limits_reach](#limits_reach), and what a limit still adds to
a service that has all its protections in [limits_protected](#limits_protected).

Client policies: one storm, three slow seconds at 0.6 of capacity, three instant retries, the naive
service; watched for more than twice the two minutes that the slowest of them looks back. *Attempts*
are those made for each order; *recovered* is the first second after the storm from which nine of
ten are in time for three seconds; *lost* are orders not served in time, of all. The throttling of
the SRE book has a second row, behind a queue of at most 16: its *accepts* are what a backend did
not reject, so it expects one that rejects, and the naive service never does. It counts a request
when it is sent and an accept when the answer comes, as the book has it; so its first seconds are
throttled without need, and these count as lost.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import Any, Final

from benchmarks.arena import AS_BEFORE, TWICE_AS_SLOW, Rival, Scene, Scored, played
from benchmarks.measured import FULL, Aim, Found, Report, Say, Size, Table
from benchmarks.tuning import TUNED
from bpdemo.core.choices import RETRY_POLICIES, RetryPolicyName
from bpdemo.core.settings import Settings
from bpdemo.plan.fates import OK
from bpdemo.sim.play import Play, play

OURS: Final = "own"


def _tuned() -> Iterable[Rival]:
    """As `benchmarks/tuning.py` left them; for ours no trial was worth 0.001 more than defaults."""
    for name, constants in json.loads(TUNED.read_text(encoding="utf-8"))["constants"].items():
        if name != OURS:
            yield Rival(f"{name}, tuned", {"limit_algorithm": name}, constants=constants)


RIVALS: Final = (
    Rival(OURS, {"limit_algorithm": "own"}),
    Rival(
        "aimd",
        {"limit_algorithm": "aimd", "max_in_flight": 20, "limit_min": 20, "limit_max": 200},
    ),
    Rival("vegas", {"limit_algorithm": "vegas", "max_in_flight": 20}),
    Rival(
        "gradient2",
        {"limit_algorithm": "gradient2", "max_in_flight": 20, "limit_min": 20, "limit_max": 200},
    ),
    Rival(
        "gradient (Envoy's)", {"limit_algorithm": "gradient", "max_in_flight": 3, "limit_min": 3}
    ),
    *_tuned(),
    Rival("well-sized", {}, {"max_in_flight": 2}),
    Rival("another day's", {}, {"max_in_flight": 8}),
    Rival("CoDel", {"queue_discipline": "codel"}),
)
DRIFT_SIZED: Final = {
    rival.name: rival
    for rival in (
        Rival("well-sized", {}, {"max_in_flight": 6}),
        Rival("another day's", {}, {"max_in_flight": 32}),
    )
}
ADAPTIVE: Final = tuple(
    rival.name for rival in RIVALS if rival.name != OURS and "limit_algorithm" in rival.knobs
)
STORM_S, SLOW_S, STORM_AT_S = 280.0, 3.0, 10.0
#: Of a queue behind which the throttling of the SRE book is tried as well.
BOUND: Final = 16
BOUNDED: Final = f"sre_throttling, a queue of {BOUND}"


def scenes(size: Size) -> list[Scene]:
    """Those that every size plays, as long as it allows."""
    drift_s = 7200.0 if size == FULL else 720.0 * size.seconds  # half an hour in the quick form
    short_s = max(40.0, 24.0 * min(size.seconds, 2.5))
    halves = ((30.0, TWICE_AS_SLOW), (90.0, AS_BEFORE))
    drifts: list[Scene] = [
        Scene(f"drift ×{times}", times, drift_s, {"workers": 2}) for times in (1.05, 1.2)
    ]
    return [
        Scene("half for a minute ×0.9", 0.9, 120.0, changes=halves),
        Scene("half for a minute ×2", 2.0, 120.0, changes=halves),
        Scene("bimodal ×2", 2.0, short_s, {"payment_latency_distribution": "bimodal"}),
        Scene(
            "calls that never answer ×1",
            1.0, short_s, {"payment_hang_rate": 0.02, "attempt_timeout_s": 0.4},
        ),
        Scene(
            "sixteen workers, exponential ×1.3",
            1.3, short_s, {"workers": 16, "payment_latency_distribution": "exponential"},
        ),
        *drifts,
    ]  # fmt: skip


def measure(size: Size, say: Say) -> Found:
    found: dict[str, dict[str, list[Scored]]] = {}
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for scene in scenes(size):
            say(scene.name)
            rivals = [_sized(rival, scene) for rival in RIVALS]
            asked = [(rival, seed) for rival in rivals for seed in seeds_of(scene, size)]
            results = pool.map(partial(play_one, scene), asked)
            rows: dict[str, list[Scored]] = {rival.name: [] for rival in RIVALS}
            for number, ((rival, _), score) in enumerate(zip(asked, results, strict=True), 1):
                rows[rival.name].append(score)
                say(f"{scene.name}: {number} of {len(asked)} played")
            found[scene.name] = rows
    say("client policies")
    return Found(report(found, [_storms(seed) for seed in _seeds(size)]))


def report(
    found: dict[str, dict[str, list[Scored]]], storms: list[dict[str, list[float]]]
) -> Report:
    return Report(
        title="Adaptive concurrency limits",
        what=__doc__ or "",
        logs="off (virtual time)",
        tables=[
            *(score_table(name, rows, has_last=_drifts(name)) for name, rows in found.items()),
            _policies(storms),
        ],
        aims=list(_aims(found)),
        notes=[],
    )


def _sized(rival: Rival, scene: Scene) -> Rival:
    return DRIFT_SIZED.get(rival.name, rival) if _drifts(scene.name) else rival


def _drifts(name: str) -> bool:
    return name.startswith("drift")


def _seeds(size: Size) -> range:
    return range(11, 11 + size.long_rounds)


def seeds_of(scene: Scene, size: Size) -> range:
    """One for a scene of half an hour, but in the full form."""
    return _seeds(size)[:1] if scene.seconds > 600 and size != FULL else _seeds(size)


def play_one(scene: Scene, asked: tuple[Rival, int]) -> Scored:
    return played(scene, *asked)


def score_table(name: str, rows: Mapping[str, list[Scored]], *, has_last: bool = False) -> Table:
    """A row for each that played the scene; with its last tenth, if wanted."""
    columns = ["goodput", "worst 10 s", "false rejections, %"] + ["last tenth"] * has_last
    return Table(
        title=name[:1].upper() + name[1:],
        columns=columns,
        rows={
            rival: [
                [each.goodput for each in scores],
                [each.worst for each in scores],
                [100 * each.false for each in scores],
                *([[each.last for each in scores]] if has_last else []),
            ]
            for rival, scores in rows.items()
        },
    )


def _aims(found: dict[str, dict[str, list[Scored]]]) -> Iterable[Aim]:
    for name, rows in found.items():
        ours = rows[OURS]
        rivals = [[each.goodput for each in rows[rival]] for rival in ADAPTIVE]
        best = max(rivals, key=sum)
        behind = [theirs - mine.goodput for theirs, mine in zip(best, ours, strict=True)]
        yield Aim(text=f"{name}: ours, goodput of what was possible",
                  values=[each.goodput for each in ours], at_least=0.95)  # fmt: skip
        yield Aim(text=f"{name}: ours, worst ten seconds",
                  values=[each.worst for each in ours], at_least=0.85)  # fmt: skip
        yield Aim(text=f"{name}: ours, false rejections (a worker was idle), %",
                  values=[100 * each.false for each in ours], at_most=1.0)  # fmt: skip
        yield Aim(text=f"{name}: ours behind the best adaptive rival, paired seeds",
                  values=behind, at_most=0.02)  # fmt: skip


def _storms(seed: int) -> dict[str, list[float]]:
    policies: list[RetryPolicyName | None] = [None, *RETRY_POLICIES]
    told = {name or "every retry": list(_told(_storm(name, seed))) for name in policies}
    return told | {BOUNDED: list(_told(_storm("sre_throttling", seed, BOUND)))}


def _storm(policy: RetryPolicyName | None, seed: int, queue_capacity: int = -1) -> Play:
    slow: dict[str, Any] = {"payment_latency_s": 0.4}
    return play(
        Settings.unprotected(seed=seed, queue_capacity=queue_capacity),
        times=0.6, seconds=STORM_S, retries=3, seed=seed, retry_policy=policy,
        changes=[(STORM_AT_S, slow), (STORM_AT_S + SLOW_S, {"payment_latency_s": 0.04})],
    )  # fmt: skip


def _told(run: Play) -> tuple[float, float, float]:
    orders = run.orders
    offered, ok = [0] * int(STORM_S + 1), [0] * int(STORM_S + 1)
    for order in orders:
        offered[int(order.t_s)] += 1
        ok[int(order.t_s)] += order.fate == OK
    well = [ok[s] >= 0.9 * offered[s] for s in range(int(STORM_S))]
    over = int(STORM_AT_S + SLOW_S)
    after = (s for s in range(over, len(well) - 2) if all(well[s : s + 3]))
    recovered_s = next(after, int(STORM_S)) - over
    lost = 1 - sum(ok) / len(orders)
    return len(run.attempts_s) / len(orders), float(recovered_s), lost


def _policies(storms: list[dict[str, list[float]]]) -> Table:
    return Table(
        title="Client policies in one storm",
        columns=["attempts an order", "recovered after, s", "lost, share"],
        rows={
            name: [[storm[name][column] for storm in storms] for column in range(3)]
            for name in storms[0]
        },
        notes=f"Recovered after {STORM_S - STORM_AT_S - SLOW_S:g} s: not within the time for which "
        "it was watched.",
    )
