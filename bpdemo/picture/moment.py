"""One moment of the animation of single requests, as a still picture in SVG: what is shown where
no script runs. The animation itself, `requests.js` beside this file, begins with the same picture.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any, Final

from bpdemo.picture.palette import FONT

ARRIVED: Final = 0
PLACED: Final = 1
BEGAN: Final = 2
LEFT: Final = 3
HEARD: Final = 4
FATE: Final = 5
RETRIED: Final = 6
WORKER: Final = 7
"""The columns of a row of `requests`."""

STYLE: Final = f"font:14px {FONT};max-width:{{width}}px;width:100%;height:auto;color:inherit"

RequestRow = Sequence[Any]


def still(animation: Mapping[str, Any]) -> str:
    """The moment with which the animation begins; its name says the outcome, too."""
    return moment(animation, animation["still"])


def moment(animation: Mapping[str, Any], at_ms: float) -> str:
    """All requests where they stand at that time."""
    places = animation["places"]
    width, height = places["width"], places["height"]
    name = escape(f"{animation['told']} {described(animation, at_ms)}.", quote=True)
    inside = "".join([*heads(animation), *figures(animation, at_ms), *frames(animation, at_ms)])
    dots = "".join(_dots(animation, at_ms))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{name}" style="{STYLE.format(width=width)}">{inside}{dots}</svg>'
    )


def described(animation: Mapping[str, Any], at_ms: float) -> str:
    """The moment in words: what `requests.js` says of it, too."""
    waiting, busy = len(queued(animation, at_ms)), len(in_service(animation, at_ms))
    _, workers, _ = room(animation, at_ms)
    told = ", ".join(
        f"{count} {fate['word']}"
        for count, fate in zip(counts(animation, at_ms), animation["fates"], strict=True)
    )
    return f"At {at_ms / 1000:.2f} s: {waiting} waiting, {busy} of {workers:.0f} in service; {told}"


def room(animation: Mapping[str, Any], at_ms: float) -> RequestRow:
    """The row of `rooms` that holds then."""
    rooms = animation["rooms"]
    found: RequestRow = [row for row in rooms if row[0] <= at_ms][-1] if rooms else (0, 0, 0)
    return found


def queued(animation: Mapping[str, Any], at_ms: float) -> list[RequestRow]:
    """Those who wait in the queue, the one that came first in front."""
    return sorted(
        (row for row in animation["requests"] if _is_within(row, at_ms, PLACED, BEGAN)),
        key=lambda row: row[PLACED],
    )


def at_the_door(animation: Mapping[str, Any], at_ms: float) -> list[RequestRow]:
    """Those who have arrived, and wait for a place or for the answer to another attempt."""
    return [
        row
        for row in animation["requests"]
        if row[ARRIVED] <= at_ms
        and (row[PLACED] is None or at_ms < row[PLACED])
        and (row[HEARD] is None or at_ms < row[HEARD])
    ]


def in_service(animation: Mapping[str, Any], at_ms: float) -> list[RequestRow]:
    return [row for row in animation["requests"] if _is_within(row, at_ms, BEGAN, LEFT)]


def counts(animation: Mapping[str, Any], at_ms: float) -> list[int]:
    """How many orders have come to each fate."""
    fates = [
        row[FATE] for row in animation["requests"] if has_heard(row, at_ms) and not row[RETRIED]
    ]
    return [fates.count(code) for code in range(len(animation["fates"]))]


def has_heard(row: RequestRow, at_ms: float) -> bool:
    """Whether they know by then what became of it."""
    return row[HEARD] is not None and bool(row[HEARD] <= at_ms)


def _is_within(row: RequestRow, at_ms: float, begin: int, end: int) -> bool:
    if row[begin] is None or row[begin] > at_ms:
        return False
    end_ms = row[LEFT] if row[end] is None else row[end]
    return end_ms is None or bool(at_ms < end_ms)


def heads(animation: Mapping[str, Any]) -> Iterator[str]:
    """The texts that are the same at any time."""
    places = animation["places"]
    for (x, y), head in zip(places["heads"], HEADS, strict=True):
        yield _text(x, y, head, 'font-weight="bold"')
    left, foot = places["legend"]
    yield _text(left + 12, foot + 5, "no answer yet")
    yield _text(places["width"] - 8, foot + 5, "simulated", 'text-anchor="end"')


def figures(animation: Mapping[str, Any], at_ms: float) -> Iterator[str]:
    """How many wait, are in service, and have come to each fate."""
    places = animation["places"]
    _, workers, capacity = room(animation, at_ms)
    waiting, busy = len(queued(animation, at_ms)), len(in_service(animation, at_ms))
    bound = "(no bound)" if capacity < 0 else f"of {capacity:.0f}"
    told = (f"{waiting} {bound}", f"{busy} of {workers:.0f}")
    for (x, y), figure in zip(places["figures"], told, strict=True):
        yield _text(x, y, figure)
    exits = places["exits"]
    for (x, y), fate, count in zip(
        exits, animation["fates"], counts(animation, at_ms), strict=False
    ):
        yield _text(x + 12, y + 5, f"{count} {fate['word']}")
    if (more := waiting - len(places["queue"])) > 0:
        x, y = places["notes"]
        yield _text(x, y, f"and {more} more")
    if again := sum(bool(row[RETRIED]) and has_heard(row, at_ms) for row in animation["requests"]):
        x, y = exits[-1]
        yield f'<path d="{AGAIN}" transform="translate({x} {y})" {TURNED}/>'
        yield _text(x + 12, y + 5, f"{again} try again")


def frames(animation: Mapping[str, Any], at_ms: float) -> Iterator[str]:
    """The places that there are: of the bound of the queue, and of the workers."""
    places, radius = animation["places"], animation["places"]["radius"]
    _, workers, capacity = room(animation, at_ms)
    for kind, many, size in (("queue", max(0, capacity), radius), ("seats", workers, radius + 4)):
        for x, y in places[kind][: int(many)]:
            yield f'<circle cx="{x}" cy="{y}" r="{size}" {EMPTY}/>'
    for (x, y), fate in zip(places["exits"], animation["fates"], strict=False):
        yield from dot(x, y, radius, fate)
    x, y = places["legend"]
    yield from dot(x, y, radius, None)


def _dots(animation: Mapping[str, Any], at_ms: float) -> Iterator[str]:
    places = animation["places"]
    for kind, standing in (
        ("entry", list(enumerate(at_the_door(animation, at_ms)))),
        ("queue", list(enumerate(queued(animation, at_ms)))),
        ("seats", [(row[WORKER], row) for row in in_service(animation, at_ms)]),
    ):
        for number, row in standing:
            if number >= len(places[kind]):
                continue  # the figures tell of those for whom there is no room here
            x, y = places[kind][number]
            fate = animation["fates"][row[FATE]] if has_heard(row, at_ms) else None
            yield from dot(x, y, places["radius"], fate)


def dot(x: float, y: float, radius: float, fate: Mapping[str, str] | None) -> Iterator[str]:
    """A request, in the colour of its fate if that is known, with its mark on it."""
    colour, mark = (fate["colour"], fate["mark"]) if fate else ("none", "")
    stroke = colour if fate else "currentColor"
    yield f'<circle cx="{x}" cy="{y}" r="{radius}" fill="{colour}" stroke="{stroke}"/>'
    if mark:
        yield f'<path d="{PATHS[mark]}" transform="translate({x} {y})" {MARKED}/>'


HEADS: Final = ("door", "queue", "workers", "outcome")
EMPTY: Final = 'fill="none" stroke="currentColor" opacity=".3"'
PATHS: Final = {"/": "M-3 3L3-3", ".": "M-1 0H1", "x": "M-3-3L3 3M-3 3L3-3"}
AGAIN: Final = "M3.5-3.5A5 5 0 1 0 5 0M4.5-6.5V-3H1"
TURNED: Final = 'fill="none" stroke="currentColor" stroke-width="1.5"'
MARKED: Final = 'fill="none" stroke="#000" stroke-width="2" stroke-linecap="round"'


def _text(x: float, y: float, text: str, more: str = "") -> str:
    return f'<text x="{x}" y="{y}" fill="currentColor" {more}>{escape(text)}</text>'
