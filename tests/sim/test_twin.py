"""The simulation is the service: at its edge and at the real HTTP application, both in virtual
time, the same requests get the same answers, and each permit ends at the same moment in the same
way."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bpdemo.assembly.office import Assembly
from bpdemo.core.choices import DISCIPLINES, DISTRIBUTIONS, LIMIT_ALGORITHMS
from bpdemo.core.errors import DependencyError, PoolExhausted
from bpdemo.plan.plan import Plan
from bpdemo.sim.visit import ON_THE_WAY_S
from tests.support.examples import examples
from tests.support.twin import Ask, EdgeName, Permit, by_crowd, by_hand


@dataclass
class Case:
    """Requests, the last of which meets the fate that is meant, and what it and its permit are
    expected to end with; `permit` None: it never had one."""

    asks: list[Ask]
    told: tuple[int, str]
    permit: Permit | None
    knobs: dict[str, Any] = field(default_factory=dict)
    turns: dict[float, dict[str, Any]] = field(default_factory=dict)
    mishap: Any = lambda _: None


def broken_payment(assembly: Assembly) -> None:
    async def charge(*_: object) -> None:
        raise RuntimeError("a fault in the code")

    assembly.provider.charge = charge  # type: ignore[assignment,method-assign]


def no_connection(assembly: Assembly) -> None:
    async def place(*_: object) -> None:
        raise PoolExhausted

    assembly.bare_store.place = place  # type: ignore[assignment, method-assign]


def lost_answer(assembly: Assembly) -> None:
    """Whether the order stands nobody knows, nor can it be taken back at once."""
    store = assembly.bare_store
    void, lost = store.void, iter([DependencyError()])

    async def place(*_: object) -> Any:
        raise DependencyError

    async def void_later(order_id: str) -> Any:
        if error := next(lost, None):
            raise error
        return await void(order_id)

    store.place, store.void = place, void_later  # type: ignore[assignment, method-assign]


BUSY, WAITING = Ask(0.0), Ask(0.1)  # the worker has the one until 1 s, and then the other
BLOCK = {"queue_policy": "block", "queue_block_timeout_s": 5.0}
HEEDLESS = {"drop_on_disconnect": False}
LEAVES_AT_S = 0.5 - ON_THE_WAY_S
SLOW = {0.0: {"payment_latency_s": 50.0}}
LEFT = (499, "caller_left")
OPEN = {"breaker_enabled": True, "breaker_min_calls": 1, "breaker_open_s": 50.0}

FATES: dict[str, Case] = {
    "served": Case([Ask(0.2)], (201, ""), Permit(0.2, 1.2, "success")),
    "joined": Case([Ask(0, key="k"), Ask(0.2, key="k")], (200, ""), Permit(0.2, 1, "success")),
    "replayed": Case([Ask(0, key="k"), Ask(2, key="k")], (200, ""), Permit(2, 2, "success")),
    "sold out": Case([BUSY, Ask(2)], (409, ""), Permit(2, 2, "ignore"), {"initial_stock": 1}),
    "sold out after the charge": Case(
        [BUSY, Ask(0.5)], (409, ""), Permit(0.5, 2.5, "ignore"), {"initial_stock": 1, "workers": 2}
    ),
    "no such item": Case(
        [Ask(0.2, item=101)], (422, "invalid_request"), Permit(0.2, 0.2, "ignore")
    ),
    "another body, stored": Case(
        [Ask(0, key="k"), Ask(2, key="k", item=2)], (422, "invalid_request"), Permit(2, 2, "ignore")
    ),
    "another body, in flight": Case(
        [Ask(0, key="k"), Ask(0.2, key="k", item=2)],
        (422, "invalid_request"), Permit(0.2, 0.2, "ignore"),
    ),
    "over the share": Case(
        [Ask(0, client="a"), Ask(0.2, client="a")], (429, "client_limit"), None,
        {"client_max_in_flight": 1},
    ),
    "over the limit": Case(
        [BUSY, Ask(0.2)], (503, "concurrency_limit"), None, {"max_in_flight": 1}
    ),
    "over a limit that adapts": Case(
        [BUSY, Ask(0.2)], (503, "concurrency_limit"), None,
        {"max_in_flight": 1, "limit_algorithm": "own"},
    ),
    "left the queue inside a limit that adapts": Case(
        [BUSY, Ask(0.2, 0.5)], LEFT, Permit(0.2, LEAVES_AT_S, "drop"), {"limit_algorithm": "own"}
    ),
    "left at work inside a limit that adapts": Case(
        [Ask(0.2, 0.5)], LEFT, Permit(0.2, LEAVES_AT_S, "drop"), {"limit_algorithm": "own"}
    ),
    "left waiting for a place inside a limit that adapts": Case(
        [BUSY, WAITING, Ask(0.2, 0.5)], LEFT, Permit(0.2, LEAVES_AT_S, "ignore"),
        BLOCK | {"limit_algorithm": "own", "max_in_flight": 9},
    ),
    "its time ends inside a limit that adapts": Case(
        [BUSY, Ask(0.5)], (504, "deadline_exceeded"), Permit(0.5, 5.5, "drop"),
        {"request_timeout_s": 5.0, "limit_algorithm": "own"}, turns=SLOW,
    ),
    "refused by the queue inside a limit that adapts": Case(
        [BUSY, WAITING, Ask(0.2)], (503, "queue_full"), Permit(0.2, 0.2, "ignore"),
        {"limit_algorithm": "own", "max_in_flight": 9},
    ),
    "queue full": Case([BUSY, WAITING, Ask(0.2)], (503, "queue_full"), Permit(0.2, 0.2, "ignore")),
    "too many wait for a place": Case(
        [BUSY, WAITING, Ask(0.2), Ask(0.3)], (503, "queue_full"), Permit(0.3, 0.3, "ignore"),
        BLOCK | {"queue_block_waiters": 1},
    ),
    "no place in time": Case(
        [BUSY, WAITING, Ask(0.2)], (503, "queue_timeout"), Permit(0.2, 0.5, "drop"),
        BLOCK | {"queue_block_timeout_s": 0.3},
    ),
    "shed from the queue": Case(
        [BUSY, Ask(0.2), Ask(0.3), Ask(0.1)], (503, "queue_shed"), Permit(0.1, 1, "drop"),
        {
            "queue_capacity": 9, "queue_discipline": "codel", "codel_target_s": 0.1,
            "codel_interval_s": 0.5,
        },
    ),
    "would expire, at the door": Case(
        [BUSY, WAITING, Ask(0.2)], (503, "would_expire"), Permit(0.2, 0.2, "ignore"),
        {"queue_capacity": 9, "request_timeout_s": 1.5},
    ),
    "would expire, while waiting for a place": Case(
        [BUSY, Ask(0.2)], (503, "would_expire"), Permit(0.2, 0.8, "drop"),
        BLOCK | {"queue_capacity": 0, "request_timeout_s": 0.6, "payment_latency_s": 0.1},
        turns=SLOW,
    ),
    "circuit open, at the door": Case(
        [BUSY, Ask(2)], (503, "circuit_open"), Permit(2, 2, "ignore"),
        OPEN | {"payment_failure_rate": 1.0},
    ),
    "circuit open, at work": Case(
        [BUSY, Ask(2)], (503, "circuit_open"), Permit(2, 2, "ignore"),
        OPEN | {"store_failure_rate": 1.0},
    ),
    "attempts used up": Case(
        [Ask(0.2)], (503, "downstream_failed"), Permit(0.2, 0.2, "ignore"),
        {"payment_failure_rate": 1.0},
    ),
    "no database connection": Case(
        [Ask(0.2)], (503, "pool_exhausted"), Permit(0.2, 2.2, "drop"), mishap=no_connection
    ),
    "an answer lost on the way": Case(
        [Ask(0.2)], (504, "outcome_unknown"), Permit(0.2, 1.2, "ignore"), mishap=lost_answer
    ),
    "a fault in the code": Case(
        [Ask(0.2)], (500, "internal_error"), Permit(0.2, 0.2, "ignore"), mishap=broken_payment
    ),
    "its time ends in the queue": Case(
        [BUSY, Ask(0.5)], (504, "deadline_exceeded"), Permit(0.5, 5.5, "drop"),
        {"request_timeout_s": 5.0}, turns=SLOW,
    ),
    "its time ends at work": Case(
        [Ask(0.2)], (504, "deadline_exceeded"), Permit(0.2, 2.2, "drop"),
        {"request_timeout_s": 2.0}, turns=SLOW,
    ),
    "drained, at the door": Case([Ask(200)], (503, "draining"), None),
    "drained, in the queue": Case(
        [Ask(0), Ask(99)], (503, "draining"), Permit(99, 110, "ignore"),
        turns={0.0: {"payment_latency_s": 500.0}},
    ),
    "left the queue": Case([BUSY, Ask(0.2, 0.5)], LEFT, Permit(0.2, LEAVES_AT_S, "ignore")),
    "left at work": Case([Ask(0.2, 0.5)], LEFT, Permit(0.2, LEAVES_AT_S, "ignore")),
    "left waiting for a place": Case(
        [BUSY, WAITING, Ask(0.2, 0.5)], LEFT, Permit(0.2, LEAVES_AT_S, "ignore"), BLOCK
    ),
    "left the queue, unheeded": Case(
        [BUSY, Ask(0.2, 0.5)], LEFT, Permit(0.2, 2, "success"), HEEDLESS
    ),
    "left at work, unheeded": Case([Ask(0.2, 0.5)], LEFT, Permit(0.2, 1.2, "success"), HEEDLESS),
    "left waiting for a place, unheeded": Case(
        [BUSY, WAITING, Ask(0.2, 0.5)], LEFT, Permit(0.2, 3, "success"), BLOCK | HEEDLESS
    ),
    "left, unheeded, and failed": Case(
        [BUSY, Ask(0.2, 0.5)], LEFT, Permit(0.2, 1, "ignore"), HEEDLESS,
        turns={0.3: {"payment_failure_rate": 1.0}},
    ),
    "looked": Case(
        [Ask(0.2, looks=True)], (200, ""), Permit(0.2, 0.7, "success"), {"store_latency_s": 0.5}
    ),
    "looked at what was known": Case(
        [BUSY, Ask(0.2, looks=True)], (200, ""), Permit(0.2, 0.2, "success")
    ),
    "left while looking, which nobody hears": Case(
        [Ask(0.2, 0.5, looks=True)], LEFT, Permit(0.2, 1.2, "success"), {"store_latency_s": 1.0}
    ),
    "looked at nothing": Case(
        [Ask(0.2, item=101, looks=True)], (404, "not_found"), Permit(0.2, 0.2, "ignore")
    ),
    "a look over the limit": Case(
        [BUSY, Ask(0.2, looks=True)], (503, "concurrency_limit"), None, {"max_in_flight": 1}
    ),
    "a look whose time ends": Case(
        [Ask(0.2, looks=True)], (504, "deadline_exceeded"), Permit(0.2, 1.2, "drop"),
        {"store_latency_s": 5.0, "request_timeout_s": 1.0},
    ),
}  # fmt: skip


@pytest.mark.parametrize("edge", ["simulation", "http"])
@pytest.mark.parametrize("fate", FATES)
def test_every_fate_is_told_the_same_and_ends_its_permit_alike(fate: str, edge: EdgeName) -> None:
    """What is told, when the permit ends and how: as written here, at both edges."""
    case = FATES[fate]
    seen = by_hand(edge, case.asks, turns=case.turns, mishap=case.mishap, **case.knobs)
    assert seen.told[-1] == case.told
    began_s = case.asks[-1].at_s
    mine = [permit for permit in seen.permits if permit.began_s == began_s]
    assert mine == ([] if case.permit is None else [case.permit])


KNOBS = st.fixed_dictionaries(
    {
        "workers": st.integers(1, 3),
        "queue_capacity": st.sampled_from([-1, 0, 2, 6]),
        "queue_policy": st.sampled_from(["reject", "block"]),
        "queue_block_timeout_s": st.sampled_from([0.1, 0.7]),
        "queue_block_waiters": st.integers(0, 4),
        "queue_discipline": st.sampled_from(DISCIPLINES),
        "max_in_flight": st.sampled_from([0, 3, 8]),
        "limit_algorithm": st.sampled_from(LIMIT_ALGORITHMS),
        "client_max_in_flight": st.sampled_from([0, 2]),
        "drop_on_disconnect": st.booleans(),
        "request_timeout_s": st.sampled_from([0.4, 2.0]),
        "attempt_timeout_s": st.sampled_from([0.13, 0.5]),
        "retry_attempts": st.integers(1, 3),
        "retry_budget_ratio": st.sampled_from([0.0, 0.2]),
        "breaker_enabled": st.booleans(),
        "breaker_min_calls": st.just(5),
        "breaker_open_s": st.just(0.5),
        "payment_latency_s": st.sampled_from([0.02, 0.1]),
        "payment_latency_distribution": st.sampled_from(DISTRIBUTIONS),
        "payment_failure_rate": st.sampled_from([0.0, 0.3]),
        "store_latency_s": st.sampled_from([0.0, 0.01]),
        "store_failure_rate": st.sampled_from([0.0, 0.2]),
        "initial_stock": st.sampled_from([2, 1_000_000]),
        "cache_ttl_s": st.sampled_from([0.2, 5.0]),
        "seed": st.integers(0, 9),
    }
)
PLANS = st.builds(
    Plan,
    rate_per_s=st.sampled_from([10.0, 60.0]),
    seconds=st.just(2.0),
    seed=st.integers(0, 99),
    client_timeout_s=st.sampled_from([0.15, 0.5]),
    send_deadline=st.booleans(),
    send_keys=st.booleans(),
    retries=st.integers(0, 2),
    backoff=st.sampled_from(["exponential", "retry_after"]),
    retry_budget=st.sampled_from([None, 0.2]),
    retry_policy=st.sampled_from([None, "aws_bucket", "grpc_tokens", "linkerd_budget"]),
    browse_per_s=st.sampled_from([0.0, 20.0]),
    clients=st.sampled_from([(), (("a", 3.0), ("b", 1.0))]),
    priorities=st.sampled_from([(), (("0", 1.0), ("3", 1.0))]),
    item_id=st.sampled_from([None, 7]),
)


#: An order that is sold and several that are shed, told in one moment: the first to hear has the
#: first of the pauses that all draw from one chance.
TOLD_AT_ONCE = Plan(
    60.0, seconds=2.0, seed=67, client_timeout_s=0.15, retries=2, backoff="exponential"
)
SHEDS: dict[str, Any] = {
    "workers": 1, "queue_capacity": -1, "queue_policy": "block", "queue_block_timeout_s": 0.1,
    "queue_block_waiters": 0, "queue_discipline": "codel", "max_in_flight": 0,
    "limit_algorithm": "fixed", "client_max_in_flight": 0, "drop_on_disconnect": False,
    "request_timeout_s": 0.4, "attempt_timeout_s": 0.13, "retry_attempts": 1,
    "retry_budget_ratio": 0.0, "breaker_enabled": False, "breaker_min_calls": 5,
    "breaker_open_s": 0.5, "payment_latency_s": 0.02, "payment_latency_distribution": "constant",
    "payment_failure_rate": 0.0, "store_latency_s": 0.0, "store_failure_rate": 0.0,
    "initial_stock": 2, "cache_ttl_s": 0.2, "seed": 0,
}  # fmt: skip


@pytest.mark.slow
@settings(max_examples=examples(25))
@example(TOLD_AT_ONCE, SHEDS)
@example(TOLD_AT_ONCE, SHEDS | {"queue_policy": "reject", "max_in_flight": 3})
@given(PLANS, KNOBS)
def test_a_whole_crowd_fares_alike_at_both_edges(plan: Plan, knobs: dict[str, Any]) -> None:
    """To the last order: fate, latency, reason and attempts, and every permit."""
    simulated, real = by_crowd("simulation", plan, knobs), by_crowd("http", plan, knobs)
    assert simulated.orders == real.orders
    assert simulated.looks_s == real.looks_s
    assert simulated.permits == real.permits
    assert simulated.books == real.books
