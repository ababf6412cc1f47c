"""The times of a plan at a pace that changes on the way."""

import itertools
import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpdemo.load.generator.childline import OwnerPipe
from bpdemo.load.generator.plan_clock import PlanClock
from bpdemo.plan.plan import Plan
from bpdemo.plan.visits import visits

ROOT = Path(__file__).parents[3]

GAP_S = 0.1
PACES = st.lists(st.sampled_from([0.25, 0.5, 1.0, 2.0, 5.0]), min_size=1, max_size=30)


def test_at_its_own_pace_a_plan_is_what_it_was() -> None:
    """To the last bit: a load whose pace nobody changes sends what it always sent."""
    pace = PlanClock()
    assert [pace.due_s(t / 7, 1.0, t / 9) for t in range(100)] == [t / 7 for t in range(100)]


@given(PACES)
def test_each_gap_is_as_long_as_the_pace_says(paces: list[float]) -> None:
    """Whenever it changes: the next arrival comes after the planned gap, divided by the pace, and
    what has come stays where it was."""
    pace, now_s = PlanClock(), 0.0
    for n, each in enumerate(paces, 1):
        due_s = pace.due_s(n * GAP_S, each, now_s)
        assert abs(due_s - now_s - GAP_S / each) < 1e-9
        now_s = due_s


#: A crowd that asks nobody; in the middle of its load it is told to go four times as fast.
TURNED = """
import json, gevent
from bpdemo.plan.plan import Plan
from tests.load.recorded_crowds import Recording
crowd = Recording(Plan(rate_per_s=200, seconds=1.0))
gevent.get_hub().loop.update_now()
gevent.spawn_later(0.5, setattr, crowd.line, "pace", 4.0)
crowd.run()
print(json.dumps([due_s for due_s, *_ in crowd.sent]))
"""


def test_a_crowd_goes_at_the_pace_it_is_told() -> None:
    """From then on, and to the end of its time; what it had sent before is what was planned."""
    told = subprocess.run(
        [sys.executable, "-c", TURNED],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, timeout=100,
        cwd=ROOT,
    )  # fmt: skip
    sent_s = json.loads(told.stdout)
    planned_s = [visit.due_s for visit in visits(Plan(rate_per_s=200, seconds=10.0))]
    early = [due_s for due_s in sent_s if due_s < 0.4]
    assert early == planned_s[: len(early)]
    assert sent_s == sorted(sent_s)
    late = [due_s for due_s in sent_s if due_s > 0.8]
    gaps_s = [b - a for a, b in itertools.pairwise(planned_s)]
    first = len(sent_s) - len(late)
    found_s = [b - a for a, b in itertools.pairwise(late)]
    assert found_s == pytest.approx([gap_s / 4 for gap_s in gaps_s[first : first + len(found_s)]])
    assert sent_s[-1] < 1.0 < sent_s[-1] + 0.1


def test_the_owners_word_is_heard() -> None:
    """A line on stdin sets the pace."""
    pipe = OwnerPipe(lambda *_: None, lambda _: None, lambda *_: None, threading.Lock())
    assert pipe.pace == 1.0
    pipe._obey(["pace", "2.5"])
    assert pipe.pace == 2.5
