"""The books balance after every step of any story, and at its end everything is settled."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bpdemo.core.choices import DISCIPLINES
from bpdemo.service.books import Books
from bpdemo.sim.virtual_time import VirtualTimeLoop
from tests.service.stage import PLAIN, Stage, close, settle
from tests.support.examples import examples

T = TypeVar("T")

KNOBS = st.fixed_dictionaries(
    {},
    optional={
        "workers": st.sampled_from([1, 2, 5]),
        "queue_capacity": st.sampled_from([-1, 0, 1, 4]),
        "queue_policy": st.sampled_from(["reject", "block"]),
        "queue_block_timeout_s": st.sampled_from([0.0, 0.3, 5.0]),
        "queue_block_waiters": st.sampled_from([0, 1, 3]),
        "queue_discipline": st.sampled_from(DISCIPLINES),
        "codel_interval_s": st.sampled_from([0.02, 0.2]),
        "request_timeout_s": st.sampled_from([0.0, 0.3, 2.0]),
        "attempt_timeout_s": st.sampled_from([0.0, 0.05, 0.5]),
        "retry_attempts": st.sampled_from([1, 3]),
        "drop_on_disconnect": st.booleans(),
        "breaker_enabled": st.booleans(),
        "payment_latency_s": st.sampled_from([0.0, 0.1, 1.0]),
        "store_latency_s": st.sampled_from([0.0, 0.1]),
        "cache_ttl_s": st.sampled_from([0.0, 5.0]),
    },
)
FAULTS = st.fixed_dictionaries(
    {},
    optional={
        "payment_failure_rate": st.sampled_from([0.0, 0.5, 1.0]),
        "payment_outage": st.booleans(),
        "store_failure_rate": st.sampled_from([0.0, 0.5, 1.0]),
        "store_outage": st.booleans(),
    },
)
CALM = {
    "payment_failure_rate": 0.0,
    "payment_outage": False,
    "store_failure_rate": 0.0,
    "store_outage": False,
    "payment_latency_s": 0.1,
    "store_latency_s": 0.0,
}


class OfficeStories(RuleBasedStateMachine):
    """Callers come, wait, leave and repeat themselves while knobs turn and dependencies fail."""

    @initialize(seed=st.integers(0, 99))
    def open(self, seed: int) -> None:
        self.loop = VirtualTimeLoop()
        knobs = {
            **PLAIN,
            "workers": 2,
            "payment_latency_s": 0.1,
            "payment_latency_distribution": "exponential",
            "attempt_timeout_s": 0.5,
            "breaker_min_calls": 3,
            "breaker_open_s": 1.0,
            "initial_stock": 12,
            "seed": seed,
        }
        self.drain: asyncio.Task[None] | None = None
        self.stage = self._run(self._open(knobs))

    async def _open(self, knobs: dict[str, Any]) -> Stage:
        stage = Stage(knobs)
        await stage.office.start()
        return stage

    def _run(self, story: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(story)

    def _do(self, act: Callable[[], T]) -> T:
        async def acting() -> T:
            return act()

        return self._run(acting())

    @rule(
        how_many=st.integers(1, 4),
        item_id=st.sampled_from([1, 2, 101]),
        quantity=st.sampled_from([1, 1, 2]),
        key=st.sampled_from([None, None, "a", "b"]),
        client_timeout_s=st.sampled_from([None, 0.05, 0.5, 3.0]),
        priority=st.integers(0, 3),
        body_s=st.sampled_from([0.0, 0.0, 0.2, 2.0]),
    )
    def come(self, how_many: int, **how: Any) -> None:
        for _ in range(how_many):
            self._do(lambda: self.stage.comes(**how))

    @rule(which=st.integers(0, 30))
    def hang_up(self, which: int) -> None:
        customers = [c for c in self.stage.customers if c.caller]
        if customers:
            self._do(customers[-1 - which % len(customers)].hang_up)

    @rule(which=st.integers(0, 30))
    def cut_off(self, which: int) -> None:
        customers = [c for c in self.stage.customers if c.fate is None]
        if customers:
            self._do(customers[-1 - which % len(customers)].cut_off)

    @rule(knobs=KNOBS)
    def retune(self, knobs: dict[str, Any]) -> None:
        self._do(lambda: self.stage.turn(**knobs))

    @rule(faults=FAULTS)
    def break_or_mend(self, faults: dict[str, Any]) -> None:
        self._do(lambda: self.stage.turn(**faults))

    @rule(turns=st.integers(1, 4))
    def take_turns(self, turns: int) -> None:
        for _ in range(turns):
            self._run(asyncio.sleep(0))

    @rule(seconds=st.sampled_from([0.05, 0.1, 0.3, 1.0, 7.0]))
    def pass_time(self, seconds: float) -> None:
        self._run(asyncio.sleep(seconds))
        self._run(settle())

    @precondition(lambda self: self.drain is None)
    @rule(timeout_s=st.sampled_from([0.0, 0.2, 5.0]))
    def begin_to_drain(self, timeout_s: float) -> None:
        self.drain = self.loop.create_task(self.stage.office.drain(timeout_s))

    @invariant()
    def books_balance(self) -> None:
        books = self.stage.books
        assert books.balanced
        assert self.stage.unbalanced == 0
        assert min(getattr(books, column) for column in Books.__slots__) >= 0

    @invariant()
    def depth_and_busy_are_jobs_of_somebody(self) -> None:
        """No job without a caller stands in the queue, and no more run than there are workers."""
        office, books = self.stage.office, self.stage.books
        assert office.queue_depth <= books.queued
        assert books.running == 0 or office.workers_busy > 0

    @invariant()
    def money_is_never_short(self) -> None:
        """No order is stored that is not paid for."""
        stage = self.stage
        assert stage.charged - stage.refunded >= len(stage.stored)

    def teardown(self) -> None:
        if not hasattr(self, "stage"):
            return
        self._do(lambda: self.stage.turn(**CALM))
        if self.drain is not None:
            self._run(asyncio.wait_for(self.drain, 3600.0))
        self._run(asyncio.sleep(300.0))  # whatever the drain had no time for: debts
        self._run(close(self.stage))
        self.loop.close()


@pytest.mark.slow
def test_any_story_ends_with_balanced_books() -> None:
    """Sixty stories of up to forty steps: balanced after each step, settled at the end."""
    run_state_machine_as_test(
        OfficeStories, settings=settings(max_examples=examples(60), stateful_step_count=40)
    )


@given(st.lists(st.sampled_from(["arrive", "forget", "reject", "admit", "start", "end"])))
def test_no_move_between_columns_changes_a_sum(moves: list[str]) -> None:
    """Each move takes from one column what it gives to another; the sums cannot drift."""
    books = Books()
    for move in moves:
        needs = {"forget": "waiting", "reject": "waiting", "admit": "waiting", "start": "queued"}
        if move == "end":
            if books.running:
                books.end_running("success")
            elif books.queued:
                books.end_queued("expired")
        elif move == "arrive" or getattr(books, needs[move]):
            getattr(books, move)()
        assert books.balanced


def test_books_that_do_not_balance_say_so() -> None:
    """The check itself can fail, on either line."""
    assert Books().balanced
    assert not Books(received=1).balanced
    assert not Books(received=1, admitted=1).balanced
    assert Books(received=1, admitted=1, shed=1).balanced
