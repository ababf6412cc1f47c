"""`size`: from three figures of one's own system to the settings that protect it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from math import ceil, floor
from typing import Any, Final

from bpdemo.core.counted import counted
from bpdemo.core.members import forgiving_class
from bpdemo.core.slips import forgiving
from bpdemo.flow.budget import WINDOW_S
from bpdemo.lab.lessons.expectation import SLOWER, expected
from bpdemo.picture.palette import FONT
from bpdemo.plan.plan import require_range, require_whole
from bpdemo.sim import theory

LOAD: Final = 0.9
"""The share of capacity that the waiting places are counted for: a busy day, no overload."""
REFUSED: Final = 0.035
"""How much of that load may be rejected because of random bursts: 3% when rounded."""
TRIED_WORKERS: Final = 8
TRIED_DEADLINE: Final = 8
"""The advice was tried with this many workers or more, and a deadline of so many service times."""
SLOW_PER_S: Final = 8
TRIED_SLOW_DEADLINE: Final = 10
"""Below this capacity one retry in ten seconds is more than 1% of the calls, and takes longer."""
RETRIED: Final = 0.1
RETRIES_PER_S: Final = 0.1
"""One in the ten seconds that the budget looks back. With less, a service of fewer than ten calls
in that time would never have a retry."""
FEWEST_CALLS: Final = 20
MANY_CALLS: Final = 50
"""Judged by 10 calls a breaker opened by chance, with a dependency 3 × as slow; by 20 it did not.
With 20% of the calls failing it takes 50."""


@forgiving_class
@dataclass(frozen=True)
class Sizing:
    """Settings with the reason for each. `knobs` goes into `serve` or `simulate`.

    `cliff` is the longest queue that is of any use; `queue_capacity` stays far below it.
    `warnings` says what the figures themselves make impossible, whatever the settings.
    """

    capacity_per_s: float
    cliff: int
    knobs: dict[str, float]
    rows: tuple[tuple[str, str, str], ...]
    warnings: tuple[str, ...] = ()

    def _repr_html_(self) -> str:
        lines = "".join(
            "<tr>"
            + "".join(f"<td style='text-align:left'>{escape(cell)}</td>" for cell in row)
            + "</tr>"
            for row in self.rows
        )
        told = "".join(f"<p>⚠ {escape(warning)}</p>" for warning in self.warnings)
        return f"<div style='font:17px {FONT}'><table>{lines}</table>{told}</div>"

    def __repr__(self) -> str:
        lines = [f"{what}: {value} ({why})" for what, value, why in self.rows]
        return "\n".join([*lines, *(f"warning: {warning}" for warning in self.warnings)])


@forgiving
def size(
    *, workers: int, service_s: float, deadline_s: float, quiet_per_s: float | None = None
) -> Sizing:
    """What to set for `workers` that take `service_s` each, and callers who wait `deadline_s`.

    Capacity is workers ÷ service time. Waiting places: one for each worker, or, where there are few
    workers, as many as reject 3% at 0.9 × capacity (M/M/c/K); and never more than half of
    (deadline − service) × capacity, the longest queue that is of any use. An attempt may take half
    the deadline, or four service times if that is longer. Of exponential calls 2% take longer than
    four, of lognormal ones 3%: where you know your dependency's p99.9, take that and a margin
    instead. One retry is allowed for every ten calls, and one in ten seconds however few they
    are. `quiet_per_s` is how many calls a second come in quiet hours: then the breaker judges by
    as few as 20, and where even these do not come in its window, a warning says so. Its window
    stays as it is, since a longer one would have it open late when much comes.

    With 8 workers or more and a deadline of at least 8 service times (10, where capacity is below
    8 a second), these settings serve 93% of what is possible while the dependency takes 1.25 to
    3 × as long (85% if its times are exponential); for others it says what to expect, which takes
    it a second of simulation. ValueError for figures out of range, or a deadline that is not
    longer than the service.
    """
    workers = require_whole("workers", workers, 1, 1024)
    service_s = require_range("service_s", service_s, 0.001, 3600)
    deadline_s = require_range("deadline_s", deadline_s, 0.001, 3600)
    if deadline_s <= service_s:
        raise ValueError(f"deadline_s must be above service_s ({service_s:g}), not {deadline_s!r}")
    if quiet_per_s is not None:
        quiet_per_s = require_range("quiet_per_s", quiet_per_s, 0.001, 1_000_000)
    cliff = int((deadline_s - service_s) * workers / service_s)
    knobs = _knobs(workers, service_s, deadline_s, quiet_per_s)
    return Sizing(
        workers / service_s,
        cliff,
        knobs,
        (*_rows(knobs, cliff), _outlook(workers, service_s, deadline_s / service_s)),
        tuple(_warnings(knobs, quiet_per_s)),
    )


def _knobs(
    workers: int, service_s: float, deadline_s: float, quiet_per_s: float | None = None
) -> dict[str, float]:
    attempt_s = min(deadline_s, max(4 * service_s, deadline_s / 2))
    calls = _calls(workers, workers / service_s, quiet_per_s)
    return {
        "workers": workers,
        "payment_latency_s": service_s,
        "queue_capacity": _places(workers, int((deadline_s - service_s) * workers / service_s)),
        "request_timeout_s": deadline_s,
        "attempt_timeout_s": attempt_s,
        "retry_budget_ratio": RETRIED,
        "retry_budget_min_per_s": RETRIES_PER_S,
        # A worker sits through the backoff: it must cost less than an order.
        "retry_base_s": min(1.0, service_s / 2),
        "breaker_min_calls": calls,
        # While calls hang, workers ÷ attempt_s of them end in a second: it must see enough.
        "breaker_window_s": min(3600.0, max(WINDOW_S, 2 * calls * attempt_s / workers)),
    }


def _calls(workers: int, capacity_per_s: float, quiet_per_s: float | None) -> int:
    """How many calls the breaker waits for before it judges.

    Half a second's worth, up to 50: more would not make it surer, only blind when little comes. And
    of many workers all that can be under way, twice: what fails together is one event.
    """
    calls = min(ceil(capacity_per_s / 2), max(MANY_CALLS, 2 * workers))
    if quiet_per_s is not None:
        calls = min(calls, int(quiet_per_s * WINDOW_S / 2))
    return max(FEWEST_CALLS, calls)


def _places(workers: int, cliff: int) -> int:
    """One place for each worker, a few more where they are few; up to half the ceiling.

    In theory's random bursts a large pool needs none. Orders that arrive together do: of batches
    every 0.1 s at 0.7 × capacity, 100 workers with no place serve 60%, and with 100 all.
    """
    return min(cliff // 2, max(workers, _fewest(workers, cliff)))


def _fewest(workers: int, cliff: int) -> int:
    """The fewest waiting places that are enough for random bursts, up to half the ceiling."""
    for places in range(cliff // 2):
        queue = theory.mmck(LOAD * workers, 1, workers, workers + places)
        if queue.blocking_probability <= REFUSED:
            return places
    return cliff // 2


def _rows(knobs: Mapping[str, float], cliff: int) -> tuple[tuple[str, str, str], ...]:
    workers, service_s = knobs["workers"], knobs["payment_latency_s"]
    deadline_s, places = knobs["request_timeout_s"], int(knobs["queue_capacity"])
    refused = theory.mmck(
        LOAD * workers, 1, int(workers), int(workers) + places
    ).blocking_probability
    capacity = f"{workers / service_s:.3g}"
    longest = f"({deadline_s:g} s − {service_s:g} s) × {capacity}/s = {cliff}"
    return (
        (
            "capacity",
            f"{capacity} a second",
            f"{counted(workers, 'worker')} ÷ {service_s:g} s",
        ),
        (
            "waiting places",
            f"{places}",
            f"{_of_places(places, int(workers))}: at 0.9 × capacity random bursts cause "
            f"{refused:.0%} to be rejected; "
            f"never above half of the longest useful queue, {longest}",
        ),
        ("deadline", f"{deadline_s:g} s", "the callers' timeout; it travels with the order"),
        (
            "one attempt",
            f"{knobs['attempt_timeout_s']:g} s",
            "well above a slow service, best its p99.9 and a margin; shorter than the timeout of "
            "every caller, since a call that this cuts short counts for nothing",
        ),
        (
            "retry budget",
            f"{RETRIED:g}, and {RETRIES_PER_S:g}/s",
            "one retry for every ten calls, and one in ten seconds however few they are: at "
            f"0.9 × capacity at most {_retried(workers / service_s):.0%} of the calls",
        ),
        (
            "breaker",
            f"{knobs['breaker_min_calls']:g} calls in {knobs['breaker_window_s']:g} s",
            "enough that randomness does not open it, and time for them to end if they hang; below "
            f"{_seen_from(knobs):.3g} calls a second it does not judge, and the attempt timeout "
            "alone ends what hangs",
        ),
    )


def _of_places(places: int, workers: int) -> str:
    if places < workers:
        return "half of what is useful"
    return "one for each worker" if places == workers else "a few more than workers"


def _retried(capacity_per_s: float) -> float:
    """What share of the calls may be retried at 0.9 × capacity, in the budget's ten seconds."""
    calls = LOAD * capacity_per_s * WINDOW_S
    return floor(RETRIES_PER_S * WINDOW_S + RETRIED * calls) / calls


def _seen_from(knobs: Mapping[str, float]) -> float:
    """From how many calls a second on the breaker judges at all."""
    return knobs["breaker_min_calls"] / knobs["breaker_window_s"]


def _outlook(workers: int, service_s: float, deadline_in_services: float) -> tuple[str, str, str]:
    """What becomes of it when the dependency slows down: a promise, or what to expect."""
    what = "when the dependency slows down"
    is_slow = workers / service_s < SLOW_PER_S
    tried = TRIED_SLOW_DEADLINE if is_slow else TRIED_DEADLINE
    if workers >= TRIED_WORKERS and deadline_in_services >= tried:
        return (
            what,
            "at least 93% of what is possible",
            f"at 0.9 × capacity, up to {max(SLOWER):g}× as slow, service times constant or "
            "lognormal; 85% if they are exponential",
        )
    shares = expected(_knobs, workers, service_s, deadline_in_services)
    few = f"fewer than {TRIED_WORKERS} workers"
    short = f"a deadline under {tried} service times"
    why = few if workers < TRIED_WORKERS else short
    return (
        what,
        ", ".join(f"{share:.0%} at {times:g} ×" for times, share in shares.items()),
        f"of what is possible, simulated at 0.9 × capacity with exponential service times; "
        f"no promise: {why}",
    )


def _warnings(knobs: Mapping[str, Any], quiet_per_s: float | None) -> list[str]:
    warnings = []
    if knobs["attempt_timeout_s"] >= knobs["request_timeout_s"]:
        warnings.append(
            "one attempt may take as long as the whole deadline, so the deadline always ends it "
            "first, and an attempt that its caller's deadline cut short is no failure of the "
            "dependency: a store that hangs on every read never opens its breaker. Allow callers "
            "more than four service times."
        )
    if quiet_per_s is not None and quiet_per_s < _seen_from(knobs):
        wide_s = 2 * knobs["breaker_min_calls"] / quiet_per_s
        late_s = _opens_after_s(knobs, wide_s)
        soon_s = _opens_after_s(knobs, knobs["breaker_window_s"])
        warnings.append(
            f"in quiet hours, at {quiet_per_s:g} calls a second, the breaker never sees the "
            f"{knobs['breaker_min_calls']:g} calls that it judges by: while the dependency hangs, "
            f"each order waits for its attempt timeout of {knobs['attempt_timeout_s']:g} s. Fewer "
            f"calls would open it by chance. With breaker_window_s={wide_s:.3g} it would see them, "
            f"and open by day about {late_s:.2g} s after a hang began, instead of {soon_s:.2g}."
        )
    return warnings


def _opens_after_s(knobs: Mapping[str, Any], window_s: float) -> float:
    """After how long a hang at 0.9 × capacity opens the breaker: half of a window's calls failed.

    What ended well before leaves the window one by one, and what hangs fails slowly: after the
    attempt's timeout, `workers` at a time.
    """
    workers = knobs["workers"]
    ended_per_s = LOAD * workers / knobs["payment_latency_s"]
    failed_per_s = workers / knobs["attempt_timeout_s"]
    # Where failed × (t − timeout) has reached ended × (window − t).
    return float((ended_per_s * window_s + workers) / (ended_per_s + failed_per_s))
