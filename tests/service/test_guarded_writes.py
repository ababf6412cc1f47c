"""What a caller was told agrees with what stands, whatever befalls a write, and whatever they do.

Every guarded write goes wrong in every way: before it takes effect, after it, long after it was
given up; callers come with and without a key, repeat themselves, leave, and run out of time.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from bpdemo.core.model import Order, Placed
from bpdemo.service.order_job import OrderJob
from bpdemo.sim.virtual_time import VirtualTimeLoop
from tests.service.promises import Promising
from tests.service.stage import PLAIN, Customer, Stage, close, settle
from tests.service.truth import OPEN
from tests.support.examples import examples
from tests.support.sabotage import FAULTS, LATE_S, Fault, Ledger, Sabotage

T = TypeVar("T")

STORE = ("place", "void", "take_back")
BACKLOG = ("accept", "confirm", "fail", "settle")
PAYMENT = ("charge", "refund")
WRITES = STORE + BACKLOG + PAYMENT
#: After these nobody knows whether it stands.
UNANSWERED: tuple[Fault, ...] = ("failed", "lost", "done, hangs", "late", "done, cancelled")
ITEMS = (1, 2)
#: So few that the last ones are often at stake.
STOCK = 2
KNOBS = st.fixed_dictionaries(
    {},
    optional={
        "workers": st.sampled_from([1, 3]),
        "retry_attempts": st.sampled_from([1, 2, 3]),
        "attempt_timeout_s": st.sampled_from([0.2, 1.0]),
        "request_timeout_s": st.sampled_from([0.0, 0.5]),
        "drop_on_disconnect": st.booleans(),
        "breaker_enabled": st.booleans(),
        "store_failure_rate": st.sampled_from([0.0, 0.5, 1.0]),
        "payment_failure_rate": st.sampled_from([0.0, 0.5]),
        "store_outage": st.booleans(),
    },
)
CALM = {
    "breaker_enabled": False,
    "store_failure_rate": 0.0,
    "payment_failure_rate": 0.0,
    "store_outage": False,
}


class Writes(RuleBasedStateMachine):
    """One service, its durable worker, and all that can go wrong between them and a store."""

    @initialize(seed=st.integers(0, 99))
    def open(self, seed: int) -> None:
        self.loop = VirtualTimeLoop()
        self.makers: dict[str, OrderJob] = {}  # whose work made the order with that id
        self.answered: set[str] = set()  # the service was told that these stand
        self.repeats: list[Customer] = []  # of those who asked for what was known to stand
        self.stage, self.promises = self._run(self._open(seed))

    async def _open(self, seed: int) -> tuple[Stage, Promising]:
        knobs = {
            "workers": 2,
            "queue_capacity": 20,
            "payment_latency_s": 0.1,
            "attempt_timeout_s": 0.5,
            "retry_base_s": 0.05,
            "breaker_min_calls": 3,
            "breaker_open_s": 1.0,
            "cache_ttl_s": 3600.0,
            "initial_stock": STOCK,
            "seed": seed,
        }
        stage = Stage({**PLAIN, **knobs})
        await stage.office.start()
        promises = Promising(stage)
        self.ledger = Ledger(stage.assembly.provider)
        self.sabotages = {
            **dict.fromkeys(STORE, Sabotage(stage.assembly.store, *STORE)),
            **dict.fromkeys(BACKLOG, Sabotage(promises.backlog, *BACKLOG)),
            **dict.fromkeys(PAYMENT, Sabotage(stage.assembly.payment, *PAYMENT)),
        }
        self._watch(stage)
        return stage, promises

    def _watch(self, stage: Stage) -> None:
        work, store = stage.office.intake._work, stage.assembly.store
        new_order, place = work.new_order, store.place

        def made(job: OrderJob, item: Any) -> Order:
            order = new_order(job, item)
            self.makers[order.id] = job
            return order

        async def answered(order: Order) -> Placed:
            placed = await place(order)
            self.answered.add(placed.order.id)
            return placed

        work.new_order = made  # type: ignore[method-assign]
        store.place = answered  # type: ignore[method-assign]

    def _run(self, story: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(story)

    def _do(self, act: Callable[[], T]) -> T:
        async def acting() -> T:
            return act()

        return self._run(acting())

    @rule(
        how_many=st.integers(1, 2),
        body=st.sampled_from([(1, 1), (1, 1), (2, 1), (2, 2)]),
        key=st.sampled_from([None, "a", "b"]),
        client_timeout_s=st.sampled_from([None, None, 0.4]),
        promised=st.booleans(),
    )
    def come(
        self,
        how_many: int,
        body: tuple[int, int],
        key: str | None,
        client_timeout_s: float | None,
        promised: bool,
    ) -> None:
        item_id, quantity = body
        how: dict[str, Any] = {
            "key": key,
            "client_timeout_s": client_timeout_s,
            "durable": promised and key is not None,
        }
        for _ in range(how_many):
            customer = self._do(lambda: self.stage.comes(item_id, quantity, **how))
            if self._is_known(customer):
                self.repeats.append(customer)

    def _is_known(self, customer: Customer) -> bool:
        """Whether the order it asks for was told to somebody, and stands."""
        return any(
            other.fate in (200, 201)
            and other._key is not None
            and (other._key, other._wanted) == (customer._key, customer._wanted)
            for other in self.stage.customers
        )

    @rule(
        write=st.sampled_from(WRITES),
        faults=st.lists(st.sampled_from(FAULTS), min_size=1, max_size=3),
    )
    def break_one(self, write: str, faults: list[Fault]) -> None:
        self.sabotages[write].next(write, *faults)

    @rule(
        faults=st.lists(st.sampled_from(UNANSWERED), min_size=1, max_size=2),
        end=st.sampled_from(FAULTS),
        settling=st.sampled_from(FAULTS),
        key=st.sampled_from([None, "c", "d"]),
        promised=st.booleans(),
        leaves=st.booleans(),
    )
    def lose_an_order(
        self,
        faults: list[Fault],
        end: Fault,
        settling: Fault,
        key: str | None,
        promised: bool,
        leaves: bool,
    ) -> None:
        """One comes whose order is lost on the way, as is what would tell whether it stands."""
        for write in ("place", "accept"):
            self.sabotages[write].calm(write)
            self.sabotages[write].next(write, *faults, end)
        for write in ("void", "take_back"):
            self.sabotages[write].calm(write)
            self.sabotages[write].next(write, settling)
        self.come(1, (1, 1), key, None, promised)
        self.pass_time(0.3)
        self.look(1)
        if leaves:
            self.hang_up(0)
        self.pass_time(3.0)

    @rule(which=st.integers(0, 30))
    def hang_up(self, which: int) -> None:
        customers = [c for c in self.stage.customers if c.caller]
        if customers:
            self._do(customers[-1 - which % len(customers)].hang_up)

    @rule(knobs=KNOBS)
    def turn(self, knobs: dict[str, Any]) -> None:
        self._do(lambda: self.stage.turn(**knobs))

    @rule(item_id=st.sampled_from(ITEMS))
    def look(self, item_id: int) -> None:
        async def looking() -> None:
            await self.stage.office.catalogue.find_item(item_id)

        looked = self._do(lambda: asyncio.ensure_future(looking()))
        looked.add_done_callback(lambda task: task.cancelled() or task.exception())

    @rule(seconds=st.sampled_from([0.05, 0.1, 0.3, 1.0, LATE_S]))
    def pass_time(self, seconds: float) -> None:
        self._run(asyncio.sleep(seconds))
        self._run(settle())

    @invariant()
    def what_was_told_is_never_taken_back(self) -> None:
        for customer in self.stage.customers:
            if customer.fate in (200, 201):
                assert customer.order in self.stage.stored

    def teardown(self) -> None:
        try:
            if hasattr(self, "stage"):
                self._run(self._come_to_rest())
                self._judge()
        finally:
            if hasattr(self, "loop"):
                self.loop.close()

    async def _come_to_rest(self) -> None:
        stage = self.stage
        for sabotage in self.sabotages.values():
            sabotage.calm()
        stage.turn(**CALM)
        await stage.everybody_answered()
        for sabotage in self.sabotages.values():
            await sabotage.all_arrived()
        await self.promises.worker.all_done()
        await asyncio.sleep(300.0)
        self.shown = {item_id: stage.office._cache.peek(item_id) for item_id in ITEMS}
        await self.promises.worker.stop()
        await close(stage)

    def _judge(self) -> None:
        store: Any = self.stage.assembly.bare_store
        standing = {order.id: order for order in self.stage.stored}
        assert self.ledger.kept == {id: order.amount_cents for id, order in standing.items()}
        assert self.answered <= standing.keys(), "the store had answered, and it was taken back"
        left = dict.fromkeys(ITEMS, STOCK)
        for order in standing.values():
            left[order.item_id] -= order.quantity
            self._judge_order(order)
        assert left == {item_id: store._stock[item_id] for item_id in ITEMS}
        for item_id, item in self.shown.items():
            assert item is None or item.in_stock == (left[item_id] > 0), "the cache is wrong"
        for customer in self.stage.customers:
            self._judge_answer(customer, store._orders)

    def _judge_order(self, order: Order) -> None:
        """Nobody whose order it is was told that there is none."""
        maker = self.makers[order.id]
        for customer in self.stage.customers:
            if customer.caller is None or customer.caller.job is not maker:
                continue
            told_no = customer.order is None and customer.fate not in OPEN
            assert not told_no, f"told {customer.fate}, and it stands"
            if order.key is None:
                assert customer.fate != "outcome_unknown", "nobody can ask for it"

    def _judge_answer(self, customer: Customer, orders: dict[str, Order]) -> None:
        if customer.order is not None:
            stands = orders.get(customer.order.id)
            assert stands is not None, "told of an order that is gone"
            assert stands.status != "pending"
        elif customer in self.repeats:
            assert customer.fate not in ("invalid_request", "sold_out"), "a repeat was rejected"
        assert (customer.retry_after_s is not None) == (
            customer.fate not in OPEN
            and customer.order is None
            and customer.fate not in ("sold_out", "invalid_request")
        )


@pytest.mark.slow
def test_no_answer_is_belied_by_what_stands() -> None:
    """Fifty stories of up to 20 steps, the same in each run."""
    run_state_machine_as_test(
        Writes,
        settings=settings(
            max_examples=examples(150), stateful_step_count=25, deadline=None, derandomize=True
        ),
    )
