"""Asking a service what it is, before a load is sent to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from bpdemo.plan.capacity import capacity_of

ANSWER_WITHIN_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class TargetFacts:
    """What a service tells of itself; one that is no box office tells nothing.

    `doubt` is a line on what it answered instead.
    """

    url: str
    capacity_per_s: float | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    doubt: str = ""


def ask_service(url: str) -> TargetFacts:
    """Look who answers at `url`. ValueError, in one line, if nobody does."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"url: {url!r} is not an address such as http://127.0.0.1:8000")
    try:
        # The load generator heeds no proxy variables either.
        with httpx.Client(base_url=url, trust_env=False, timeout=ANSWER_WITHIN_S) as client:
            answer = client.get("/settings")
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.InvalidURL) as error:
        why = str(error) or type(error).__name__
        raise ValueError(f"url: nothing answers at {url} ({why}); is the service up?") from None
    except httpx.HTTPError:
        return TargetFacts(url)  # somebody is there: how it answers is the load's business
    return _told(url, answer)


def _told(url: str, answer: httpx.Response) -> TargetFacts:
    try:
        settings = {name: knob["value"] for name, knob in answer.json()["settings"].items()}
        capacity_per_s = capacity_of(SimpleNamespace(**settings))
    except (ValueError, KeyError, TypeError, AttributeError):
        got = f"GET /settings: {answer.status_code}" + ", but no settings" * answer.is_success
        return TargetFacts(
            url, doubt=f"What answers at {url} is no box office, by its looks ({got})."
        )
    return TargetFacts(url, capacity_per_s, settings)
