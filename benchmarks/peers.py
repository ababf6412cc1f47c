"""The peers as servers: each sells tickets behind `POST /orders` as its own documentation shows.

All of them are FastAPI routes with the same model, the same answer and the same work, 40 ms on one
of `WORKERS` workers; what differs is what they do when more come than can be served.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

import structlog
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field

from bpdemo.protect import AdmissionControl

WORKERS, ROOM, SERVICE_S = 2, 8, 0.04


class OrderIn(BaseModel):
    item_id: int = Field(ge=1)
    quantity: int = Field(ge=1, le=100)


class OrderOut(BaseModel):
    id: str
    item_id: int
    quantity: int
    amount_cents: int
    status: str
    created_at: str


def sold(order: OrderIn) -> OrderOut:
    return OrderOut(
        id="3a1f9a52-6c2e-4f6e-9d31-1f0a53c7a001",
        item_id=order.item_id,
        quantity=order.quantity,
        amount_cents=4500 * order.quantity,
        status="confirmed",
        created_at="2030-01-01T00:00:00+00:00",
    )


def semaphore() -> FastAPI:
    """Two at a time, and everybody else waits: what most services do."""
    app, workers = FastAPI(), asyncio.Semaphore(WORKERS)

    @app.post("/orders", status_code=201)
    async def place_order(order: OrderIn) -> OrderOut:
        async with workers:
            await asyncio.sleep(SERVICE_S)
        return sold(order)

    return app


def bulkhead() -> FastAPI:
    """A hyx bulkhead: two at a time, eight wait, the others get a 503."""
    from hyx.bulkhead import bulkhead as make_bulkhead
    from hyx.bulkhead.exceptions import BulkheadFull

    app, limit = FastAPI(), make_bulkhead(max_concurrency=WORKERS, max_capacity=WORKERS + ROOM)

    @app.post("/orders", status_code=201)
    async def place_order(order: OrderIn) -> OrderOut:
        try:
            async with limit:
                await asyncio.sleep(SERVICE_S)
        except BulkheadFull:
            raise HTTPException(503, "full") from None
        return sold(order)

    return app


def admission() -> FastAPI:
    """What one takes home from the workshop, in its one line."""
    app = FastAPI()

    @app.post("/orders", status_code=201)
    async def place_order(order: OrderIn) -> OrderOut:
        await asyncio.sleep(SERVICE_S)
        return sold(order)

    app.add_middleware(AdmissionControl, concurrency=WORKERS, queue_capacity=ROOM)
    return app


def admission_full() -> FastAPI:
    """The same with one place, which anyone who comes first keeps."""
    app = FastAPI()

    @app.post("/orders", status_code=201)
    async def place_order() -> None:
        await asyncio.Event().wait()

    app.add_middleware(AdmissionControl, concurrency=1, queue_capacity=0)
    return app


def admission_orders() -> FastAPI:
    """A route that does no work, behind a limit that lets everybody in."""
    app = bare_orders()
    app.add_middleware(AdmissionControl, concurrency=64)
    return app


def bare_orders() -> FastAPI:
    """A route that does no work at all."""
    app = FastAPI()

    @app.post("/orders", status_code=201)
    async def place_order(order: OrderIn) -> OrderOut:
        return sold(order)

    return app


def logged_orders() -> FastAPI:
    """The same, with the one line per order that a service in production writes."""
    app = FastAPI()
    log = structlog.wrap_logger(
        structlog.WriteLogger(sys.stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.JSONRenderer(),
        ],
    ).bind()

    @app.post("/orders", status_code=201)
    async def place_order(order: OrderIn) -> OrderOut:
        answer = sold(order)
        log.info("order", outcome="success", order_id=answer.id, item_id=answer.item_id)
        return answer

    return app


def hello() -> FastAPI:
    """What every tutorial begins with."""
    app = FastAPI()

    @app.post("/orders")
    async def say_hello() -> dict[str, str]:
        return {"message": "Hello World"}

    return app


NO = json.dumps({"title": "The queue is full", "status": 503}).encode()


async def bare_no(scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG001
    """The limit: an ASGI function that does nothing but answer 503."""
    if scope["type"] != "http":
        return
    head = [(b"content-type", b"application/problem+json"), (b"retry-after", b"1")]
    head.append((b"content-length", str(len(NO)).encode()))
    await send({"type": "http.response.start", "status": 503, "headers": head})
    await send({"type": "http.response.body", "body": NO})


def granian_app() -> FastAPI:
    return semaphore()


def serve_with_uvicorn(name: str, port: int, limit: int | None) -> None:
    """The same event loop and parser as ours, and no access log."""
    import uvicorn

    app = bare_no if name == "bare_no" else globals()[name]()
    uvicorn.run(
        app, host="127.0.0.1", port=port, loop="asyncio", http="httptools", ws="none",
        log_level="error", access_log=False, lifespan="off", backlog=2048,
        limit_concurrency=limit,
    )  # fmt: skip


def serve_with_granian(port: int) -> None:
    os.execv(
        sys.executable,
        [
            sys.executable, "-m", "granian", "--interface", "asgi", "--host", "127.0.0.1",
            "--port", str(port), "--loop", "asyncio", "--log-level", "error", "--no-ws",
            "--backpressure", str(WORKERS + ROOM), "--factory", "benchmarks.peers:granian_app",
        ],
    )  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1] == "granian":
        serve_with_granian(int(sys.argv[2]))
    else:
        serve_with_uvicorn(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) or None)
