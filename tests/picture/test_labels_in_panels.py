"""The names at the right ends of lines stand in the panels of their lines."""

from typing import Any

import pytest

from bpdemo.picture.cell import LINE_PX
from bpdemo.picture.sheet import LABELS_PX, Format, one, two
from bpdemo.sim.play import play
from bpdemo.sim.shown import shown

KNOBS: dict[str, dict[str, Any]] = {
    "no bound": {"queue_capacity": -1},
    "a bound": {"queue_capacity": 8},
    "a limit that adapts": {"queue_capacity": -1, "limit_algorithm": "own"},
    "nobody waits": {"queue_capacity": 0},
}


def above_their_panels(drawn: dict[str, Any]) -> list[str]:
    """Labels that stand out at the top, by more than a pixel, of a panel that has room for all."""
    layout, found = drawn["layout"], []
    labels: dict[str, list[tuple[float, float, str]]] = {}
    for note in layout["annotations"]:
        reference = str(note.get("yref", ""))
        if reference.endswith(" domain") and note.get("x") == 1.0:
            height_px = LINE_PX * (1 + note["text"].count("<br>"))
            labels.setdefault(reference, []).append((note["y"], height_px, note["text"]))
    for reference, those in labels.items():
        axis = layout["yaxis" + reference.removesuffix(" domain").removeprefix("y")]
        panel_px = (axis["domain"][1] - axis["domain"][0]) * layout["height"]
        if sum(height_px for _, height_px, _ in those) <= panel_px:
            tops = [(y * panel_px + height_px / 2, text) for y, height_px, text in those]
            found += [text for top_px, text in tops if top_px > panel_px + 1]
    assert len(labels) >= 3
    return found


@pytest.mark.parametrize("knobs", KNOBS.values(), ids=KNOBS)
@pytest.mark.parametrize("times", [0.3, 2])
def test_no_label_stands_half_above_its_panel(knobs, times):
    """Alone, side by side, and as narrow as on a telephone, where a label has two lines."""
    run = shown(play(knobs, times=times, seconds=4))
    narrow = Format(width_px=360, labels_px=LABELS_PX * 2 // 3)
    for drawn in (one(run), one(run, form=narrow), two(run, run)):
        assert above_their_panels(drawn) == []
