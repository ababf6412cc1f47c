"""What a connection says for itself, below the application, and then ends."""

import random
from itertools import count

from bpdemo.api.connection.spoken import CLOSE, spoken
from bpdemo.api.problems import CONTENT_TYPE, Headers, render_problem
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
        headers: Headers = [
            (b"content-type", CONTENT_TYPE),
            (b"content-length", b"%d" % len(body)),
            (b"x-request-id", request_id.encode()),
            CLOSE,
        ]
        if status in (429, 503):
            headers.append((b"retry-after", b"%d" % random.randint(*_COME_BACK_S)))
        return spoken(status, headers, body)
