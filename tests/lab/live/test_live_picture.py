"""What a page gets that comes when the picture has been drawn already."""

import numpy as np
import pytest

from bpdemo.lab.live.live_picture import COCKPIT, LivePicture
from bpdemo.lab.talk.talk import FORM
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
