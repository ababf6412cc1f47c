"""What JupyterLab and its kernels log that no learner can act on, and the filter that drops it.

Each is named by how it begins, or by the error that it tells; everything else, and every other
error, is logged as ever.
"""

from __future__ import annotations

import logging
import re
from typing import Any, Final

import zmq
from tornado.iostream import StreamClosedError
from tornado.websocket import WebSocketClosedError

#: A lesson is unsigned until it is saved, and has no outputs to distrust; kernels listen on the
#: loopback address; a timeout is longer than Jupyter's own interval; Ctrl-C was the learner's.
#: After a restart widgets of before go on asking for their thread, and are answered that it is
#: gone; a page that is loaded again leaves a connection behind, with messages for nobody; a kernel
#: may take some seconds to start. While a lesson is saved, its former self has another name for a
#: moment, and may be gone before the file browser has looked at it.
NOISE: Final = re.compile(
    r"Notebook \S.* is not trusted$"
    r"|Kernel is running over TCP without encryption\."
    r"|The websocket_ping_timeout \(\d"
    r"|received signal \d+, stopping$"
    r"|Cannot handle comm_\w+ \S+: Unknown subshell_id "
    r"|Replacing stale connection: "
    r"|Got events for closed stream <zmq\."
    r"|Nudge: attempt \d+ on kernel "
    r"|.*[/\\]\.~[^/\\]+\.ipynb doesn't exist$"
    r"|$"  # all that Jupyter has to say of a message to a page that is gone
)

#: A page that is gone has nothing to be told, wherever that comes up.
GONE: Final = (StreamClosedError, WebSocketClosedError)
#: A kernel that is restarted in mid-cell closes its sockets, and then tries to tell how it ended.
HANDLED: Final = re.compile(r"Exception in (message|control) handler:$")

#: For the option `logging_config` of an application of Jupyter's.
LOGGING: Final[dict[str, Any]] = {
    "filters": {"quiet": {"()": f"{__name__}.Quiet"}},
    "handlers": {"console": {"filters": ["quiet"]}},
    # Of the event loop and of Tornado, whose records need not come by that handler.
    "loggers": {name: {"filters": ["quiet"]} for name in ("asyncio", "tornado.general")},
}


class Quiet(logging.Filter):
    """Drops the noise. By a handler's filter, since some of it comes from other loggers."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            return not NOISE.match(record.getMessage())
        if isinstance(error, GONE):
            return False
        is_closed = isinstance(error, zmq.ZMQError) and error.errno == zmq.ENOTSOCK
        return not (is_closed and HANDLED.match(record.getMessage()))
