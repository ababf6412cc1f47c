"""What schemathesis cannot know from the document; loaded by its own process, not by ours."""

import hashlib
import json
from typing import Any

import schemathesis

ITEMS = 100
KEY = "Idempotency-Key"
KEY_LENGTH = 255


@schemathesis.hook
def before_call(context: Any, case: Any, **kwargs: Any) -> None:
    """Keep valid requests valid: that an item exists is no matter of its number's range."""
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    headers = case.headers or {}
    if headers.get("traceparent") == "0":  # where its combinations of headers ignore the pattern
        del headers["traceparent"]
    if isinstance(case.body, dict):
        for name, value in case.body.items():
            if isinstance(value, float) and value.is_integer():
                case.body[name] = int(
                    value
                )  # 8.0 is no whole number here, whatever JSON Schema says
    if case.operation.label == "PATCH /settings":
        _keep_in_step(case.body)
    if case.operation.label == "POST /orders":
        _keep_valid(case.body, headers)


def _keep_in_step(knobs: Any) -> None:
    """Of two knobs the first is at most the second: a rule between them, beyond JSON Schema."""
    for low, high, least in (
        ("codel_target_s", "codel_interval_s", 0),
        ("limit_min", "limit_max", 1),
    ):
        if isinstance(knobs, dict) and {low, high} & set(knobs):
            value = knobs.get(low, least)
            knobs[high] = max(value, knobs.get(high, value))
            knobs[low] = value


def _keep_valid(order: Any, headers: Any) -> None:
    if isinstance(order, dict):
        order["item_id"] = (order["item_id"] - 1) % ITEMS + 1
    if "respond-async" in headers.get("Prefer", ""):
        headers.setdefault(KEY, "a promise needs one")
    if KEY in headers:  # never used for another order
        mark = hashlib.sha256(json.dumps(order).encode()).hexdigest()[:16]
        headers[KEY] = headers[KEY][: KEY_LENGTH - len(mark)] + mark
