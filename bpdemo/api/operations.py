"""The routes for those who run the service: health, metrics, figures, knobs. Never limited."""

from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any, Protocol

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from bpdemo.api import paths
from bpdemo.api.admin import authorize
from bpdemo.api.arrival import CROWD_KEY, arrival_of
from bpdemo.api.body import parse_object, read_body
from bpdemo.api.connection.open_connections import OpenConnections
from bpdemo.api.documented import Responses, answers
from bpdemo.api.replies import json_reply
from bpdemo.api.schemas import HealthOut, ReadyOut, SettingsOut, StatsOut, knobs_schema
from bpdemo.core.errors import Draining
from bpdemo.core.settings import Settings, describe
from bpdemo.service.box_office import BoxOffice

_EXPOSITION: Responses = {
    200: {
        "content": {
            kind: {"schema": {"type": "string"}}
            for kind in ("text/plain", "application/openmetrics-text")
        }
    }
}


class Controls(Protocol):
    """The running service's settings, and the way to turn its knobs."""

    @property
    def settings(self) -> Settings: ...

    def turn(self, knobs: Mapping[str, Any]) -> None:
        """All of them or none. Raises `SettingsInvalid`."""
        ...


def operations_router(
    office: BoxOffice,
    controls: Controls,
    render_metrics: Callable[[str], tuple[bytes, str]],
) -> APIRouter:
    router = APIRouter(tags=["operations"])
    page = files("bpdemo.api").joinpath("static/index.html").read_text("utf-8")

    @router.get(paths.PAGE, response_class=HTMLResponse, summary="A small live page.")
    async def live_page() -> Response:
        return HTMLResponse(page)

    @router.get(paths.HEALTHZ, responses=answers(HealthOut), summary="The process is alive.")
    async def healthz() -> Response:
        return json_reply({"status": "alive"})

    @router.get(paths.READYZ, responses=answers(ReadyOut, 503), summary="May traffic be sent here?")
    async def readyz() -> Response:
        # A store that all replicas share must not take all of them out of service at once: its
        # outage stands in the body, and orders are refused one by one.
        if office.state != "open":
            raise Draining
        return json_reply({"status": "ready", "breakers": dict(office.breaker_states())})

    @router.get(
        paths.METRICS,
        response_class=Response,
        responses=_EXPOSITION,
        summary="For Prometheus; OpenMetrics when asked for.",
    )
    async def metrics(request: Request) -> Response:
        body, content_type = render_metrics(request.headers.get("accept", ""))
        return Response(body, headers={"content-type": content_type})

    @router.get(paths.STATS, responses=answers(StatsOut), summary="The books, and how it stands.")
    async def stats(request: Request) -> Response:
        crowd: OpenConnections | None = request.scope.get(CROWD_KEY)
        return json_reply(office.stats() | ({"connections": crowd.figures()} if crowd else {}))

    @router.get(
        paths.SETTINGS,
        responses=answers(SettingsOut),
        summary="Every knob with its unit, range and meaning.",
    )
    async def get_settings() -> Response:
        return json_reply({"settings": describe(controls.settings)})

    @router.patch(
        paths.SETTINGS,
        responses=answers(SettingsOut, 403, 408, 413, 422),
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": knobs_schema(),
                        "example": {"queue_capacity": 50},
                    }
                },
            }
        },
        summary="Turn live knobs: all of them or none.",
    )
    async def patch_settings(request: Request) -> Response:
        authorize(request, controls.settings.admin_token)
        arrival = arrival_of(request.scope)
        limit_bytes = controls.settings.max_body_bytes
        knobs = parse_object(await read_body(arrival, request.receive, limit_bytes))
        controls.turn(knobs)
        return json_reply({"settings": describe(controls.settings)})

    return router
