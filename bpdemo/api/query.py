"""Whole numbers from the query string."""

import re

from fastapi import Request

from bpdemo.core.errors import InvalidRequest

_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")


def read_query(request: Request, name: str, *, default: int, low: int, high: int) -> int:
    """The parameter, or its default where it is not given. Raises `InvalidRequest`."""
    values = request.query_params.getlist(name)
    if not values:
        return default
    if len(values) > 1:
        raise InvalidRequest(name, "is given twice")
    if not _WHOLE.fullmatch(values[0]) or not low <= int(values[0]) <= high:
        raise InvalidRequest(name, f"is not a whole number from {low} to {high}")
    return int(values[0])
