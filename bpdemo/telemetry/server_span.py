"""What the span of a request tells, in the names of OpenTelemetry's semantic conventions.

Jaeger, Grafana and the rest look for these. The names are written out: the package that has them as
constants belongs to the SDK, which is loaded only by those who want spans.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

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
#: What may stand in a span of a name that a caller chose: of a host with its port, of a method.
PLAIN_AUTHORITY: Final = re.compile(
    r"(?:\[(?P<literal>[0-9A-Fa-f:.]{2,45})\]|(?P<name>[A-Za-z0-9._-]{1,253}))"
    r"(?::(?P<port>[0-9]{0,5}))?"
)
PLAIN_METHOD: Final = re.compile(r"[A-Za-z0-9_-]{1,32}")
#: Where a scheme is meant whose authority names no port.
PORTS: Final = {"http": 80, "https": 443}


def request_attributes(
    method: str, template: str, request_id: str, scope: Mapping[str, Any]
) -> dict[str, Attribute]:
    """What is known when the request has come; `scope` is ASGI's."""
    known = method in METHODS
    told: dict[str, Attribute] = {
        "request_id": request_id,
        "http.request.method": method if known else OTHER_METHOD,
        "http.route": template,
        "url.scheme": scope.get("scheme", "http"),
        "network.protocol.version": scope.get("http_version", "1.1"),
    }
    if PLAIN_PATH.fullmatch(scope["path"]):
        told["url.path"] = scope["path"]
    if not known and PLAIN_METHOD.fullmatch(method):
        told["http.request.method_original"] = method
    if server := _server(scope):
        told["server.address"] = server[0]
        if server[1] is not None:  # a socket of Unix has none
            told["server.port"] = server[1]
    if client := scope.get("client"):
        told["client.address"] = client[0]
    return told


def _server(scope: Mapping[str, Any]) -> tuple[str, int | None] | None:
    """The one that the caller asked for, by the request's authority; else where we listen.

    A server has put the authority of an absolute target in the place of the Host header.
    """
    for name, value in scope["headers"]:
        if name != b"host":
            continue
        authority = PLAIN_AUTHORITY.fullmatch(value.decode("latin-1"))
        if authority is None:
            break
        port = int(authority["port"] or PORTS.get(scope.get("scheme", "http"), 80))
        return authority["literal"] or authority["name"], port
    server: tuple[str, int | None] | None = scope.get("server")
    return server


def span_name(method: str, template: str) -> str:
    """Few and known, whatever a caller sends."""
    return f"{method if method in METHODS else 'HTTP'} {template}"


def tell_answer(span: EdgeSpan, status: int, reason: str | None) -> None:
    """What only the answer tells. A 5xx is an error of ours; a 4xx is the caller's, and none."""
    # By its short name too, which the frames of the lessons show as `http_status`.
    span.note(**{"http.response.status_code": status, "status": status})
    if reason is not None:
        span.note(**{"bpdemo.reason": reason})
    if status >= 500:
        span.fail(reason or str(status))


def carried_by(headers: Iterable[tuple[bytes, bytes]]) -> Carried:
    """What the caller's own tracing sends along besides its place in the trace."""
    found = {b"tracestate": "", b"baggage": ""}
    for name, value in headers:
        if name in found and len(found[name]) + len(value) < LONGEST_HEADER_BYTES:
            text = value.decode("latin-1")
            found[name] = f"{found[name]},{text}" if found[name] else text
    return Carried(found[b"tracestate"], found[b"baggage"])
