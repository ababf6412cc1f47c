"""Usual wrong answers to the exercises of lesson 07: source, and some words of what it is told."""

METRICS = """from prometheus_client import Counter, Gauge, Histogram, Summary

def instrument(queue, registry):
    {depth}
    rejected = {rejected}
    waited = {waited}
    queue.on_reject = lambda order: {on_reject}
    queue.on_start = lambda order, waited_s: {on_start}
    {end}
"""
METERED = {
    "depth": 'Gauge("shop_queue_depth", "…", registry=registry).set_function(lambda: len(queue))',
    "rejected": 'Counter("shop_rejected", "…", registry=registry)',
    "waited": 'Histogram("shop_queue_wait_seconds", "…", registry=registry)',
    "on_reject": "rejected.inc()",
    "on_start": "waited.observe(waited_s)",
    "end": "",
}


def _metrics(**mistake: str) -> str:
    return METRICS.format(**METERED | mistake)


def _carry(*lines: str) -> str:
    """A job of these lines; the context and the trace id of the caller are at hand."""
    body = "".join(f"        {line}\n" for line in lines)
    return (
        "import asyncio\nimport contextvars\n\n"
        "from bpdemo.lab.lessons.trace_ids import trace_id\n\n"
        "def carry(handle, order):\n"
        "    context, mine = contextvars.copy_context(), trace_id.get()\n"
        f"    async def job():\n{body}"
        "    return job\n"
    )


WRONG: dict[str, dict[str, str]] = {
    "07a": {
        "def waits_too_long(before, after, limit_s):\n"
        "    return after['sum_s'] / after['count'] > limit_s\n": "a mean since the start",
        "def waits_too_long(before, after, limit_s):\n"
        "    new = after['count'] - before['count']\n"
        "    return (after['sum_s'] - before['sum_s']) / new > limit_s\n": "division by zero",
        "def waits_too_long(before, after, limit_s):\n"
        "    return after['sum_s'] - before['sum_s'] > limit_s\n": "0.01 s each",
        "def waits_too_long(before, after, limit_s):\n"
        "    new = after['count'] - before['count']\n"
        "    if not new:\n"
        "        return False\n"
        "    return (after['sum_s'] - before['sum_s']) / new > limit_s * 1000\n": (
            "in seconds, like the limit"
        ),
        "def waits_too_long(before, after, limit_s):\n"
        "    new = after['count'] - before['count']\n"
        "    return (after['sum_s'] - before['sum_s']) / new if new else 0.0\n": ("True or False"),
    },
    "07b": {
        "def culprit(spans):\n"
        "    return max(spans, key=lambda span: span['duration_ms'])['name']\n": (
            "at least as long as its children"
        ),
        "def culprit(spans):\n"
        "    parents = {span['parent_id'] for span in spans}\n"
        "    leaves = [span for span in spans if span['span_id'] not in parents]\n"
        "    return max(leaves, key=lambda span: span['duration_ms'])['name']\n": (
            "not always to blame"
        ),
        "def culprit(spans):\n    return spans[0]\n": "the name of the span, not the span itself",
        "def culprit(spans):\n    return 'queue'\n": "not always to blame",
    },
    "07c": {
        "alert = {'wait_ms': 250, 'turned_away': 1.0, 'because': 'b'}\n": "so is the wait",
        "alert = {'wait_ms': 100000, 'turned_away': 0.2, 'because': 'b'}\n": "It sheds nothing",
        "alert = {'wait_ms': 0, 'turned_away': 0.2, 'because': 'b'}\n": "fires for nothing",
        "alert = {'wait_ms': 250, 'turned_away': 0.2, 'because': 'a'}\n": "waiting takes no CPU",
        "alert = {'wait_ms': 250, 'turned_away': 0.2, 'because': 'c'}\n": "until the end",
        "alert = {'wait_ms': 250, 'turned_away': 0.2, 'because': 'd'}\n": "quick rejections",
    },
    "07d": {
        _metrics(depth="pass"): "by its name",
        _metrics(depth='Gauge("shop_queue_depth", "…")'): "registry of the whole process",
        _metrics(depth='Gauge("shop_queue_depth", "…", registry=registry)'): "moment of the scrape",
        _metrics(
            depth='depth = Gauge("shop_queue_depth", "…", registry=registry)',
            on_start="(depth.set(len(queue)), waited.observe(waited_s))",
        ): "shows an old moment",
        _metrics(rejected='Gauge("shop_rejected_total", "…", registry=registry)'): "only rises",
        _metrics(
            rejected='Counter("shop_rejected", "…", ["order"], registry=registry)',
            on_reject="rejected.labels(str(order)).inc()",
        ): "is a time series",
        _metrics(on_reject="None"): "how large the overload of a bounded queue is",
        _metrics(on_reject="rejected.inc(order)"): "how large the overload of a bounded queue is",
        _metrics(
            end="queue.on_reject = rejected.inc"
        ): "how large the overload of a bounded queue is",
        _metrics(end="queue.on_start = waited.observe"): "the order fails with it",
        _metrics(on_start="waited.observe(1000 * waited_s)"): "in milliseconds",
        _metrics(
            on_start="waited.observe(waited_s) if waited_s > 0.01 else None"
        ): "if every order is counted",
        _metrics(waited='Summary("shop_queue_wait_seconds", "…", registry=registry)'): "hides",
        _metrics(
            waited='Histogram("shop_queue_wait_seconds", "…", registry=registry, buckets=(1, 5))'
        ): "only how many waits fell into each bucket",
    },
    "07e": {
        _carry("await handle(order)"): "hands over the order and nothing else",
        _carry("await asyncio.create_task(handle(order))"): "hands over the order",
        _carry(
            "copy = contextvars.copy_context()",
            "await asyncio.create_task(handle(order), context=copy)",
        ): "Which of the two has",
        _carry("await context.run(handle, order)"): "a coroutine has no context",
        _carry("trace_id.set(mine)", "await handle(order)"): "the worker's context stays there",
        _carry(
            "token = trace_id.set(mine)",
            "try:",
            "    await handle(order)",
            "finally:",
            "    trace_id.reset(token)",
        ): "not the trace id alone",
        _carry("asyncio.create_task(handle(order), context=context)"): "the bound on concurrency",
        _carry("await asyncio.wait([asyncio.create_task(handle(order), context=context)])"): (
            "failure that nobody hears of"
        ),
        _carry("await asyncio.shield(asyncio.create_task(handle(order), context=context))"): (
            "nobody waits for such work"
        ),
        "async def carry(handle, order):\n    await handle(order)\n": "route must not wait",
        "def carry(handle, order):\n    return handle(order)\n": "route must not wait",
        "def carry(handle, order):\n    handle(order).close()\n": "nothing in the queue",
        "def carry(handle, order):\n    return lambda: order\n": "The job can be awaited",
    },
}
