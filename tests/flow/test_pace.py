"""The pace of jobs where nobody has promised one."""

from bpdemo.flow.pace import Pace


def test_the_first_job_sets_a_pace_that_nobody_promised() -> None:
    """0 until then, and from then on the same mean as any other."""
    pace, promised = Pace(None), Pace(0.2)
    assert pace.mean_s == 0
    pace.note(0.2)
    assert pace.mean_s == 0.2
    for each in (pace, promised):
        each.note(0.4)
    assert pace.mean_s == promised.mean_s


def test_a_job_that_was_cut_short_never_lowers_the_mean() -> None:
    """It would have taken at least so long: more than the mean raises it, less says nothing, and
    where nothing is known yet it sets none."""
    pace = Pace(0.2)
    pace.note_at_least(0.1)
    assert pace.mean_s == 0.2
    pace.note_at_least(0.4)
    assert 0.2 < pace.mean_s < 0.4
    nothing = Pace(None)
    nothing.note_at_least(0.001)
    assert nothing.mean_s == 0
