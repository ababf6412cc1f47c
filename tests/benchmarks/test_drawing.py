"""The pictures of the results: nothing is cut off."""

import plotly.graph_objects as go

from benchmarks.drawing import UPRIGHT_LETTERS, framed


def test_a_long_title_that_stands_upright_is_broken_into_lines() -> None:
    told = "served in time (share of what was possible)"
    title = framed(go.Figure(), title="any", x="seconds", y=told).layout.yaxis.title.text
    assert max(map(len, title.split("<br>"))) <= UPRIGHT_LETTERS
    assert title.replace("<br>", " ") == told
