"""Every knob that says `live: true` is: turned while the service runs, it acts where it should.

A row of the matrix is a service, the knob's new value, something that happens to that service, and
what is seen of it before and after the turn.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

import pytest

from bpdemo.core.errors import BoxOfficeError
from bpdemo.core.events import AttemptEnded, Retried
from bpdemo.core.settings import Settings, describe
from tests.service.stage import Stage, now, opened, settle
from tests.support.http import ORDER, running
from tests.support.postgres import database_url, postgres_server, row_locked
from tests.support.virtual import virtual

__all__ = ["database_url", "postgres_server"]

LIVE = sorted(name for name, knob in describe(Settings()).items() if knob["live"])
FOREVER = 3600.0


class Row(NamedTuple):
    """`see` plays a scene and tells what came of it: `before` as it was, `after` with the turn."""

    service: Mapping[str, Any]
    value: Any
    see: Callable[[Stage], Awaitable[Any]]
    before: Any
    after: Any


# --- scenes


async def one(stage: Stage) -> Any:
    """What becomes of a customer, and when, rounded to milliseconds."""
    began_s = now()
    (customer,) = await stage.come(1)
    await stage.everybody_answered()
    return customer.fate, round((customer.answered_s or now()) - began_s, 3)


async def fate(stage: Stage) -> Any:
    return (await one(stage))[0]


async def takes_s(stage: Stage) -> Any:
    return (await one(stage))[1]


def at_once(how_many: int) -> Callable[[Stage], Awaitable[Any]]:
    """The fates of several who come at one moment, at that moment."""

    async def see(stage: Stage) -> Any:
        return [customer.fate for customer in await stage.come(how_many)]

    return see


def at_last(how_many: int) -> Callable[[Stage], Awaitable[Any]]:
    """Their fates when all is over."""

    async def see(stage: Stage) -> Any:
        customers = await stage.come(how_many)
        await stage.everybody_answered()
        return [customer.fate for customer in customers]

    return see


async def in_two_waves(stage: Stage) -> Any:
    """The fates of three, and of three who come while one of them waits still."""
    first = await stage.come(3)
    await stage.passes(1.6)
    second = await stage.come(3)
    await stage.everybody_answered()
    return [customer.fate for customer in (*first, *second)]


async def busy(stage: Stage) -> int:
    await stage.come(3)
    return stage.office.workers_busy


async def blocked_until_s(stage: Stage) -> Any:
    """How long the second waits for a place that does not come free."""
    await stage.come(1)
    (second,) = await stage.come(1)
    await stage.everybody_answered()
    return second.fate, second.answered_s


async def order_of_sale(stage: Stage) -> list[int]:
    customers = await stage.come(3)
    await stage.everybody_answered()
    return sorted(range(3), key=lambda i: customers[i].answered_s or 0.0)


async def third_that_left(stage: Stage) -> int:
    """How many are sold when one of three leaves while queued."""
    customers = await stage.come(3)
    customers[2].hang_up()
    await stage.everybody_answered()
    await asyncio.sleep(10.0)
    return len(stage.stored)


async def inside(stage: Stage, *, is_order: bool = False) -> list[str]:
    """Three requests of one client at the gate."""
    said, visits = [], []
    for _ in range(3):
        try:
            visits.append(stage.office.gate.enter("anna", is_order=is_order))
            said.append("in")
        except BoxOfficeError as error:
            said.append(error.reason)
    for visit in visits:
        visit.end(200)
    return said


async def orders_inside(stage: Stage) -> list[str]:
    return await inside(stage, is_order=True)


async def attempts(stage: Stage) -> int:
    """Calls of the payment for one order."""
    await one(stage)
    return sum(event.dependency == "payment" for event in stage.heard(AttemptEnded))


async def backoffs(stage: Stage) -> list[float]:
    """Before each retry of one order."""
    await one(stage)
    return [round(event.wait_s, 3) for event in stage.heard(Retried)]


async def backs_off_in_full(stage: Stage) -> bool:
    return all(wait_s == 2.0 for wait_s in await backoffs(stage))


def after_failures(
    failures: int, pause_s: float = 0.0, sales: int = 0
) -> Callable[[Stage], Awaitable[Any]]:
    """What the next hears, after so many sales and failures, each followed by a pause."""

    async def see(stage: Stage) -> Any:
        for _ in range(sales):
            await one(stage)
        stage.turn(payment_outage=True)
        for _ in range(failures):
            await one(stage)
            await asyncio.sleep(pause_s)
        stage.turn(payment_outage=False)
        return await fate(stage)

    return see


async def breaker_after_one_probe(stage: Stage) -> str:
    await after_failures(1)(stage)
    await asyncio.sleep(2.0)
    assert await fate(stage) == 201
    return stage.office.breaker_states()["payment"]


async def exact(stage: Stage) -> bool:
    """Whether three payments take their mean, each of them."""
    return [await takes_s(stage) for _ in range(3)] == [1.0] * 3


def reads(*item_ids: int, pause_s: float = 0.0, outage: bool = False) -> Any:
    """Where the last of these items came from."""

    async def see(stage: Stage) -> Any:
        for item_id in item_ids[:-1]:
            await stage.office.catalogue.find_item(item_id)
        await asyncio.sleep(pause_s)
        stage.turn(store_outage=outage)
        try:
            _, source = await stage.office.catalogue.find_item(item_ids[-1])
        except BoxOfficeError as error:
            return error.reason
        return source

    return see


# --- the matrix

LONG_LINE = {"queue_capacity": 10}
BLOCK = {"queue_capacity": 0, "queue_policy": "block", "queue_block_timeout_s": 0.5}
CODEL = LONG_LINE | {"queue_discipline": "codel"}
FAILING = {"payment_failure_rate": 1.0, "retry_attempts": 2, "retry_jitter": "none",
           "breaker_enabled": False, "retry_budget_min_per_s": 100.0}  # fmt: skip
POOR = FAILING | {"retry_budget_ratio": 0.0, "retry_budget_min_per_s": 0.0}
FRAGILE = {"retry_attempts": 1, "breaker_min_calls": 1, "breaker_open_s": 1.0}
NO, OFTEN, FULL = "downstream_failed", "circuit_open", "concurrency_limit"
ADAPTS = {"limit_algorithm": "vegas"}

MATRIX: dict[str, Row] = {
    "workers": Row(LONG_LINE, 3, busy, 1, 3),
    "queue_capacity": Row({}, 1, at_once(4), [None, None, None, "queue_full"],
                          [None, None, "queue_full", "queue_full"]),
    "queue_policy": Row(BLOCK | {"queue_policy": "reject"}, "block", at_once(2),
                        [None, "queue_full"], [None, None]),
    "queue_block_timeout_s": Row(BLOCK, 0.2, blocked_until_s,
                                 ("queue_timeout", 0.5), ("queue_timeout", 0.2)),
    "queue_block_waiters": Row(BLOCK, 1, at_once(3), [None] * 3, [None, None, "queue_full"]),
    "queue_discipline": Row(LONG_LINE, "lifo", order_of_sale, [0, 1, 2], [0, 2, 1]),
    "codel_target_s": Row(CODEL | {"codel_target_s": 2.5, "codel_interval_s": 2.5}, 0.5,
                          in_two_waves, [201] * 6, [201] * 3 + ["queue_shed"] * 2 + [201]),
    "codel_interval_s": Row(CODEL | {"codel_target_s": 0.5, "codel_interval_s": FOREVER}, 0.5,
                            at_last(4), [201] * 4, [201, "queue_shed", "queue_shed", 201]),
    "max_in_flight": Row({}, 2, inside, ["in"] * 3, ["in", "in", "concurrency_limit"]),
    "limit_algorithm": Row({"limit_max": 1}, "own", orders_inside, ["in"] * 3, ["in", FULL, FULL]),
    "limit_min": Row(ADAPTS | {"max_in_flight": 1}, 2, orders_inside,
                     ["in", FULL, FULL], ["in", "in", FULL]),
    "limit_max": Row(ADAPTS | {"max_in_flight": 3}, 2, orders_inside,
                     ["in"] * 3, ["in", "in", FULL]),
    "client_max_in_flight": Row({}, 2, inside, ["in"] * 3, ["in", "in", "client_limit"]),
    "request_timeout_s": Row({}, 0.25, one, (201, 1.0), ("deadline_exceeded", 0.25)),
    "attempt_timeout_s": Row({"retry_attempts": 1}, 0.25, one, (201, 1.0), (NO, 0.25)),
    "drop_on_disconnect": Row(LONG_LINE, False, third_that_left, 2, 3),
    "retry_attempts": Row(FAILING, 4, attempts, 2, 4),
    "retry_base_s": Row(FAILING, 0.25, backoffs, [0.0], [0.25]),
    "retry_cap_s": Row(FAILING | {"retry_base_s": 8.0}, 0.25, backoffs, [1.0], [0.25]),
    "retry_jitter": Row(FAILING | {"retry_base_s": 2.0, "retry_cap_s": 2.0}, "full",
                        backs_off_in_full, True, False),
    "retry_budget_enabled": Row(POOR, False, attempts, 1, 2),
    "retry_budget_ratio": Row(POOR, 1.0, attempts, 1, 2),
    "retry_budget_min_per_s": Row(POOR, 100.0, attempts, 1, 2),
    "breaker_enabled": Row(FRAGILE, False, after_failures(1), OFTEN, 201),
    "breaker_failure_ratio": Row(FRAGILE | {"breaker_failure_ratio": 1.0}, 0.1,
                                 after_failures(1, sales=1), 201, OFTEN),
    "breaker_min_calls": Row(FRAGILE, 2, after_failures(1), OFTEN, 201),
    "breaker_window_s": Row(FRAGILE | {"breaker_min_calls": 2, "breaker_open_s": FOREVER}, 1.0,
                            after_failures(2, pause_s=5.0), OFTEN, 201),
    "breaker_open_s": Row(FRAGILE, 10.0, after_failures(1, pause_s=5.0), 201, OFTEN),
    "breaker_half_open_calls": Row(FRAGILE, 1, breaker_after_one_probe, "half_open", "closed"),
    "payment_latency_s": Row({}, 3.0, takes_s, 1.0, 3.0),
    "payment_latency_distribution": Row({}, "exponential", exact, True, False),
    "payment_hang_rate": Row({"retry_attempts": 1, "attempt_timeout_s": 2.0}, 1.0, fate, 201, NO),
    "payment_failure_rate": Row({"retry_attempts": 1}, 1.0, fate, 201, NO),
    "payment_outage": Row({"retry_attempts": 1}, True, fate, 201, NO),
    "store_latency_s": Row({"cache_ttl_s": 0.0}, 0.25, takes_s, 1.0, 1.5),
    "store_failure_rate": Row({"retry_attempts": 1}, 1.0, fate, 201, NO),
    "store_outage": Row({"retry_attempts": 1}, True, fate, 201, NO),
    "cache_ttl_s": Row({}, 0.0, reads(1, 1), "hit", "miss"),
    "cache_capacity": Row({}, 1, reads(1, 2, 1), "hit", "miss"),
    "cache_stale_s": Row({"cache_ttl_s": 1.0, "cache_stale_s": 0.0, "retry_attempts": 1}, FOREVER,
                         reads(1, 1, pause_s=5.0, outage=True), NO, "stale"),
}  # fmt: skip

LIFTED = {
    "payment_hang_rate": 0.0,
    "payment_failure_rate": 0.0,
    "payment_outage": False,
    "store_failure_rate": 0.0,
    "store_outage": False,
}

#: Acts in the database, and is tried there.
IN_THE_DATABASE = {"async_queue_capacity"}


def test_no_live_knob_is_without_a_row() -> None:
    """Who adds one that may be turned says what it does then."""
    assert sorted(MATRIX.keys() | IN_THE_DATABASE) == LIVE


@pytest.mark.parametrize("name", MATRIX)
@pytest.mark.parametrize("turned", [False, True], ids=["as it was", "turned"])
@virtual
async def test_a_live_knob_acts_when_it_is_turned(name: str, turned: bool) -> None:
    """What is seen changes with the turn, and with nothing else."""
    row = MATRIX[name]
    async with opened(**row.service) as stage:
        await settle()
        if turned:
            stage.turn(**{name: row.value})
        assert await row.see(stage) == (row.after if turned else row.before)
        stage.turn(**LIFTED)  # so that what is owed is paid


# --- where it acts in the database

ASYNC = {"Prefer": "respond-async"}


async def test_the_capacity_for_promises_turns(database_url: str) -> None:
    """One promise is open: a second has no place, until there is room for two."""
    knobs = {"store": "postgres", "database_url": database_url, "attempt_timeout_s": 10.0}
    async with running(**knobs, async_queue_capacity=1, request_timeout_s=0.0) as service:

        async def promise(key: str) -> int:
            headers = ASYNC | {"Idempotency-Key": key}
            answer = await service.client.post("/orders", json=ORDER, headers=headers)
            return answer.status_code

        assert [await promise("a"), await promise("b")] == [202, 503]
        service.turn(async_queue_capacity=2)
        assert [await promise("b"), await promise("c")] == [202, 503]


SHORT_S = 0.2


@pytest.mark.parametrize(
    ("before_s", "after_s", "shown"),
    [
        *[(SHORT_S, 10.0, "10s"), (SHORT_S, 0.0, "0")],
        *[(10.0, SHORT_S, "200ms"), (0.0, SHORT_S, "200ms")],
    ],
)
async def test_the_time_of_an_attempt_reaches_the_database(
    database_url: str, before_s: float, after_s: float, shown: str
) -> None:
    """An order whose item is locked for longer than an attempt had before is sold where it has as
    long now; where it has not, it is given up."""
    knobs = {"store": "postgres", "database_url": database_url, "pool_min": 2, "pool_max": 2}
    patient = {"request_timeout_s": 0.0, "retry_attempts": 1, "pool_acquire_timeout_s": 0.0}
    async with running(**knobs, **patient, attempt_timeout_s=before_s) as service:
        assert (await service.order()()).status == 201
        service.turn(attempt_timeout_s=after_s)
        async with row_locked(database_url):
            call = service.order()
            is_given_up = after_s == SHORT_S  # on a busy machine, whenever it may be
            await asyncio.wait([call.task], timeout=60 if is_given_up else 3 * SHORT_S)
            assert call.task.done() == is_given_up
        assert ((await call()).status == 201) == (after_s != SHORT_S)
        assert await shown_timeout(service.assembly.bare_store) == shown


async def shown_timeout(store: Any) -> str:
    async with store.lend() as connection:
        told: str = await connection.fetchval("SHOW statement_timeout")
        return told
