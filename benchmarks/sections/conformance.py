"""The twin: does a simulated load come out as the same load does at the real service?

Each row is one service under one load, played twice: over HTTP, by Locust, at a service in a
process of its own, and by `simulate`. The orders are the same, to the millisecond and the item, and
so are the seeds of the service's parts. Every setting that steers is in one of the rows.

The **fates** are shares of the offer; each may differ by 0.03 at most. The loads are slow (a
payment of 0.2 s), so that the few milliseconds which an order takes over HTTP, and virtual time
knows nothing of, stay small beside it. The **maxima** of queue depth and of requests in flight,
looked at ten times a second, hang on when exactly a burst comes; they are held to their own noise:
the live maximum lies within the range of the simulated maxima of nine seeds, widened by two
requests for what falls between two looks, and upwards by a further 0.03 of the greatest for what an
endless queue adds up. A row counts if load and event loop kept time, as for every run of the
lessons, on the second try at the latest.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from benchmarks.conformance import MAXIMA, WITHIN, Compared, compare, most, shares_of
from benchmarks.conformance_cells import matrix
from benchmarks.measured import Aim, Found, Report, Say, Size, Table
from bpdemo.plan.fates import FATES
from bpdemo.results.validity import NotMeasured

#: A load takes so many times `Size.seconds`: 12.5 s in the quick form. Some turn knobs at 4 s.
LONGER, SHORTEST_S = 5, 6.0
SIDES = ("live", "simulated")

Round = dict[str, Compared | NotMeasured]


def measure(size: Size, say: Say) -> Found:
    cells = matrix()
    seconds = max(SHORTEST_S, LONGER * size.seconds)
    rounds = [
        compare(cells, seconds, seed, _telling(say, seed, len(cells)))
        for seed in range(1, 1 + max(1, size.rounds // 2))
    ]
    return Found(report(rounds))


def _telling(say: Say, seed: int, cells: int) -> Callable[[str], object]:
    numbers = count(1)
    return lambda name: say(f"seed {seed}, {next(numbers)} of {cells}: {name}")


def report(rounds: list[Round]) -> Report:
    counted = {name: _counted(rounds, name) for name in rounds[0]}
    found = [each for several in counted.values() for each in several]
    agreeing = [not each.beyond_noise for each in found]
    missing = sum(len(rounds) - len(several) for several in counted.values())
    return Report(
        title="Conformance of the twin",
        what=__doc__ or "",
        logs="on (live)",
        tables=[_fates(counted), _maxima(counted)],
        aims=[
            Aim(
                text=f"fates at most {WITHIN} of the offer apart, at the worst row",
                values=[max((each.furthest for each in found), default=1.0)],
                at_most=WITHIN,
            ),
            Aim(
                text="rows whose greatest depth and requests in flight are within noise (share)",
                values=[sum(agreeing) / max(1, len(agreeing))],
                at_least=1.0,
            ),
        ],
        notes=[
            f"{len(found)} plays count; {missing} were spoilt by a busy machine",
            *(complaint for each in found for complaint in each.complaints),
        ],
    )


def _counted(rounds: list[Round], name: str) -> list[Compared]:
    return [each for each in (played[name] for played in rounds) if isinstance(each, Compared)]


def _fates(counted: dict[str, list[Compared]]) -> Table:
    return Table(
        title="Shares of the offer",
        columns=[*(f"{fate}, {side}" for fate in FATES for side in SIDES), "furthest apart"],
        rows={
            name: [*_shares(found), [e.furthest for e in found]] for name, found in counted.items()
        },
    )


def _shares(found: list[Compared]) -> list[list[float]]:
    runs = [(each.live, each.twins[0]) for each in found]
    return [[shares_of(pair[side])[fate] for pair in runs] for fate in FATES for side in (0, 1)]


def _maxima(counted: dict[str, list[Compared]]) -> Table:
    """Simulated: all seeds, so that their range is seen."""
    return Table(
        title="Greatest depth and requests in flight",
        columns=[f"{of}, {side}" for of in MAXIMA for side in SIDES],
        rows={
            name: [
                cell
                for of in MAXIMA
                for cell in (
                    [most(each.live, of) for each in found],
                    [most(twin, of) for each in found for twin in each.twins],
                )
            ]
            for name, found in counted.items()
        },
    )
