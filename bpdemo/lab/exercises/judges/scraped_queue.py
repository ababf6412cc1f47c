"""07d: the answer instruments the queue of a small shop; what `/metrics` says is held against what
was so at the moment of each scrape."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final, NoReturn

from bpdemo.lab.exercises.exercise import NotYet
from bpdemo.lab.exercises.judges.small_shop import CAPACITY, PAY_S, Scrape, Shop, ShopQueue

if TYPE_CHECKING:
    from prometheus_client import Metric

DEPTH: Final = "shop_queue_depth"
REJECTED: Final = "shop_rejected"
WAITED: Final = "shop_queue_wait_seconds"
KINDS: Final = {DEPTH: "gauge", REJECTED: "counter", WAITED: "histogram"}
BURSTS, CROWD = 2, 24
ALERT_S: Final = 0.25
MOST_SERIES: Final = 5


def judge_instrument(instrument: Any) -> str:
    """At rest, in the middle of crowds, and at rest again."""
    from prometheus_client import CollectorRegistry

    from bpdemo.lab.services.service import serve

    shop = Shop(instrument, CollectorRegistry())
    with serve(app=shop, name="07d") as service:
        if shop.slip:
            raise shop.slip
        asyncio.run(_drive(service.url, shop))
    assert shop.queue is not None
    _judge_hooks(shop.queue)
    for scrape in shop.truths:
        _judge_scrape(scrape)
    last = shop.truths[-1]
    deepest = max(scrape.depth for scrape in shop.truths)
    return (
        f"in {len(shop.truths)} scrapes of /metrics while {shop.orders} orders came, the depth was "
        f"right each time (up to {deepest} of {CAPACITY}), and so were {last.rejected} rejections "
        f"and {len(last.waits_s)} waits, in seconds."
    )


async def _drive(url: str, shop: Shop) -> None:
    import httpx

    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=10) as client:
        await client.get("/metrics")
        for _ in range(BURSTS):
            shop.holds_until = shop.orders + CROWD
            crowd = [asyncio.ensure_future(client.post("/orders")) for _ in range(CROWD)]
            coming = set(crowd)
            while coming:
                await client.get("/metrics")
                _, coming = await asyncio.wait(coming, timeout=PAY_S / 2)
            await asyncio.gather(*crowd)
            await client.get("/metrics")


def _judge_hooks(queue: ShopQueue) -> None:
    if queue.slip is not None:
        kind, what = type(queue.slip).__name__, str(queue.slip)
        raise NotYet(
            expected="the queue can call `queue.on_reject(order)` and `queue.on_start(order, "
            "waited_s)`.",
            seen=f"one of your functions raised {kind}: {what}.",
            why="when the code that measures an order raises, the order fails with it.",
            look="`rejected.inc` and `waited.observe` take an amount, not an order. Put a small "
            "function around each of them.",
        )


def _judge_scrape(scrape: Scrape) -> None:
    families = _families(scrape.text)
    _judge_depth(families[DEPTH], scrape)
    _judge_rejected(families[REJECTED], scrape)
    _judge_waited(families[WAITED], scrape)


def _families(text: str) -> dict[str, Metric]:
    from prometheus_client import REGISTRY
    from prometheus_client.parser import text_string_to_metric_families

    found = {family.name: family for family in text_string_to_metric_families(text)}
    elsewhere = {family.name for family in REGISTRY.collect()}
    for name, kind in KINDS.items():
        told = f"{name}_total" if kind == "counter" else name
        if told in found and name not in found:  # a gauge that is called like a counter
            _judge_kind(name, told, kind, found[told].type)
        if name not in found and name in elsewhere:
            raise NotYet(
                expected=f"/metrics has a {kind} `{told}`.",
                seen="it is in the registry of the whole process, which /metrics does not show.",
                why="two services in one process, or a test that starts the service twice, would "
                "write into the same numbers.",
                look=f"Pass the registry on: `{kind.capitalize()}(…, registry=registry)`.",
            )
        if name not in found:
            has = ", ".join(sorted(found)) or "nothing"
            raise NotYet(
                expected=f"/metrics has a {kind} `{told}`.",
                seen=f"it has {has}.",
                why="dashboards and alerts find a metric by its name.",
                look="The table in the task has the names and the kinds.",
            )
        if found[name].type != kind:
            _judge_kind(name, told, kind, found[name].type)
    return found


def _judge_kind(name: str, told: str, kind: str, seen: str) -> NoReturn:
    why = {
        DEPTH: "a depth goes up and down, and a counter can only rise.",
        REJECTED: "`rate()` works on what only rises, which is a counter. When a gauge falls, "
        "Prometheus cannot tell a restart from a quiet minute.",
        WAITED: "a histogram can be added up over all processes, and asked for any percentile "
        "afterwards. The mean that a summary gives hides the slow orders.",
    }[name]
    raise NotYet(
        expected=f"`{told}` is a {kind}.",
        seen=f"it is a {seen}.",
        why=why,
        look=f"`from prometheus_client import {kind.capitalize()}`.",
    )


def _judge_depth(family: Metric, scrape: Scrape) -> None:
    told = sum(sample.value for sample in family.samples)
    if told == scrape.depth:
        return
    raise NotYet(
        expected=f"`{DEPTH}` is {scrape.depth}: so many orders waited at the moment of that "
        "scrape.",
        seen=f"it was {told:g}.",
        why="your functions do not hear of every order that joins or leaves the queue. A gauge "
        "that is set now and then shows an old moment; at rest it may show a full queue for hours.",
        look="Let it look at the moment of the scrape: `gauge.set_function(…)`, with a function "
        "that returns `len(queue)`.",
    )


def _judge_rejected(family: Metric, scrape: Scrape) -> None:
    series = [sample for sample in family.samples if sample.name.endswith("_total")]
    if len(series) > MOST_SERIES:
        labels = ", ".join(series[0].labels)
        raise NotYet(
            expected=f"`{REJECTED}_total` has at most {MOST_SERIES} time series.",
            seen=f"after {scrape.rejected} rejections it had {len(series)}, one for each {labels}.",
            why="each value of a label is a time series that Prometheus keeps in memory. There is "
            "no end of ids, so in an overload the monitoring goes down with the service.",
            look="Labels are for small closed sets, such as the reason. An id belongs in a log or "
            "a span.",
        )
    told = sum(sample.value for sample in series)
    if told != scrape.rejected:
        raise NotYet(
            expected=f"`{REJECTED}_total` is {scrape.rejected}: so many orders had been rejected "
            "by then.",
            seen=f"it was {told:g}.",
            why="only the rejections show how large the overload of a bounded queue is.",
            look="The queue calls `queue.on_reject` once for each rejection: by how much does your "
            "function count up?",
        )


def _judge_waited(family: Metric, scrape: Scrape) -> None:
    def total(suffix: str) -> float:
        return sum(s.value for s in family.samples if s.name == WAITED + suffix)

    count, sum_s, true_s = total("_count"), total("_sum"), sum(scrape.waits_s)
    if count != len(scrape.waits_s):
        raise NotYet(
            expected=f"`{WAITED}_count` is {len(scrape.waits_s)}: so many orders had been begun.",
            seen=f"it was {count:g}.",
            why="a mean or a percentile is only right if every order is counted, and counted once.",
            look="The queue calls `queue.on_start` for each order that a worker begins, also when "
            "the order did not have to wait.",
        )
    if abs(sum_s - true_s) > 0.01 * true_s + 1e-6:
        in_ms = abs(sum_s - 1000 * true_s) <= 10 * true_s
        raise NotYet(
            expected=f"`{WAITED}_sum` is {true_s:.3f}: all waits together, in seconds.",
            seen=f"it was {sum_s:.3f}{', which is in milliseconds' if in_ms else ''}.",
            why="the name says seconds, and every dashboard that reads it takes its word.",
            look="By convention, Prometheus metrics are in base units: seconds and bytes.",
        )
    bounds = {float(s.labels["le"]) for s in family.samples if s.name == f"{WAITED}_bucket"}
    if ALERT_S not in bounds:
        told = ", ".join(f"{bound:g}" for bound in sorted(bounds))
        raise NotYet(
            expected=f"the histogram has a bucket that ends at {ALERT_S:g} s, which is the limit "
            "of the alert.",
            seen=f"its buckets end at {told} s.",
            why="a histogram keeps only how many waits fell into each bucket. How many orders "
            f"waited longer than {ALERT_S:g} s is known exactly only if a bucket ends there.",
            look="The library's default buckets have it. If you choose your own, let one end at "
            "each limit that you will ask about.",
        )
