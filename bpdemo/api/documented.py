"""What routes tell the OpenAPI document of their answers."""

from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from bpdemo.core.reasons import PROBLEMS

#: The problems' schema; `bpdemo.api.openapi` puts it into the document.
PROBLEM = "ProblemOut"
_RETRY_AFTER = {
    "Retry-After": {
        "description": "Seconds.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    }
}

Responses = dict[int | str, dict[str, Any]]


def answers(model: type[BaseModel], *statuses: int) -> Responses:
    """`responses=` entries: `model` where all goes well, and problems with those statuses."""
    return {200: {"model": model}, **problems(*statuses)}


def problems(*statuses: int) -> Responses:
    """Entries for those statuses, each with the reasons it may have."""
    return {status: _describe(status) for status in statuses}


def problem(status: int, reasons: Iterable[str], description: str) -> dict[str, Any]:
    """An entry: a problem with that status, and one of the reasons."""
    narrowed: dict[str, Any] = {
        "properties": {"status": {"const": status}, "reason": {"enum": list(reasons)}}
    }
    if status == 422:
        narrowed["required"] = ["field"]
    schema = {"allOf": [{"$ref": f"#/components/schemas/{PROBLEM}"}, narrowed]}
    entry: dict[str, Any] = {
        "description": description,
        "content": {"application/problem+json": {"schema": schema}},
    }
    if status in (429, 503):
        entry["headers"] = _RETRY_AFTER
    return entry


def _describe(status: int) -> dict[str, Any]:
    reasons = [reason for reason, (code, _) in PROBLEMS.items() if code == status]
    return problem(status, reasons, "Reason: " + ", ".join(reasons))
