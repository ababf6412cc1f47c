"""What the span of a request tells, in the names of OpenTelemetry's semantic conventions.

Jaeger, Grafana and the rest look for these. The names are written out: the package that has them as
constants belongs to the SDK, which is loaded only by those who want spans.
"""

from __future__ import annotations

import re
from typing import Final

from starlette.types import Scope

from bpdemo.api.arrival import Arrival
from bpdemo.telemetry.traces import Attribute, Carried, EdgeSpan

METHODS: Final = frozenset(
    (
        *("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"),
        "QUERY",
    )
)
OTHER_METHOD: Final = "_OTHER"
#: A path of ours. Another one is text of a caller's, which no span of ours repeats.
PLAIN_PATH: Final = re.compile(r"[A-Za-z0-9/._~-]{1,256}")
LONGEST_HEADER_BYTES: Final = 8192


def request_attributes(arrival: Arrival, scope: Scope) -> dict[str, Attribute]:
    """What is known when the request has come."""
    known = arrival.method in METHODS
    told: dict[str, Attribute] = {
        "request_id": arrival.request_id,
        "http.request.method": arrival.method if known else OTHER_METHOD,
        "http.route": arrival.route.template,
        "url.scheme": scope.get("scheme", "http"),
        "network.protocol.version": scope.get("http_version", "1.1"),
    }
    if PLAIN_PATH.fullmatch(scope["path"]):
        told["url.path"] = scope["path"]
    if server := scope.get("server"):
        told |= {"server.address": server[0], "server.port": server[1]}
    if client := scope.get("client"):
        told["client.address"] = client[0]
    return told


def span_name(arrival: Arrival) -> str:
    """Few and known, whatever a caller sends."""
    method = arrival.method if arrival.method in METHODS else "HTTP"
    return f"{method} {arrival.route.template}"


def tell_answer(span: EdgeSpan, status: int, reason: str | None) -> None:
    """What only the answer tells. A 5xx is an error of ours; a 4xx is the caller's, and none."""
    # By its short name too, which the frames of the lessons show as `http_status`.
    span.note(**{"http.response.status_code": status, "status": status})
    if reason is not None:
        span.note(**{"bpdemo.reason": reason})
    if status >= 500:
        span.fail(reason or str(status))


def carried_by(arrival: Arrival) -> Carried:
    """What the caller's own tracing sends along besides its place in the trace."""
    found = {b"tracestate": "", b"baggage": ""}
    for name, value in arrival.headers:
        if name in found and len(found[name]) + len(value) < LONGEST_HEADER_BYTES:
            text = value.decode("latin-1")
            found[name] = f"{found[name]},{text}" if found[name] else text
    return Carried(found[b"tracestate"], found[b"baggage"])
