"""Behind a real server, with raw sockets: plain uvicorn, Starlette, FastAPI, mounts, middleware."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn
from fastapi import BackgroundTasks, FastAPI, Request
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from bpdemo.api.server import bind
from bpdemo.protect import AdmissionBooks, AdmissionControl, Rule
from tests.support.server import Wire
from tests.support.waiting import PATIENCE_S, eventually

pytestmark = pytest.mark.process

LONG_S = 60.0


class Shop:
    """Orders that are held until told otherwise, over a real server."""

    def __init__(self, http: str = "httptools") -> None:
        self.http = http
        self.bodies: list[bytes] = []
        self.control: Any = None
        self.loop: asyncio.AbstractEventLoop | None = None
        self._gate: asyncio.Event | None = None

    async def pass_gate(self) -> None:
        if self._gate is None:
            self.loop, self._gate = asyncio.get_running_loop(), asyncio.Event()
        await self._gate.wait()

    def open_gate(self) -> None:
        assert self.loop is not None
        assert self._gate is not None
        self.loop.call_soon_threadsafe(self._gate.set)

    async def order(self, request: Request) -> Response:
        await self.pass_gate()
        self.bodies.append(await request.body())
        return PlainTextResponse("ordered", 201)

    def protect(self, app: Any, **arguments: Any) -> AdmissionControl:
        """Wraps `app`, and keeps the middleware, whose books tell what happens inside."""
        limits: dict[str, Any] = {"concurrency": 1, "queue_capacity": 2, "queue_timeout_s": LONG_S}
        self.control = AdmissionControl(app, **(limits | arguments))
        return self.control

    @property
    def books(self) -> AdmissionBooks:
        books: AdmissionBooks = next(iter(self.control.books.values()))
        return books

    def when(self, **wanted: int) -> None:
        eventually(
            lambda: all(getattr(self.books, name) == count for name, count in wanted.items()),
            f"{wanted}, but {self.books}",
        )


@contextlib.contextmanager
def served(app: Any, http: str = "httptools") -> Iterator[int]:
    config = uvicorn.Config(app, http=http, ws="none", lifespan="auto", log_config=None)
    server, listener = uvicorn.Server(config), bind("127.0.0.1", 0)
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        eventually(lambda: server.started, "the server has started")
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(PATIENCE_S / 5)
        server.force_exit = True  # where a failed test has left requests inside
        thread.join(PATIENCE_S)
        assert not thread.is_alive(), "the server does not stop"


def sends(port: int, body: bytes = b"ticket", path: str = "/orders", **headers: str) -> Wire:
    wire = Wire(port)
    wire.request("POST", path, body, **headers)
    return wire


def starlette_app(shop: Shop) -> Starlette:
    return Starlette(routes=[Route("/orders", shop.order, methods=["POST"])])


@pytest.fixture(params=["httptools", "h11"])
def shop(request: pytest.FixtureRequest) -> Shop:
    return Shop(request.param)


def test_a_hang_up_while_waiting_gives_the_place_back_and_the_rest_are_served(shop: Shop) -> None:
    """Closed sockets, one with half a body under way; then everybody who stayed gets an answer."""
    with served(shop.protect(starlette_app(shop)), shop.http) as port, contextlib.ExitStack() as on:
        inside = on.enter_context(sends(port))
        shop.when(inside=1)
        gone = sends(port)
        halfway = Wire(port)
        halfway.send(b"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf")
        shop.when(waiting=2)
        refused = on.enter_context(sends(port)).reply()
        assert refused.status == 503
        assert refused.json()["reason"] == "queue_full"
        assert int(refused.headers["retry-after"]) >= 1
        gone.hang_up()
        halfway.hang_up()
        shop.when(waiting=0, left=2)
        waits = [on.enter_context(sends(port, b"%d" % n)) for n in range(2)]
        shop.when(waiting=2)
        shop.open_gate()
        assert [wire.reply().status for wire in (inside, *waits)] == [201, 201, 201]
        assert shop.bodies[0] == b"ticket"
        assert sorted(shop.bodies[1:]) == [b"0", b"1"]
        shop.when(inside=0, waiting=0, admitted=3, rejected=1, left=2, arrived=6)


CHUNKED = b"POST /orders HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"


def test_a_body_in_pieces_reaches_the_application_whole(shop: Shop) -> None:
    """Chunked: a part while waiting, a part that is awaited as the slot comes, the end after."""
    with (
        served(shop.protect(starlette_app(shop)), shop.http) as port,
        sends(port) as inside,
        Wire(port) as waits,
    ):
        shop.when(inside=1)
        waits.send(CHUNKED)
        shop.when(waiting=1)
        waits.send(b"4\r\ndefg\r\n")
        shop.open_gate()
        assert inside.reply().status == 201
        shop.when(waiting=0)
        waits.send(b"2\r\nhi\r\n0\r\n\r\n")
        assert waits.reply().status == 201
        assert shop.bodies[1] == b"abcdefghi"
        assert waits.ask("POST", "/orders", b"again").status == 201, "the connection is in step"


def test_a_large_body_waits_outside_and_arrives_whole(shop: Shop) -> None:
    """More than is read ahead: the server's flow control holds the rest back meanwhile."""
    body = bytes(range(256)) * 4096  # a mebibyte
    with (
        served(shop.protect(starlette_app(shop)), shop.http) as port,
        sends(port) as inside,
        Wire(port) as waits,
    ):
        shop.when(inside=1)
        sender = threading.Thread(target=waits.request, args=("POST", "/orders", body))
        sender.start()
        shop.when(waiting=1)
        shop.open_gate()
        assert inside.reply().status == 201
        assert waits.reply().status == 201
        sender.join(PATIENCE_S)
        assert shop.bodies[1] == body


EXPECTS = b"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"


def test_who_expects_a_word_before_the_body_gets_it_with_a_place_or_a_refusal_without(
    shop: Shop,
) -> None:
    """`Expect: 100-continue`: refused before the body, and the connection ends; asked for it as
    the wait begins; and a hang-up after that is heard."""
    with served(shop.protect(starlette_app(shop)), shop.http) as port, contextlib.ExitStack() as on:
        inside = on.enter_context(sends(port))
        shop.when(inside=1)
        waits, leaves, late = (on.enter_context(Wire(port)) for _ in range(3))
        waits.send(EXPECTS)
        assert waits.reply().status == 100
        leaves.send(EXPECTS)
        assert leaves.reply().status == 100
        shop.when(waiting=2)
        late.send(EXPECTS)
        refused = late.reply()
        assert (refused.status, refused.closes) == (503, True)
        assert late.is_closed()
        leaves.hang_up()
        shop.when(waiting=1, left=1)
        waits.send(b"hello")
        shop.open_gate()
        assert [inside.reply().status, waits.reply().status] == [201, 201]
        assert shop.bodies[1] == b"hello"


def test_a_refusal_leaves_the_connection_in_step(shop: Shop) -> None:
    """The body of a refused request is not taken for the next request."""
    app = shop.protect(starlette_app(shop), queue_capacity=0)
    with served(app, shop.http) as port, sends(port) as inside, Wire(port) as wire:
        shop.when(inside=1)
        for _ in range(3):
            assert wire.ask("POST", "/orders", b"GET /orders HTTP/1.1\r\n\r\n").status == 503
        shop.open_gate()
        assert inside.reply().status == 201
        assert wire.ask("POST", "/orders", b"ticket").status == 201


def test_fastapi_takes_it_in_one_line_and_keeps_its_health_check(shop: Shop) -> None:
    """`add_middleware` with paths; `/healthz` answers in the middle of the overload."""
    app = FastAPI()

    @app.post("/orders", status_code=201)
    async def place(request: Request) -> str:
        await shop.pass_gate()
        return (await request.body()).decode()

    @app.get("/healthz")
    async def healthz() -> str:
        return "alive"

    app.add_middleware(AdmissionControl, concurrency=1, queue_capacity=0, paths={"/healthz": None})
    with served(app, shop.http) as port, sends(port) as inside, Wire(port) as wire:
        eventually(lambda: shop.loop)
        assert wire.ask("POST", "/orders", b"x").status == 503
        assert wire.ask("GET", "/healthz").status == 200
        shop.open_gate()
        assert inside.reply().status == 201
        assert wire.ask("POST", "/orders", b"x").status == 201


def test_a_mounted_application_protects_its_own_paths(shop: Shop) -> None:
    """Two mounts, each with its own limit, and prefixes without the mount's."""
    rule = {"/orders": Rule(1, 0)}
    inner = shop.protect(starlette_app(shop), concurrency=None, paths=rule)
    other = AdmissionControl(starlette_app(shop), paths=rule)
    outer = Starlette(routes=[Mount("/a/b", inner), Mount("/c", other)])
    with (
        served(outer, shop.http) as port,
        sends(port, path="/a/b/orders") as inside,
        Wire(port) as wire,
    ):
        shop.when(inside=1)
        assert wire.ask("POST", "/a/b/orders", b"x").status == 503
        with sends(port, path="/c/orders") as beside:
            eventually(lambda: other.books["/orders"].inside == 1)
            shop.open_gate()
            assert [inside.reply().status, beside.reply().status] == [201, 201]


class Around(BaseHTTPMiddleware):
    """The middleware most people write."""

    async def dispatch(self, request: Any, call_next: Any) -> Any:
        answer = await call_next(request)
        answer.headers["x-around"] = str(answer.status_code)
        return answer


@pytest.mark.parametrize("outside", [True, False])
def test_base_http_middleware_may_stand_on_either_side(
    shop: Shop, outside: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Bodies, refusals and hang-ups go through it, and nothing is logged as an error."""
    app = starlette_app(shop)
    guarded: Any = Around(shop.protect(app)) if outside else shop.protect(Around(app))
    with served(guarded, shop.http) as port, contextlib.ExitStack() as on:
        inside = on.enter_context(sends(port))
        shop.when(inside=1)
        waits, gone = on.enter_context(sends(port, b"waited")), sends(port)
        shop.when(waiting=2)
        assert on.enter_context(sends(port)).reply().status == 503
        gone.hang_up()
        shop.when(waiting=1, left=1)
        shop.open_gate()
        assert [inside.reply().status, waits.reply().status] == [201, 201]
        assert shop.bodies == [b"ticket", b"waited"]
        shop.when(inside=0)
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_streams_and_background_tasks_hold_their_slot(shop: Shop) -> None:
    """The answer has begun, or is there in full; what runs on still counts."""
    app = FastAPI()

    async def chunks() -> Any:
        yield b"first"
        await shop.pass_gate()
        yield b"last"

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        return StreamingResponse(chunks(), headers={"content-length": "9"})

    @app.get("/background")
    async def background(tasks: BackgroundTasks) -> str:
        tasks.add_task(shop.pass_gate)
        return "done"

    for path in ("/stream", "/background"):
        shop = Shop(shop.http)
        with (
            served(shop.protect(app, queue_capacity=0), shop.http) as port,
            Wire(port) as first,
            Wire(port) as second,
        ):
            first.request("GET", path)
            assert first.hears_something(PATIENCE_S)
            shop.when(inside=1)
            assert second.ask("GET", path).status == 503
            eventually(lambda shop=shop: shop.loop)
            shop.open_gate()
            assert first.reply().status == 200
            shop.when(inside=0)


def test_an_application_that_fails_or_never_reads_gives_its_slot_back(shop: Shop) -> None:
    """Also where the request waited, and its body was read ahead for nobody."""

    async def fails(request: Request) -> Response:
        await shop.pass_gate()
        raise ZeroDivisionError

    async def deaf(request: Request) -> Response:
        await shop.pass_gate()
        return PlainTextResponse("ok")

    routes = [Route("/fails", fails, methods=["POST"]), Route("/deaf", deaf, methods=["POST"])]
    with served(shop.protect(Starlette(routes=routes)), shop.http) as port:
        with sends(port, path="/fails") as one, sends(port, path="/deaf") as two:
            shop.when(inside=1, waiting=1)
            shop.open_gate()
            assert sorted([one.reply().status, two.reply().status]) == [200, 500]
        shop.when(inside=0, waiting=0, admitted=2)
