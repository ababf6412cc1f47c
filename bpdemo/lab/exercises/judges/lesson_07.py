"""The exercises of lesson 07: an alert from two counters, the part to blame, what to wake for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

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
#: The backlog of the peak has drained, and everybody has left.
NIGHT_S = 40.0
Reading = dict[str, float]


def judge_alert(waits_too_long: Any) -> str:
    """Two readings by hand; then a day with a spike, and the night after it, five times over."""
    _judge_hand(waits_too_long)
    from bpdemo.core.settings import Settings
    from bpdemo.lab.exercises.judges.judging import seed_by_seed

    load = {"times": 2, "seconds": SPIKE_S, "scenario": "spike", "client_timeout_s": 60}
    delays = [_delay_s(waits_too_long, run) for run in seed_by_seed(Settings.unprotected(), **load)]
    return (
        "on five days your alert was silent in the morning and at night, and it fired at most "
        f"{max(delays):.1f} s after the crowd had come."
    )


def _judge_hand(waits_too_long: Any) -> None:
    nobody = _reading(90.0, 1000)
    _ask(waits_too_long, nobody, nobody, False, "no order was begun between the two readings")
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
            expected="the function returns True or False.",
            seen=f"it returned {told!r}.",
            why="an alert either fires or it does not.",
            look="Does the function compare the mean with the limit, and return the result?",
        )
    if bool(told) is not right:
        raise NotYet(
            expected=f"the function returns {right} with a limit of {limit_s:g} s: {what}.",
            seen=f"from {before} to {after} it returned {told}.",
            why="counters only ever rise. What happened *lately* is the difference between two "
            "readings; a mean since the start is slow to rise and slow to fall.",
            look="The mean wait is what was added to `sum_s`, divided by what was added to "
            "`count`, and it is in seconds, like the limit.",
        )


def _delay_s(waits_too_long: Any, run: LoadRun) -> float:
    """How long after the peak began it fired; NotYet if it fired when it should not."""
    readings = _readings(run)
    fired_s = [
        at_s
        for (_, before), (at_s, after) in pairwise(readings)
        if waits_too_long(before, after, LIMIT_S)
    ]
    early = [at_s for at_s in fired_s if at_s <= QUIET_S]
    night = [at_s for at_s in fired_s if at_s > NIGHT_S - 5]
    in_time = [at_s for at_s in fired_s if QUIET_S < at_s <= QUIET_S + 4]
    if early or night or not in_time:
        when = f"first at {fired_s[0]:.1f} s, last at {fired_s[-1]:.1f} s" if fired_s else "never"
        raise NotYet(
            expected=f"the alert is silent until the crowd comes at {QUIET_S:g} s, fires within 4 "
            f"s of that, and is silent again from {NIGHT_S - 5:g} s on, when all is over.",
            seen=f"it fired {when}.",
            why="an alert that comes late wakes you when the damage is done, and one that does not "
            "stop gets switched off.",
            look="Use the difference between the two readings, of `sum_s` and of `count`.",
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
RECORDED_MOST: Final = 4


def judge_culprit(culprit: Any) -> str:
    """A trace by hand; then three of a real service, each slow for another reason."""
    _blame(culprit, _by_hand(), "work", "90 ms of its time are its own")
    told = []
    for name, why, record in (
        ("queue", "five orders came at once to one worker", _trace_of_crowd),
        ("payment attempt", "the payment took 40 ms, and no order waited", _trace_of_one),
        ("store attempt", "the store took 150 ms", _trace_of_slow_store),
    ):
        _blame(culprit, _as_told(record, name), name, why)
        told.append(name)
    return (
        "in three traces of the real service, each slow for another reason, your function named "
        f"{', '.join(map(repr, told))}."
    )


def _blame(culprit: Any, spans: list[Span], right: str, because: str) -> None:
    named = culprit([dict(span) for span in spans])
    if named == right:
        return
    raise NotYet(
        expected=f"the function returns {right!r}: {because}.",
        seen=f"it returned {named!r}, in a trace with {_told(spans)}.",
        why=_mistake(named, spans),
        look="A span's own time is its duration minus those of its children, which are the spans "
        "whose `parent_id` is its `span_id`.",
    )


def _mistake(named: object, spans: list[Span]) -> str:
    names = {span["name"] for span in spans}
    parents = {span["parent_id"] for span in spans}
    if not isinstance(named, str):
        return "the function has to return the name of the span, not the span itself."
    if named not in names:
        return "no span of this trace has that name."
    if any(span["name"] == named and span["span_id"] in parents for span in spans):
        return (
            "that span is long because its children are. A span always lasts at least as long as "
            "its children, so the longest one says nothing about where the time went."
        )
    return (
        "a span without children is not always to blame: a span with children has time of its own "
        "as well."
    )


def _as_told(record: Callable[[], list[Span]], right: str) -> list[Span]:
    """A trace in which `right` is to blame. On a busy machine an order may spend most of its time
    elsewhere, and the learner's function would rightly say so: then another is recorded."""
    from bpdemo.results.validity import NotMeasured

    for _ in range(RECORDED_MOST):
        spans = record()
        if _own_time_ms(spans, right) == max(_own_time_ms(spans, span["name"]) for span in spans):
            return spans
    causes = [f"{right} took less of an order's time than it was set to"]
    raise NotMeasured(causes)


def _own_time_ms(spans: list[Span], name: str) -> float:
    """The longest that a span of that name was busy by itself, without its children."""
    took_ms = {span["span_id"]: span["duration_ms"] for span in spans}
    for span in spans:
        if span["parent_id"] in took_ms:
            took_ms[span["parent_id"]] -= span["duration_ms"]
    own_ms = (took_ms[span["span_id"]] for span in spans if span["name"] == name)
    return max(own_ms, default=0.0)


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
    "a": "CPU shows this overload neither sooner nor later: the workers wait for the payment, and "
    "waiting takes no CPU.",
    "c": "the naive service rejects nobody, so by its rejections alone it would look well until "
    "the end.",
    "d": "in the mean of all answers, the many quick rejections hide the wait: under overload the "
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
        f"with limits of {wait_ms:g} ms and {turned_away:.0%} shed, your alert was silent on all "
        "calm days, and it fired for both services in overload."
    )


def _windows(settings: Any, times: float) -> list[list[tuple[float, float]]]:
    """For each of five runs: mean wait in ms and share shed, second by second but for the
    first."""
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
    fired = [any(wait > wait_ms or share > away for wait, share in run) for run in runs]
    if times == CALM and any(fired):
        wait, share = (max(window[i] for run in runs for window in run) for i in (0, 1))
        raise NotYet(
            expected=f"the alert is silent at {CALM:g}× capacity.",
            seen=f"it fired for the {name} service on {sum(fired)} of 5 calm days; in their worst "
            f"seconds the mean wait was {wait:.0f} ms, and {share:.1%} of the orders were shed.",
            why="orders come at random, so a few have to wait on any day. An alert that fires for "
            "nothing is soon ignored.",
            look="Put each limit well above the worst second of a calm day.",
        )
    if times == OVERLOAD and not all(fired):
        wait = max(window[0] for run in runs for window in run)
        share = max(window[1] for run in runs for window in run)
        hidden = (
            "its queue is bounded, and so is the wait: the overload shows in what is shed"
            if name == "protected"
            else "it sheds nothing: the overload shows in the wait alone"
        )
        raise NotYet(
            expected=f"the alert fires at {OVERLOAD:g}× capacity, for either service.",
            seen=f"it was silent for the {name} service on {5 - sum(fired)} of 5 such days; in "
            f"their worst seconds the mean wait was {wait:,.0f} ms, and {share:.0%} of the orders "
            "were shed.",
            why=f"{hidden}.",
            look="Each service shows its overload in one of the two figures. Which of your limits "
            "did this one not reach?",
        )


EXERCISES: dict[str, Exercise] = {
    "07a": Exercise(
        title="An alert from two counters",
        answer="waits_too_long",
        parameters=("before", "after", "limit_s"),
        judge=judge_alert,
        hints=(
            "The counters have been rising since the service started. Which part of them is new?",
            "The mean of what is new is the difference between the sums, divided by the difference "
            "between the counts. Where nothing is new there is no mean, and nothing to fire for.",
            "A till had taken 50,000 € from 1,000 customers, and now 50,090 € from 1,003: the "
            "latest customers spent 90 ÷ 3 = 30 € each, whatever the others did before. If no "
            "customer came, there is nothing to divide by.",
        ),
    ),
    "07b": Exercise(
        title="The part to blame",
        answer="culprit",
        parameters=("spans",),
        judge=judge_culprit,
        needs=("pandas", "bpdemo.assembly.app", "bpdemo.lab.services.service"),
        hints=(
            "`POST /orders` is always the longest span. How much of its time is its own?",
            "Own time is the duration minus the durations of the children. The children of a span "
            "are those whose `parent_id` is its `span_id`. Blame the span with the most time of "
            "its own.",
            "An evening of 10 h holds a play of 7 h and a dinner of 1 h, so its own time is 2 h. "
            "The play has an interval of 2 h, so its own time is 5 h. Blame the play.",
        ),
    ),
    "07c": Exercise(
        title="What to wake somebody for",
        answer="alert",
        judge=judge_limits,
        hints=(
            "Run both services at 0.7× and at 2× capacity. Which figure rises in which service?",
            "A queue without a bound turns overload into waiting, and a bounded one into "
            "rejections. Each limit belongs between the worst of the calm days and the overload.",
            "At a box office without a rope, overload shows as a crowd. Where an usher lets only "
            "eight people queue, it shows in those who are rejected: 1% of them is an ordinary "
            "day, and 50% is not.",
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
            "Which of the three numbers only rises, which one goes up and down, and from which "
            "one do you want a percentile?",
            "A gauge can look for itself: `set_function(f)` makes it call f at each scrape. A "
            "counter counts up with `inc()`, and a histogram takes a measured value with "
            "`observe(value)`. All three take `registry=registry`.",
            "For a cloakroom it is `Gauge('coats', …).set_function(lambda: len(hooks))`; with "
            "`rejected = Counter('rejected', …)` it is `cloakroom.on_full = lambda _: "
            "rejected.inc()`; and a histogram of how many minutes the coats hang there takes "
            "`observe(60 * minutes)`.",
        ),
    ),
    "07e": Exercise(
        title="One trace through a queue",
        answer="carry",
        parameters=("handle", "order"),
        judge=judge_carry,
        may_be_async=True,
        minutes=12,
        hints=(
            "Which lines of `carry` run in the caller's context, and which in the worker's?",
            "`contextvars.copy_context()` copies the context of the code that calls it, and a task "
            "can be started in such a copy: `asyncio.create_task(coroutine, context=copy)`. A "
            "coroutine has no context of its own; it runs in that of the task that awaits it.",
            "To print a greeting later in today's context: `context = contextvars.copy_context()`, "
            "and then `return lambda: context.run(greet)`. For a coroutine, a task takes the place "
            "of `context.run`.",
        ),
    ),
}
