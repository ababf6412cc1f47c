"""Where the metastable region begins: which trigger is survived at which load, in three ways.

The naive service under a steady open load, payments that take five times as long for a while, three
instant retries, clients who wait half a second. *Stuck*: from 30 to 60 s after the trigger no more
than half of the orders are served in time. The *edge* is the length of trigger at which half of
nine seeds stick; from where the first of them sticks to where all do lies the band in which chance
decides. Each length is found to within 5 %. The *model* is a fluid of ours (`bpdemo.sim.storm`):
the same queue and the same retries, without randomness.

Live, a service in a process of its own is given 0.75 and 1.25 of the model's edge at three loads,
by the load generator; in the quick form once each, and judged from 10 to 20 s after the trigger, in
the full one as two runs of three end, over the whole window: where two end alike, there is no
third. Sustaining effects are each shown in a service in
which they are alone, with what removes them: share of the seeds that stick.

*Around the edge* looks for what the artefact of Huang et al. (OSDI 2022) shows of a retry storm: a
trigger that is a little too long sticks, a slightly shorter one does not, nor does the long one
under 30% less load. The protected service is played for itself with each length of trigger at 0.95,
on every seed, and not read off an edge.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from math import isfinite
from multiprocessing import get_context
from typing import Final

import plotly.graph_objects as go

from benchmarks.measured import FULL, TINY, Aim, Found, Report, Say, Size, Table
from bpdemo.core.settings import Settings
from bpdemo.lab.services.loading import load
from bpdemo.lab.services.service import serve
from bpdemo.picture.stuck_map import LivePoint, stuck_map
from bpdemo.plan.fates import OK
from bpdemo.sim.margin import Asked, Margin, margin
from bpdemo.sim.ordeal import FROM_S, SLOW_TIMES, UNTIL_S, WARM_S, Trigger
from bpdemo.sim.storm import RetryStorm
from bpdemo.sim.sustaining import EFFECTS

LOADS: Final = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
#: What the quick form leaves out: the map is as it is without them.
BETWEEN: Final = (0.4, 0.9)
#: Where the model is held to the edge, and the service to both.
AGREED: Final = (0.5, 0.6, 0.7, 0.8)
LIVE: Final = (0.5, 0.65, 0.8)
BELOW: Final = 0.75
ABOVE: Final = 1.25
RETRIES: Final = 3
NAIVE: Final = Settings.unprotected()
#: The published artefact's pattern is looked for at this load, and at 30 % less of it.
PATTERN: Final = 0.6
#: What the protected service has to survive at this load.
PROTECTED: Final = Settings()
PROTECTED_LOAD: Final = 0.95
PROTECTED_S: Final = (2.0, 5.0, 10.0, 20.0, 40.0, 60.0)


def measure(size: Size, say: Say) -> Found:
    seeds = 1 if size == TINY else 9
    loads = loads_of(size)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        found = margin(
            NAIVE, loads=loads, retries=RETRIES, seeds=seeds, each=pool.map,
            tell=lambda at: say(f"edge at {at.load:.0%}: {at.edge_s:.2f} s"),
        )  # fmt: skip
        lengths = PROTECTED_S[:1] if size == TINY else PROTECTED_S
        protected = protected_shares(lengths, seeds, pool.map, say)
        say("sustaining effects")
        effects = effect_shares(1 if size == TINY else 3, pool.map)
        say("around the edge")
        pattern = pattern_shares(found.edges_s[PATTERN], seeds, pool.map)
    model = {at: storm(at).edge_s() for at in loads}
    live = [] if size == TINY else _live(size, say)
    return Found(
        _report(found, protected, model, effects, pattern, live),
        {"map": _figure(found, model, live)},
    )


def loads_of(size: Size) -> tuple[float, ...]:
    """Those at which the edge is looked for."""
    if size == TINY:
        return (0.6, 0.8)
    return LOADS if size == FULL else tuple(load for load in LOADS if load not in BETWEEN)


def protected_shares(
    lengths_s: Sequence[float], seeds: int, each: Callable[..., Iterable[bool]], say: Say
) -> dict[float, list[float]]:
    """Share of the seeds that stick, by the length of the trigger."""
    trigger = Trigger.slow_payment(PROTECTED)
    asked = Asked(PROTECTED, trigger, PROTECTED_LOAD, None, {"retries": RETRIES})
    shares = {}
    for length_s in lengths_s:
        say(f"protected, {length_s:g} s")
        shares[length_s] = [sum(each(partial(asked.is_stuck, length_s), range(seeds))) / seeds]
    return shares


def storm(at: float) -> RetryStorm:
    """The model of the naive service at that load."""
    slow_s = NAIVE.payment_latency_s * SLOW_TIMES + NAIVE.store_latency_s
    return RetryStorm(
        load=at, workers=NAIVE.workers, service_s=NAIVE.expected_service_s, slow_service_s=slow_s,
        client_timeout_s=0.5, retries=RETRIES,
    )  # fmt: skip


def effect_shares(seeds: int, each: Callable[..., Iterable[bool]]) -> dict[str, list[float]]:
    """Share of seeds that stick: by itself, and with each thing that removes it."""
    trials: dict[str, tuple[Asked, float]] = {}
    for name, effect in EFFECTS.items():
        trials[f"{name}: {effect.what}"] = effect.asked(), effect.trigger_s
        for cure, turned in effect.cures.items():
            trials[f"{name}, with {cure}"] = effect.asked(turned), effect.trigger_s
        for cure, turned in effect.false_cures.items():
            seeming = f"{name}, with {cure} (which only seems to help)"
            trials[seeming] = effect.asked(turned), effect.trigger_s
    return _shares(trials, seeds, each)


def pattern_shares(
    edge_s: float, seeds: int, each: Callable[..., Iterable[bool]]
) -> dict[str, list[float]]:
    """Share of seeds that stick around the edge, as in the artefact of Huang et al."""
    trigger, retries = Trigger.slow_payment(NAIVE), {"retries": RETRIES}
    at, less = (Asked(NAIVE, trigger, load, None, retries) for load in (PATTERN, 0.7 * PATTERN))
    trials = {
        f"load {PATTERN:.0%}, trigger {ABOVE:g} of the edge": (at, ABOVE * edge_s),
        f"load {PATTERN:.0%}, trigger {BELOW:g} of the edge": (at, BELOW * edge_s),
        f"30 % less load, trigger {ABOVE:g} of that edge": (less, ABOVE * edge_s),
    }
    return _shares(trials, seeds, each)


def _shares(
    trials: Mapping[str, tuple[Asked, float]], seeds: int, each: Callable[..., Iterable[bool]]
) -> dict[str, list[float]]:
    """Of each trial the share of its seeds that stick; all of them side by side."""
    runs = [
        (asked, trigger_s, seed) for asked, trigger_s in trials.values() for seed in range(seeds)
    ]
    stuck = list(each(_is_stuck, runs))
    return {
        name: [sum(stuck[first : first + seeds]) / seeds]
        for name, first in zip(trials, range(0, len(stuck), seeds), strict=True)
    }


def _is_stuck(run: tuple[Asked, float, int]) -> bool:
    asked, trigger_s, seed = run
    return asked.is_stuck(trigger_s, seed)


def _live(size: Size, say: Say) -> list[LivePoint]:
    """Each point as often as the size allows."""
    points = []
    for at in LIVE:
        for times in (BELOW, ABOVE):
            trigger_s = times * storm(at).edge_s()
            say(f"live: {at:.0%}, {trigger_s:.2f} s")
            if size == FULL:
                ended = two_of_three(partial(_sticks_live, at, trigger_s, (FROM_S, UNTIL_S)))
            else:
                ended = [_sticks_live(at, trigger_s, (10.0, 20.0), 0)]
            points.append(LivePoint(at, trigger_s, sum(ended), len(ended)))
    return points


def two_of_three(ends: Callable[[int], bool]) -> list[bool]:
    """Two runs, and a third if these end differently; `ends` takes the number of the run."""
    ended = [ends(0), ends(1)]
    return ended if ended[0] == ended[1] else [*ended, ends(2)]


def _sticks_live(at: float, trigger_s: float, window: tuple[float, float], seed: int) -> bool:
    over_s = WARM_S + trigger_s
    with serve("unprotected", where="process", workers=NAIVE.workers, name="map") as service:
        run = load(
            service, times=at, seconds=over_s + window[1], retries=RETRIES, seed=seed,
            changes=Trigger.slow_payment(NAIVE).changes(NAIVE, trigger_s),
        )  # fmt: skip
    records = run.records
    inside = (records.t_s >= over_s + window[0]) & (records.t_s < over_s + window[1])
    return bool(2 * (records.fate[inside] == OK).sum() <= inside.sum())


def _predicted(point: LivePoint) -> bool:
    is_above = point.trigger_s > storm(point.load).edge_s()
    return 2 * (point.stuck if is_above else point.runs - point.stuck) > point.runs


def _report(
    found: Margin,
    protected: dict[float, list[float]],
    model: dict[float, float],
    effects: dict[str, list[float]],
    pattern: dict[str, list[float]],
    live: list[LivePoint],
) -> Report:
    apart = [
        abs(model[at] / found.edges_s[at] - 1)
        for at in AGREED
        if at in model and isfinite(found.edges_s[at])
    ]
    aims = [
        Aim(text="model and virtual time: edges apart at the loads from 0.5 to 0.8 (share of the "
                 "edge, at the worst of them)", values=[max(apart)], at_most=0.1),
        *pattern_aims(pattern),
        Aim(text=f"the protected service: seeds that stick at {PROTECTED_LOAD:g}, at the worst of "
                 f"triggers up to {max(protected):g} s (share)",
            values=[max(share for [share] in protected.values())], at_most=0.0),
    ]  # fmt: skip
    if live:
        aims.append(
            Aim(text="live: points at 0.75 and 1.25 of the edge that end as predicted (share)",
                values=[sum(map(_predicted, live)) / len(live)], at_least=1.0)
        )  # fmt: skip
    return Report(
        title="Where the metastable region begins",
        what=__doc__ or "",
        logs="on (live)",
        tables=[
            _edges(found, model),
            Table.of_one("Around the edge", "seeds that stick (share)", pattern),
            Table.of_one(
                f"The protected service at {PROTECTED_LOAD:.0%} load",
                "seeds that stick (share)",
                {f"trigger {length_s:g} s": share for length_s, share in protected.items()},
            ),
            Table.of_one("Sustaining effects", "seeds that stick (share)", effects),
            *([_points(live)] if live else []),
        ],
        aims=aims,
        pictures=["map"],
    )


def pattern_aims(pattern: dict[str, list[float]]) -> list[Aim]:
    """The longer trigger sticks, on most seeds; a slightly shorter one, or less load, recovers."""
    longer, shorter, less = pattern
    stick = "seeds that stick (share)"
    return [
        Aim(text=f"{longer}: {stick}, at least half", values=pattern[longer], at_least=0.5),
        Aim(text=f"{shorter}: {stick}, at most half", values=pattern[shorter], at_most=0.5),
        Aim(text=f"{less}: {stick}, at most half", values=pattern[less], at_most=0.5),
    ]


def _edges(found: Margin, model: dict[float, float]) -> Table:
    rows = {
        f"load {at.load:.0%}": [
            *map(_finite, (at.edge_s, *at.band_s, model[at.load])),
        ]
        for at in found.at
    }  # fmt: skip
    return Table(
        title="Length of the trigger from which the naive service stays stuck, in seconds",
        columns=["edge (half of the seeds)", "the first of them", "all of them", "model"],
        rows=rows,
    )


def _points(live: list[LivePoint]) -> Table:
    rows = {
        f"load {point.load:.0%}, trigger {point.trigger_s:.2f} s": [
            [float(point.stuck)], [float(point.runs)], [float(_predicted(point))],
        ]
        for point in live
    }  # fmt: skip
    return Table(title="Live", columns=["runs that stuck", "of", "as predicted"], rows=rows)


def _finite(seconds: float) -> list[float]:
    return [seconds] if isfinite(seconds) else []


def _figure(found: Margin, model: dict[float, float], live: list[LivePoint]) -> go.Figure:
    low, high = found.edges_s[found.loads[0]], found.edges_s[found.loads[-1]]
    return stuck_map(
        found.edges_s,
        {at.load: at.band_s for at in found.at},
        title=f"Three retries and no protection: a payment that is slow for {high:.1f} s is enough "
        f"at {found.loads[-1]:.0%} load, {low:.1f} s at {found.loads[0]:.0%}.",
        most_s=10.0,
        model_s=model,
        live=live,
    )
