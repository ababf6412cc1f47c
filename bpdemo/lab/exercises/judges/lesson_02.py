"""The exercises of lesson 02: how long a queue may be, and who may wait at the door."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args
from unittest.mock import patch

from bpdemo.core.choices import WhenFull
from bpdemo.lab.exercises.exercise import Exercise, NotYet

if TYPE_CHECKING:
    from bpdemo.flow.queue import BoundedQueue

#: workers, service_s, client_timeout_s
TILLS = ((8, 0.04, 0.5), (4, 0.1, 0.5))
#: How many times as long the payment takes on the day nobody planned for.
SLOWER = 1.5

CLIENTS = 90
TEAM = {"workers": 8, "queue_capacity": 8}
#: workers, service_s; both have a queue for 8, and customers who wait half a second.
DOORS = ((8, 0.042), (4, 0.1))
INSIDE, CLIENT_TIMEOUT_S = 8, 0.5


# -- 02a ------------------------------------------------------------------------------------


def judge_room_for(room_for: Any) -> str:
    """Overload shows a queue that is too long, at the usual speed and at a slower one; a busy
    hour below capacity shows one that is too short."""
    told = [_judge_room(room_for(*till), *till) for till in TILLS]
    return f"for two different box offices: {'; '.join(told)}."


def _judge_room(room: Any, workers: int, service_s: float, client_timeout_s: float) -> str:
    till = (
        f"with {workers} workers, {service_s:g} s an order and a client timeout of "
        f"{client_timeout_s:g} s"
    )
    room = _places(room, till)
    served = _served_in_overload(room, workers, service_s, client_timeout_s)
    if served < 0.85:
        raise NotYet(
            expected="at twice the capacity, goodput stays at capacity.",
            seen=f"{till}, {_queue_for(room)} served {served:.0%} of capacity in the worst of five "
            "overloads.",
            **_too_long(room, workers, service_s, client_timeout_s),
        )
    slow = _served_in_overload(room, workers, SLOWER * service_s, client_timeout_s)
    if slow < 0.85:
        raise NotYet(
            expected=f"when the payment takes {SLOWER:g}× as long, the service still serves all "
            "that it can at that speed.",
            seen=f"{till}, a queue for {room} then served {slow:.0%} of what was possible.",
            why="the ceiling falls when the service slows down, and your queue is then above it: a "
            "length that is chosen close to the ceiling is right for one speed only.",
            look="Stay below half of (timeout − service) × capacity, and ask how few are enough.",
        )
    shed = _shed_below_capacity(room, workers, service_s)
    if shed > 0.12:
        raise NotYet(
            expected="at 90% of capacity, hardly an order is shed.",
            seen=f"{till}, a queue for {room} shed {shed:.0%} of the orders of a busy hour.",
            why="arrivals and service times are random: orders come in bursts, and a queue that is "
            "too short sheds what could have been served a moment later.",
            look="Let about one order per worker wait, and a few more where workers are few.",
        )
    return (
        f"a queue for {room} served {min(served, 1):.0%} of capacity in overload, "
        f"{min(slow, 1):.0%} of what was possible at {SLOWER:g}× the service time, and shed "
        f"{shed:.0%} of the orders of a busy hour"
    )


def _queue_for(room: int) -> str:
    return "a queue without a bound" if room < 0 else f"a queue for {room}"


def _places(room: Any, till: str) -> int:
    """`room` as a number of places; `//` may have given it as a float."""
    if isinstance(room, float) and room.is_integer():
        room = int(room)
    if isinstance(room, int) and not isinstance(room, bool) and room >= -1:
        return room
    raise NotYet(
        expected="the function returns a whole number of orders, 0 or more.",
        seen=f"{till}, it returned {room!r}.",
        why="an order either has a place in the queue or it has none.",
        look="`int(…)` rounds down, which is the safe side.",
    )


def _too_long(room: int, workers: int, service_s: float, client_timeout_s: float) -> dict[str, str]:
    """What to say to it: no bound, the service time forgotten, no margin, or another sum."""
    if room == -1:
        return {
            "why": "-1 is a queue without a bound: it grows until everybody in it is late.",
            "look": "The last order in the queue may wait for timeout − service: how many are "
            "served in that time?",
        }
    if room == int(client_timeout_s * workers / service_s):
        return {
            "why": "the workers take so many orders within the client timeout, but the last one is "
            "then only *begun*. It takes its own service time as well, and is late.",
            "look": "Subtract the service time from the client timeout before you multiply.",
        }
    if 0.2 * room <= room - (client_timeout_s - service_s) * workers / service_s:
        return {
            "why": "beyond the ceiling, the workers take up each order when its customer has left.",
            "look": "The ceiling is (timeout − service) × capacity, and capacity is workers ÷ "
            "service time.",
        }
    return {
        "why": "this is the ceiling itself: it holds on paper, and fails with the first order that "
        "takes a little longer than usual.",
        "look": "The ceiling is a limit, not a length to choose: how few would be enough?",
    }


def _served_in_overload(
    room: int, workers: int, service_s: float, client_timeout_s: float
) -> float:
    from bpdemo.lab.exercises.judges.judging import over_seeds, worst_between

    half_s = 3 * client_timeout_s
    runs = over_seeds(
        _naive(room, workers, service_s),
        times=2,
        seconds=2 * half_s,
        client_timeout_s=client_timeout_s,
    )
    return worst_between(runs, half_s, 2 * half_s)


def _shed_below_capacity(room: int, workers: int, service_s: float) -> float:
    """The share of 600 orders, five times, at 0.9 × capacity and random service times."""
    from bpdemo.lab.exercises.judges.judging import over_seeds

    seconds = 600 * service_s / (0.9 * workers)
    runs = over_seeds(
        _naive(room, workers, service_s, payment_latency_distribution="exponential"),
        times=0.9, seconds=seconds, bin_s=seconds / 10, client_timeout_s=30,
    )  # fmt: skip
    refused = sum(run.reasons.get("queue_full", 0) for run in runs)
    return refused / sum(len(run.records.t_s) for run in runs)


def _naive(room: int, workers: int, service_s: float, **knobs: Any) -> Any:
    from bpdemo.core.settings import Settings

    return Settings.unprotected(
        workers=workers, payment_latency_s=service_s, store_latency_s=0, queue_capacity=room,
        **knobs,
    )  # fmt: skip


# -- 02b ------------------------------------------------------------------------------------


def judge_batch(settings: Any) -> str:
    """Ninety clients that wait for their answers: is any rejected, and how much do they send?"""
    from bpdemo.lab.exercises.judges.judging import chosen, defended, one_of, over_seeds
    from bpdemo.lab.services.simulation import simulate

    (waiters,) = chosen(settings, queue_block_waiters=(0, 10_000))
    policy = one_of(settings, "queue_policy", get_args(WhenFull))
    defended(settings, right="c", replies=REPLIES)
    knobs = TEAM | {"queue_policy": policy, "queue_block_waiters": waiters}
    load: dict[str, Any] = {"scenario": "closed", "rate": CLIENTS, "client_timeout_s": 30}
    first = simulate(knobs, seconds=0.3, bin_s=0.1, **load)
    if refused := first.reasons.get("queue_full"):
        _hammered(settings, refused / 0.3 / first.summary["capacity_per_s"])
    runs = over_seeds(knobs, seconds=3, **load)
    offered = max(_offered(run) for run in runs)
    if offered > 1.1 or min(run.summary["served_share"] for run in runs) < 0.99:
        _hammered(settings, offered)
    return (
        f"{CLIENTS} clients offered {offered:.2f}× the capacity, although nobody had told them a "
        "rate, and every order was served."
    )


REPLIES = {
    "a": "waiting helps only with callers who respond to it. In a crowd that ignores backpressure "
    "the wait grows beyond the client timeout, and nobody is served better.",
    "b": "a line at the door is a queue like any other: those in it wait, and are served before "
    "any newcomer. Here it is harmless only because there are no more than 90 clients.",
    "d": "no setting here knows a rate. When the service slows down, these clients slow down with "
    "it; a rate that somebody measured last spring would stay as it was.",
}


def _offered(run: Any) -> float:
    summary = run.between(1, 3)
    return float(summary["offered_per_s"] / summary["capacity_per_s"])


def _hammered(settings: Any, refused: float) -> None:
    if settings.get("queue_policy") != "block":
        raise NotYet(
            expected="the clients send about as much as the service can serve.",
            seen=f"clients that were rejected came back at once, and the service rejected "
            f"{refused:.0f}× as many orders as it can serve.",
            why="a client that sends again as soon as it has an answer is slowed down only by "
            "*waiting* for that answer, and an immediate rejection is the fastest answer there is.",
            look="Which of the two policies makes a client wait instead?",
        )
    raise NotYet(
        expected=f"each of the {CLIENTS} clients may wait.",
        seen=f"only {settings['queue_block_waiters']:g} may wait at the door. The others were "
        f"rejected and came back at once, and the service rejected {refused:.0f}× as many orders "
        "as it can serve.",
        why="a few clients without a place are enough: they ask again and again, and take the "
        "places of those who wait.",
        look=f"Of {CLIENTS} clients, 8 are served and 8 have a place in the queue. Where are the "
        "others?",
    )


# -- 02c ------------------------------------------------------------------------------------


def judge_may_wait(may_wait: Any) -> str:
    """By hand at the extremes, then at the door of two services, before two kinds of crowd."""
    _judge_extremes(may_wait)
    served = [_judge_door(may_wait, *door) for door in DOORS]
    return (
        f"at twice their capacity, two different services served at least {min(1, *served):.0%} of "
        "it, and none of the clients that wait for their answers was rejected."
    )


def _judge_extremes(may_wait: Any) -> None:
    workers, service_s = DOORS[0]
    if may_wait(10_000, 0, workers, service_s, CLIENT_TIMEOUT_S):
        raise NotYet(
            expected="the line at the door is bounded as well.",
            seen="10,000 stood at the door, and your rule let one more wait.",
            why="a bounded queue with an unbounded line in front of it is an unbounded queue.",
            look="How long will the newcomer wait? Return False when that is too long.",
        )
    if may_wait(0, 10_000, workers, service_s, CLIENT_TIMEOUT_S):
        raise NotYet(
            expected="the rule counts everybody who is served before the newcomer, at the door and "
            "in the queue.",
            seen="nobody stood at the door, 10,000 were in the queue, and your rule let the "
            "newcomer wait.",
            why="for the newcomer it makes no difference on which side of the door the others "
            "stand: all of them are served first.",
            look="Does your rule look at `in_the_queue`?",
        )
    if not may_wait(0, INSIDE, workers, service_s, CLIENT_TIMEOUT_S):
        raise NotYet(
            expected=f"with {INSIDE} in the queue and nobody at the door, a newcomer may wait.",
            seen="it was rejected, although its turn would have come in a moment.",
            why="where nobody may wait at the door, the policy might as well be *reject*: "
            "producers that respond to backpressure are rejected where a short wait would do.",
            look="Calculate how long it takes: those ahead ÷ workers × service time, and then its "
            "own service time.",
        )


def _judge_door(may_wait: Any, workers: int, service_s: float) -> float:
    from bpdemo.flow.queue import BoundedQueue
    from bpdemo.lab.exercises.judges.judging import most, over_seeds, worst_between
    from bpdemo.lab.services.simulation import simulate

    def rule(queue: BoundedQueue[Any]) -> bool:
        return bool(may_wait(queue.waiting, queue.depth, workers, service_s, CLIENT_TIMEOUT_S))

    settings = {
        "workers": workers, "payment_latency_s": service_s, "store_latency_s": 0,
        "queue_capacity": INSIDE, "queue_policy": "block", "queue_block_timeout_s": 60,
        "request_timeout_s": 0,
    }  # fmt: skip
    who = f"with {workers} workers and {service_s:g} s an order"
    clients = int(0.5 * CLIENT_TIMEOUT_S * workers / service_s)
    with patch.object(BoundedQueue, "may_wait", property(rule)):
        ignoring = over_seeds(settings, times=2, seconds=6, client_timeout_s=CLIENT_TIMEOUT_S)
        waiting = simulate(
            settings, scenario="closed", rate=clients, seconds=0.5,
            client_timeout_s=CLIENT_TIMEOUT_S,
        )  # fmt: skip
    served = worst_between(ignoring, 3, 6)
    if served < 0.85:
        _too_late(who, served, most(ignoring, "late_per_s"))
    if refused := waiting.reasons.get("queue_full", 0):
        raise NotYet(
            expected=f"{who}, none of {clients} clients that wait for their answers is rejected: "
            "even the last one is served in half of the client timeout.",
            seen=f"there were {refused:,} rejections within half a second.",
            why="a rejected order that could have been served in time is a lost sale, and the "
            "client comes back at once.",
            look="All workers work at the same time, so those ahead are served in groups of "
            "`workers`.",
        )
    return served


def _too_late(who: str, served: float, late_per_s: float) -> None:
    if served >= 0.2:
        raise NotYet(
            expected="at twice the capacity, goodput stays at capacity.",
            seen=f"{who}, the service served {served:.0%} of capacity; {late_per_s:.0f} orders a "
            "second were late by a moment.",
            why="your rule is right on paper, but it lets orders wait until the very last moment, "
            "and no service is that regular.",
            look="Leave a margin: let an order take, say, 80% of the client timeout.",
        )
    raise NotYet(
        expected="at twice the capacity, goodput stays at capacity.",
        seen=f"{who}, the service served {served:.0%} of capacity; {late_per_s:.0f} orders a "
        "second were late.",
        why="the wait at the door and in the queue together is longer than the client timeout.",
        look="A newcomer needs those ahead ÷ workers × service time, and then its own service "
        "time.",
    )


EXERCISES: dict[str, Exercise] = {
    "02a": Exercise(
        title="How long may the queue be?",
        answer="room_for",
        parameters=("workers", "service_s", "client_timeout_s"),
        judge=judge_room_for,
        hints=(
            "The edge in the lesson's first picture is a ceiling. Where does it move when the "
            "payment slows down, and what is a queue good for below it?",
            "There are two bounds. It has to be enough for bursts: about one waiting order per "
            "worker, and a few more where workers are few. And it is never more than half the "
            "ceiling.",
            "Two tills take 30 s each, and people wait 5 minutes. The ceiling is 2 × 270 ÷ 30 = "
            "18, half of it is 9. One per till and two more makes 4. The lesser of the two is 4.",
        ),
    ),
    "02b": Exercise(
        title="Clients that wait for their answers",
        answer="settings",
        judge=judge_batch,
        hints=(
            "A full queue can let callers wait, reject them, or drop someone. Which of these slows "
            "a client down?",
            "A client that waits for its answer is slowed down by that wait, and by nothing else. "
            "So let all of them wait: there are only so many of them, and the line cannot grow "
            "beyond that.",
            "With 20 clients, 2 workers and a queue for 3: 2 are served, 3 have a place in the "
            "queue, and the other 15 must be allowed to wait at the door.",
        ),
    ),
    "02c": Exercise(
        title="The line at the door",
        answer="may_wait",
        parameters=("at_the_door", "in_the_queue", "workers", "service_s", "client_timeout_s"),
        judge=judge_may_wait,
        hints=(
            "Look at who is served before the newcomer. Which of them does the rule count?",
            "A newcomer may wait if it is served in time: first all those ahead, at the door and "
            "in the queue, by all workers together, and then the newcomer. Leave a margin.",
            "2 tills, 30 s each; 4 wait inside and 6 at the door. The newcomer's turn comes after "
            "10 ÷ 2 × 30 = 150 s, so they have a ticket after 180 s. If they wait 200 s at most, "
            "that is too close: 80% of 200 s is 160 s, so reject them.",
        ),
    ),
}
