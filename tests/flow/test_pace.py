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
