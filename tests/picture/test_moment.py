"""One moment of the single requests, as a still picture and as what the animation begins with."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import bpdemo.picture.moment as moments
from bpdemo.core.settings import Settings
from bpdemo.picture.labels import width_of
from bpdemo.picture.moment import counts, described, in_service, moment, queued, still
from bpdemo.sim.animation import animation

SCRIPT = Path(moments.__file__).with_name("requests.js").read_text("utf-8")
SVG = "{http://www.w3.org/2000/svg}"
FONT_PX = 14

RUNS: dict[str, tuple[Settings | dict[str, Any], dict[str, Any]]] = {
    "calm": ({}, {"times": 0.5}),
    "no bound": (Settings.unprotected(), {"times": 3, "seconds": 1.5}),
    "bounded": ({"queue_capacity": 8}, {"times": 2, "retries": 1}),
    "many workers": ({"workers": 64, "queue_capacity": 900}, {"times": 1.5}),
    "failing": ({"payment_failure_rate": 0.9, "retry_attempts": 1}, {"times": 1}),
    "nobody came": ({}, {"rate": 0.1, "seconds": 0.1}),
}
each_run = pytest.mark.parametrize("name", RUNS)


@cache
def run(name: str) -> dict[str, Any]:
    settings, load = RUNS[name]
    return animation(settings, **({"seconds": 1} | load))


@each_run
def test_it_shows_where_each_request_is(name: str) -> None:
    """At any moment a dot for each that waits or is worked on, and a figure for those for whom
    there is no room; besides one at each way out, and one in the legend."""
    data = run(name)
    for at_ms in (0, data["end"] / 3, data["still"], data["end"]):
        drawn = ElementTree.fromstring(moment(data, at_ms))
        dots = [dot for dot in drawn.findall(f"{SVG}circle") if dot.get("opacity") is None]
        standing = {
            "entry": len(moments.at_the_door(data, at_ms)),
            "queue": len(queued(data, at_ms)),
            "seats": len(in_service(data, at_ms)),
        }
        rooms = {kind: len(data["places"][kind]) for kind in standing}
        shown = sum(min(many, rooms[kind]) for kind, many in standing.items())
        assert len(dots) == shown + len(data["fates"]) + 1
        more = [text.text for text in drawn.findall(f"{SVG}text") if "more" in (text.text or "")]
        left_out = standing["queue"] - rooms["queue"]
        assert more == ([f"and {left_out} more"] if left_out > 0 else [])


def test_a_crowd_makes_the_picture_no_heavier() -> None:
    """A notebook keeps it: a minute at five times the capacity is no more than 50 kB of it."""
    data = animation(Settings.unprotected(), times=5, seconds=60)
    assert len(queued(data, data["end"])) > 1000
    for at_ms in (data["still"], data["end"]):
        assert len(moment(data, at_ms)) < 50_000
    assert len(json.dumps(data, separators=(",", ":"))) < 200_000
    assert "The run goes on after these" in data["told"]


@each_run
def test_in_the_end_every_order_has_its_fate(name: str) -> None:
    """And they add up to the sentence of the run."""
    data = run(name)
    last = [row for row in data["requests"] if not row[moments.RETRIED]]
    assert sum(counts(data, data["end"])) == len(last)
    for count, fate in zip(counts(data, data["end"]), data["fates"], strict=True):
        assert not count or f"{count} {fate['word']}" in data["told"]


@each_run
def test_no_text_is_cut_or_covered(name: str) -> None:
    """In the widest letters that a browser may have for our fonts, at any moment of the run."""
    data = run(name)
    for at_ms in (data["still"], data["end"]):
        boxes = []
        for text in ElementTree.fromstring(moment(data, at_ms)).findall(f"{SVG}text"):
            told = text.text or ""
            width = width_of(told, FONT_PX, bold=text.get("font-weight") == "bold")
            x, y = float(text.get("x", "")), float(text.get("y", ""))
            left = x - width if text.get("text-anchor") == "end" else x
            assert left >= 0
            assert left + width <= data["places"]["width"], told
            assert y < data["places"]["height"]
            boxes.append((y, left, left + width, told))
        for one in boxes:
            for other in boxes:
                is_near = one is not other and abs(one[0] - other[0]) < FONT_PX
                assert not is_near or one[2] <= other[1] or other[2] <= one[1], (one, other)


def test_every_place_is_inside_the_picture() -> None:
    """And no two of the queue, or of the workers, are one."""
    places = run("calm")["places"]
    for kind in ("entry", "queue", "seats", "exits"):
        assert len(set(places[kind])) == len(places[kind])
        for x, y in places[kind]:
            assert places["radius"] <= x <= places["width"] - places["radius"]
            assert places["radius"] <= y <= places["height"] - places["radius"]


def test_its_name_says_the_outcome_and_the_moment() -> None:
    """For those who cannot see it; markup in a text ends nothing."""
    data = run("bounded")
    name = ElementTree.fromstring(still(data)).get("aria-label") or ""
    assert name.startswith(data["told"])
    assert described(data, data["still"]) in name
    odd = data | {"told": 'a "quoted" <b> & more'}
    assert (ElementTree.fromstring(still(odd)).get("aria-label") or "").startswith('a "quoted" <b>')


def test_the_script_needs_nothing_from_elsewhere() -> None:
    """One module: it imports nothing, asks for nothing, and knows one address, which is a name."""
    assert not re.search(r"^\s*import\b|\bimport\(|\bfetch\(|XMLHttpRequest|\beval\(", SCRIPT, re.M)
    assert re.findall(r"https?://[^\"'\s]+", SCRIPT) == ["http://www.w3.org/2000/svg"]


def test_the_script_draws_what_the_still_picture_shows() -> None:
    """The same columns of a row, heads, and marks of the fates."""
    columns = re.search(r"const \[([A-Z, ]+)\] = \[([\d, ]+)\]", SCRIPT)
    assert columns is not None
    for name, place in zip(columns[1].split(", "), columns[2].split(", "), strict=True):
        assert getattr(moments, name) == int(place)
    marks = re.search(r"const MARKS = \{(.+)\};", SCRIPT)
    assert marks is not None
    assert dict(re.findall(r'"?([/.x])"?: "([^"]+)"', marks[1])) == moments.PATHS
    assert f'const AGAIN = "{moments.AGAIN}";' in SCRIPT
    for head in (*moments.HEADS, "no answer yet", "simulated", "try again"):
        assert re.search('["} ]' + head + '["`]', SCRIPT), head
