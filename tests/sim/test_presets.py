"""The playground's presets: each claim measured in virtual time, or a reason why not."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bpdemo.sim.page import Page
from tests.support.notebooks import cells_in

ROOT = Path(__file__).resolve().parents[2]
PRESETS = json.loads((ROOT / "playground" / "presets.json").read_text("utf-8"))
ELSEWHERE = json.loads((ROOT / "playground" / "elsewhere.json").read_text("utf-8"))
SHOWN = {preset["claim"]: preset for preset in PRESETS if "claim" in preset}
TAG = "claim-"

Figures = dict[str, float]


def virtual_claims() -> dict[str, str]:
    """Name → lesson, of the claims of which no cell starts a service."""
    found: dict[str, str] = {}
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells: dict[str, str] = {}
        for cell in cells_in(path):
            for tag in cell.metadata.get("tags", []):
                if tag.startswith(TAG):
                    cells[tag] = cells.get(tag, "") + cell.source
        live = ("serve(", "stage(", "cockpit(")
        quiet = [tag for tag, text in cells.items() if not any(word in text for word in live)]
        found |= {tag.removeprefix(TAG): path.stem for tag in quiet if "rehearse" not in cells[tag]}
    return found


def test_each_claim_in_virtual_time_is_a_preset_or_has_a_reason_not_to_be():
    """Those that cannot run in the playground are printed, with the reason."""
    claims = virtual_claims()
    assert len(claims) > 20
    for name, why in ELSEWHERE.items():
        print(f"claim {name} of lesson {claims.get(name)} cannot be played: {why}")
    assert set(SHOWN) | set(ELSEWHERE) == set(claims)
    assert not set(SHOWN) & set(ELSEWHERE)
    assert {name: preset["lesson"] for name, preset in SHOWN.items()} == {
        name: claims[name] for name in SHOWN
    }


def goodput(a: Figures, b: Figures) -> tuple[float, float]:
    return a["goodput_share"], b["goodput_share"]


def served(a: Figures, b: Figures) -> tuple[float, float]:
    return a["served_share"], b["served_share"]


#: What each preset with two services shows of its claim: which figure, and how far B may be from A.
SEEN: dict[str, tuple[Callable[[Figures, Figures], tuple[float, float]], float, float]] = {
    "cliff": (goodput, 0.0, 0.2),
    "few-places": (goodput, 0.0, 0.25),
    "three-answers": (goodput, 5.0, 99),
    "rate-limit": (goodput, 2.0, 9),
    "limit-on-time": (goodput, 5.0, 99),
    "lifo": (goodput, 5.0, 99),
    "codel": (goodput, 5.0, 99),
    "deadline": (goodput, 3.0, 99),
    "retries": (served, 2.0, 9),
    "jitter": (served, 0.8, 1.2),
    "both": (served, 1.2, 9),
    "retry-after": (served, 1.3, 9),
    "twitchy": (served, 0.0, 0.6),
    "open-closed": (served, 1.3, 9),
    "obedience": (served, 1.8, 9),
    "rival": (goodput, 3.0, 99),
    "states": (served, 2.0, 9),
    "raises": (served, 2.0, 9),
}


def played(preset: dict[str, Any]) -> dict[str, Any]:
    """To its end, or where nothing is turned on the way, for the ten seconds that tell as much."""
    load = dict(preset["load"])
    if not load.get("changes") and load.get("scenario") != "spike":
        load["seconds"] = min(10, load["seconds"])
    page = Page()
    page.begin(json.dumps({"arms": preset["arms"], "load": load}))
    told: dict[str, Any] = json.loads(page.step(1e6))
    return told


@pytest.mark.slow
@pytest.mark.parametrize("name", SEEN)
def test_a_preset_shows_what_its_claim_says(name):
    """The figure of B as a multiple of A's lies where the lesson's claim has it."""
    figure, low, high = SEEN[name]
    a, b = figure(*played(SHOWN[name])["summaries"])
    assert low * a <= b <= high * a, (a, b)


def test_the_breaker_of_its_preset_asks_three_times_and_more():
    """Each is a mark in the picture's table: half-open, and open again."""
    told = played(SHOWN["probes"])
    notes = [note["text"] for note in told["figures"][0]["layout"]["annotations"]]
    assert sum("half-open" in note for note in notes) >= 3


def test_each_claim_that_is_a_preset_is_looked_at():
    """None of them stands in the menu unproved."""
    assert {*SEEN, "probes"} == set(SHOWN)


def test_presets_have_names_and_questions_of_their_own():
    """And each is asked in a sentence."""
    assert len({preset["name"] for preset in PRESETS}) == len(PRESETS)
    assert all(preset["question"].rstrip().endswith(("?", ".")) for preset in PRESETS)
