"""Orders of two kinds: nine of ten are for an item that is sold out, and are soon answered."""

import asyncio
from random import Random
from types import SimpleNamespace
from typing import Any

from bpdemo.plan.visits import Visit
from bpdemo.sim import virtual_time
from bpdemo.sim.visit import Edge
from tests.service.stage import Stage

SOLD_OUT = 0.9
STORE_S = 0.002
TIMEOUT_S = 0.5
SECONDS, FROM_S = 20, 5
WORKERS = 8


def real_orders_served(places: int, payment_s: float, *, told: bool) -> float:
    """Orders in time for what is there ÷ what the workers could do of these alone, at twice that
    much of them; `told`, their deadline travels with them."""
    return virtual_time.run(_sale(places, payment_s, told=told), limit_s=1000)


async def _sale(places: int, payment_s: float, *, told: bool) -> float:
    loop, rng, served = asyncio.get_running_loop(), Random(3), 0
    stage = Stage(
        {
            "workers": WORKERS, "queue_capacity": places, "payment_latency_s": payment_s,
            "store_latency_s": STORE_S, "attempt_timeout_s": 1, "cache_ttl_s": 3600,
        }
    )  # fmt: skip
    await stage.office.start()
    stage.assembly.bare_store._stock[1] = 0  # type: ignore[attr-defined]
    await stage.office.catalogue.find_item(1)
    edge = Edge(stage.office)
    plan: Any = SimpleNamespace(told_timeout_ms=500 if told else None)
    possible_per_s = WORKERS / (payment_s + STORE_S)
    rate, at_s = 2 * possible_per_s / (1 - SOLD_OUT), 0.0

    def hear(answer: Any) -> None:
        nonlocal served
        served += answer.status == 201

    def forget(answer: Any) -> None:
        pass

    while at_s < SECONDS:
        at_s += rng.expovariate(rate)
        await asyncio.sleep(max(0.0, at_s - loop.time()))
        item = 1 if rng.random() < SOLD_OUT else rng.randrange(2, 100)
        told_to = hear if at_s >= FROM_S else forget
        edge.take(Visit(at_s, item, "", "", ""), plan, loop.time() + TIMEOUT_S, told_to)
    await asyncio.sleep(3)
    await stage.office.drain(5)
    await stage.office.stop()
    return served / (SECONDS - FROM_S) / possible_per_s
