"""A box office that promises, with a durable worker beside it, all in virtual time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Any

from bpdemo.downstream.faults import FaultyBacklog
from bpdemo.downstream.memory import MemoryStore
from bpdemo.service.acceptance import Acceptance
from bpdemo.service.durable_work import DurableWork
from tests.service.stage import Stage, opened
from tests.support.memory_backlog import MemoryBacklog, MemoryWorker


class Promising:
    """`stage` takes promises; `worker` keeps them."""

    def __init__(self, stage: Stage) -> None:
        office, assembly = stage.office, stage.assembly
        store = assembly.bare_store
        assert isinstance(store, MemoryStore)
        self.stage = stage
        self.bare = MemoryBacklog(store)
        self.backlog = FaultyBacklog(self.bare, assembly.store.policy, Random("backlog faults"))
        assembly.backlog = self.backlog  # so that it turns with the store
        acceptance = Acceptance(
            office.intake._work, self.backlog, office._debts, office._store_guard, 1000,
            clock=stage.clock,
        )  # fmt: skip
        office._acceptance = office.intake._acceptance = acceptance
        work = DurableWork(
            office.catalogue, assembly.store, self.backlog, office._store_guard,
            assembly.payment, office._payment_guard,
            clock=stage.clock, rng=Random("give back"), observer=stage,
        )  # fmt: skip
        self.worker = MemoryWorker(self.bare, work)


@asynccontextmanager
async def promising(**knobs: Any) -> AsyncIterator[Promising]:
    """As `opened`; at the end every promise is kept, or has failed, before the service drains."""
    async with opened(**knobs) as stage:
        stands = Promising(stage)
        yield stands
        await stage.everybody_answered()
        await stands.worker.all_done()
        await stands.worker.stop()
