"""A naive FastAPI service, to stand behind a proxy that protects it: python -m benchmarks.naive …

    python -m benchmarks.naive PORT FILE '{"workers": 8, "payment_latency_s": 0.04, …}'

Its work is the box office's: payments drawn from the same distribution, then the store, on as many
workers. Everybody else waits, and what has been asked for is done even for those who have left. To
FILE it tapes how many workers are busy; `PATCH /settings` changes its latencies, as there.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from random import Random
from typing import Any

from fastapi import FastAPI

from benchmarks.peers import OrderIn, OrderOut, sold
from benchmarks.taped import Tape
from bpdemo.downstream.payment import PaymentPolicy


def naive(tape: Tape, knobs: dict[str, Any]) -> FastAPI:
    """`knobs` are named as the box office's: workers, seed, the latencies of payment and store and
    how payments are distributed."""
    app, workers = FastAPI(), asyncio.Semaphore(knobs["workers"])
    chance, busy = Random(knobs["seed"]), 0

    def draw_s() -> float:
        payment = PaymentPolicy(
            latency_s=knobs["payment_latency_s"], distribution=knobs["payment_latency_distribution"]
        )
        return payment.sampler(chance)() + float(knobs["store_latency_s"])

    @app.post("/orders", status_code=201)
    async def place_order(order: OrderIn) -> OrderOut:
        nonlocal busy
        async with workers:
            busy += 1
            tape.note(busy)
            try:
                await asyncio.sleep(draw_s())
            finally:
                busy -= 1
                tape.note(busy)
        return sold(order)

    @app.patch("/settings")
    async def turn(turned: dict[str, float]) -> dict[str, float]:
        knobs.update(turned)
        return turned

    return app


def main(port: str, path: str, knobs: str) -> None:
    import uvicorn

    uvicorn.run(
        naive(Tape(Path(path)), json.loads(knobs)), host="127.0.0.1", port=int(port),
        loop="asyncio", http="httptools", ws="none", log_level="error", access_log=False,
        lifespan="off", backlog=2048,
    )  # fmt: skip


if __name__ == "__main__":
    main(*sys.argv[1:])
