"""A run in words: for a title, and for those who cannot see the picture.

Each sentence has one denominator: goodput is a share of capacity (or, where load or capacity rises
and falls, of what was possible), losses are shares of the requests.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, Protocol

from bpdemo.plan.fates import FATES, WORDS
from bpdemo.results.told_latency import told_latency

if TYPE_CHECKING:
    from bpdemo.results.meta import Meta, Summary

OF_CAPACITY: Final = "of capacity"
OF_POSSIBLE: Final = "of what was possible"
OF_REQUESTS: Final = "of requests served"

SHAPES: Final = {
    "ramp": "ramp to {} capacity",
    "spike": "spike to {} capacity",
    "sustained": "sustained load of {} capacity",
    "retry_storm": "retry storm at {} load",
}
"""Loads that rise and fall: what was possible differs from second to second."""

WORTH_TELLING: Final = 0.005
"""A fate that befell fewer of the requests than this is left out."""


class Summed(Protocol):
    """What a comparison needs to know of a run."""

    @property
    def meta(self) -> Meta: ...

    @property
    def summary(self) -> Summary: ...


def sentence_of(summary: Summary, meta: Meta) -> str:
    """ "Goodput 9% of capacity at 2.0× load. 96% of requests were late; p99 above 500 ms.\""""
    if not summary["offered_per_s"]:
        return "No request was sent."
    return f"{_outcome(summary, meta)}. {_losses(summary)}{_tail(summary, meta)}."


def comparison(a: Summed, b: Summed) -> str:
    """Two results in one sentence, and whether both had the same load."""
    shares = [told_share(run.summary, run.meta) for run in (a, b)]
    measures = {measure for _, measure in shares}
    if not _had_the_same_load(a.meta, b.meta) or len(measures) > 1:
        known = not any(math.isnan(run.summary["goodput_of_possible"]) for run in (a, b))
        key = "goodput_of_possible" if known else "served_share"
        told = (f"{percent(min(1.0, run.summary[key]))} ({run.meta.name})" for run in (a, b))
        of_what = f"Goodput as a share {OF_POSSIBLE}" if known else "Requests served"
        return f"{of_what}: {', '.join(told)}."
    (first, measure), (second, _) = shares
    if a.meta.capacity_per_s != b.meta.capacity_per_s:
        measure = measure.replace(OF_CAPACITY, "of its capacity")
    word = "" if measure == OF_REQUESTS else "goodput "
    names = (a.meta.name, b.meta.name)
    # "9% of capacity unprotected, 97% protected" reads well; "97% a bound of 8" does not.
    one, other = (f"({name})" for name in names) if " " in "".join(names) else names
    return f"{_same(a, b)}: {word}{percent(first)} {measure} {one}, {percent(second)} {other}."


def times(ratio: float) -> str:
    return f"{ratio:.1f}×" if ratio < 9.95 else f"{ratio:.0f}×"


def percent(share: float) -> str:
    """A share in percent that never rounds something to 0 nor a loss to 100."""
    if 0 < share < 0.005:
        return "under 1%"
    return f"{min(share, 0.99) if share < 1 - 1e-9 and share >= 0.995 else share:.0%}"


def told_share(summary: Summary, meta: Meta) -> tuple[float, str]:
    """The figure that tells most of this run, and what it is a share of."""
    ratio = _ratio(summary, meta)
    if ratio is None or (meta.scenario not in SHAPES and ratio < 0.995):
        return summary["served_share"], OF_REQUESTS
    # What waits when a short run begins can carry it past the full share.
    if (meta.scenario in SHAPES and meta.rate_per_s) or len(meta.capacities) > 1:
        return min(1.0, summary["goodput_of_possible"]), OF_POSSIBLE
    return min(1.0, summary["goodput_share"]), OF_CAPACITY


def _ratio(summary: Summary, meta: Meta) -> float | None:
    """How many times capacity was offered, at the peak; None where that means nothing."""
    if meta.scenario == "closed" or meta.capacity_per_s is None:
        return None
    shaped = meta.scenario in SHAPES and meta.rate_per_s
    return (meta.rate_per_s if shaped else summary["offered_per_s"]) / meta.capacity_per_s


def _outcome(summary: Summary, meta: Meta) -> str:
    share, measure = told_share(summary, meta)
    word = "" if measure == OF_REQUESTS else "Goodput "
    return f"{word}{percent(share)} {measure} {_load(summary, meta)}"


def _load(summary: Summary, meta: Meta) -> str:
    if meta.scenario == "closed":
        return f"with {meta.rate_per_s:,.0f} users in a closed loop"
    ratio = _ratio(summary, meta)
    if ratio is None:
        return f"at {summary['offered_per_s']:,.0f} requests/s"
    if meta.scenario in SHAPES and meta.rate_per_s:
        return f"in a {SHAPES[meta.scenario].format(times(ratio))}"
    if len({capacity for _, capacity in meta.capacities}) > 1:
        return f"at {times(ratio)} the capacity at the start"
    return f"at {times(ratio)} load"


def _losses(summary: Summary) -> str:
    """Every fate but served that befell at least one request in two hundred, the worst first."""
    shares = {
        WORDS[fate]: summary[f"{fate}_per_s"] / summary["offered_per_s"]
        for fate in FATES
        if fate != "ok"
    }
    worst = sorted(shares.items(), key=lambda item: -item[1])
    told = [(percent(share), word) for word, share in worst if share >= WORTH_TELLING]
    if not told:
        return "No request was lost"
    (share, word), *rest = told
    # They were late, or were shed; but they failed. Behind that the others need their verb.
    failed = WORDS["failed"]
    were, then = ("", "were ") if word == failed else ("were ", "")
    listed = [f"{share} of requests {were}{word}"]
    listed += [f"{share} {then}{word}" for share, word in rest]
    return " and ".join([", ".join(listed[:-1]), listed[-1]] if rest else listed)


def _tail(summary: Summary, meta: Meta) -> str:
    p99_ms, client_timeout_ms = summary["p99_ms"], meta.client_timeout_s * 1000
    if math.isnan(p99_ms):
        return ""
    if not summary["goodput_per_s"]:  # a wait that ended in nothing is no latency
        return f"; none was served within {client_timeout_ms:,.0f} ms"
    return f"; p99 {told_latency(p99_ms, meta.client_timeout_s)}"


def _had_the_same_load(a: Meta, b: Meta) -> bool:
    same = ("scenario", "rate_per_s", "seconds", "client_timeout_s")
    return all(getattr(a, name) == getattr(b, name) for name in same)


def _same(a: Summed, b: Summed) -> str:
    """The load that two runs share."""
    meta, ratio = a.meta, _ratio(a.summary, a.meta)
    if meta.scenario == "closed":
        return f"The same {meta.rate_per_s:,.0f} users in a closed loop"
    if ratio is None or meta.capacity_per_s != b.meta.capacity_per_s:
        return f"Same load, {meta.rate_per_s or a.summary['offered_per_s']:,.0f} requests/s"
    if meta.scenario in SHAPES and meta.rate_per_s:
        return f"Same {SHAPES[meta.scenario].format(times(ratio))}"
    return f"Same load, {times(ratio)} capacity"
