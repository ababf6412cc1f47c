"""The door: pure ASGI, around the application. Who has no verdict yet gets it here, before routing,
headers and body: saying no must be far cheaper than saying yes.

Only `/items…` and `/orders…` are limited: `/healthz`, `/metrics`, `/stats` and `/settings` answer
in the middle of an overload. Everything that enters is measured, has an id, and gets an answer.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bpdemo.api.admission import CLIENT_CLOSED, Admission, DoorPolicy
from bpdemo.api.arrival import READ_BY_KEY, SCOPE_KEY, Arrival
from bpdemo.api.errors import CallerGone, MethodNotAllowed
from bpdemo.api.headers import read_kindly
from bpdemo.core.errors import BoxOfficeError, NotFound, Refused
from bpdemo.telemetry.logs import Logger
from bpdemo.telemetry.server_span import (
    carried_by,
    request_attributes,
    span_name,
    tell_answer,
)
from bpdemo.telemetry.traces import ServiceTracer


class Door:
    """Wraps the application; see the module."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        admission: Admission,
        policy: DoorPolicy,
        tracer: ServiceTracer,
        log: Logger,
    ) -> None:
        self._app = app
        self._admission = admission
        self._policy = policy
        self._tracer = tracer
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        let_in = self._admission.let_in_before(scope)  # by the connection, where it can
        arrival = let_in or self._admission.arrival_of(scope)
        try:
            if let_in is None:
                self._admission.let_in(arrival, scope)
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
                self._admission.leave(arrival)
        finally:
            self._admission.measure(arrival)

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
        status, headers, body = self._admission.no(arrival, error)
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _answering(self, arrival: Arrival, send: Send) -> Send:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._admission.complete(arrival, message["status"], message["headers"])
            elif arrival.method == "HEAD":
                message = {**message, "body": b""}
            await send(message)

        return answer
