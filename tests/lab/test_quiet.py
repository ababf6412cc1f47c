"""The terminal of JupyterLab tells what a learner can act on, and every error."""

import logging

import pytest

from bpdemo.lab.quiet import Quiet

NOISE = (
    ("Notebook %s is not trusted", ("notebooks/00 start.ipynb",)),
    ("Kernel is running over TCP without encryption. All communication is in plain text.", ()),
    ("The websocket_ping_timeout (90000) cannot be longer than the interval (30000).", ()),
    ("received signal %s, stopping", (15,)),
)
WORTH_TELLING = (
    ("Notebook %s is not trusted, and cannot be read", ("a.ipynb",)),
    ("Saving a.ipynb failed: Notebook a.ipynb is not trusted", ()),
    ("Signature store for notebook %s is corrupted or unavailable", ("a.ipynb",)),
    ("The port 8888 is already in use, trying another port.", ()),
    ("Kernel died, restarting", ()),
    ("Unhandled error", ()),
    ("No space left on device: %s", ("a.ipynb",)),
)


def record(text: str, values: tuple[object, ...], *, level: int) -> logging.LogRecord:
    return logging.LogRecord("any", level, __file__, 1, text, values, None)


@pytest.mark.parametrize("level", [logging.WARNING, logging.ERROR, logging.CRITICAL])
def test_only_what_is_named_is_dropped(level: int) -> None:
    """Whichever logger and level it comes from; what merely holds such words is told."""
    quiet = Quiet()
    assert not any(quiet.filter(record(*said, level=level)) for said in NOISE)
    assert all(quiet.filter(record(*said, level=level)) for said in WORTH_TELLING)
