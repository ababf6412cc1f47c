"""Single requests in a notebook: the widget, and what stands there where no widget can be."""

import json
from typing import Any
from xml.etree import ElementTree

import pytest

from bpdemo.lab import animate
from bpdemo.lab.lessons.shared.animated import SCRIPT, SVG
from bpdemo.sim.animation import animation

WIDGET = "application/vnd.jupyter.widget-view+json"


def test_it_is_a_widget_a_still_picture_and_a_sentence() -> None:
    """A front end takes the first that it can show."""
    shown = animate({"queue_capacity": 8}, times=2, seconds=1, name="a bound of 8")
    bundle = shown._repr_mimebundle_()
    assert set(bundle) == {WIDGET, SVG, "text/plain"}
    assert bundle["text/plain"] == shown.told
    assert ElementTree.fromstring(bundle[SVG]).tag.endswith("svg")
    assert len(bundle[SVG]) < 50_000


def test_it_gives_the_script_the_run() -> None:
    """The same data, to the last request, that any other page has of these settings and load."""
    load: dict[str, Any] = {"times": 1.5, "seconds": 1, "seed": 5, "retries": 1}
    shown = animate({"queue_capacity": 8}, **load)
    assert json.loads(shown.data) == json.loads(
        json.dumps(animation({"queue_capacity": 8}, **load))
    )
    assert str(shown._esm) == SCRIPT
    assert "export default { render }" in SCRIPT


def test_a_slip_is_told_in_a_line() -> None:
    """As of `simulate`, whose arguments these are."""
    with pytest.raises(TypeError, match="Did you mean seconds"):
        animate(second=3)  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="workers"):
        animate({"workers": 0})
