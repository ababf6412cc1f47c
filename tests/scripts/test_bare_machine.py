"""A command as a learner types it: what it says is read as it comes, and it ends when it should."""

import os
import re
import sys
from pathlib import Path

import pytest

from scripts import bare_machine
from scripts.bare_machine import ADDRESS, LESSON, Typed
from scripts.debian import Failed

ROOT = Path(__file__).resolve().parents[2]
STAYS = "import time; print('ready at 7', flush=True); time.sleep(600)"

pytestmark = pytest.mark.process


@pytest.fixture
def typed():
    started = []

    def start(source):
        started.append(Typed([sys.executable, "-c", source], dict(os.environ)))
        return started[-1]

    yield start
    for each in started:
        each.kill()


def test_what_is_waited_for_is_found_while_it_goes_on(typed):
    """And Ctrl-C ends it, as it would at a terminal."""
    found = typed(STAYS).until(re.compile(r"at (\d)"), 60)
    assert found is not None
    assert found[1] == "7"


def test_ctrl_c_ends_it(typed):
    """As a terminal does it, with a signal to all of its processes."""
    stays = typed(STAYS)
    stays.until(re.compile("ready"), 60)
    stays.interrupt()
    assert stays.over(60) != 0


def test_an_end_before_that_is_told_from_silence(typed):
    """The one is over, with its last words; the other is a failure of its own."""
    ended = typed("print('it broke')")
    assert ended.until(ADDRESS, 60) is None
    assert ended.last == "it broke"
    with pytest.raises(Failed, match="nothing came of it within 0 s"):
        typed(STAYS).until(ADDRESS, 0)


def test_a_demo_that_fails_is_a_failure(typed):
    """With its code, and what it said last."""
    with pytest.raises(Failed, match="ended with 3:\nno verdict"):
        bare_machine.demo_ends_well(typed("print('no verdict'); raise SystemExit(3)"))


def test_the_address_is_found_in_what_the_workshop_says():
    """Its token, too; and the lesson that is asked for exists."""
    found = ADDRESS.search(f"    http://127.0.0.1:8889/lab/tree/notebooks/{LESSON}?token=0a1b\n")
    assert found is not None
    assert found.groups() == ("http://127.0.0.1:8889", "0a1b")
    assert (ROOT / "notebooks" / LESSON).exists()
