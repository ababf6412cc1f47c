"""Single requests as a page can animate them: a short run in virtual time, step by step, as plain
data for JSON.

A row of `requests` is one attempt: arrived, placed, began, left, heard (in milliseconds, null for
what never came), fate (its place in `fates`, null while unknown), 1 if another attempt of the same
order follows, and the worker.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from heapq import heappop, heappush
from itertools import groupby
from math import inf
from typing import Any, Final, Unpack

from bpdemo.core.settings import Settings
from bpdemo.picture.palette import FATE_COLOURS, FATE_PATTERNS
from bpdemo.picture.places import places
from bpdemo.plan.arguments import LoadArguments, takes_load
from bpdemo.plan.fates import FATES, WORDS
from bpdemo.sim.play import Play, prepare
from bpdemo.sim.virtual_time import Steps
from bpdemo.sim.witness import UNKNOWN, Journey, Witness

SECONDS: Final = 2.0
#: More than these are neither seen one by one nor sent to a page in a moment.
ATTEMPTS_MAX: Final = 3_000
STEP_S: Final = 0.02
SPEED: Final = 0.1
"""Virtual seconds in a second of the viewer's: an order that takes 40 ms is seen for 0.4 s."""

Animation = dict[str, Any]


@takes_load(seconds=SECONDS)
def animation(
    settings: Settings | Mapping[str, Any],
    *,
    until_s: float = inf,
    **arguments: Unpack[LoadArguments],
) -> Animation:
    """The run that these settings and this load give, up to `until_s`, or to `ATTEMPTS_MAX`
    attempts.

    Raises `SettingsInvalid`, and ValueError for a load.
    """
    arguments["bin_s"] = min(arguments["bin_s"], arguments["seconds"])  # nothing here has bins
    play = prepare(settings, **arguments)
    witness = play.witness = Witness()
    steps = Steps(play.run())
    try:
        while not (is_over := steps.advance(STEP_S)):
            if steps.now_s >= until_s or witness.attempts >= ATTEMPTS_MAX:
                break
        return animated(play, witness, steps.now_s, is_over=is_over)
    finally:
        steps.close()


def animated(play: Play, witness: Witness, end_s: float, *, is_over: bool) -> Animation:
    """What is known at `end_s`; unless that is the end, its sentence says so."""
    journeys = witness.journeys()
    return {
        "told": told(journeys)
        + ("" if is_over else f" The run goes on after these {end_s:.1f} s."),
        "end": _ms(end_s),
        "still": _ms(end_s / 2),
        "speed": SPEED,
        "fates": [
            {"word": WORDS[fate], "colour": FATE_COLOURS[fate], "mark": FATE_PATTERNS[fate]}
            for fate in FATES
        ],
        "rooms": rooms(play.samples),
        "places": places(),
        "requests": rows(journeys),
    }


def rows(journeys: Sequence[Journey]) -> list[list[int | float | None]]:
    """A row an attempt, as the head of this file says."""
    workers = workers_of(journeys)
    return [
        [
            *map(_ms, journey[1:6]),
            None if journey.fate == UNKNOWN else journey.fate,
            int(journey.is_retried),
            workers.get(number),
        ]
        for number, journey in enumerate(journeys)
    ]


def workers_of(journeys: Sequence[Journey]) -> dict[int, int]:
    """A worker for each attempt that was begun, by its place: the first that is free then."""
    free: list[int] = []
    busy: list[tuple[float, int]] = []  # until when, and who
    given: dict[int, int] = {}
    hired = 0
    begun = [(j.began_s, number) for number, j in enumerate(journeys) if j.began_s is not None]
    for began_s, number in sorted(begun):
        while busy and busy[0][0] <= began_s:
            heappush(free, heappop(busy)[1])
        if free:
            worker = heappop(free)
        else:
            worker, hired = hired, hired + 1
        given[number] = worker
        left_s = journeys[number].left_s
        heappush(busy, (inf if left_s is None else left_s, worker))
    return given


def rooms(samples: Sequence[Sequence[float]]) -> list[list[float | None]]:
    """From when on how many workers and how large a queue (-1: no bound): a row a change."""
    seen = [(sample[0], sample[3], sample[2]) for sample in samples]
    firsts = (next(alike) for _, alike in groupby(seen, key=lambda room: room[1:]))
    return [[_ms(at_s), *room] for at_s, *room in firsts]


def told(journeys: Sequence[Journey]) -> str:
    """The outcome in words, order by order."""
    last = [journey for journey in journeys if not journey.is_retried]
    if not last:
        return "No request arrived."
    counts = {
        WORDS[fate]: sum(journey.fate == code for journey in last)
        for code, fate in enumerate(FATES)
    } | {"not over": sum(journey.fate == UNKNOWN for journey in last)}
    heard = ", ".join(f"{count} {word}" for word, count in counts.items() if count)
    attempts = f" in {len(journeys)} attempts" if len(journeys) > len(last) else ""
    return f"Of {len(last)} requests{attempts}: {heard}."


def _ms(at_s: float | None) -> float | None:
    return None if at_s is None else round(at_s * 1000, 2)
