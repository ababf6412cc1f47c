"""The exercises of lesson 03: a share that locks out, a line for two speeds, and when to shed."""

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
    fairness, sold = 1.0, _settled(runs)
    for run in runs:
        parts = parts_by(run, "client").values()
        fairness = min(fairness, jain_index(part.summary["goodput_per_s"] for part in parts))
    if fairness < 0.7 or sold < 0.5:
        raise NotYet(
            expected="the service stays busy, and every client gets about as much as another.",
            seen=f"it served {sold:.0%} of capacity, and Jain's index was {fairness:.2f}.",
            why="the one who sends nine times as much takes it from the others.",
            look="Each client has a count of its own, and leaves it again.",
        )
    return (
        f"at three times the capacity, most of it from one client, {min(1, sold):.0%} of capacity "
        f"was served, and Jain's index is at least {fairness:.2f}."
    )


def _judge_visits(try_enter: Any, limit: int) -> None:
    inside: dict[str, int] = {}
    for place in range(1, limit + 1):
        if not try_enter(inside, "greedy", limit):
            raise NotYet(
                expected=f"with a limit of {limit}, {limit} of one client may be in.",
                seen=f"number {place} was rejected.",
                why="a share that is one too small is a sale lost for every client.",
                look="Compare the count *before* this one with the limit.",
            )
    if inside.get("greedy") != limit:
        raise NotYet(
            expected=f"`in_flight` says {limit} after {limit} came in.",
            seen=f"it says {inside.get('greedy', 0)}.",
            why="a request that leaves is taken off this count, so it must have been put on it.",
            look="A request that is let in raises its client's count by one.",
        )
    _judge_refusal(try_enter, inside, limit)
    if not try_enter(inside, "anna", limit):
        raise NotYet(
            expected="a client with nothing in flight is let in.",
            seen=f"the greedy one had {limit} in flight, and anna was refused.",
            why="it is the others whom a share is there for. A limit on all together lets the "
            "greedy one use it up.",
            look="Look up the count of *this* client only.",
        )


def _judge_refusal(try_enter: Any, inside: dict[str, int], limit: int) -> None:
    if any(try_enter(inside, "greedy", limit) for _ in range(5)):
        raise NotYet(
            expected=f"with a limit of {limit} and {limit} in flight, the next is refused.",
            seen="it was let in.",
            why="without a limit, the client that sends most gets most.",
            look="Return False when this client's count has reached the limit.",
        )
    if (counted := inside["greedy"]) != limit:
        raise NotYet(
            expected=f"five refusals change nothing: {limit} in flight are {limit}.",
            seen=f"after them, `in_flight` says {counted}.",
            why="a refused request never comes in, so it never leaves, and nobody takes it "
            "off again. After a rush the client is locked out for good.",
            look="Decide first, and count only who is let in.",
        )


# -- 03b ------------------------------------------------------------------------------------

SPEEDS = {"40 ms": 0.04, "160 ms": 0.16}

REPLIES = {
    "a": "More places, fewer rejections: true until the wait in the last place is longer than the "
    "client timeout. From there on more places serve fewer.",
    "b": "Nobody is more patient because a payment provider is slow. The load stays, and so does "
    "the client timeout; only the queue moves more slowly.",
    "c": "The same number of places, oldest first or newest first, serve very differently once "
    "the queue is too long. It is the time in the queue that decides.",
}


def judge_line(settings: Any) -> str:
    """Overload at both speeds: what is sold, and when do the others know?"""
    from bpdemo.core.settings import Settings
    from bpdemo.lab.exercises.judges.judging import chosen, defended, over_seeds

    (capacity,) = chosen(settings, queue_capacity=(-1, 10_000))
    defended(settings, right="d", replies=REPLIES, formerly="adcb")
    line = {"queue_capacity": capacity, "queue_discipline": settings.get("queue_discipline")}
    sold, told_ms = [], 0.0
    for name, payment_s in SPEEDS.items():
        knobs = Settings.unprotected(payment_latency_s=payment_s, **line)
        runs = over_seeds(knobs, times=2, seconds=6)
        sold.append(_settled(runs))
        told_ms = max(told_ms, _judge_speed(name, sold[-1], runs))
    return (
        f"at twice capacity your queue served {min(1, sold[0]):.0%} of it with fast payments, "
        f"{min(1, sold[1]):.0%} with slow ones, and half of the others knew it within "
        f"{told_ms:.0f} ms."
    )


def _judge_speed(name: str, sold: float, runs: list[LoadRun]) -> float:
    """Within how many ms half of those who got nothing knew it."""
    from bpdemo.results.waits import others_wait_ms

    if sold < 0.85:
        raise NotYet(
            expected="at twice capacity, goodput stays at capacity, at both speeds.",
            seen=f"with payments of {name} it served {sold:.0%} of capacity.",
            why="the last order in this queue waits longer than half a second. "
            + ("A bound that fits one speed is too long for a slower one." if name[0] == "1" else
               "Oldest first, that is everybody."),
            look="How long does the last place wait: places ÷ 8 workers × payment?",
        )  # fmt: skip
    told_ms = max(others_wait_ms(run, after_s=2) for run in runs)
    if told_ms > 250:
        raise NotYet(
            expected="those who get nothing know within 250 ms, half of them at least.",
            seen=f"with payments of {name} half of them waited over {told_ms:.0f} ms, and hung up.",
            why="it serves as much as any other, but nobody tells the other half anything.",
            look="Which orders are shed here, and when? None are, without a bound or CoDel.",
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
    sold = _settled(runs)
    if sold < 0.85:
        raise NotYet(
            expected="at twice capacity, goodput stays at capacity.",
            seen=f"in the worst of five overloads it served {sold:.0%} of it.",
            why="a queue that sheds too little grows, until everybody in it has given up.",
            look="Try other targets and intervals than 0.02 and 0.2 by hand: are they heeded?",
        )
    return (
        f"twice the capacity came to a queue without a bound; your rule kept it short, and it "
        f"served at least {min(1, sold):.0%} of capacity."
    )


def _judge_four(sheds: Any) -> None:
    for target_s, interval_s in ((TARGET_S, INTERVAL_S), (0.2, 2.0), (0.05, 0.1)):
        long, short = 1.5 * target_s, 0.1 * target_s
        for waited_s, standing_s, why, look in (
            (
                long, 1.5 * interval_s,
                "nothing is shed, so the queue grows and everyone in it waits in vain.",
                "Both are over their limit here: the answer must be True.",
            ),
            (
                long, 0.5 * interval_s,
                "this is a burst, and it is what a queue is for. In a moment the queue is "
                "empty again, and all of it has been served.",
                "A long wait alone is no reason. For how long has the line been standing?",
            ),
            (
                short, 3 * interval_s,
                "they have only just come, and there is time to serve them: it would be a "
                "sale thrown away.",
                "A standing line alone is no reason. How long has *this* one waited?",
            ),
            (
                short, 0.5 * interval_s,
                "the line is short and young. A rule that sheds now loses orders on a calm "
                "day.",
                "Nothing is over its limit here. Which way do your comparisons point?",
            ),
        ):  # fmt: skip
            right = waited_s > target_s and standing_s > interval_s
            answer = sheds(waited_s, standing_s, target_s, interval_s)
            if bool(answer) is not right:
                raise NotYet(
                    expected=f"{right}.",
                    seen=f"one has waited {waited_s:g} s in a line that has been standing for "
                    f"{standing_s:g} s (target {target_s:g}, interval {interval_s:g}); your "
                    f"answer was {answer!r}.",
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
    """What the worst of them sold, as a share of capacity, after the first moment."""
    return min(run.between(2, run.meta.seconds)["goodput_share"] for run in runs)


EXERCISES: dict[str, Exercise] = {
    "03a": Exercise(
        title="Locked out for good",
        minutes=10,
        answer="try_enter",
        parameters=("in_flight", "client", "limit"),
        judge=judge_try_enter,
        hints=(
            "Look at what happens to the count when the answer is False.",
            "A count of those inside goes up with everyone who enters and down with everyone who "
            "leaves. A request that is rejected does neither.",
            "A hall for 3: three are in, two are turned back at the entrance. If the counter says "
            "5, then after the three have left it says 2, and the hall is nearly full of nobody.",
        ),
    ),
    "03b": Exercise(
        title="A line for two speeds",
        answer="settings",
        judge=judge_line,
        hints=(
            "Calculate the wait in the last place at both speeds: places ÷ 8 workers × payment.",
            "A client timeout is a time. Either the queue is short enough for the slowest payment, "
            "or it looks at the time itself, as CoDel does.",
            "4 tills, people wait 6 minutes, an order takes 1 or 4: 16 places are a wait of 4 "
            "minutes at one speed and 16 at the other. 4 places are 1 or 4 minutes: both will do.",
        ),
    ),
    "03c": Exercise(
        title="When to shed",
        answer="sheds",
        parameters=("waited_s", "standing_s", "target_s", "interval_s"),
        judge=judge_sheds,
        hints=(
            "Look at the sentence on CoDel in the lesson: it names two conditions.",
            "A long wait in a young line is a burst: let it be. A short wait in an old line can "
            "still be served. Shed only what is both too late and part of a standing line.",
            "Target 5 minutes, interval 1 hour: someone has waited 10 minutes. The line was empty "
            "half an hour ago: keep them. It has not been empty for two hours: shed them.",
        ),
    ),
}
