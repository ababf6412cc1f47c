"""The verdict on a request by its head alone, before there is anything to serve.

    draining → method → client share → edge limit → (POST /orders) circuit, queue, time → inside

All but the method is asked in `bpdemo.service.entrance`, which the simulation comes through too.
Our own connection asks for it as soon as a head has come, and can say no in one breath; behind any
other server the door asks. Either way it is asked once, and every request is measured and has an
id.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from random import Random

from starlette.types import Scope

from bpdemo.api.arrival import ARRIVED_KEY, LET_IN_KEY, Arrival
from bpdemo.api.errors import MethodNotAllowed
from bpdemo.api.headers import read_kindly
from bpdemo.api.problems import Headers, Problem, Problems
from bpdemo.api.routing import RoutingTable
from bpdemo.core.errors import BoxOfficeError, Refused
from bpdemo.core.events import RequestAnswered
from bpdemo.core.ports import Observer
from bpdemo.core.ranges import require_count, require_number
from bpdemo.service.box_office import BoxOffice
from bpdemo.service.entrance import Entrance, share_of
from bpdemo.service.order_job import Caller
from bpdemo.telemetry.traces import ServiceTracer

#: What nginx logs when the caller left before the answer.
CLIENT_CLOSED = 499


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorPolicy:
    """`read_timeout_s` (0: none) is for the whole request; longer bodies are not read."""

    read_timeout_s: float
    max_body_bytes: int

    def __post_init__(self) -> None:
        require_number("read_timeout_s", self.read_timeout_s)
        require_count("max_body_bytes", self.max_body_bytes)


class Admission:
    """Lets requests in; see the module."""

    def __init__(
        self,
        *,
        policy: DoorPolicy,
        routes: RoutingTable,
        office: BoxOffice,
        problems: Problems,
        observer: Observer,
        tracer: ServiceTracer,
        clock: Callable[[], float],
        rng: Random,
    ) -> None:
        self._policy = policy
        self._find_route = routes.find_in
        self._office = office
        self._entrance = Entrance(office)
        self._problems = problems
        self._observer = observer
        self._tracer = tracer
        self._clock = clock
        self._id_prefix = f"{rng.getrandbits(48):012x}"
        self._ids = count(1)
        self._is_one_ahead = False  # let in by a verdict, and not yet at the door

    def verdict(self, head: Scope) -> Problem | None:
        """The no, if it is one, booked and measured: it must be said. Else the application must be
        asked, and may find in the head that the request is inside.

        Of all whose heads come in one turn of the loop one is let in here. It has its place only
        when the application has read it: those behind it would be let in to the same place, to be
        read for nothing.
        """
        if self._tracer.is_on:
            return None  # the door draws the span of a no as well
        if self._is_one_ahead:
            return None  # the door asks about this one, in its turn
        arrival = self.arrival_of(head)
        try:
            self.let_in(arrival, head)
        except (Refused, MethodNotAllowed) as error:
            problem = self.no(arrival, error)
            self.measure(arrival)
            return problem
        head[LET_IN_KEY] = arrival
        self._is_one_ahead = arrival.stay is not None
        return None

    def let_in_before(self, head: Scope) -> Arrival | None:
        """The request begins: what the verdict made of it, if it let it in."""
        arrival: Arrival | None = head.pop(LET_IN_KEY, None)
        if arrival is not None and arrival.stay is not None:
            self._is_one_ahead = False
        return arrival

    def arrival_of(self, head: Scope) -> Arrival:
        arrived_s = head.get(ARRIVED_KEY) or self._clock()
        request_id = f"{self._id_prefix}-{next(self._ids):x}"
        return Arrival(head, self._find_route(head), request_id, arrived_s)

    def let_in(self, arrival: Arrival, head: Scope) -> None:
        """Raises `Refused` and `MethodNotAllowed`. Otherwise it is inside: `leave` it once."""
        route = arrival.route
        if not route.limited:
            self._check_method(arrival)
            return
        is_order = route.takes_orders and arrival.method == "POST"
        self._entrance.check_open(arrival.request_id, is_order=is_order)
        self._check_method(arrival)
        wishes = arrival.wishes = read_kindly(arrival.headers)
        stay = self._entrance.enter(
            arrival.request_id,
            _client(arrival, head),
            arrival.arrived_s,
            wishes.client_timeout_s,
            wishes.priority,
            is_order=is_order,
        )
        arrival.stay, arrival.deadline, arrival.caller = stay, stay.deadline, stay.caller

    def leave(self, arrival: Arrival) -> None:
        """The request is over, and was answered or not."""
        if arrival.stay is not None:
            arrival.stay.end(arrival.status, arrival.reason)

    def no(self, arrival: Arrival, error: BaseException) -> Problem:
        """The whole answer to a request that ends with that error."""
        arrival.reason = error.reason if isinstance(error, BoxOfficeError) else "internal_error"
        problem = self._problems.of(error)
        self.complete(arrival, problem.status, problem.headers)
        return problem._replace(body=b"") if arrival.method == "HEAD" else problem

    def complete(self, arrival: Arrival, status: int, headers: Headers) -> None:
        """Add to an answer's headers what every answer of ours says."""
        arrival.status = status
        headers.append((b"x-request-id", arrival.request_id.encode()))
        if arrival.caller is not None and arrival.caller.was_admitted:
            headers.append((b"server-timing", _server_timing(arrival.caller)))
        draining = arrival.route.limited and self._office.state != "open"
        if draining or arrival.must_close(self._policy.max_body_bytes):
            headers.append((b"connection", b"close"))

    def measure(self, arrival: Arrival) -> None:
        """To be asked once of every arrival, at its end."""
        status = arrival.status or CLIENT_CLOSED
        duration_s = self._clock() - arrival.arrived_s
        self._observer.observe(
            RequestAnswered(
                arrival.method, arrival.route.template, status, duration_s, arrival.trace_id
            )
        )

    def _check_method(self, arrival: Arrival) -> None:
        methods = arrival.route.methods
        if methods and arrival.method not in methods:
            raise MethodNotAllowed(arrival.route.allow)


def _server_timing(caller: Caller) -> bytes:
    queue_ms, service_ms = caller.queue_s * 1000, caller.service_s * 1000
    return b"queue;dur=%.1f, service;dur=%.1f" % (queue_ms, service_ms)


def _client(arrival: Arrival, head: Scope) -> str:
    peer = head.get("client")
    return share_of(arrival.wishes.client, peer[0] if peer else None)
