"""A customer at the service's edge who is cancelled, at any turn of the loop."""

import asyncio
from typing import Any

import pytest

from bpdemo.assembly.office import Assembly
from bpdemo.core.settings import Settings
from bpdemo.plan.plan import Plan
from bpdemo.plan.visits import Visit
from bpdemo.sim.visit import Edge
from tests.support.virtual import virtual

ANSWERED_S = 0.04
GIVES_UP_S = 0.03


@pytest.mark.parametrize("looks", [False, True])
@pytest.mark.parametrize("moment_s", [ANSWERED_S, GIVES_UP_S, 0.02])
@pytest.mark.parametrize("turns", range(8))
@virtual
async def test_one_who_is_cancelled_makes_no_noise(
    looks: bool, moment_s: float, turns: int
) -> None:
    """Before the answer, in the turns in which it is on its way, or as their time is up: nothing is
    said to the loop, and the permit is given back."""
    loop = asyncio.get_running_loop()
    noise: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, told: noise.append(told))
    slow = {"payment_latency_s": 0.0, "store_latency_s": ANSWERED_S / (1 if looks else 2)}
    assembly = Assembly(Settings(seed=1, **slow), clock=loop.time)
    await assembly.office.start()
    edge = Edge(assembly.office)
    leaves_s = GIVES_UP_S if moment_s == GIVES_UP_S else 10.0
    asking = edge.look(1, leaves_s) if looks else edge.order(_visit(), Plan(1), leaves_s)
    customer = asyncio.create_task(asking)

    def cancel(left: int) -> None:
        if left:
            loop.call_soon(cancel, left - 1)
        else:
            customer.cancel()

    loop.call_at(moment_s, cancel, turns)
    await asyncio.wait([customer])
    await asyncio.sleep(1)
    assert assembly.office.in_flight == 0
    await assembly.office.stop()
    assert not noise


def _visit() -> Visit:
    return Visit(0.0, 1, "", "", "")
