"""What an answer means to the crowd: its status, its reason, and when to come back."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

from bpdemo.plan.fates import CALLER_LEFT, NO_CONNECTION, is_order_answered


class ClientTimedOut(OSError):
    """The client timed out; the connection is closed under the server."""


def pick(mix: tuple[tuple[str, float], ...], chance: random.Random) -> str:
    """One label of a weighted mix; empty when there is no mix."""
    if not mix:
        return ""
    return chance.choices([label for label, _ in mix], [weight for _, weight in mix])[0]


def judge(
    response: Any, is_expected: Callable[[int], bool] = is_order_answered
) -> tuple[int, str, float | None]:
    """Status, reason and Retry-After of an answer; books it in Locust's statistics too."""
    status = response.status_code
    if status == NO_CONNECTION:
        error, response.error = response.error, None
        left = isinstance(error, ClientTimedOut)
        status, reason = (CALLER_LEFT, "caller_left") if left else (status, "no_connection")
        # Its traceback holds the response, and the response held it: garbage by the thousand.
        error.__traceback__ = None
        response.failure(reason)
        return status, reason, None
    if is_expected(status):
        response.success()
        return status, "", None
    reason = reason_in(response)
    response.failure(reason or f"status {status}")
    return status, reason, retry_after_in(response)


def reason_in(response: Any) -> str:
    # Not response.json(): for application/problem+json it guesses the encoding, for 1 ms.
    try:
        return str(json.loads(response.content).get("reason", ""))
    except (ValueError, AttributeError, TypeError):
        return ""


def retry_after_in(response: Any) -> float | None:
    try:
        return float(response.headers["Retry-After"])
    except (KeyError, ValueError, TypeError):
        return None
