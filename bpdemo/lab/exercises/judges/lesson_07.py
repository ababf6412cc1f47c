"""The exercises of lesson 07: an alert from two counters, the part to blame, what to wake for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from bpdemo.lab.exercises.exercise import Exercise, NotYet
from bpdemo.lab.exercises.judges.carried_context import judge_carry
from bpdemo.lab.exercises.judges.scraped_queue import judge_instrument

if TYPE_CHECKING:
    from bpdemo.load.run import LoadRun

SERVICE_S = 0.042
"""Payment and store, as they are set by default."""

# -- 07a ------------------------------------------------------------------------------------

LIMIT_S = 0.25
EVERY_S = 0.5
QUIET_S, PEAK_S, SPIKE_S = 8.0, 16.0, 24.0
#: The queue of the peak is worked off, and everybody has gone.
NIGHT_S = 40.0
Reading = dict[str, float]


def judge_alert(waits_too_long: Any) -> str:
    """Two readings by hand; then a day with a spike, and the night after it, five times over."""
    _judge_hand(waits_too_long)
    from bpdemo.core.settings import Settings
    from bpdemo.lab.exercises.judges.judging import over_seeds

    load = {"times": 2, "seconds": SPIKE_S, "scenario": "spike", "client_timeout_s": 60}
    delays = [_delay_s(waits_too_long, run) for run in over_seeds(Settings.unprotected(), **load)]
    return (
        "on five days it was silent in the morning and at night, and rang at most "
        f"{max(delays):.1f} s after the crowd came."
    )


def _judge_hand(waits_too_long: Any) -> None:
    nobody = _reading(90.0, 1000)
    _ask(waits_too_long, nobody, nobody, False, "nobody's order was begun between two readings")
    slow = (_reading(90.0, 1000), _reading(93.0, 1010))
    _ask(waits_too_long, *slow, True, "ten orders had waited 0.3 s each, after 1000 quick ones")
    quick = (_reading(4000.0, 9000), _reading(4001.0, 9100))
    _ask(waits_too_long, *quick, False, "100 orders had waited 0.01 s each, after a bad hour")
    two = (_reading(0.0, 0), _reading(0.6, 2))
    _ask(waits_too_long, *two, True, "two orders had waited 0.3 s each")
    _ask(waits_too_long, *two, False, "two orders had waited 0.3 s each", limit_s=0.5)


def _ask(
    waits_too_long: Any,
    before: Reading,
    after: Reading,
    right: bool,
    what: str,
    limit_s: float = LIMIT_S,
) -> None:
    told = waits_too_long(dict(before), dict(after), limit_s)
    if not isinstance(told, bool) and str(told) not in ("True", "False"):
        raise NotYet(
            expected="True or False.",
            seen=f"{told!r}.",
            why="an alert rings or is silent.",
            look="Does the function compare the mean with the limit, and return what comes of it?",
        )
    if bool(told) is not right:
        raise NotYet(
            expected=f"{'an alarm' if right else 'silence'}: {what}; the limit is {limit_s:g} s.",
            seen=f"from {before} to {after} it said {told}.",
            why="counters only ever rise. What happened *lately* is the difference of two "
            "readings; the mean since the start is slow to rise and slow to fall.",
            look="Mean wait = what was added to sum_s ÷ what was added to count. Both in seconds.",
        )


def _delay_s(waits_too_long: Any, run: LoadRun) -> float:
    """How long after the peak began it rang; NotYet if it rang when it should not."""
    readings = _readings(run)
    rang_s = [
        at_s
        for (_, before), (at_s, after) in pairwise(readings)
        if waits_too_long(before, after, LIMIT_S)
    ]
    early = [at_s for at_s in rang_s if at_s <= QUIET_S]
    night = [at_s for at_s in rang_s if at_s > NIGHT_S - 5]
    in_time = [at_s for at_s in rang_s if QUIET_S < at_s <= QUIET_S + 4]
    if early or night or not in_time:
        first = f"first at {rang_s[0]:.1f} s, last at {rang_s[-1]:.1f} s" if rang_s else "never"
        raise NotYet(
            expected=f"silence until the crowd comes at {QUIET_S:g} s, an alarm within 4 s of it, "
            "and silence again when all is over.",
            seen=f"it rang {first}.",
            why="an alarm that comes late wakes you for the ruins; one that does not stop is "
            "switched off.",
            look="Use the difference of the two readings, of sum_s and of count.",
        )
    return in_time[0] - QUIET_S


def _readings(run: LoadRun) -> list[tuple[float, Reading]]:
    """The counters of the queue wait, every half second, into the night."""
    import numpy as np

    wait_s = np.maximum(0.0, run.records.latency_s - SERVICE_S)
    begun_s = run.records.t_s + wait_s
    moments = np.arange(0.0, NIGHT_S + EVERY_S, EVERY_S)
    return [
        (float(at_s), _reading(float(wait_s[begun_s <= at_s].sum()), int((begun_s <= at_s).sum())))
        for at_s in moments
    ]


def _reading(sum_s: float, count: int) -> Reading:
    return {"sum_s": sum_s, "count": count}


# -- 07b ------------------------------------------------------------------------------------

Span = dict[str, Any]


def judge_culprit(culprit: Any) -> str:
    """A trace by hand; then three of a real service, each slow for another reason."""
    _blame(culprit, _by_hand(), "work", "it computed for 90 ms itself")
    told = []
    for name, why, record in (
        ("queue", "five orders came at once to one worker", _trace_of_crowd),
        ("payment attempt", "the payment took 40 ms, nobody queued", _trace_of_one),
        ("store attempt", "the store took 150 ms", _trace_of_slow_store),
    ):
        _blame(culprit, record(), name, why)
        told.append(name)
    return f"in three traces of the real service it found the {', the '.join(told)}."


def _blame(culprit: Any, spans: list[Span], right: str, because: str) -> None:
    named = culprit([dict(span) for span in spans])
    if named == right:
        return
    raise NotYet(
        expected=f"{right!r}: {because}.",
        seen=f"{named!r}, in the trace {_told(spans)}.",
        why=_mistake(named, spans),
        look="A span's own time is its duration less those of its children, the spans whose "
        "parent_id is its span_id.",
    )


def _mistake(named: object, spans: list[Span]) -> str:
    names = {span["name"] for span in spans}
    parents = {span["parent_id"] for span in spans}
    if isinstance(named, dict):
        return "the name of the span is asked for, not the span itself."
    if named not in names:
        return "that is the name of no span of this trace."
    if any(span["name"] == named and span["span_id"] in parents for span in spans):
        return (
            "that span is long because its parts are: a whole is always as long as its parts, "
            "and so always the longest. It tells nobody where to look."
        )
    return "a part without parts of its own is not always to blame: a whole has time of its own."


def _told(spans: list[Span]) -> str:
    return ", ".join(f"{span['name']} {span['duration_ms']:.0f} ms" for span in spans)


def _by_hand() -> list[Span]:
    rows = [("payment attempt", "c", "b", 40.0), ("queue", "d", "a", 5.0),
            ("work", "b", "a", 130.0), ("POST /orders", "a", "caller", 137.0)]  # fmt: skip
    columns = ("name", "span_id", "parent_id", "duration_ms")
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _trace_of_crowd() -> list[Span]:
    from bpdemo.lab.lessons.single_orders import send_at_once

    return _longest_trace(lambda service: send_at_once(service, ["c"] * 5))


def _trace_of_one() -> list[Span]:
    from bpdemo.lab.lessons.tracing import send_traced

    return _longest_trace(send_traced)


def _trace_of_slow_store() -> list[Span]:
    from bpdemo.lab.lessons.tracing import send_traced

    return _longest_trace(send_traced, store_latency_s=0.15)


def _longest_trace(send: Callable[[Any], object], **knobs: Any) -> list[Span]:
    """The spans of the slowest order that was sent to a service of its own."""
    from bpdemo.lab.services.service import serve

    with serve(workers=1, traces="memory", name="07b", **knobs) as service:
        service.get("/items/1")  # the first look fills the cache
        send(service)
        spans = service.traces()
    orders = spans[spans["name"] == "POST /orders"]
    slowest = orders.nlargest(1, "duration_ms")["trace_id"]
    columns = ["name", "span_id", "parent_id", "duration_ms"]
    rows = spans.loc[spans["trace_id"].isin(slowest), columns]
    return [dict(zip(columns, row, strict=True)) for row in rows.itertuples(index=False)]


# -- 07c ------------------------------------------------------------------------------------

CALM, OVERLOAD = 0.7, 2.0
REPLIES = {
    "a": "CPU does not tell it *later*, it does not tell it at all: these workers wait for the "
    "payment, they do not compute.",
    "c": "The naive service refuses nobody. By refusals alone it is well until the end.",
    "d": "In the mean of all answers the many quick refusals hide the wait: under overload the "
    "mean of the protected service *falls* (lesson 01).",
}


def judge_limits(answer: Mapping[str, Any]) -> str:
    """Both services, on calm days and in overload, five seeds each."""
    from bpdemo.core.settings import Settings
    from bpdemo.lab.exercises.judges.judging import chosen, defended

    wait_ms, turned_away = chosen(answer, wait_ms=(0, 1e6), turned_away=(0, 1))
    defended(answer, right="b", replies=REPLIES)
    services = {
        "naive": Settings.unprotected(),
        "protected": Settings(queue_capacity=8, request_timeout_s=0),
    }
    for name, settings in services.items():
        for times in (CALM, OVERLOAD):
            _judge_rings(name, times, _windows(settings, times), wait_ms, turned_away)
    return (
        f"a wait above {wait_ms:g} ms or more than {turned_away:.0%} shed: silent on all "
        "calm days, and it rang for both services in overload."
    )


def _windows(settings: Any, times: float) -> list[list[tuple[float, float]]]:
    """For each of five runs: mean wait in ms and share turned away, second by second but for
    the first."""
    import numpy as np

    from bpdemo.lab.exercises.judges.judging import over_seeds
    from bpdemo.plan.fates import SHED

    found = []
    for run in over_seeds(settings, times=times, seconds=4, client_timeout_s=30):
        second = run.records.t_s.astype(int)
        is_shed = run.records.fate == SHED
        wait_ms = 1000 * np.maximum(0.0, run.records.latency_s - SERVICE_S)
        found.append(
            [
                (
                    float(wait_ms[(second == s) & ~is_shed].mean()),
                    float(is_shed[second == s].mean()),
                )
                for s in range(1, 4)
            ]
        )
    return found


def _judge_rings(
    name: str, times: float, runs: list[list[tuple[float, float]]], wait_ms: float, away: float
) -> None:
    rang = [any(wait > wait_ms or share > away for wait, share in run) for run in runs]
    if times == CALM and any(rang):
        wait, share = (max(window[i] for run in runs for window in run) for i in (0, 1))
        raise NotYet(
            expected=f"silence at {CALM:g}× capacity.",
            seen=f"the {name} service rang on {sum(rang)} of 5 calm days; the highest second had "
            f"{wait:.0f} ms and {share:.1%} shed.",
            why="orders come at random, and a few have to wait on any day. An alarm for nothing is "
            "soon an alarm that nobody hears.",
            look="Put each limit well above the worst second of a calm day.",
        )
    if times == OVERLOAD and not all(rang):
        wait = max(window[0] for run in runs for window in run)
        share = max(window[1] for run in runs for window in run)
        hidden = (
            "its queue is bounded, and so is the wait: the rest is shed, and no wait shows it"
            if name == "protected"
            else "it sheds nothing: all of the overload is in the wait"
        )
        raise NotYet(
            expected=f"an alarm at {OVERLOAD:g}× capacity, from either service.",
            seen=f"the {name} service stayed silent on {5 - sum(rang)} of 5 such days; its worst "
            f"second had {wait:.0f} ms and {share:.0%} shed.",
            why=f"{hidden}.",
            look="Each service shows its overload in one of the two. Which limit did it not reach?",
        )


EXERCISES: dict[str, Exercise] = {
    "07a": Exercise(
        title="An alert from two counters",
        answer="waits_too_long",
        parameters=("before", "after", "limit_s"),
        judge=judge_alert,
        hints=(
            "The counters have been rising since the service began. Which part of them is new?",
            "The mean of what is new is the difference of the sums over the difference of the "
            "counts. Where nothing is new there is no mean, and nothing to ring for.",
            "A till had taken 50,000 € from 1,000 customers, and now 50,090 € from 1,003: lately a "
            "customer spent 90 ÷ 3 = 30 €, whatever the others did before. From 0 customers: none.",
        ),
    ),
    "07b": Exercise(
        title="The part to blame",
        answer="culprit",
        parameters=("spans",),
        judge=judge_culprit,
        needs=("pandas", "bpdemo.assembly.app", "bpdemo.lab.services.service"),
        hints=(
            "POST /orders is always the longest. What of its time is its own?",
            "Own time = duration − the durations of the children. The children of a span are "
            "those whose parent_id is its span_id. Blame the span with most time of its own.",
            "An evening of 10 h has a play of 7 h and a dinner of 1 h: its own time is 2 h. The "
            "play has a break of 2 h: its own time is 5 h. Blame the play.",
        ),
    ),
    "07c": Exercise(
        title="What to wake somebody for",
        answer="alert",
        judge=judge_limits,
        hints=(
            "Run both services at 0.7 and at 2 times capacity. What does each show, and what not?",
            "A queue without a bound turns overload into waiting, a bounded one into refusals. "
            "Each limit belongs between its calm days and its overload.",
            "At a box office without a rope an overload shows as a crowd. Where an usher lets only "
            "eight queue, it shows in those who are sent home: one in a hundred is an ordinary "
            "day, every second one is not.",
        ),
    ),
    "07d": Exercise(
        title="A queue that can be seen",
        answer="instrument",
        parameters=("queue", "registry"),
        judge=judge_instrument,
        minutes=12,
        needs=("prometheus_client", "httpx", "bpdemo.lab.services.service"),
        hints=(
            "Which of the three numbers only rises, which one goes up and down, and which one "
            "should tell you a percentile?",
            "A gauge need not be told anything: `set_function(f)` calls f at each scrape. A "
            "counter counts up by `inc()`, a histogram takes a measured value by `observe(value)`. "
            "All three take `registry=registry`.",
            "For a cloakroom: `Gauge('coats', …).set_function(lambda: len(hooks))`; with "
            "`refused = Counter('refused', …)`, `cloakroom.on_full = lambda _: refused.inc()`; a "
            "histogram of the minutes that coats hang there takes `observe(60 * minutes)`.",
        ),
    ),
    "07e": Exercise(
        title="One trace through a queue",
        answer="carry",
        parameters=("handle", "order"),
        judge=judge_carry,
        minutes=12,
        hints=(
            "Which lines of `carry` run in the caller's context, and which ones in the worker's?",
            "`contextvars.copy_context()` copies the context of the code that calls it. A task can "
            "be started in such a copy: `asyncio.create_task(coroutine, context=copy)`. A "
            "coroutine alone has no context; it runs in that of the task that awaits it.",
            "A function that prints a greeting later, in today's context: `context = "
            "contextvars.copy_context()`, then `return lambda: context.run(greet)`. For a "
            "coroutine it takes a task in place of `context.run`.",
        ),
    ),
}
