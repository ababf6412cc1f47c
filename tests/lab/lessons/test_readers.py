"""Many lookers at once: a row each, and a bar that tells where the answers came from."""

import pandas as pd

from bpdemo.lab import serve
from bpdemo.lab.lessons.readers import look_at_once, source_bars


def test_everybody_who_looks_has_a_row_in_order():
    """Found, cached, and not there at all."""
    with serve(workers=1, name="looked-at") as service:
        looks = look_at_once(service, [1, 2, 9999])
        again = look_at_once(service, [1, 2])
    assert looks["item"].tolist() == [1, 2, 9999]
    assert looks["status"].tolist() == [200, 200, 404]
    assert looks["source"].tolist() == ["miss", "miss", "no answer"]
    assert again["source"].tolist() == ["hit", "hit"]
    assert (looks["ms"] > 0).all()


def test_each_source_is_a_labelled_part_of_its_bar():
    """Counts are read from the picture; an unknown source is not drawn as a known one."""
    looks = {
        "first": pd.DataFrame({"source": ["miss"] + ["coalesced"] * 49}),
        "second": pd.DataFrame({"source": ["hit"] * 50}),
    }
    figure = source_bars(looks, title="Fifty people, one load")
    drawn = {(bar.y[0], bar.x[0]): bar.text for bar in figure.data}
    assert drawn[("first", 49)] == "<b>49 coalesced</b>"
    assert drawn[("first", 1)] == "1"
    assert drawn[("second", 50)] == "<b>50 hit</b>"
    assert "Fifty people" in figure.layout.annotations[0].text
