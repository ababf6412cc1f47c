"""A server and an application turned by hand: one request each, and every message remembered."""

import asyncio
import json
from collections import deque
from collections.abc import Mapping
from typing import Any

from bpdemo.protect import AdmissionControl, AdmissionEvent

DISCONNECT = {"type": "http.disconnect"}


def body_part(data: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": data, "more_body": more}


class Ears:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.events: list[AdmissionEvent] = []

    def observe(self, event: AdmissionEvent, /) -> None:
        self.events.append(event)

    def kinds(self) -> list[str]:
        return [type(event).__name__ for event in self.events]


class Request:
    """One request, as a server tells of it.

    Like a queue in a server, it says everything once: what is lost here is lost.
    """

    def __init__(
        self,
        path: str = "/orders",
        *,
        headers: Mapping[str, str] | None = None,
        method: str = "POST",
        root_path: str = "",
        **more: Any,
    ) -> None:
        self.scope: dict[str, Any] = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "path": path,
            "root_path": root_path,
            "headers": [
                (name.lower().encode(), value.encode()) for name, value in (headers or {}).items()
            ],
            **more,
        }
        self.said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.sent: list[dict[str, Any]] = []
        self.is_over = False
        self.error: BaseException | None = None

    def says(self, *messages: dict[str, Any]) -> None:
        for message in messages:
            self.said.put_nowait(message)

    def hangs_up(self) -> None:
        self.says(DISCONNECT)

    async def receive(self) -> dict[str, Any]:
        return await self.said.get()

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    async def run(self, app: Any) -> None:
        try:
            await app(self.scope, self.receive, self.send)
        except BaseException as error:
            self.error = error
            raise
        finally:
            self.is_over = True

    @property
    def status(self) -> int | None:
        starts = [m["status"] for m in self.sent if m["type"] == "http.response.start"]
        assert len(starts) <= 1
        return starts[0] if starts else None

    @property
    def headers(self) -> dict[str, str]:
        pairs = self.sent[0]["headers"]
        assert len(dict(pairs)) == len(pairs)
        return {name.decode(): value.decode() for name, value in pairs}

    @property
    def problem(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.sent[1]["body"])
        return told


class Application:
    """Answers when it is told to; remembers who is inside, in order."""

    def __init__(self) -> None:
        self.inside: dict[int, asyncio.Future[int]] = {}
        self.order: list[int] = []
        self.bodies: dict[int, bytes] = {}
        self.most_inside = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await send({"type": f"{scope['type']}.passed"})
            return
        key = id(scope)
        self.order.append(key)
        self.inside[key] = asyncio.get_running_loop().create_future()
        self.most_inside = max(self.most_inside, len(self.inside))
        try:
            status = await self.inside[key]
            if status == 500:
                raise ZeroDivisionError
            await send({"type": "http.response.start", "status": status, "headers": []})
            await send({"type": "http.response.body", "body": b""})
        finally:
            del self.inside[key]

    def has(self, request: Request) -> bool:
        return id(request.scope) in self.inside

    def answers(self, request: Request, status: int = 200) -> None:
        self.inside[id(request.scope)].set_result(status)


class Reader(Application):
    """Reads the whole body, or until the caller hangs up, before it does anything else."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        parts = deque[bytes]()
        while (message := await receive())["type"] == "http.request":
            parts.append(message["body"])
            if not message["more_body"]:
                break
        self.bodies[id(scope)] = b"".join(parts)
        await super().__call__(scope, receive, send)


def start(app: AdmissionControl, request: Request) -> "asyncio.Task[None]":
    return asyncio.get_running_loop().create_task(request.run(app))
