"""Where the service does what an answer does, and how the two differ, in words."""

from __future__ import annotations

import ast
import textwrap
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from bpdemo.lab.lessons.shared.source import PACKAGE_HOME, Source


@dataclass(frozen=True, slots=True)
class Production:
    """`where`: the code, each as `module:name`. `differs`: a sentence or two for each difference
    that matters."""

    where: tuple[str, ...]
    differs: tuple[str, ...]

    def sources(self) -> list[Source]:
        """The code as it stands in its files today."""
        return [_read(where) for where in self.where]


def _read(where: str) -> Source:
    """Without importing it: Locust, which some of it uses, would patch the notebook's kernel."""
    module, _, name = where.partition(":")
    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    file = Path(spec.origin).resolve()
    text = file.read_text("utf-8")
    node: ast.AST = ast.parse(text)
    for part in name.split("."):
        node = next(each for each in ast.iter_child_nodes(node) if _called(each) == part)
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
    last = node.end_lineno or first
    code = textwrap.dedent("\n".join(text.splitlines()[first - 1 : last]))
    return Source(name, file.relative_to(PACKAGE_HOME).as_posix(), first, last, code)


def _called(node: ast.AST) -> str:
    return getattr(node, "name", "")


#: A setting is a value, not code; what 06c and 07b calculate, no code of the service does.
PRODUCTION: Final[dict[str, Production]] = {
    "01a": Production(
        where=("bpdemo.flow.queue:BoundedQueue.try_put",),
        differs=(
            "It raises `QueueFull` where yours returns `False`. An exception carries its reason up "
            "to the edge, which makes a 503 of it, and no caller can forget to look at it.",
            "The queue is an object that keeps its capacity and its discipline (oldest first, "
            "newest first, by priority); yours is handed a list.",
            "It rejects a job when the service is draining, it lets none overtake those that "
            "already wait for a place, and it accepts no job twice.",
        ),
    ),
    "01b": Production(
        where=("bpdemo.results.summary:summary_of",),
        differs=(
            "It sorts every order into one of four fates first (served, late, shed, failed), so "
            "that the four rates add up to the offer. Yours counts one of them.",
            "It counts from the moment at which an order was *meant* to be sent, for any part of "
            "a run, and sets the goodput beside the capacity and beside what was possible.",
        ),
    ),
    "01c": Production(
        where=("bpdemo.load.open_loop:OpenLoopUser._arrive",),
        differs=(
            "The gaps between arrivals are random (exponential, so arrivals are Poisson) with the "
            "planned mean; yours are all the same. Real callers do not come by the clock.",
            "Each arrival runs in a task of its own, so that no answer can hold up the next one. "
            "When too many are under way, an arrival is told as *unsent*, and not silently left "
            "out.",
        ),
    ),
    "02a": Production(
        where=("bpdemo.lab.lessons.sizing:_places",),
        differs=(
            "`size()` does not add two by a rule of thumb: it asks queueing theory (M/M/c/K) for "
            "the shortest queue that rejects at most 3% at 90% of capacity. For eight workers, "
            "both give the same.",
            "The ceiling is the same as yours: never more than half of (timeout − service) × "
            "capacity.",
        ),
    ),
    "02c": Production(
        where=(
            "bpdemo.service.wait_estimate:WaitEstimate.estimated_wait_s",
            "bpdemo.flow.deadline:can_finish",
        ),
        differs=(
            "The service time is measured while it runs (a moving mean), not given, so the rule "
            "still holds when the payment provider becomes slower.",
            "Free workers, priorities and newest-first queues are counted in, and the time that "
            "is left is the caller's own deadline.",
            "While a worker is idle the rule is not asked. Otherwise one slow moment could make "
            "the service reject everybody, and it would never learn that it is fast again.",
        ),
    ),
    "03a": Production(
        where=("bpdemo.flow.share:FairShare.try_enter", "bpdemo.flow.share:FairShare.leave"),
        differs=(
            "Very little: the count is an attribute, and a limit of 0 means no limit.",
            "`leave` removes a client whose count is back at 0. A dictionary that remembers every "
            "client that ever came is a queue without a bound of another kind.",
        ),
    ),
    "03c": Production(
        where=("bpdemo.flow.codel:CoDel.sheds", "bpdemo.flow.codel:CoDel.saw_empty"),
        differs=(
            "It has to find out for how long the queue has been standing: the queue tells it "
            "whenever it is empty, and it keeps the time. You were given that figure.",
            "The rule itself is the same one line.",
        ),
    ),
    "04a": Production(
        where=("bpdemo.flow.backoff:backoff_s",),
        differs=(
            "The exponent is cut off at 64: a float overflows at 2 ** 1024, and a caller who has "
            "failed that often should get the cap, not an `OverflowError`.",
            "Full jitter is one of four choices. *Decorrelated* jitter needs the last wait as "
            "well, which is why it is an argument.",
        ),
    ),
    "04c": Production(
        where=("bpdemo.flow.deadline:can_finish", "bpdemo.service.intake:Intake._check_time"),
        differs=(
            "`can_finish` answers the opposite question, and its caller raises `WouldExpire`, from "
            "which the edge makes a 503 with `Retry-After`.",
            "An order that need not wait is always tried as long as any time is left; the check "
            "did that for you.",
            "The same question is asked twice: before the body is read, and again when there is a "
            "place, since a slow body or a wait for a place takes time.",
        ),
    ),
    "05a": Production(
        where=(
            "bpdemo.flow.breaker:Breaker.acquire",
            "bpdemo.flow.breaker:Breaker.success",
            "bpdemo.flow.breaker:Breaker.failure",
            "bpdemo.flow.breaker:Breaker._move_to",
        ),
        differs=(
            "The three events are three methods, and the state is kept inside; yours is one "
            "function of state and event, which is easier to read and to test, and keeps nothing.",
            "Every call gets a *permit*. A call that began before the last change of state ends "
            "with an old permit, and no longer counts: its answer is news from another time.",
            "A trial request that never ends gives its permit back after a while; otherwise a "
            "single lost answer would keep the breaker half-open for ever.",
            "There is a fourth event, `ignore`, for a call that says nothing of the dependency: "
            "its caller left, or the caller's own deadline cut it short.",
        ),
    ),
    "05d": Production(
        where=("bpdemo.flow.guard:Guard.call", "bpdemo.flow.guard:Guard.attempt"),
        differs=(
            "The order is yours, but deadline and attempt timeout share one timer: the shorter of "
            "the two. When it ends, the code knows whose it was, and only the attempt's own "
            "timeout is a failure for the breaker.",
            "The first attempt does not go through the retry library at all. That library costs "
            "more than everything else together, and nearly every call succeeds at once.",
            "A retry also has to be paid for out of a budget, and an open breaker or an exhausted "
            "pool is never retried.",
        ),
    ),
    "06a": Production(
        where=(
            "bpdemo.flow.cache:ReadThroughCache._join",
            "bpdemo.flow.cache:ReadThroughCache._take_off",
        ),
        differs=(
            "It counts who waits for a flight. When the last one has left, the load is cancelled: "
            "nobody needs it. Yours lets it run to its end, which costs the store one load.",
            "The result is kept for a while, unless the key was invalidated during the load: what "
            "such a load has read may be the old value.",
            "It finds out whether the caller was cancelled or the load, since both arrive as the "
            "same `CancelledError`.",
        ),
    ),
    "07a": Production(
        where=("bpdemo.lab.lessons.signals:_Reading._mean_ms",),
        differs=(
            "When no order was begun between the readings, it returns NaN, which is a gap in the "
            "picture; an alert has to decide, and yours returns `False`.",
            "In Prometheus the same is written as `rate(bpdemo_queue_wait_seconds_sum[1m]) / "
            "rate(bpdemo_queue_wait_seconds_count[1m])`, where `rate` also copes with a counter "
            "that began again at 0 after a restart.",
        ),
    ),
    "07d": Production(
        where=(
            "bpdemo.telemetry.gauges:GaugeCollector.collect",
            "bpdemo.telemetry.metrics:Metrics._order_events",
        ),
        differs=(
            "All gauges are read by one collector at the moment of the scrape, from one snapshot, "
            "so they belong together. Yours asks for one of them.",
            "The queue knows nothing of Prometheus. It hands small events to an observer, and this "
            "table says which counter each kind of event moves; you gave functions to the queue.",
            "Rejections carry a label `reason`, and every reason is there from the start, at 0: a "
            "time series that appears only with its first event has no rate when it matters most.",
        ),
    ),
    "07e": Production(
        where=(
            "bpdemo.service.order_job:OrderJob.__init__",
            "bpdemo.flow.pool:WorkerPool._run",
        ),
        differs=(
            "The context travels as a field of the job, `copy_context()` when the order is "
            "admitted, and the worker starts the task in it; you hide both in a closure.",
            "A worker survives everything that its job raises, and reports it to an observer. "
            "Yours lets the exception through to the worker.",
        ),
    ),
    "08a": Production(
        where=("bpdemo.load.open_loop:OpenLoopUser",),
        differs=(
            "Your file says who comes and what they do; this is what makes them come. Each arrival "
            "runs your task in a greenlet of its own, at a time that was drawn before.",
            "The clock of a request starts when it was *meant* to be sent. A sender that falls "
            "behind makes its answers look slow, and not its load light.",
            "It rejects what would be a closed loop in disguise, such as a `TaskSet`.",
        ),
    ),
    "09a": Production(
        where=(
            "bpdemo.protect.bulkhead:Bulkhead.try_enter",
            "bpdemo.protect.bulkhead:Bulkhead.wait",
            "bpdemo.protect.guarded:Guarded.__call__",
        ),
        differs=(
            "It stands around the whole application (pure ASGI), and rejects a request before its "
            "body is read and parsed. Inside a route, a rejection costs nearly as much as the "
            "framework's part of an order.",
            "Those who wait are served in their order and give their place back when they hang up, "
            "and a request that could not be finished in time is rejected at once.",
            "`Retry-After` is drawn evenly over the time that the backlog takes, so that the "
            "rejected do not all come back in the same second.",
            "It keeps count: each request that arrived is inside, waiting, rejected, abandoned or "
            "done, and the sum is always right.",
        ),
    ),
    "11a": Production(
        where=("bpdemo.flow.limits.aimd:AIMD.learn",),
        differs=(
            "The published timeout is 5 s, and the cut is counted for every slow call, not once a "
            "flight. It is shown as it was published; the lesson shows what comes of that.",
            "The cut is rounded down, so that a small limit falls too: 0.9 · 7 is 6, not 6.3. "
            "Least and greatest limit are settings.",
        ),
    ),
    "11b": Production(
        where=("bpdemo.flow.limits.gradient2:Gradient2._update",),
        differs=(
            "This is the rule that drifts, as published: an average over ten minutes, which falls "
            "by 5% a second only while it is more than twice the short time. It is a rival in the "
            "arena, and stays as it is.",
            "An average forgives one lucky window. Yours believes it for ever: where single calls "
            "are shorter by nature, take the least of *windows*, and look anew now and then. And "
            "it never hears that a service has become slower for good: at three times its former "
            "service time it loses a fifth here. So the published ones measure anew, and pay.",
        ),
    ),
    "12a": Production(
        where=("bpdemo.flow.codel:CoDel.sheds", "bpdemo.service.intake:Intake.shed_queued"),
        differs=(
            "Your steps turn a setting. With CoDel the first of these decides, order by order as "
            "their turn comes, which has waited too long; newest first only turns the order round. "
            "The second is what a service does when it stops: all who wait hear so at once, and "
            "may try elsewhere.",
            "On call, the steps stand in a runbook: drop traffic at the edge first, then restart "
            "behind that limit, since a real restart is cold and slow. A bound or a deadline "
            "stands there before the day on which it is needed.",
        ),
    ),
    "12b": Production(
        where=("bpdemo.sim.storm:RetryStorm.edge_s",),
        differs=(
            "The model also says *which* trigger is survived above the safe load, by letting the "
            "same flows run. Your formula is its first line: below that load there is no edge.",
            "Both suppose that a retry costs what a first attempt does. In production it may cost "
            "more (a new connection, a cache that misses): stay well below the line.",
        ),
    ),
}
