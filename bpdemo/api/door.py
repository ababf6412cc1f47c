"""The door: pure ASGI, before routing, headers and body, since saying no must be far cheaper than
saying yes.

    draining → method → client share → edge limit → (POST /orders) circuit, queue, time → inside

All but the method is asked in `bpdemo.service.entrance`, which the simulation comes through too.
Only `/items…` and `/orders…` are limited: `/healthz`, `/metrics`, `/stats` and `/settings` answer
in the middle of an overload. Everything that enters is measured, has an id, and gets an answer.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from math import inf
from random import Random

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bpdemo.api.arrival import ARRIVED_KEY, READ_BY_KEY, SCOPE_KEY, Arrival
from bpdemo.api.errors import CallerGone, MethodNotAllowed
from bpdemo.api.headers import read_kindly
from bpdemo.api.problems import Headers, Problems
from bpdemo.api.routing import RoutingTable
from bpdemo.core.errors import BoxOfficeError, NotFound, Refused
from bpdemo.core.events import RequestAnswered
from bpdemo.core.ports import Observer
from bpdemo.core.ranges import require_count, require_number
from bpdemo.service.box_office import BoxOffice
from bpdemo.service.entrance import Entrance, Stay, share_of
from bpdemo.service.order_job import Caller
from bpdemo.telemetry.logs import Logger
from bpdemo.telemetry.server_span import (
    carried_by,
    request_attributes,
    span_name,
    tell_answer,
)
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


class Door:
    """Wraps the application; see the module."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        policy: DoorPolicy,
        routes: RoutingTable,
        office: BoxOffice,
        problems: Problems,
        observer: Observer,
        tracer: ServiceTracer,
        log: Logger,
        clock: Callable[[], float],
        rng: Random,
    ) -> None:
        self._app = app
        self._policy = policy
        self._find_route = routes.find_in
        self._office = office
        self._entrance = Entrance(office)
        self._problems = problems
        self._observer = observer
        self._tracer = tracer
        self._log = log
        self._clock = clock
        self._id_prefix = f"{rng.getrandbits(48):012x}"
        self._ids = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        arrived_s = scope.get(ARRIVED_KEY) or self._clock()
        arrival = Arrival(scope, self._find_route(scope), self._next_id(), arrived_s)
        try:
            stay = self._let_in(arrival, scope)
        except (Refused, MethodNotAllowed) as error:
            if self._tracer.is_on and arrival.route.limited:
                arrival.wishes = read_kindly(arrival.headers)
                with self._span(arrival, scope):
                    await self._say_no(arrival, error, send)
            else:
                await self._say_no(arrival, error, send)
        else:
            try:
                await self._go_in(arrival, scope, receive, send)
            finally:
                if stay is not None:
                    stay.end(arrival.status, arrival.reason)
        finally:
            self._measure(arrival)

    def _let_in(self, arrival: Arrival, scope: Scope) -> Stay | None:
        """The door's verdict; None for routes that are not limited."""
        route = arrival.route
        if not route.limited:
            self._check_method(arrival)
            return None
        is_order = route.takes_orders and arrival.method == "POST"
        self._entrance.check_open(arrival.request_id, is_order=is_order)
        self._check_method(arrival)
        wishes = arrival.wishes = read_kindly(arrival.headers)
        stay = self._entrance.enter(
            arrival.request_id,
            _client(arrival, scope),
            arrival.arrived_s,
            wishes.client_timeout_s,
            wishes.priority,
            is_order=is_order,
        )
        arrival.deadline, arrival.caller = stay.deadline, stay.caller
        return stay

    def _check_method(self, arrival: Arrival) -> None:
        methods = arrival.route.methods
        if methods and arrival.method not in methods:
            raise MethodNotAllowed(arrival.route.allow)

    async def _go_in(self, arrival: Arrival, scope: Scope, receive: Receive, send: Send) -> None:
        arrival.body_due_s = min(self._read_by_s(arrival, scope), arrival.deadline.at)
        scope[SCOPE_KEY] = arrival
        if arrival.method == "HEAD":
            # A copy: the server must still know that the answer to this has no body.
            scope = {**scope, "method": "GET"}
        if not arrival.route.limited or not self._tracer.is_on:
            await self._serve(arrival, scope, receive, send)
            return
        with self._span(arrival, scope):
            await self._serve(arrival, scope, receive, send)

    @contextmanager
    def _span(self, arrival: Arrival, scope: Scope) -> Iterator[None]:
        """Around a request and its answer."""
        method, template = arrival.method, arrival.route.template
        told = request_attributes(method, template, arrival.request_id, scope)
        name, carried = span_name(method, template), carried_by(arrival.headers)
        parent = arrival.wishes.traceparent
        with self._tracer.edge(name, parent, carried, **told) as span:
            arrival.trace_id = self._tracer.recorded_trace_id()
            yield
            tell_answer(span, arrival.status or CLIENT_CLOSED, arrival.reason)

    async def _serve(self, arrival: Arrival, scope: Scope, receive: Receive, send: Send) -> None:
        if not arrival.route.exists:
            await self._say_no(arrival, NotFound(), send)
            return
        try:
            await self._app(scope, receive, self._answering(arrival, send))
        except CallerGone:
            pass
        except BoxOfficeError as error:
            await self._say_no(arrival, error, send)
        except (asyncio.CancelledError, GeneratorExit):
            raise
        except BaseException as error:  # also what would end the process
            self._log.error("internal_error", request_id=arrival.request_id, exc_info=error)
            if arrival.status is not None:
                raise  # too late to say anything: the server must cut the connection
            await self._say_no(arrival, error, send)

    def _read_by_s(self, arrival: Arrival, scope: Scope) -> float:
        """The connection's word where it has one: its time began with the head."""
        read_by_s: float | None = scope.get(READ_BY_KEY)
        return read_by_s or arrival.arrived_s + (self._policy.read_timeout_s or inf)

    async def _say_no(self, arrival: Arrival, error: BaseException, send: Send) -> None:
        arrival.reason = error.reason if isinstance(error, BoxOfficeError) else "internal_error"
        status, headers, body = self._problems.of(error)
        self._complete(arrival, status, headers)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        body = b"" if arrival.method == "HEAD" else body
        await send({"type": "http.response.body", "body": body})

    def _answering(self, arrival: Arrival, send: Send) -> Send:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._complete(arrival, message["status"], message["headers"])
            elif arrival.method == "HEAD":
                message = {**message, "body": b""}
            await send(message)

        return answer

    def _complete(self, arrival: Arrival, status: int, headers: Headers) -> None:
        arrival.status = status
        headers.append((b"x-request-id", arrival.request_id.encode()))
        if arrival.caller is not None and arrival.caller.was_admitted:
            headers.append((b"server-timing", _server_timing(arrival.caller)))
        draining = arrival.route.limited and self._office.state != "open"
        if draining or arrival.must_close(self._policy.max_body_bytes):
            headers.append((b"connection", b"close"))

    def _measure(self, arrival: Arrival) -> None:
        status = arrival.status or CLIENT_CLOSED
        duration_s = self._clock() - arrival.arrived_s
        self._observer.observe(
            RequestAnswered(
                arrival.method, arrival.route.template, status, duration_s, arrival.trace_id
            )
        )

    def _next_id(self) -> str:
        return f"{self._id_prefix}-{next(self._ids):x}"


def _server_timing(caller: Caller) -> bytes:
    queue_ms, service_ms = caller.queue_s * 1000, caller.service_s * 1000
    return b"queue;dur=%.1f, service;dur=%.1f" % (queue_ms, service_ms)


def _client(arrival: Arrival, scope: Scope) -> str:
    peer = scope.get("client")
    return share_of(arrival.wishes.client, peer[0] if peer else None)
