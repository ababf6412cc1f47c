"""The OpenAPI document: what holds for many operations is said once, and added to each of them."""

from collections.abc import Iterator
from typing import Any

from bpdemo.api import paths
from bpdemo.api.connection.messages import MAX_HEAD_BYTES, MAX_HEADERS
from bpdemo.api.documented import PROBLEM, Responses, problem
from bpdemo.api.routing import Route, RoutingTable
from bpdemo.api.schemas import ProblemOut
from bpdemo.core.client_timeout import LONGEST_TIMEOUT_MS

Document = dict[str, Any]

#: Said below the application, where a request has no id yet.
_OF_THE_WIRE: Responses = {
    400: problem(400, ("invalid_request",), "This is no HTTP request"),
    408: problem(408, ("read_timeout",), "The request did not arrive in time"),
    431: problem(
        431,
        ("invalid_request",),
        f"The head has over {MAX_HEAD_BYTES} bytes or {MAX_HEADERS} headers",
    ),
    501: problem(501, ("invalid_request",), "A transfer coding other than chunked"),
}
_OF_ALL: Responses = {**_OF_THE_WIRE, 500: problem(500, ("internal_error",), "A fault of ours")}

_REQUEST_ID = {
    "description": "Stands in the log, too.",
    "schema": {"type": "string", "pattern": "^[0-9a-f]{12}-[0-9a-f]+$"},
}
_SERVER_TIMING = {
    "description": "Milliseconds in the queue and with a worker, where there was a place.",
    "schema": {
        "type": "string",
        "pattern": r"^queue;dur=[0-9]+\.[0-9], service;dur=[0-9]+\.[0-9]$",
    },
}
# As they are read: without the white space around them.
_PRINTABLE = {"type": "string", "maxLength": 255, "pattern": "^[!-~]([ -~]*[!-~])?$"}


def _header(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "header", "description": description, "schema": schema}


_LIMITED_HEADERS = [
    _header("X-Client-Id", "Whose fair share this is; else the peer's address.", _PRINTABLE),
    _header(
        "X-Request-Timeout-Ms",
        "How long the caller will wait; request_timeout_s at most.",
        {"type": "integer", "minimum": 1, "maximum": LONGEST_TIMEOUT_MS},
    ),
    _header(
        "X-Priority",
        "From 0, low, to 3, critical.",
        {"type": "integer", "minimum": 0, "maximum": 3, "default": 1},
    ),
    _header(
        "traceparent",
        "W3C Trace Context.",
        {
            "type": "string",
            "pattern": "^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$",
            "not": {"pattern": "-0+-"},
            "examples": ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
        },
    ),
]
_ORDER_HEADERS = [
    _header(
        "Idempotency-Key",
        "An order with the same key and body is the same order; with another body a 422.",
        _PRINTABLE,
    ),
]
_BEARER = {"type": "http", "scheme": "bearer", "description": "The admin token."}


def complete(document: Document, routes: RoutingTable, *, needs_token: bool) -> Document:
    """FastAPI's document, with what it cannot know; `needs_token`: to change settings."""
    components = document.setdefault("components", {})
    components.setdefault("schemas", {})[PROBLEM] = ProblemOut.model_json_schema()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _complete(routes.find(path), method, operation)
    if needs_token:
        components["securitySchemes"] = {"adminToken": _BEARER}
        document["paths"][paths.SETTINGS]["patch"]["security"] = [{"adminToken": []}]
    return document


def _complete(route: Route, method: str, operation: Document) -> None:
    places_order = route.takes_orders and method == "post"
    if route.limited:
        wanted = [*_LIMITED_HEADERS, *(_ORDER_HEADERS if places_order else ())]
        operation.setdefault("parameters", []).extend(wanted)
    responses = operation["responses"]
    for status, entry in _OF_ALL.items():
        responses.setdefault(str(status), entry)
    for status, entry in responses.items():
        headers = dict(_headers_of(int(status), places_order))
        responses[status] = {**entry, "headers": entry.get("headers", {}) | headers}


def _headers_of(status: int, places_order: bool) -> Iterator[tuple[str, Document]]:
    if status not in _OF_THE_WIRE:
        yield "X-Request-Id", {**_REQUEST_ID, "required": True}
    if places_order:
        yield "Server-Timing", _SERVER_TIMING
