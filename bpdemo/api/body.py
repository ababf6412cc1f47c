"""Reading a body that may be slow, endless or no JSON at all."""

import asyncio
import json
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.types import Receive

from bpdemo.api.arrival import Arrival
from bpdemo.api.errors import CallerGone, ReadTimeout, TooLarge
from bpdemo.core.errors import InvalidRequest

M = TypeVar("M", bound=BaseModel)


async def read_body(arrival: Arrival, receive: Receive, limit_bytes: int) -> bytes:
    """The whole body.

    Raises `TooLarge` without reading on, `ReadTimeout` when it is not complete by
    `arrival.body_due_s`, and `CallerGone`.
    """
    if arrival.declared_bytes > limit_bytes:
        raise TooLarge(limit_bytes)
    try:
        async with asyncio.timeout_at(arrival.body_due_s):
            body = await _read_all(receive, limit_bytes)
    except TimeoutError as error:
        arrival.body_late = True
        raise ReadTimeout from error
    arrival.body_read = True
    return body


async def _read_all(receive: Receive, limit_bytes: int) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise CallerGone
        body += message.get("body", b"")
        if len(body) > limit_bytes:
            raise TooLarge(limit_bytes)
        if not message.get("more_body", False):
            return bytes(body)


def parse_as(model: type[M], body: bytes) -> M:
    """The body as that model. Raises `InvalidRequest` that names the field."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(str(part) for part in fault["loc"]) or "body"
        raise InvalidRequest(field, fault["msg"]) from error


def parse_object(body: bytes) -> dict[str, Any]:
    """The body as a JSON object. Raises `InvalidRequest`."""
    try:
        parsed = json.loads(body.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest("body", "is not JSON") from error
    if not isinstance(parsed, dict):
        raise InvalidRequest("body", "is not a JSON object")
    return parsed


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")
