"""What a connection says for itself, below the application, and then ends."""

import random
from itertools import count

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from bpdemo.api.problems import CONTENT_TYPE, render_problem
from bpdemo.core.events import ConnectionAnswered
from bpdemo.core.ports import Observer
from bpdemo.core.reasons import PROBLEMS

#: Told to newcomers where there is no room for another connection.
FULL = ("concurrency_limit", "Too many connections are open.")
LEAVING = ("draining", "This server is not taking new requests; another one may.")
#: Seconds, drawn evenly: those who are sent away do not come back in step.
_COME_BACK_S = (1, 3)


class LastWords:
    """Writes such answers for all connections of a server, each under an id of its own."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._id_prefix = f"{random.getrandbits(48):012x}"
        self._ids = count(1)

    def say(self, reason: str, detail: str, status: int | None = None) -> bytes:
        """A whole answer; `status` where it is not the reason's usual one."""
        status = status or PROBLEMS[reason][0]
        request_id = f"{self._id_prefix}-{next(self._ids):x}"
        self._observer.observe(ConnectionAnswered(reason, request_id))
        body = render_problem(reason, detail, status=status)
        retry_after = b""
        if status in (429, 503):
            retry_after = b"retry-after: %d\r\n" % random.randint(*_COME_BACK_S)
        return (
            STATUS_LINE[status]
            + b"content-type: %b\r\ncontent-length: %d\r\n" % (CONTENT_TYPE, len(body))
            + retry_after
            + b"x-request-id: %b\r\nconnection: close\r\n\r\n" % request_id.encode()
            + body
        )
