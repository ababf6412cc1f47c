"""What stands in each panel of the picture: shares, fates, time to answer, queue."""

from __future__ import annotations

import math
import statistics
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import compress, groupby
from typing import Final

from bpdemo.picture.cell import LINE_PX, Cell
from bpdemo.picture.labels import width_of
from bpdemo.picture.palette import (
    FATE_COLOURS,
    GREY,
    INK,
    INK_ON,
    LINES,
    TEXT_PX,
)
from bpdemo.picture.shown import Heights
from bpdemo.plan.fates import WORDS
from bpdemo.results.sentence import SHAPES, times

STACK: Final = ("ok", "late", "failed", "shed")
"""From the bottom up: what was served, what cost work in vain, what cost next to nothing."""

ARROW_PX: Final = 38
EVEN: Final = 0.5
"""An even load has no bin but the last with less than this share of its mean: more than randomness
does."""

BESIDE_PX: Final = 14
"""Between the arrow and its number."""


def ribbon(cell: Cell) -> None:
    """Shares of the fates, 0 to 100 %, however large the offer."""
    offered = cell.column("offered_per_s")
    for fate in STACK:
        shares = shares_of(cell.column(f"{fate}_per_s"), offered)
        cell.area(fate, shares, f"share{cell.axis}")
    cell.label("share of requests", 0.5, GREY)
    cell.y_axis = {"range": [0, 100], "tickvals": [0, 100], "ticktext": ["0%", "100%"]}


def shares_of(some: Heights, whole: Heights) -> list[float]:
    """In per cent. Where there is nothing to share, as before it, or as after it at the start: a
    second in which nobody came is none in which nobody was served."""
    shares = [
        100 * part / all_ if all_ else math.nan for part, all_ in zip(some, whole, strict=True)
    ]
    last = next((share for share in shares if not math.isnan(share)), 0.0)
    return [last := last if math.isnan(share) else share for share in shares]


def fates(cell: Cell) -> None:
    """What became of the requests, stacked, against capacity."""
    top, capacities = cell.scale.orders_per_s, cell.run.meta.capacities
    for fate in STACK:
        cell.area(fate, cell.column(f"{fate}_per_s"), f"fates{cell.axis}")
    attempts, offered = cell.column("attempts_per_s"), cell.column("offered_per_s")
    retried = cell.run.retries and math.fsum(attempts) > 1.05 * math.fsum(offered)
    cell.line("tries", attempts if retried else [math.nan] * len(attempts), "offered")
    if capacities:
        capacity = capacities[-1][1]
        if len(capacities) == 1:
            cell.level(capacity, "capacity")
        else:
            cell.steps(capacities, "capacity")
        cell.label("<b>capacity</b>", capacity / top, INK, f"{capacity:,.0f}/s")
    above = [per_s > top for per_s in offered]
    if retried and not any(above):
        above = [per_s > top for per_s in attempts]
    if retried and not any(above):
        cell.label("with retries", attempts[-1] / top, INK)
    _name_areas(cell)
    if any(above):
        _arrow(cell, above, offered, attempts if retried else None)
    cell.y_axis = {"range": [0, top], "title": "requests per second", **_ticks(cell, top)}


def _arrow(cell: Cell, above: Sequence[bool], offered: Heights, attempts: Heights | None) -> None:
    """What leaves the panel: an arrow through its top edge, with the number."""
    at, top = _longest(above), cell.scale.orders_per_s
    meta = cell.run.meta
    # A picture tells one figure for one thing: of an even load the title has told the multiple,
    # and a median of the bins that happen to be above would be another.
    mean = cell.run.summary["offered_per_s"]
    # A load that was stopped ends within its last bin: drawn out to the end, the last two values.
    is_even = min(offered[:-2]) >= EVEN * mean
    orders = mean if is_even and mean > top else statistics.median(compress(offered, above))
    tries = None if attempts is None else statistics.median(compress(attempts, above))
    x = cell.edge_t_s[at]
    cell.text(
        x,
        top,
        "",
        showarrow=True,
        ax=0,
        ay=ARROW_PX,
        yshift=ARROW_PX - 12,
        arrowhead=2,
        arrowsize=1.2,
        arrowwidth=4,
        arrowcolor=INK,
    )
    # Where a knob changed the capacity, there is no one capacity for it to be a multiple of; of a
    # load that rises and falls the title tells the multiple that was meant.
    capacities = {capacity for _, capacity in meta.capacities}
    is_multiple = len(capacities) == 1 and meta.scenario not in SHAPES
    is_multiple &= orders == mean or not is_even
    told = _leaving(orders, tries, top, capacities.pop() if is_multiple else None)
    text, is_right = _beside(told, cell, x)
    beside = {"xanchor": "left", "xshift": BESIDE_PX} if is_right else {
        "xanchor": "right", "xshift": -BESIDE_PX
    }  # fmt: skip
    cell.text(x, top, text, yanchor="bottom", yshift=3, bgcolor="white", **beside)


def _beside(told: Sequence[str], cell: Cell, x: float) -> tuple[str, bool]:
    """The first text with room beside the arrow, and whether to its right, where the margin is."""
    x_px = x / cell.scale.seconds * cell.width_px
    room_px = {True: cell.width_px - x_px + cell.right_px, False: x_px}
    sides = (True, False) if x < cell.scale.seconds / 2 else (False, True)
    for text in told:
        for is_right in sides:
            if width_of(text, TEXT_PX) + BESIDE_PX <= room_px[is_right]:
                return text, is_right
    return "", True


def _leaving(
    orders: float, tries: float | None, top: float, capacity: float | None
) -> tuple[str, ...]:
    """ "offered 380/s = 2.0× capacity", then shorter ways to say it; tries alone, when the requests
    stay in the panel."""
    if tries is not None and orders <= top:
        word, rate, more = "with retries", tries, ""
    else:
        more = "" if tries is None else f", with retries {tries:,.0f}/s"
        word, rate = "offered", orders
    short = f"<b>{word} {rate:,.0f}/s</b>"
    ratio = f" = {times(rate / capacity)} capacity" if capacity else ""
    return (f"{short}{ratio}{more}", f"{short}{more}", f"{short}{ratio}", short, f"{rate:,.0f}/s")


def _longest(flags: Sequence[bool]) -> int:
    """The middle of the longest stretch of true."""
    stretches = ([at for at, _ in some] for flag, some in groupby(enumerate(flags), _flag) if flag)
    widest = max(stretches, key=len)
    return (widest[0] + widest[-1]) // 2


def _flag(numbered: tuple[int, bool]) -> bool:
    return numbered[1]


def _name_areas(cell: Cell) -> None:
    """Write each fate's word into its area where that is thickest, or beside it."""
    px_per = cell.height_px / cell.scale.orders_per_s
    total = math.fsum(cell.column("offered_per_s"))
    bottom = [0.0] * len(cell.edge_t_s)
    for fate in STACK:
        values = cell.column(f"{fate}_per_s")
        top = [low + height for low, height in zip(bottom, values, strict=True)]
        room = width_of(WORDS[fate], TEXT_PX + 1, bold=True) / cell.width_px * cell.scale.seconds
        seen = [min(high, cell.scale.orders_per_s) for high in top]
        x, low, high = _thickest(cell.edge_t_s, bottom, seen, room)
        if (high - low) * px_per >= LINE_PX:
            ink = {"size": TEXT_PX + 1, "color": INK_ON[fate]}
            back = {"bgcolor": FATE_COLOURS[fate], "borderpad": 1}
            cell.text(x, (low + high) / 2, f"<b>{WORDS[fate]}</b>", font=ink, **back)
        elif total and math.fsum(values) / total >= 0.01:
            middle = (bottom[-1] + top[-1]) / 2
            cell.label(WORDS[fate], middle * px_per / cell.height_px, INK)
        bottom = top


def _thickest(x: Heights, bottom: Heights, top: Heights, room: float) -> tuple[float, float, float]:
    """Where a text of width `room` finds most height: its middle, lower and upper bound."""
    best = (x[0], 0.0, 0.0)
    for middle in x:
        if not x[0] + room / 2 <= middle <= x[-1] - room / 2:
            continue
        near = slice(bisect_left(x, middle - room / 2), bisect_right(x, middle + room / 2))
        low, high = max(bottom[near]), min(top[near])
        if high - low > best[2] - best[1]:
            best = (middle, low, high)
    return best


def latency(cell: Cell) -> None:
    """p50 and p99 of the requests let in, on a log scale, against the client timeout."""
    low, high = map(math.log10, cell.scale.latency_ms)
    ends = {}
    for name in ("p99", "p50"):
        values = cell.column(f"{name}_ms")
        cell.line(name, values, name)
        if (end_ms := _last([ms for ms in values if not ms <= 0])) is not None:
            ends[name] = (math.log10(end_ms) - low) / (high - low)
    client_timeout_ms = cell.run.meta.client_timeout_s * 1000
    cell.level(client_timeout_ms, "client timeout")
    # Where all three meet, the order here is the order from the bottom up.
    for name in ("p50", "p99"):
        if name in ends:
            cell.label(f"<b>{name}</b>", ends[name], LINES[name][0])
    share = (math.log10(client_timeout_ms) - low) / (high - low)
    cell.label("client timeout", share, INK, _told_ms(client_timeout_ms))
    powers = range(math.floor(low), math.ceil(high) + 1)
    # A number at the upper edge of a low panel would stand in the last one of the panel above.
    edge = high - (high - low) * LINE_PX / 2 / cell.height_px if cell.height_px < 100 else high
    decades = [10.0**power for power in powers if power <= edge]
    cell.y_axis = {"type": "log", "range": [low, high], "title": "time to answer"}
    cell.y_axis |= {"tickvals": decades, "ticktext": [_told_ms(ms) for ms in decades]}


def _told_ms(ms: float) -> str:
    return f"{ms:g} ms" if ms < 1000 else f"{ms / 1000:g} s"


def queue(cell: Cell) -> None:
    """Jobs in the queue against its capacity, busy workers, and the limit on both together."""
    most, depth = cell.scale.jobs, cell.column("queue_depth")
    busy, capacity = cell.column("workers_busy"), cell.column("queue_capacity")
    limit = cell.column("limit")
    if adapts := cell.run.meta.settings.get("limit_algorithm", "fixed") != "fixed":
        cell.line("limit", limit, "limit")
    cell.line("in queue", depth, "queue", fill="tozeroy", fillcolor="rgba(0,0,0,0.12)")
    cell.line(
        "queue capacity",
        [math.nan if places < 0 else places for places in capacity],
        "queue capacity",
    )
    cell.line("busy workers", busy, "busy workers")
    for name, values, cue in (("busy workers", busy, "busy workers"), ("in queue", depth, "queue")):
        end = _last(values)
        if end is not None:
            cell.label(f"<b>{name}</b>", end / most, LINES[cue][0], f"{end:,.0f}")
    if adapts and (bound := _last(limit)) is not None and bound <= most:
        cell.label("limit", bound / most, LINES["limit"][0], f"{bound:,.0f}")
    if (places := _last(capacity)) is not None:
        if places < 0:
            cell.label("no queue limit", 1.0, GREY)
        else:
            cell.label("queue capacity", places / most, GREY, f"{places:,.0f}")
    cell.y_axis = {"range": [0, most], "title": "jobs", **_ticks(cell, most)}


def _ticks(cell: Cell, top: float) -> dict[str, float]:
    """At most so many numbers at the axis that each has its own line in a low panel, and never the
    0 alone: Plotly rounds a step up, of two steps in 450 to 500."""
    most = max(2, min(5, int(cell.height_px // (1.5 * LINE_PX))))
    tens = 10.0 ** math.floor(math.log10(top))
    highest = max(tens * step for step in (1, 2, 5) if tens * step <= top)
    is_alone = most == 2 and 2 * tens < top / 2 < 2.5 * tens
    return {"nticks": most} | ({"tick0": 0.0, "dtick": highest} if is_alone else {})


def _last(values: Heights) -> float | None:
    return next((value for value in reversed(values) if math.isfinite(value)), None)
