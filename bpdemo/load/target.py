"""Asking a service what it is, before a load is sent to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from bpdemo.load.destination import USER_AGENT, Destination, destination_of

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


def ask_service(url: str, i_run_this_service: bool = False) -> TargetFacts:
    """Look who answers at `url`. ValueError, in one line, if nobody does, or if it is not on this
    machine and not `i_run_this_service`."""
    to = destination_of(url, i_run_this_service)
    try:
        with client_to(to, ANSWER_WITHIN_S) as client:
            answer = client.get("/settings")
            settings = _settings_in(answer)
            # What is no box office is not asked for more.
            stats = None if settings is None else client.get("/stats")
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.InvalidURL) as error:
        why = str(error) or type(error).__name__
        raise ValueError(f"url: nothing answers at {to.url} ({why}); is it up?") from None
    except httpx.HTTPError:
        return TargetFacts(to.url)  # somebody is there: how it answers is the load's business
    if settings is None or stats is None:
        return _doubted(to.url, "/settings", answer, "settings")
    try:
        capacity_per_s: float | None = stats.json()["nominal_capacity"]
    except (ValueError, KeyError, TypeError):
        return _doubted(to.url, "/stats", stats, "nominal capacity")
    return TargetFacts(to.url, capacity_per_s, settings)


def client_to(to: Destination, timeout_s: float) -> httpx.Client:
    """A client for single requests that connects to where the destination was found.

    It follows no redirect, and heeds no proxy variables: the load generator does neither.
    """
    return httpx.Client(
        base_url=to.url,
        transport=_Pinned(to),
        trust_env=False,
        timeout=timeout_s,
        headers={"User-Agent": USER_AGENT},
    )


class _Pinned(httpx.HTTPTransport):
    """Connects to the first address that answers; name and certificate stay the host's own."""

    def __init__(self, to: Destination) -> None:
        super().__init__(trust_env=False)
        self._host = to.host
        self._addresses = list(to.addresses)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url, headers = request.url, request.headers
        for place, address in enumerate(self._addresses):
            pinned = httpx.Request(
                request.method,
                url.copy_with(host=address),
                headers=headers,
                stream=request.stream,
                extensions=request.extensions | {"sni_hostname": self._host},
            )
            try:
                response = super().handle_request(pinned)
            except httpx.ConnectError:
                if place == len(self._addresses) - 1:
                    raise
                continue
            self._addresses = [address]
            return response
        raise httpx.ConnectError("there is no address to connect to")


def _settings_in(answer: httpx.Response) -> dict[str, Any] | None:
    try:
        return {name: knob["value"] for name, knob in answer.json()["settings"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _doubted(url: str, path: str, answer: httpx.Response, missing: str) -> TargetFacts:
    got = f"GET {path}: {answer.status_code}" + f", but no {missing}" * answer.is_success
    return TargetFacts(url, doubt=f"What answers at {url} is no box office, by its looks ({got}).")
