"""The application with no server around it: what comes in and goes out, message by message."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from fastapi import FastAPI

from bpdemo.assembly.app import create_app
from bpdemo.core.settings import Settings
from tests.support.waiting import PATIENCE_S, until

ORDER = {"item_id": 1, "quantity": 1}
BODY = b'{"item_id":1,"quantity":1}'
#: A payment takes no time, a job that is stuck is not waited for.
QUICK = {"payment_latency_s": 0.0, "store_latency_s": 0.0, "drain_timeout_s": 0.0, "seed": 1}
#: One worker whose job never ends, and no queue behind it once it has one.
STUCK = {
    "workers": 1,
    "payment_latency_s": 3600.0,
    "attempt_timeout_s": 0.0,
    "request_timeout_s": 0.0,
    "queue_capacity": 0,
}
LOOPBACK = ("127.0.0.1", 50_000)


@dataclass
class Answer:
    """What the application said; `status` None: nothing."""

    status: int | None = None
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    ended: bool = False

    def __getitem__(self, name: str) -> str | None:
        """The header of that name; two of them are a fault."""
        values = [v.decode() for n, v in self.headers if n.decode().lower() == name.lower()]
        assert len(values) < 2, (name, values)
        return values[0] if values else None

    def json(self) -> Any:
        return json.loads(self.body)


class Call:
    """One request, sent piece by piece as ASGI messages. `hang_up` ends it from outside."""

    def __init__(
        self,
        app: Callable[..., Awaitable[None]],
        method: str,
        path: str,
        *,
        headers: Iterable[tuple[bytes, bytes]] = (),
        body: bytes | None = b"",
        query: bytes = b"",
        peer: tuple[str, int] | None = LOOPBACK,
        **scope: Any,
    ) -> None:
        """`body` None: it is on its way, see `send`."""
        self.answer = Answer()
        self._inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        if body is not None:
            self.send(body, more=False)
        self.scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query,
            "headers": [(b"host", b"127.0.0.1:8000"), *headers],
            "client": peer,
            "server": ("127.0.0.1", 8000),
        } | scope
        self.task = asyncio.ensure_future(app(self.scope, self._inbox.get, self._take))

    def send(self, body: bytes, *, more: bool) -> None:
        self._inbox.put_nowait({"type": "http.request", "body": body, "more_body": more})

    def hang_up(self) -> None:
        self._inbox.put_nowait({"type": "http.disconnect"})

    async def __call__(self) -> Answer:
        """The answer, when it is complete."""
        await asyncio.wait_for(self.task, PATIENCE_S)
        return self.answer

    async def _take(self, message: dict[str, Any]) -> None:
        answer = self.answer
        if message["type"] == "http.response.start":
            assert answer.status is None, "an answer begins once"
            answer.status, answer.headers = message["status"], list(message["headers"])
        else:
            assert answer.status is not None, "a body comes after its head"
            assert not answer.ended, "an answer ends once"
            answer.body += message.get("body", b"")
            answer.ended = not message.get("more_body", False)


class Service:
    """A service that runs in the test's own loop."""

    def __init__(self, app: FastAPI, client: httpx.AsyncClient, log: io.StringIO) -> None:
        self.app = app
        self.client = client
        self.log = log
        self.assembly = app.state.assembly
        self.office = app.state.assembly.office

    def call(self, method: str, path: str, **kwargs: Any) -> Call:
        return Call(self.app, method, path, **kwargs)

    def order(self, *headers: tuple[bytes, bytes], body: bytes | None = BODY) -> Call:
        return self.call("POST", "/orders", headers=headers, body=body)

    @property
    def books(self) -> dict[str, int]:
        return self.office.stats()["books"]

    @property
    def in_flight(self) -> int:
        return self.office.in_flight

    def turn(self, **knobs: Any) -> None:
        self.assembly.turn(knobs)

    async def fill(self) -> Call:
        """Occupy the only worker of a stuck service."""
        call = self.order()
        await until(lambda: self.books["running"] == 1, "the worker has taken the order")
        return call

    def assert_at_rest(self) -> None:
        """Nobody is inside any more, and nothing was forgotten in the books."""
        assert self.in_flight == 0
        assert self.office.intake.books.balanced
        assert {name: self.books[name] for name in ("waiting", "queued", "running")} == {
            "waiting": 0,
            "queued": 0,
            "running": 0,
        }


@asynccontextmanager
async def running(**knobs: Any) -> AsyncIterator[Service]:
    """A service with those settings, started, and stopped at the end."""
    log = io.StringIO()
    app = create_app(Settings(**(QUICK | knobs)), log_stream=log)
    transport = httpx.ASGITransport(app=app, client=LOOPBACK)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client,
    ):
        service = Service(app, client, log)
        yield service
        await service.office.drain(0.0, finish_s=0.0)  # what is stuck is not waited for


def assert_problem(
    answer: Any, status: int, reason: str, field: str | None = None
) -> dict[str, Any]:
    """The answer is that problem, in full shape; `answer` is an `Answer` or httpx's response."""
    if isinstance(answer, Answer):
        got, headers, body = answer.status, answer.__getitem__, answer.json()
    else:
        got, headers, body = answer.status_code, answer.headers.get, answer.json()
    assert (got, body.get("reason")) == (status, reason), body
    assert headers("content-type") == "application/problem+json"
    wanted = {"type", "title", "status", "detail", "reason"} | ({"field"} if field else set())
    assert set(body) == wanted
    assert body["status"] == status
    assert body["type"] == f"urn:bpdemo:problem:{reason}"
    assert body["title"]
    assert body["detail"]
    assert body.get("field") == field
    retry_after = headers("retry-after")
    assert (retry_after is not None) == (status in (429, 503))
    if retry_after is not None:
        assert retry_after == str(int(retry_after))
        assert 1 <= int(retry_after) <= 35  # 30, and for an open circuit what is left of it
    assert headers("x-request-id")
    return body
