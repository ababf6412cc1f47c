"""One request on its way through: what the door learned of it, for those further in."""

from math import inf

from starlette.types import Scope

from bpdemo.api.headers import RawHeaders, Wishes
from bpdemo.api.routing import Route
from bpdemo.flow.deadline import NEVER, Deadline
from bpdemo.service.entrance import Stay
from bpdemo.service.order_job import Caller

SCOPE_KEY = "bpdemo.arrival"
#: Where the connection hands over a request that it has let in already; the door takes it out.
LET_IN_KEY = "bpdemo.let_in"
#: Where the connection says by when the request must have been read, if it has a limit.
READ_BY_KEY = "bpdemo.read_by_s"
#: Where it says when a request came that had to wait for its turn.
ARRIVED_KEY = "bpdemo.arrived_s"
#: Where it says who else is connected.
CROWD_KEY = "bpdemo.crowd"

_FRAMING = frozenset((b"content-length", b"transfer-encoding", b"expect"))


class Arrival:
    """Made for every request; the door fills in what its route calls for."""

    __slots__ = (
        "arrived_s", "body_due_s", "body_late", "body_read", "caller", "chunked", "deadline",
        "declared_bytes", "expects", "headers", "method", "reason", "request_id", "route", "status",
        "stay", "trace_id", "wishes",
    )  # fmt: skip

    def __init__(self, scope: Scope, route: Route, request_id: str, arrived_s: float) -> None:
        self.method: str = scope["method"]
        self.headers: RawHeaders = scope["headers"]
        self.route = route
        self.request_id = request_id
        self.arrived_s = arrived_s
        self.wishes = Wishes()
        self.deadline: Deadline = NEVER
        self.stay: Stay | None = None  # inside the service; only where limits apply
        self.caller: Caller | None = None  # only for `POST /orders`
        self.status: int | None = None  # None until an answer begins
        self.reason: str | None = None  # of a problem that the door itself answered with
        self.trace_id: str | None = None  # of the trace that is recorded of it
        self.body_due_s = inf
        self.body_late = False
        self.body_read = False
        self.declared_bytes = 0
        self.chunked = False
        self.expects = False
        self._look_at_framing()

    def must_close(self, limit_bytes: int) -> bool:
        """Whether an answer given now must end the connection.

        A body that was announced and not read would be taken for the next request, or have to be
        read to its end only to be thrown away. One that is late may never end.
        """
        if self.body_late:
            return True
        unread = self.expects or self.chunked or self.declared_bytes > limit_bytes
        return unread and not self.body_read

    def _look_at_framing(self) -> None:
        for name, value in self.headers:
            if name not in _FRAMING:
                continue
            if name == b"content-length":
                # Cut off before int(): Python refuses numbers of thousands of digits.
                self.declared_bytes = int(value[:19]) if value.isdigit() else 0
            elif name == b"transfer-encoding":
                self.chunked = True
            else:
                self.expects = True


def arrival_of(scope: Scope) -> Arrival:
    arrival: Arrival = scope[SCOPE_KEY]
    return arrival
