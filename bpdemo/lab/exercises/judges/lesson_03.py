"""The exercises of lesson 03: a share that locks out, a queue for two speeds, when to shed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from bpdemo.lab.exercises.exercise import Exercise, NotYet

if TYPE_CHECKING:
    from bpdemo.flow.codel import CoDel
    from bpdemo.flow.share import FairShare
    from bpdemo.load.run import LoadRun

# -- 03a ------------------------------------------------------------------------------------

LIMIT = 10
CROWD = {"greedy": 9, "anna": 1, "ben": 1, "carla": 1}


def judge_try_enter(try_enter: Any) -> str:
    """By hand to the limit and beyond it; then at the door of the service, before a crowd."""
    for limit in (3, 5):
        _judge_visits(try_enter, limit)
    from bpdemo.flow.share import FairShare
    from bpdemo.lab.exercises.judges.judging import over_seeds
    from bpdemo.lab.lessons.fairness import jain_index, parts_by

    def method(share: FairShare, client: str) -> bool:
        return bool(try_enter(share._in_flight, client, share.limit))

    with patch.object(FairShare, "try_enter", method):
        runs = over_seeds({"client_max_in_flight": LIMIT}, times=3, seconds=6, clients=CROWD)
    fairness, served = 1.0, _settled(runs)
    for run in runs:
        parts = parts_by(run, "client").values()
        fairness = min(fairness, jain_index(part.summary["goodput_per_s"] for part in parts))
    if fairness < 0.7 or served < 0.5:
        raise NotYet(
            expected="the service stays busy, and every client gets about as much as any other.",
            seen=f"it served {served:.0%} of capacity, and Jain's index of fairness was "
            f"{fairness:.2f} (1 is fair).",
            why="a client that sends nine times as much must not take the service from the others.",
            look="Does each client have a count of its own, and is that count compared with the "
            "limit?",
        )
    return (
        f"at three times the capacity, most of it from one client, the service served "
        f"{min(1, served):.0%} of its capacity, and Jain's index of fairness was at least "
        f"{fairness:.2f} (1 is fair)."
    )


def _judge_visits(try_enter: Any, limit: int) -> None:
    inside: dict[str, int] = {}
    for place in range(1, limit + 1):
        if not try_enter(inside, "greedy", limit):
            raise NotYet(
                expected=f"with a limit of {limit}, one client may have {limit} orders in flight.",
                seen=f"order number {place} was rejected.",
                why="a client that gets less than its share loses orders for no reason.",
                look="Compare the count *before* this order with the limit.",
            )
    if inside.get("greedy") != limit:
        raise NotYet(
            expected=f"after {limit} orders were let in, `in_flight` says {limit}.",
            seen=f"it says {inside.get('greedy', 0)}.",
            why="the service subtracts one when an order has been answered, so each order that was "
            "let in must have added one.",
            look="Add one to this client's count for each order that is let in.",
        )
    _judge_refusal(try_enter, inside, limit)
    if not try_enter(inside, "anna", limit):
        raise NotYet(
            expected="an order of a client that has nothing in flight is let in.",
            seen=f"the greedy client had {limit} orders in flight, and anna's order was rejected.",
            why="a share is there to protect the other clients. One limit for all together lets "
            "the greedy client use it up.",
            look="Compare the count of *this* client only.",
        )


def _judge_refusal(try_enter: Any, inside: dict[str, int], limit: int) -> None:
    if any(try_enter(inside, "greedy", limit) for _ in range(5)):
        raise NotYet(
            expected=f"with a limit of {limit} and {limit} orders in flight, the next order of "
            "that client is rejected.",
            seen="it was let in.",
            why="without a limit, the client that sends most gets most.",
            look="Return False when this client's count has reached the limit.",
        )
    if (counted := inside["greedy"]) != limit:
        raise NotYet(
            expected=f"five rejections change nothing: `in_flight` still says {limit}.",
            seen=f"after them, it says {counted}.",
            why="a rejected order never comes in, so it never leaves, and nobody subtracts it "
            "again. After one rush the client is locked out for good.",
            look="Decide first, and count only an order that is let in.",
        )


# -- 03b ------------------------------------------------------------------------------------

SPEEDS = {"40 ms": 0.04, "160 ms": 0.16}

REPLIES = {
    "a": "more places mean fewer rejections only until the wait in the last place is longer than "
    "the client timeout. Beyond that, more places serve fewer orders.",
    "b": "no customer is more patient because a payment provider is slow. The load and the client "
    "timeout stay as they are, and only the queue moves more slowly.",
    "c": "two queues of the same length, one oldest first and one newest first, serve very "
    "different numbers once they are too long. What decides is the time in the queue.",
}


def judge_line(settings: Any) -> str:
    """Overload at both speeds: how much is served, and when do the others know?"""
    from bpdemo.core.settings import Settings
    from bpdemo.lab.exercises.judges.judging import chosen, defended, one_of, over_seeds

    (capacity,) = chosen(settings, queue_capacity=(-1, 10_000))
    discipline = one_of(settings, "queue_discipline", ("fifo", "lifo", "codel"))
    defended(settings, right="d", replies=REPLIES, formerly="adcb")
    line = {"queue_capacity": capacity, "queue_discipline": discipline}
    served, told_ms = [], 0.0
    for name, payment_s in SPEEDS.items():
        knobs = Settings.unprotected(payment_latency_s=payment_s, **line)
        runs = over_seeds(knobs, times=2, seconds=6)
        served.append(_settled(runs))
        told_ms = max(told_ms, _judge_speed(name, served[-1], runs))
    return (
        f"at twice the capacity your queue served {min(1, served[0]):.0%} of it with fast payments "
        f"and {min(1, served[1]):.0%} with slow ones, and half of the customers who got nothing "
        f"knew it within {told_ms:.0f} ms."
    )


def _judge_speed(name: str, served: float, runs: list[LoadRun]) -> float:
    """Within how many ms half of those who got nothing knew it."""
    from bpdemo.results.waits import others_wait_ms

    if served < 0.85:
        raise NotYet(
            expected="at twice the capacity, goodput stays at capacity, at both speeds.",
            seen=f"with payments of {name} it served {served:.0%} of capacity.",
            why="the last order in this queue waits longer than half a second. "
            + ("A bound that fits one speed is too long for a slower one." if name[0] == "1" else
               "And where the oldest is served first, every order has been the last one."),
            look="How long does an order wait in the last place? Places ÷ 8 workers × payment.",
        )  # fmt: skip
    told_ms = max(others_wait_ms(run, after_s=2) for run in runs)
    if told_ms > 250:
        raise NotYet(
            expected="at least half of the customers who get nothing know it within 250 ms.",
            seen=f"with payments of {name}, half of them waited more than {told_ms:.0f} ms, and "
            "hung up.",
            why="this queue serves as much as any other, but those who are not served learn it "
            "only from their own timeout.",
            look="Which orders are shed here, and when? Without a bound or CoDel, none are.",
        )
    return told_ms


# -- 03c ------------------------------------------------------------------------------------

TARGET_S, INTERVAL_S = 0.02, 0.2


def judge_sheds(sheds: Any) -> str:
    """Four orders by hand, then as the CoDel of the naive service on five days of overload."""
    _judge_four(sheds)
    from bpdemo.core.settings import Settings
    from bpdemo.flow.codel import CoDel
    from bpdemo.lab.exercises.judges.judging import over_seeds

    with patch.object(CoDel, "sheds", _as_codel(sheds)):
        runs = over_seeds(Settings.unprotected(queue_discipline="codel"), times=2, seconds=6)
    served = _settled(runs)
    if served < 0.85:
        raise NotYet(
            expected="at twice the capacity, goodput stays at capacity.",
            seen=f"in the worst of five overloads it served {served:.0%} of capacity.",
            why="a queue that sheds too little grows until everybody in it has given up.",
            look="Call your function with other targets and intervals than 0.02 and 0.2: does it "
            "follow them?",
        )
    return (
        f"at twice the capacity, your rule kept a queue without a bound short, and the service "
        f"served at least {min(1, served):.0%} of its capacity."
    )


def _judge_four(sheds: Any) -> None:
    for target_s, interval_s in ((TARGET_S, INTERVAL_S), (0.2, 2.0), (0.05, 0.1)):
        long, short = 1.5 * target_s, 0.1 * target_s
        for waited_s, standing_s, why, look in (
            (
                long, 1.5 * interval_s,
                "where nothing is shed, the queue grows, and everyone in it waits in vain.",
                "Both times are above their limits here, so the answer must be True.",
            ),
            (
                long, 0.5 * interval_s,
                "this is a burst, and absorbing bursts is what a queue is for. In a moment the "
                "queue is empty again, and all of it has been served.",
                "A long wait alone is no reason. For how long has the queue been standing?",
            ),
            (
                short, 3 * interval_s,
                "this order has only just come, and there is time to serve it: shedding it throws "
                "a sale away.",
                "A standing queue alone is no reason. How long has *this* order waited?",
            ),
            (
                short, 0.5 * interval_s,
                "a rule that sheds such an order loses orders on a calm day.",
                "Neither time is above its limit here. Which way do your comparisons point?",
            ),
        ):  # fmt: skip
            right = waited_s > target_s and standing_s > interval_s
            answer = sheds(waited_s, standing_s, target_s, interval_s)
            if bool(answer) is not right:
                raise NotYet(
                    expected=f"the function returns {right} for an order that has waited "
                    f"{waited_s:g} s in a queue that has been standing for {standing_s:g} s, with "
                    f"a target of {target_s:g} s and an interval of {interval_s:g} s.",
                    seen=f"it returned {answer!r}.",
                    why=why,
                    look=look,
                )


def _as_codel(sheds: Any) -> Any:
    def method(codel: CoDel, waited_s: float, now: float) -> bool:
        policy = codel.policy
        standing_s = now - codel._last_empty_s
        return bool(sheds(waited_s, standing_s, policy.target_s, policy.interval_s))

    return method


def _settled(runs: list[LoadRun]) -> float:
    """What the worst of them served, as a share of capacity, after the first moment."""
    from bpdemo.lab.exercises.judges.judging import worst_between

    return worst_between(runs, 2)


EXERCISES: dict[str, Exercise] = {
    "03a": Exercise(
        title="Locked out for good",
        minutes=10,
        answer="try_enter",
        parameters=("in_flight", "client", "limit"),
        judge=judge_try_enter,
        hints=(
            "What happens to the count when the function returns False?",
            "The count of those inside goes up with everyone who enters and down with everyone who "
            "leaves. An order that is rejected does neither.",
            "A hall holds 3. Three people are in, and two more are rejected at the entrance. If "
            "the counter then says 5, it says 2 when the three have left, and the empty hall has "
            "one place.",
        ),
    ),
    "03b": Exercise(
        title="A queue for two speeds",
        answer="settings",
        judge=judge_line,
        hints=(
            "Calculate the wait in the last place at both speeds: places ÷ 8 workers × payment.",
            "A client timeout is a time. Either the queue is short enough for the slowest payment, "
            "or it looks at the time itself, as CoDel does.",
            "With 4 tills, people wait 6 minutes, and an order takes 1 or 4 minutes. In the last "
            "of 16 places one waits 4 minutes at one speed and 16 at the other; in the last of 4 "
            "places, 1 minute or 4. Only the short queue is right at both speeds.",
        ),
    ),
    "03c": Exercise(
        title="When to shed",
        answer="sheds",
        parameters=("waited_s", "standing_s", "target_s", "interval_s"),
        judge=judge_sheds,
        hints=(
            "Read the sentence on CoDel in the lesson again: it names two conditions.",
            "A long wait in a queue that was empty a moment ago is a burst: leave it alone. An "
            "order that has just come to a standing queue can still be served. Shed an order only "
            "when both times are above their limits.",
            "The target is 5 minutes and the interval 1 hour; somebody has waited for 10 minutes. "
            "If the queue was empty half an hour ago, keep them. If it has not been empty for two "
            "hours, shed them.",
        ),
    ),
}
