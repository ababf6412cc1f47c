"""The real HTTP application in virtual time: door, routes and problems, with no server around it.

`HttpEdge` takes the requests of a simulated crowd as `bpdemo.sim.visit.Edge` does, but sends
each through the ASGI application, message by message, with the headers that the load generator
sends, and reads the answer as the load generator reads it.
"""

import asyncio
import io
import json
from collections.abc import Callable
from random import Random
from typing import Any

from fastapi import FastAPI

from bpdemo.api.admission import DoorPolicy
from bpdemo.api.application import make_application
from bpdemo.api.connection.hang_up import HANG_UP_KEY, HangUp
from bpdemo.assembly.office import Assembly
from bpdemo.core.ports import SilentObserver
from bpdemo.core.settings import Settings
from bpdemo.plan.plan import Plan
from bpdemo.plan.visits import Visit, headers_of
from bpdemo.sim.visit import LEFT, ON_THE_WAY_S, Answer
from bpdemo.telemetry.telemetry import Telemetry


def application(assembly: Assembly, settings: Settings, clock: Callable[[], float]) -> FastAPI:
    """The service's HTTP application, on any clock; its lifespan is the caller's affair."""
    telemetry = Telemetry(settings, clock, io.StringIO())
    return make_application(
        assembly.office,
        assembly,
        DoorPolicy(read_timeout_s=settings.read_timeout_s, max_body_bytes=settings.max_body_bytes),
        render_metrics=telemetry.metrics.render,
        observer=SilentObserver(),
        tracer=telemetry.tracer,
        log=telemetry.log,
        clock=clock,
        rng=Random(1),
        lifespan=None,
    )


class HttpEdge:
    """A connection for each request, which is closed when its customer leaves."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._serving: set[asyncio.Task[None]] = set()

    async def order(self, visit: Visit, plan: Plan, gives_up_s: float) -> Answer:
        body = json.dumps({"item_id": visit.item, "quantity": 1}).encode()
        headers = headers_of(visit, plan)
        return await self._ask("POST", "/orders", gives_up_s, body, headers)

    async def look(self, item_id: int, gives_up_s: float) -> Answer:
        return await self._ask("GET", f"/items/{item_id}", gives_up_s, b"", {})

    async def _ask(
        self, method: str, path: str, gives_up_s: float, body: bytes, headers: dict[str, str]
    ) -> Answer:
        loop = asyncio.get_running_loop()
        heard: asyncio.Future[Answer] = loop.create_future()
        line = HangUp()
        said: dict[str, Any] = {}

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            said.update(message)
            if message["type"] == "http.response.body" and not heard.done():
                heard.set_result(_read(said))

        def leave() -> None:
            if not heard.done():
                heard.set_result(LEFT)
                line.happen()

        timer = loop.call_at(gives_up_s - ON_THE_WAY_S, leave)
        scope = _scope(method, path, body, headers) | {HANG_UP_KEY: line}
        serving = loop.create_task(self._app(scope, receive, send))
        self._serving.add(serving)
        serving.add_done_callback(self._serving.discard)
        try:
            return await heard
        finally:
            timer.cancel()


def _scope(method: str, path: str, body: bytes, headers: dict[str, str]) -> dict[str, Any]:
    lines = [(name.lower().encode(), text.encode()) for name, text in headers.items()]
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": b"",
        "headers": [
            (b"host", b"127.0.0.1"), (b"content-length", str(len(body)).encode()), *lines
        ],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8000),
    }  # fmt: skip


def _read(said: dict[str, Any]) -> Answer:
    headers = {name.decode().lower(): value.decode() for name, value in said["headers"]}
    status = said["status"]
    if 200 <= status < 300 or status == 409:
        return Answer(status, source=headers.get("x-cache", ""))
    told = headers.get("retry-after")
    return Answer(status, json.loads(said["body"])["reason"], float(told) if told else None)
