"""What a page gets that comes when the picture has been drawn already."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from bpdemo.lab.live.live_picture import COCKPIT, LivePicture
from bpdemo.lab.talk.talk import FORM
from bpdemo.load.run import LoadRun
from bpdemo.picture.sheet import Format
from tests.picture.runs import RUNS


@pytest.mark.parametrize("form", [COCKPIT, FORM], ids=["cockpit", "stage"])
def test_a_late_page_gets_the_picture_as_it_stands(form: Format) -> None:
    """After each of many runs the widget's state is the figure's, to the last axis and point."""
    picture = LivePicture(form, panels=tuple(form.rows))
    for run in RUNS.values():
        picture.show(run)
        state = picture.figure.get_state()
        assert state["_widget_layout"] == picture.figure.layout.to_plotly_json()
        for told, trace in zip(state["_widget_data"], picture.figure.data, strict=True):
            assert told["uid"] == trace.uid
            for axis in ("x", "y"):
                packed = told[axis]
                values = np.frombuffer(packed["buffer"], packed["dtype"])
                np.testing.assert_array_equal(values, trace[axis])


@pytest.mark.parametrize("form", [COCKPIT, FORM], ids=["cockpit", "stage"])
@pytest.mark.parametrize(("depth", "room"), [(3000, -1), (4, 500)], ids=["depth", "bound"])
def test_the_queue_of_this_moment_stays_in_its_panel(form: Format, depth: int, room: int) -> None:
    """It is drawn on beyond the run, which is known later: a queue that grows fast, or a bound that
    was turned up, does not leave at the top."""
    whole = RUNS["no limit, slow"]
    known = LoadRun(whole.records, whole.samples, replace(whole.meta, seconds=8.0))
    running: Any = SimpleNamespace(snapshot=lambda: known, now_s=9.0)
    picture = LivePicture(form, panels=tuple(form.rows))
    picture.show_load(running, [[8.5, 1, -1, 4, 4, 0, 0], [9.0, depth, room, 4, 4, 0, 0]])
    lines = picture.figure.data[-3:]
    axis = picture.figure.layout[lines[0].yaxis.replace("y", "yaxis")]
    highest = np.nanmax(np.concatenate([line.y for line in lines]))
    assert max(depth, room) <= highest <= axis.range[1]


def test_a_page_that_tells_what_it_has_drawn_is_heard_in_peace() -> None:
    """It repeats arrays as it keeps them; what is drawn here stays as it was."""
    picture = LivePicture()
    picture.show(RUNS["usual"])
    figure = picture.figure
    drawn = [np.array(trace.y) for trace in figure.data]
    told = [
        {"uid": trace.uid, "x": {"dtype": "f8", "bdata": "AAAAAAAAAAA="}, "opacity": 1}
        for trace in figure.data
    ]
    edit = figure._last_trace_edit_id
    figure._js2py_traceDeltas = {"trace_edit_id": edit, "trace_deltas": told}
    assert not figure._trace_edit_in_process
    for trace, before in zip(figure.data, drawn, strict=True):
        np.testing.assert_array_equal(trace.y, before)
