"""Adaptive concurrency limits: what each keeps of what was possible, where it alone protects.

In virtual time, with the service's own code: open loop, lognormal payments (σ 1), callers who wait
half a second, and the naive service, which has no deadline, no bound and goes on working for
clients that have disconnected. Eight workers, but where a scene says otherwise. The *drift* is a
constant load on two workers, in which nothing ever changes but what the limit makes of it.

Each published algorithm stands at its published defaults, least and greatest limit included, *and*
**tuned**: by as many trials as ours, in the same scenes, on the same seeds (`benchmarks/tuning.py`,
in a simpler model of one queue, where the drift lasts 400 s), starting at two orders a worker and
free from 1 to 1000. The seeds here were used for none of that, nor were the first scene, the
fourth, the fifth and the drift at ×1.05. What no count of trials shows: the *form* of ours was
worked out on scenes like these, and theirs was not. And once it was repaired after it had been seen
here: over two hours of the drift it had wandered off, to 0.69 at ×1.2. So what it does there on
five seeds that nobody had looked at stands beside, as *own, on fresh seeds*.

Beside them a **well-sized** fixed bound (two orders a worker; six for each of the two of the drift,
where chance needs more), one **sized for another day** (eight a worker, and in the drift for four
times the workers), and CoDel. All play the same orders with the same seeds.

*Goodput* is what was answered in time, of the lesser of the offer and the nominal capacity. *Worst*
is its worst ten seconds, outside the five after a change; since service times scatter, what the
workers really could serve in ten seconds is itself often below the nominal. *False* are false
rejections, made while a worker was idle, of the offer. In the drift the last tenth of the time
stands beside: every demonstration is too short to show it. The quick form leaves out AIMD, another
day's bound and the tuned gradient there. In the full one ours and Gradient2, whose reference goes
on moving, play two hours, and the others the first half hour of them: their *last tenth* is three
minutes, and that of the two hours twelve. Whether an aim that ours misses can be reached at all is
asked in the section [limits_reach](#limits_reach), and what a limit still adds to a service that
has all its protections in [limits_protected](#limits_protected).

Ours is *behind* a rival by the mean over all that both played: the same orders on the same seeds,
each ten seconds of them a pair, which also gives the interval (± 2 standard errors, granted up to
another 0.02). The best rival is the one that is furthest ahead by these very figures, which
flatters it. What ours misses is told below the tables with where its orders went: those that were
neither late nor rejected while a worker was idle were rejected while all were busy, by a limit that
let the workers run out of work a moment later, or because there was no more to be had.

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
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from typing import Final

from benchmarks.arena import AS_BEFORE, TWICE_AS_SLOW, Rival, Scene, Scored, played
from benchmarks.limit_aims import OURS, aims_of, reasons
from benchmarks.measured import FULL, Found, Report, Say, Size, Table
from benchmarks.storms import policies_table
from benchmarks.tuning import TUNED


def _tuned() -> Iterable[Rival]:
    """As `benchmarks/tuning.py` left them. Ours plays with its defaults alone."""
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
HALF_AN_HOUR_S: Final = 1800.0
#: Whom half an hour teaches nothing new of: they are at nothing from the start, or last among those
#: that hold. The full form plays them there, too.
NOT_FOR_HALF_AN_HOUR: Final = ("aimd", "aimd, tuned", "gradient, tuned", "another day's")
#: Seeds of the drift that were looked at by nobody before ours was as it is.
FRESH: Final = range(901, 906)
ON_FRESH: Final = f"{OURS}, on fresh seeds"
#: Whose reference goes on moving, and ours: half an hour tells little of what two do to them.
FOR_TWO_HOURS: Final = (OURS, "gradient2", "gradient2, tuned")


def rivals_of(scene: Scene, size: Size) -> list[Rival]:
    """Those that play it, sized for it."""
    left_out = NOT_FOR_HALF_AN_HOUR if scene.seconds > 600 and size != FULL else ()
    return [_sized(rival, scene) for rival in RIVALS if rival.name not in left_out]


def as_long_as_it_teaches(scene: Scene, rival: Rival) -> Scene:
    """The scene, or the beginning of it."""
    if rival.name in FOR_TWO_HOURS:
        return scene
    return replace(scene, seconds=min(scene.seconds, HALF_AN_HOUR_S))


def scenes(size: Size, longest_s: float = 7200.0) -> list[Scene]:
    """Those that every size plays, as long as it allows: the drift two hours in the full form, and
    half an hour in the quick one."""
    drift_s = min(longest_s, 7200.0 if size == FULL else 720.0 * size.seconds)
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
            asked = asked_of(scene, size)
            results = pool.map(partial(play_one, scene), [each[1:] for each in asked])
            rows: dict[str, list[Scored]] = {name: [] for name, _, _ in asked}
            for number, ((name, _, _), score) in enumerate(zip(asked, results, strict=True), 1):
                rows[name].append(score)
                say(f"{scene.name}: {number} of {len(asked)} played")
            found[scene.name] = rows
        say("client policies")
        return Found(report(found, policies_table(_seeds(size), pool.map)))


def report(found: Mapping[str, Mapping[str, list[Scored]]], policies: Table) -> Report:
    return Report(
        title="Adaptive concurrency limits",
        what=__doc__ or "",
        logs="off (virtual time)",
        tables=[
            *(score_table(name, rows, has_last=_drifts(name)) for name, rows in found.items()),
            policies,
        ],
        aims=[aim for name, rows in found.items() for aim in aims_of(name, rows, _adaptive(rows))],
        notes=[why for name, rows in found.items() for why in reasons(name, rows, _adaptive(rows))],
    )


def _adaptive(rows: Mapping[str, list[Scored]]) -> list[str]:
    """Those that ours is held against."""
    return [name for name in ADAPTIVE if name in rows]


def _sized(rival: Rival, scene: Scene) -> Rival:
    return DRIFT_SIZED.get(rival.name, rival) if _drifts(scene.name) else rival


def _drifts(name: str) -> bool:
    return name.startswith("drift")


def _seeds(size: Size) -> range:
    return range(11, 11 + size.long_rounds)


def seeds_of(scene: Scene, size: Size) -> range:
    """One for a scene of half an hour; five for the two hours of the full form."""
    if scene.seconds <= 600:
        return _seeds(size)
    return range(11, 16) if size == FULL else range(11, 12)


def asked_of(scene: Scene, size: Size) -> list[tuple[str, Rival, int]]:
    """Each row, who plays for it, and with which seed."""
    rivals = rivals_of(scene, size)
    asked = [(rival.name, rival, seed) for rival in rivals for seed in seeds_of(scene, size)]
    if _drifts(scene.name) and size == FULL:
        ours = next(rival for rival in rivals if rival.name == OURS)
        asked += [(ON_FRESH, ours, seed) for seed in FRESH]
    return asked


def play_one(scene: Scene, asked: tuple[Rival, int]) -> Scored:
    rival, seed = asked
    return played(as_long_as_it_teaches(scene, rival), rival, seed)


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
