"""What routes tell the OpenAPI document of their problems."""

from typing import Any

from pydantic import BaseModel

from bpdemo.api.problems import PROBLEMS
from bpdemo.api.schemas import ProblemOut

_SCHEMA = ProblemOut.model_json_schema()
_RETRY_AFTER = {"Retry-After": {"schema": {"type": "integer", "minimum": 1}}}


Responses = dict[int | str, dict[str, Any]]


def answers(model: type[BaseModel], *statuses: int) -> Responses:
    """`responses=` entries: `model` where all goes well, and problems with those statuses."""
    return {200: {"model": model}, **problems(*statuses)}


def problems(*statuses: int) -> Responses:
    """Entries for those statuses, each with the reasons it may have."""
    return {status: _describe(status) for status in statuses}


def _describe(status: int) -> dict[str, Any]:
    reasons = [reason for reason, (code, _) in PROBLEMS.items() if code == status]
    entry: dict[str, Any] = {
        "description": "Reason: " + ", ".join(reasons),
        "content": {"application/problem+json": {"schema": _SCHEMA}},
    }
    if status in (429, 503):
        entry["headers"] = _RETRY_AFTER
    return entry
