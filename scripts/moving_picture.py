"""The moving picture of the README, from two runs in virtual time: `make pictures` calls it, too.

    python scripts/moving_picture.py      draws pictures/requests.svg

The same customers at a service without a bound on its queue, and with one: each request on its way,
as the lessons animate it, in real time. An SVG of frames, which its style shows one after another,
once; those who prefer no motion, or whose viewer knows none, see the last one. The same code draws
the same bytes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bpdemo.core.settings import Settings  # noqa: E402
from bpdemo.picture import moment as still  # noqa: E402
from bpdemo.picture.palette import FONT  # noqa: E402
from bpdemo.sim.animation import Animation, animation  # noqa: E402

PICTURE: Final = ROOT / "pictures" / "requests.svg"
SECONDS: Final = 4.8
FRAME_MS: Final = 60
#: How long a move from place to place is seen.
MOVE_MS: Final = 100
#: Slow enough to be seen in real time: a worker needs a fifth of a second for a request.
SERVICE: Final = {"workers": 8, "payment_latency_s": 0.2}
LOAD: Final[dict[str, Any]] = {"times": 2, "seconds": SECONDS, "client_timeout_s": 1.0}
HALVES: Final = (("No bound on the queue", -1), ("At most eight wait", 8))
HEAD_PX: Final = 30
GAP_PX: Final = 28
NAME: Final = "The same customers at the same service twice, request by request"

#: From the beginning it is hidden, and then it stays.
LAST: Final = '"frame last"'

Point = tuple[float, float]
Stage = tuple[float, Point | None]


def main() -> int:
    drawn = picture()
    PICTURE.write_text(drawn, "utf-8")
    print(f"{PICTURE.relative_to(ROOT)}: {len(drawn) / 1000:.0f} kB, {SECONDS:g} s")
    return 0


def runs() -> list[Animation]:
    """What each half shows."""
    return [
        animation(Settings.unprotected(queue_capacity=bound, **SERVICE), **LOAD)
        for _, bound in HALVES
    ]


def picture() -> str:
    """The whole SVG."""
    halves = runs()
    places = halves[0]["places"]
    width, height = 2 * places["width"] + GAP_PX, places["height"] + HEAD_PX
    shifts = (0, places["width"] + GAP_PX)
    moments = range(0, round(SECONDS * 1000), FRAME_MS)
    told = ". ".join(
        f"{title}: {still.described(half, moments[-1])}"
        for (title, _), half in zip(HALVES, halves, strict=True)
    )
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" role="img" aria-label="{escape(f"{NAME}. {told}.")}">',
        f"<style>{style(len(moments))}</style>",
        f"<defs>{markers(halves[0])}</defs>",
        '<rect class="ground" width="100%" height="100%"/>',
    ]
    for (title, _), half, shift in zip(HALVES, halves, shifts, strict=True):
        parts.append(
            f'<g transform="translate({shift} {HEAD_PX})">'
            f'<text class="title" x="6" y="-8">{title}</text>{standing_still(half)}</g>'
        )
    for number, at_ms in enumerate(moments):
        inside = "".join(
            f'<g transform="translate({shift} {HEAD_PX})">{frame(half, at_ms)}</g>'
            for half, shift in zip(halves, shifts, strict=True)
        )
        is_last = at_ms == moments[-1]
        shown = f'"frame" style="animation-delay:{number * FRAME_MS}ms"'
        parts.append(f"<g class={LAST if is_last else shown}>{inside}</g>")
    return "\n".join([*parts, "</svg>\n"])


def style(frames: int) -> str:
    """Each frame is hidden but for its own moment, and the last one but for those before it."""
    before_ms = (frames - 1) * FRAME_MS
    return (
        f"svg{{font:14px {FONT};color:#222;background:#fff}}text{{fill:currentColor}}"
        ".ground{fill:#fff}.title{font-size:18px;font-weight:bold}polyline{fill:none;stroke:none}"
        ".frame{visibility:hidden;"
        f"animation:shown {FRAME_MS}ms step-end}}"
        f".last{{visibility:visible;animation:hidden {before_ms}ms step-end}}"
        "@keyframes shown{from,to{visibility:visible}}@keyframes hidden{from,to{visibility:hidden}}"
        "@media(prefers-color-scheme:dark){svg{color:#eee}.ground{fill:#111}}"
        "@media(prefers-reduced-motion:reduce){.frame{animation:none}}"
    )


def markers(half: Animation) -> str:
    """A dot for each fate, and one for those that have none yet: lines draw one at each point."""
    radius = half["places"]["radius"]
    return "".join(
        f'<marker id="{name}" viewBox="-6 -6 12 12" markerWidth="12" markerHeight="12" '
        f'markerUnits="userSpaceOnUse">{dot}</marker>'
        f"<style>.{name}{{marker:url(#{name})}}</style>"
        for name, fate in names(half)
        for dot in ["".join(still.dot(0, 0, radius, fate))]
    )


def names(half: Animation) -> list[tuple[str, Mapping[str, str] | None]]:
    return [("open", None), *((fate["word"], fate) for fate in half["fates"])]


def standing_still(half: Animation) -> str:
    """What is the same in every frame."""
    return "".join([*still.heads(half), *still.frames(half, 0)])


def frame(half: Animation, at_ms: float) -> str:
    """The figures at that time, and each request where it is."""
    points: dict[str, list[str]] = {name: [] for name, _ in names(half)}
    for (x, y), name in dots(half, at_ms):
        points[name].append(f"{x:.0f},{y:.0f}")
    lines = (
        f'<polyline class="{name}" points="{" ".join(at)}"/>' for name, at in points.items() if at
    )
    return "".join([*still.figures(half, at_ms), *lines])


def dots(half: Animation, at_ms: float) -> Iterator[tuple[Point, str]]:
    """Each request that is somewhere, on its way from place to place, and what is known of it."""
    place_of = {id(row): place for place, row in enumerate(still.queued(half, at_ms))}
    for number, row in enumerate(half["requests"]):
        if row[still.ARRIVED] > at_ms:
            continue
        point = point_of(stages(half, number, row, place_of.get(id(row), 0)), at_ms)
        if point is not None:
            is_known = still.has_heard(row, at_ms)
            yield point, half["fates"][row[still.FATE]]["word"] if is_known else "open"


def stages(half: Animation, number: int, row: Sequence[Any], place: int) -> list[Stage]:
    """From when on a request is where; at the end it is nowhere."""
    places = half["places"]
    entry, queue, seats = places["entry"], places["queue"], places["seats"]
    found: list[Stage] = [(row[still.ARRIVED], entry[number % len(entry)])]
    if row[still.PLACED] is not None:
        found.append((row[still.PLACED], queue[min(place, len(queue) - 1)]))
    if row[still.BEGAN] is not None:
        found.append((row[still.BEGAN], seats[row[still.WORKER]]))
    gone = row[still.HEARD if row[still.PLACED] is None else still.LEFT]
    if gone is not None:
        found += [(gone, places["exits"][row[still.FATE]]), (gone + MOVE_MS, None)]
    return found


def point_of(stages: Sequence[Stage], at_ms: float) -> Point | None:
    """Where one is between the last stage that has begun and the one before."""
    begun = [stage for stage in stages if stage[0] <= at_ms]
    since, point = begun[-1]
    before = next((where for from_ms, where in reversed(begun) if from_ms < since), begun[0][1])
    if point is None or before is None:
        return None
    share = min(1.0, (at_ms - since) / MOVE_MS)
    (x0, y0), (x1, y1) = before, point
    return x0 + (x1 - x0) * share, y0 + (y1 - y0) * share


if __name__ == "__main__":
    sys.exit(main())
