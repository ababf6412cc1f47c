"""The README's moving picture is the one that its script draws; it plays once, and is small."""

import platform
import re
import sys
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

from bpdemo.picture.moment import HEARD, counts, described, in_service, queued
from tests.support.scripts import script

ROOT = Path(__file__).resolve().parents[2]
SVG = "{http://www.w3.org/2000/svg}"
MOST_S = 5
MOST_BYTES = 500_000
#: `animation:NAME 60ms step-end`: it lasts so long, and there is nothing that repeats it.
ANIMATION = re.compile(r"animation:(\w+) (\d+)ms step-end[;}]")


@pytest.fixture(scope="module")
def moving() -> ModuleType:
    return script("moving_picture")


@pytest.fixture(scope="module")
def drawn(moving: ModuleType) -> str:
    text: str = moving.picture()
    return text


def frames_of(drawn: str) -> list[ElementTree.Element]:
    groups = ElementTree.fromstring(drawn).findall(f"{SVG}g")
    return [group for group in groups if "frame" in group.get("class", "").split()]


@pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"),
    reason="elsewhere a run in virtual time may differ in the last digits",
)
def test_it_is_what_the_script_draws(moving: ModuleType, drawn: str) -> None:
    """To the last byte: when the animation changes it is drawn again, by `make pictures`."""
    assert moving.PICTURE.read_text("utf-8") == drawn


def test_it_plays_once_and_is_small(moving: ModuleType, drawn: str) -> None:
    """Five seconds and half a megabyte at most; nothing in it repeats, acts, or comes from
    elsewhere."""
    assert len(drawn.encode()) <= MOST_BYTES
    assert not re.search(r"infinite|iteration|<animate|<set\b|<script|alternate", drawn)
    assert re.findall(r"https?://[^\"'\s]+", drawn) == [SVG.strip("{}")]
    lasts_ms = {name: int(ms) for name, ms in ANIMATION.findall(drawn)}
    assert drawn.count("animation:") == len(lasts_ms) + 1  # none, for those who prefer no motion
    *frames, last = frames_of(drawn)
    delays_ms = [int(frame.get("style", "").split(":")[1].removesuffix("ms")) for frame in frames]
    assert delays_ms == list(range(0, len(frames) * moving.FRAME_MS, moving.FRAME_MS))
    # The last one is hidden, without a delay, until those before it were shown.
    assert last.get("style") is None
    assert lasts_ms == {"shown": moving.FRAME_MS, "hidden": delays_ms[-1] + moving.FRAME_MS}
    assert lasts_ms["hidden"] <= MOST_S * 1000


def test_the_last_frame_stays(drawn: str) -> None:
    """Only that one is seen once it has played, or where nothing moves."""
    frames = frames_of(drawn)
    last = [place for place, frame in enumerate(frames) if frame.get("class") == "frame last"]
    assert last == [len(frames) - 1]
    assert ".frame{visibility:hidden" in drawn
    assert ".last{visibility:visible" in drawn
    assert "@media(prefers-reduced-motion:reduce){.frame{animation:none}}" in drawn


def test_each_frame_shows_the_requests_of_its_moment(moving: ModuleType, drawn: str) -> None:
    """As many dots as there are in the queue, at workers and on the way out, and its name tells
    the last moment in words."""
    runs = moving.runs()
    for number, frame in enumerate(frames_of(drawn)):
        at_ms = number * moving.FRAME_MS
        for half, group in zip(runs, frame.findall(f"{SVG}g"), strict=True):
            dots = sum(
                len(line.get("points", "").split()) for line in group.findall(f"{SVG}polyline")
            )
            inside = len(queued(half, at_ms)) + len(in_service(half, at_ms))
            leaving = sum(
                any(
                    at is not None and at <= at_ms < at + moving.MOVE_MS
                    for at in (row[3] if row[1] is not None else row[HEARD],)
                )
                for row in half["requests"]
            )
            assert dots == inside + leaving, at_ms
            texts = [text.text for text in group.findall(f"{SVG}text")]
            for count, fate in zip(counts(half, at_ms), half["fates"], strict=True):
                assert f"{count} {fate['word']}" in texts
    name = ElementTree.fromstring(drawn).get("aria-label") or ""
    assert all(described(half, at_ms) in name for half in runs)


def test_it_tells_what_the_text_beside_it_says(moving: ModuleType) -> None:
    """Without a bound nearly all are late in the end; with one it serves all that it can."""
    naive, bounded = moving.runs()
    end_ms = moving.SECONDS * 1000
    served, late, shed, _ = counts(bounded, end_ms)
    capacity = 8 / 0.2 * moving.SECONDS
    assert served > 0.85 * capacity
    assert late == 0
    assert shed > 0.3 * (served + shed)
    served_then, late_then, *_ = counts(naive, end_ms)
    assert served_then < served / 2
    assert late_then > served_then
    assert counts(naive, 2500)[0] == served_then  # and none is served any more
