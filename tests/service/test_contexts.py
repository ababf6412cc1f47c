"""In whose context an order is worked on: its caller's."""

import asyncio
from contextlib import suppress
from contextvars import ContextVar
from random import Random
from typing import Any

import pytest

from bpdemo.assembly.office import Assembly
from bpdemo.core.choices import Traces
from bpdemo.core.errors import BoxOfficeError
from bpdemo.core.model import OrderRequest
from bpdemo.core.settings import Settings
from bpdemo.service.entrance import Entrance, sale_to
from bpdemo.telemetry.tracer import make_tracer
from tests.support.virtual import virtual

CUSTOMERS = 400
AGAIN = " again"
#: Above capacity, with failures and retries: workers go from one caller's order to another's.
KNOBS: dict[str, Any] = {
    "workers": 4, "queue_capacity": 12, "payment_latency_s": 0.04, "store_latency_s": 0.005,
    "payment_failure_rate": 0.2, "breaker_enabled": False, "seed": 7,
}  # fmt: skip

who: ContextVar[str] = ContextVar("who", default="nobody")


class Crowd:
    """Customers who each set `who` and, where there are traces, have a span of their own."""

    def __init__(self, traces: Traces) -> None:
        self.loop = asyncio.get_running_loop()
        self.tracer = make_tracer(traces, self.loop.time)
        self.assembly = Assembly(Settings(**KNOBS), clock=self.loop.time, tracer=self.tracer)
        #: Of each charge: whose it was by the context, its trace, and the task that it ran in.
        self.charges: list[tuple[str, str | None, str]] = []
        self.trace_of: dict[str, str | None] = {}
        self.sold: list[str] = []

    async def run(self) -> None:
        office, provider = self.assembly.office, self.assembly.provider
        charge = provider.charge

        async def watched(key: str, amount_cents: int) -> None:
            task = asyncio.current_task()
            assert task is not None
            self.charges.append((who.get(), self.tracer.trace_id(), task.get_name()))
            await charge(key, amount_cents)
            # What a job sets must not reach the next one; its own next attempt has it.
            who.set(f"{who.get().removesuffix(AGAIN)}{AGAIN}")

        provider.charge = watched  # type: ignore[method-assign]
        await office.start()
        chance, customers = Random(3), []
        for number in range(CUSTOMERS):
            customers.append(asyncio.create_task(self._order(f"customer {number}")))
            await asyncio.sleep(chance.expovariate(130))
        await asyncio.wait(customers)
        await office.drain(60)
        await office.stop()

    async def _order(self, name: str) -> None:
        who.set(name)
        with self.tracer.edge("POST /orders", None), suppress(BoxOfficeError):
            self.trace_of[name] = self.tracer.trace_id()
            stay = Entrance(self.assembly.office).enter(name, name, self.loop.time(), is_order=True)
            assert stay.caller is not None
            try:
                await sale_to(stay.caller, OrderRequest(1, 1), None, self.assembly.office.intake)
                self.sold.append(name)
            finally:
                stay.end(None)


@pytest.mark.parametrize("traces", ["off", "memory"])
@virtual
async def test_no_context_leaks_from_one_job_into_another(traces: Traces) -> None:
    """Under load: each charge is made in its own caller's context and trace, whatever the worker
    did before, and in no worker's task; and so is every span."""
    crowd = Crowd(traces)
    await crowd.run()
    assert 100 < len(crowd.sold) < CUSTOMERS
    assert [trace for _, trace, _ in crowd.charges] == [
        crowd.trace_of[name.removesuffix(AGAIN)] for name, _, _ in crowd.charges
    ]
    firsts = [name for name, _, _ in crowd.charges if not name.endswith(AGAIN)]
    assert len(firsts) == len(set(firsts)) < len(crowd.charges)
    assert set(crowd.sold) <= set(firsts)
    assert not any(task.startswith("worker") for _, _, task in crowd.charges)
    works = [span.trace_id for span in crowd.tracer.finished() if span.name == "work"]
    assert set(works) <= set(crowd.trace_of.values())
    assert len(works) == len(set(works))
    assert (len(works) > 100) is (traces == "memory")
