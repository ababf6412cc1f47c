"""Layers multiply attempts; a copied timeout outlives its caller, a subtracted one does not."""

import pytest

from bpdemo.lab.lessons.hops import (
    attempts_by_layers,
    deadline_figure,
    deadlines,
    layers_figure,
)


@pytest.mark.parametrize(("layers", "attempts", "worst"), [(1, 3, 3), (2, 3, 9), (3, 4, 64)])
def test_each_layer_multiplies_the_attempts(layers: int, attempts: int, worst: int):
    """And one layer with a budget adds no more than the budget."""
    rows = attempts_by_layers(layers, attempts, budget=0.2)
    assert max(rows.values()) == worst
    assert rows["nobody retries"] == 1
    assert rows["one layer, budget 20%"] == pytest.approx(1.2)


def test_a_subtracted_timeout_ends_with_its_caller_at_every_hop():
    """A copied one begins anew, so each hop works on for as long as it was called late."""
    spent = {"office": 120, "payment": 200, "bank": 50}
    subtracted = deadlines(500, spent, copied=False)
    copied = deadlines(500, spent, copied=True)
    assert subtracted == {"office": (0, 500), "payment": (120, 500), "bank": (320, 500)}
    assert {hop: end for hop, (_, end) in copied.items()} == {
        "office": 500,
        "payment": 620,
        "bank": 820,
    }


def test_the_pictures_say_their_result():
    """In the title, with the figures that the bars have."""
    assert "27 if 3 layers retry" in layers_figure(attempts_by_layers()).layout.annotations[0].text
    figure = deadline_figure(500, {"office": 120, "payment": 200, "bank": 50})
    assert "820 ms" in figure.layout.annotations[0].text
    assert list(figure.data[0].base) == [0, 120, 320, 0, 120, 320]
