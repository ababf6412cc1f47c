"""The terminal of JupyterLab tells what a learner can act on, and every error."""

import errno
import json
import logging
import subprocess
import sys

import pytest
import zmq
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError

from bpdemo.lab.quiet import LOGGING, Quiet

SUBSHELL = "Unknown subshell_id '1a44da7e-7364'"
NOISE = (
    ("Notebook %s is not trusted", ("notebooks/00 start.ipynb",)),
    ("Kernel is running over TCP without encryption. All communication is in plain text.", ()),
    ("The websocket_ping_timeout (90000) cannot be longer than the interval (30000).", ()),
    ("received signal %s, stopping", (15,)),
    ("Cannot handle %s %s: %s", ("comm_msg", "6aa3_1", SUBSHELL)),
    ("Cannot handle %s %s: %s", ("comm_close", "6aa3_2", SUBSHELL)),
    ("Replacing stale connection: c5bd6862:s", ()),
    ("Got events for closed stream %s", ("<zmq.eventloop.zmqstream.ZMQStream object at 0x7f>",)),
    ("Nudge: attempt 10 on kernel c5bd6862", ()),
    ("%s doesn't exist", ("/home/anna lee/my-course/notebooks/.~01_when.ipynb",)),
    ("%s doesn't exist", ("C:\\course\\.~01_when.ipynb",)),
    ("", ()),
)
WORTH_TELLING = (
    ("Notebook %s is not trusted, and cannot be read", ("a.ipynb",)),
    ("Saving a.ipynb failed: Notebook a.ipynb is not trusted", ()),
    ("Signature store for notebook %s is corrupted or unavailable", ("a.ipynb",)),
    ("The port 8888 is already in use, trying another port.", ()),
    ("Kernel died, restarting", ()),
    ("%s doesn't exist", ("/home/anna/my-course/notebooks/01_when.ipynb",)),
    ("%s doesn't exist", ("/home/anna/.~lock/01_when.ipynb",)),
    ("Unhandled error", ()),
    ("No space left on device: %s", ("a.ipynb",)),
    # A cell of somebody's that is not run.
    ("Cannot handle %s %s: %s", ("execute_request", "6aa3_3", SUBSHELL)),
    ("Cannot handle %s %s: %s", ("comm_msg", "6aa3_4", "No such comm")),
    ("kernel %s restarted failed!", ("c5bd6862",)),
    ("Timeout waiting for kernel_info reply from %s", ("c5bd6862",)),
    ("Exception in message handler:", ()),
)

HANDLER = "Exception in message handler:"
LOST = "Task exception was never retrieved"
CLOSING = (
    (HANDLER, zmq.ZMQError(zmq.ENOTSOCK)),
    ("Exception in control handler:", zmq.ZMQError(zmq.ENOTSOCK)),
    (LOST, WebSocketClosedError()),
    ("Uncaught exception in ZMQStream callback", WebSocketClosedError()),
    (LOST, StreamClosedError()),
)
FAULTS = (
    (HANDLER, ValueError("x")),
    (HANDLER, OSError(errno.ENOTSOCK, "of the learner's own")),
    (HANDLER, zmq.ZMQError(errno.EMFILE)),
    ("Uncaught exception in ZMQStream callback", zmq.ZMQError(zmq.ENOTSOCK)),
    (LOST, ConnectionResetError()),
    ("received signal 15, stopping", RuntimeError()),
    ("", RuntimeError()),
)


def record(
    text: str,
    values: tuple[object, ...] = (),
    *,
    level: int = logging.ERROR,
    error: Exception | None = None,
) -> logging.LogRecord:
    raised = (type(error), error, None) if error else None
    return logging.LogRecord("any", level, __file__, 1, text, values, raised)


@pytest.mark.parametrize("level", [logging.WARNING, logging.ERROR, logging.CRITICAL])
def test_only_what_is_named_is_dropped(level: int) -> None:
    """Whichever logger and level it comes from; what merely holds such words is told."""
    quiet = Quiet()
    assert not any(quiet.filter(record(*said, level=level)) for said in NOISE)
    assert all(quiet.filter(record(*said, level=level)) for said in WORTH_TELLING)


@pytest.mark.parametrize(("told", "error"), CLOSING)
def test_a_restart_and_a_page_that_is_gone_leave_no_traceback(told: str, error: Exception) -> None:
    """A kernel that ends in mid-cell, and a page that was closed while it was told something."""
    assert not Quiet().filter(record(told, error=error))


@pytest.mark.parametrize(("told", "error"), FAULTS)
def test_every_other_error_is_told(told: str, error: Exception) -> None:
    """By its error, whatever the line above its traceback says."""
    assert Quiet().filter(record(told, error=error))


SAYS = """
import asyncio, json, logging, sys
from tornado.websocket import WebSocketClosedError
from traitlets.config import Application

app = Application(logging_config=json.loads(sys.argv[1]))
app.log.warning("Replacing stale connection: a:b")
app.log.error("Kernel died")
tornado = logging.getLogger("tornado.general")
tornado.warning("Got events for closed stream %s", "<zmq.eventloop.zmqstream.ZMQStream object>")
tornado.warning("what a person may act on")
told = {"message": "Task exception was never retrieved"}
loop = asyncio.new_event_loop()
loop.call_exception_handler(told | {"exception": WebSocketClosedError()})
loop.call_exception_handler(told | {"exception": ValueError("a fault")})
loop.close()
"""


def test_an_application_its_event_loop_and_tornado_are_quietened() -> None:
    """As Jupyter is told: what the latter two say need not come by the application's handler."""
    command = [sys.executable, "-c", SAYS, json.dumps(LOGGING)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    assert "Kernel died" in said
    assert "a fault" in said
    assert "stale" not in said
    assert "closed stream" not in said
    assert "may act on" in said
    assert "WebSocketClosedError" not in said
