"""The cells of the conformance matrix: each setting that steers, both ways where it has two.

Four workers and a payment of 0.2 s sell twenty orders a second, to customers who wait for 2 s: in
proportion what the lessons have, at a tenth of their pace. So the few milliseconds that an order
takes over HTTP, and virtual time knows nothing of, stay small beside its payment, and several cells
can be played side by side.
"""

from __future__ import annotations

from typing import Any, Final

from benchmarks.conformance import Cell
from bpdemo.core.choices import LIMIT_ALGORITHMS, RETRY_POLICIES
from bpdemo.lab.lessons.sizing import size

BASE: Final[dict[str, Any]] = {
    "workers": 4,
    "payment_latency_s": 0.2,
    "store_latency_s": 0.0,
    "queue_capacity": 8,
    "request_timeout_s": 2.0,
    "attempt_timeout_s": 1.0,
    "retry_base_s": 0.2,
    "seed": 1,
}
NAIVE: Final = {knob: BASE[knob] for knob in ("workers", "payment_latency_s", "store_latency_s")}
PLAN: Final[dict[str, Any]] = {"times": 2, "client_timeout_s": 2.0}
BLOCK: Final = {"queue_policy": "block", "queue_block_timeout_s": 0.7, "queue_block_waiters": 12}
LONG: Final = {"queue_capacity": 60}
ENDLESS: Final = {"queue_capacity": -1, "request_timeout_s": 0.0}
UNHEARD: Final = {"drop_on_disconnect": False}
BREAKER: Final = {"breaker_min_calls": 8, "breaker_window_s": 3.0, "breaker_open_s": 1.5}
#: Between two turns of the workers, so that a few milliseconds decide for nobody. At 0.6 or 0.7 s
#: Vegas comes out 0.16 of the offer apart, both times simulated, if the payment takes 2 ms more.
LEAVES_S: Final = 1.1
#: When knobs turn on the way: once there is something to slow down, and back.
SOON_S, BACK_S = 1.0, 4.0


def cell(name: str, knobs: dict[str, Any] | None = None, **plan: Any) -> Cell:
    return Cell(name, BASE | (knobs or {}), PLAN | plan)


def naive(name: str, knobs: dict[str, Any] | None = None, **plan: Any) -> Cell:
    """At the service that protects itself from nothing but what `knobs` say."""
    return Cell(name, NAIVE | {"seed": 1} | (knobs or {}), PLAN | plan, profile="unprotected")


def turned(**knobs: Any) -> list[tuple[float, dict[str, Any]]]:
    """These knobs, for a while."""
    return [(SOON_S, knobs), (BACK_S, {name: BASE.get(name, False) for name in knobs})]


def admission() -> list[Cell]:
    mixed = {"0": 2, "1": 2, "3": 1}
    return [
        cell("reject, below capacity", times=0.9),
        cell("reject, a spike", scenario="spike", times=4),
        cell("a closed load", times=None, rate=10, scenario="closed"),
        cell("fifo", LONG),
        cell("lifo", {"queue_discipline": "lifo"} | LONG),
        cell("adaptive lifo", {"queue_discipline": "adaptive_lifo"} | LONG),
        cell("priority", {"queue_discipline": "priority"}, priorities=mixed),
        cell(
            "codel",
            {"queue_discipline": "codel", "codel_target_s": 0.2, "codel_interval_s": 1.0} | LONG,
        ),
        cell("block", BLOCK),
        cell("block, with a deadline", BLOCK, send_deadline=True, client_timeout_s=1.0),
        cell("block, leaving unheard", BLOCK | UNHEARD, client_timeout_s=0.6),
    ]


def limits() -> list[Cell]:
    slow = [(SOON_S, {"payment_latency_s": 0.8})]
    greedy = {"greedy": 8, "a": 1, "b": 1}
    return [
        cell("limit below the places", {"max_in_flight": 6}),
        cell("limit, leaving heard", {"max_in_flight": 16} | LONG, client_timeout_s=0.6),
        cell(
            "limit, leaving unheard", {"max_in_flight": 16} | LONG | UNHEARD, client_timeout_s=0.6
        ),
        naive("naive"),
        naive("naive, limit, slow payment", {"max_in_flight": 16}, changes=slow),
        *adaptive(),
        cell("fair share", {"client_max_in_flight": 3}, clients=greedy),
        cell("fair share of an address", {"client_max_in_flight": 5}, browse_per_s=10),
    ]


def adaptive() -> list[Cell]:
    """Each limit that learns, before a long queue: of answers, and of callers who leave.

    What it has learnt decides what it learns next, so that milliseconds add up. Envoy's draws its
    conclusions from two or three calls here: above capacity it comes out 0.06 of the offer apart,
    both times simulated, if the payment takes 2 ms more.
    """
    found = []
    for name in LIMIT_ALGORITHMS:
        if name == "fixed":
            continue
        limit = {"limit_algorithm": name} | LONG
        load: dict[str, Any] = {"times": 0.7} if name == "gradient" else {}
        found.append(cell(f"limit that adapts, {name}", limit, **load))
        found.append(
            cell(f"limit that adapts, {name}, leaving", limit, client_timeout_s=LEAVES_S, **load)
        )
    return found


def deadlines() -> list[Cell]:
    return [
        cell("deadline sent, leaving heard", ENDLESS, send_deadline=True),
        cell("deadline sent, leaving unheard", ENDLESS | UNHEARD, send_deadline=True),
        cell("no deadline, leaving heard", ENDLESS),
        cell("no deadline, leaving unheard", ENDLESS | UNHEARD),
    ]


def payments() -> list[Cell]:
    """A payment that takes now less and now more time, or never answers."""
    hanging = {"payment_hang_rate": 0.1, "attempt_timeout_s": 0.5} | LONG
    return [
        *(
            cell(f"payment, {name}", {"payment_latency_distribution": name}, times=0.9)
            for name in ("exponential", "bimodal")
        ),
        cell("payment, some calls hang", hanging, times=0.7),
        cell("payment, some calls hang, a breaker", hanging | BREAKER, times=2),
        naive("naive, some calls hang", {"payment_hang_rate": 0.05}, times=0.7),
    ]


def retries() -> list[Cell]:
    """Client policies in a storm: after three slow seconds, from which not all of them recover."""
    flaky = {"payment_failure_rate": 0.3, "breaker_enabled": False, "queue_capacity": 20}
    return [
        cell("retry storm", scenario="retry_storm"),
        naive("retry storm, naive", scenario="retry_storm", send_keys=True, times=3),
        cell("retries with backoff", retries=3, backoff="exponential"),
        cell("retries when told", retries=2, backoff="retry_after", times=1.5),
        cell("retries within a budget", retries=3, retry_budget=0.1, send_keys=True),
        # It asks what was refused, where a storm of those who leave asks chance.
        cell(
            "retries, sre_throttling", retries=3, backoff="exponential",
            retry_policy="sre_throttling",
        ),
        *(
            naive(
                f"retries, {name}", retries=3, retry_policy=name, times=0.6, client_timeout_s=0.7,
                changes=turned(payment_latency_s=2.0),
            )
            for name in RETRY_POLICIES
            if name != "sre_throttling"
        ),
        cell(
            "joined and replayed", LONG, times=0.9, retries=2, send_keys=True, client_timeout_s=0.35
        ),
        cell("attempts within a budget", flaky | {"retry_budget_min_per_s": 1}, times=0.6),
        cell("attempts, no budget", flaky | {"retry_budget_enabled": False}, times=0.6),
        cell("breaker, an outage", BREAKER, changes=turned(payment_outage=True), times=0.8),
        cell(
            "breaker, a payment that hangs", BREAKER, changes=turned(payment_latency_s=30.0),
            times=0.8,
        ),
        cell(
            "no breaker, an outage", {"breaker_enabled": False},
            changes=turned(payment_outage=True), times=0.8,
        ),
    ]  # fmt: skip


def browsing() -> list[Cell]:
    cold = {"store_latency_s": 0.1, "cache_ttl_s": 0.5}
    down = turned(store_outage=True)
    return [
        cell("browsing", cold, browse_per_s=20, times=0.6),
        cell("browsing through the limit", cold | {"max_in_flight": 8}, browse_per_s=20),
        cell("browsing, the store down", cold | BREAKER, browse_per_s=20, times=0.9, changes=down),
    ]


def sizes() -> list[Cell]:
    """What `size` advises for the payment it is told of, with one as slow, or slower."""
    service_s, deadline_s = 0.336, 4.0
    advised = size(workers=8, service_s=service_s, deadline_s=deadline_s).knobs
    knobs = {**advised, "store_latency_s": 0.0, "seed": 1}
    plan = {"times": 0.9, "client_timeout_s": deadline_s, "send_deadline": True}
    found = []
    for times in (1, 2, 3):
        slower = [(SOON_S, {"payment_latency_s": service_s * times})] if times > 1 else []
        for scatter in ("constant", "lognormal"):
            scattered = knobs | {"payment_latency_distribution": scatter}
            name = f"size, payment ×{times}, {scatter}"
            found.append(Cell(name, scattered, plan | {"changes": slower}))
    return found


def matrix() -> list[Cell]:
    return [*admission(), *limits(), *deadlines(), *payments(), *retries(), *browsing(), *sizes()]


#: A few that tell the most, for every change of the service or its twin.
TELLING: Final = (
    "block, leaving unheard",
    "limit, leaving unheard",
    "naive, limit, slow payment",
    "limit that adapts, vegas, leaving",
    "payment, bimodal",
    "payment, some calls hang",
    "retries, grpc_tokens",
    "joined and replayed",
    "browsing through the limit",
    "size, payment ×2, constant",
)


def telling() -> list[Cell]:
    return [cell for cell in matrix() if cell.name in TELLING]
