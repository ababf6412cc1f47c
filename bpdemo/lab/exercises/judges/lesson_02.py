"""The exercises of lesson 02: how long a queue may be, and who may wait at the door."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from bpdemo.lab.exercises.exercise import Exercise, NotYet

if TYPE_CHECKING:
    from bpdemo.flow.queue import BoundedQueue

#: workers, service_s, client_timeout_s
TILLS = ((8, 0.04, 0.5), (4, 0.1, 0.5))
#: How many times as long the payment takes on the day nobody planned for.
SLOWER = 1.5

CLIENTS = 90
TEAM = {"workers": 8, "queue_capacity": 8}
#: workers, service_s; both with room for 8 inside, and customers who wait half a second.
DOORS = ((8, 0.042), (4, 0.1))
INSIDE, PATIENCE_S = 8, 0.5


# -- 02a ------------------------------------------------------------------------------------


def judge_room_for(room_for: Any) -> str:
    """Overload shows a queue that is too long, at the usual speed and at a slower one; a busy
    hour below capacity shows one that is too short."""
    told = [_judge_room(room_for(*till), *till) for till in TILLS]
    return f"for two different box offices: {'; '.join(told)}."


def _judge_room(room: Any, workers: int, service_s: float, client_timeout_s: float) -> str:
    till = f"{workers} workers, {service_s:g} s an order, callers who wait {client_timeout_s:g} s"
    room = _places(room, till)
    sold = _sold_in_overload(room, workers, service_s, client_timeout_s)
    if sold < 0.85:
        raise NotYet(
            expected="at twice capacity, goodput stays at capacity.",
            seen=f"{till}: with {room} waiting it served {sold:.0%} of capacity in the worst of "
            "five overloads.",
            **_too_long(room, workers, service_s, client_timeout_s),
        )
    slow = _sold_in_overload(room, workers, SLOWER * service_s, client_timeout_s)
    if slow < 0.85:
        raise NotYet(
            expected=f"with a payment that takes {SLOWER:g} × as long, goodput is still all that "
            "is possible then.",
            seen=f"{till}: with {room} waiting it served {slow:.0%} of what was possible.",
            why="the ceiling falls when the service slows down, and your queue is then above it: a "
            "length that is chosen close to the ceiling is right for one speed only.",
            look="Stay below half of (timeout − service) × capacity, and ask how few are enough.",
        )
    shed = _shed_below_capacity(room, workers, service_s)
    if shed > 0.12:
        raise NotYet(
            expected="at 90% of capacity hardly an order is shed.",
            seen=f"{till}: with {room} waiting, {shed:.0%} of the orders of a busy hour were shed.",
            why="arrivals and service times are random: orders come in bursts, and a queue that is "
            "too short sheds what could have been served a moment later.",
            look="About one waiting order per worker, and a few more where workers are few.",
        )
    return (
        f"with {room} waiting it served {min(sold, 1):.0%} of capacity in overload, "
        f"{min(slow, 1):.0%} of what was possible at {SLOWER:g} × the service time, and shed "
        f"{shed:.0%} in a busy hour"
    )


def _places(room: Any, till: str) -> int:
    """`room` as a number of places; `//` may have given it as a float."""
    if isinstance(room, float) and room.is_integer():
        room = int(room)
    if isinstance(room, int) and not isinstance(room, bool) and room >= -1:
        return room
    raise NotYet(
        expected="a whole number of places, 0 or more.",
        seen=f"{till}: {room!r}.",
        why="one can stand in a place or not; half a place helps nobody.",
        look="`int(…)` rounds down, to the side that is safe.",
    )


def _too_long(room: int, workers: int, service_s: float, client_timeout_s: float) -> dict[str, str]:
    """What to say to it: no bound, the own service forgotten, no air, or another sum."""
    if room == -1:
        return {
            "why": "-1 is a queue without a bound: it grows until everybody in it is too late.",
            "look": "The last one in the queue may wait timeout − service: how many go first?",
        }
    if room == int(client_timeout_s * workers / service_s):
        return {
            "why": "so many are served within the client timeout, but the last one is then only "
            "*begun*: that order takes its own time as well, and is ready too late.",
            "look": "Subtract the service time from the client timeout before you multiply.",
        }
    if 0.2 * room <= room - (client_timeout_s - service_s) * workers / service_s:
        return {
            "why": "past the cliff each order is worked on after its customer has gone.",
            "look": "(timeout − service) × capacity, where capacity is workers ÷ service time.",
        }
    return {
        "why": "that is the very edge of the cliff: it holds on paper, and breaks at the first "
        "order that takes a little longer than usual.",
        "look": "It is a ceiling and no length to choose: how few would be enough?",
    }


def _sold_in_overload(room: int, workers: int, service_s: float, client_timeout_s: float) -> float:
    from bpdemo.lab.exercises.judges.judging import over_seeds

    half_s = 3 * client_timeout_s
    runs = over_seeds(
        _naive(room, workers, service_s),
        times=2,
        seconds=2 * half_s,
        client_timeout_s=client_timeout_s,
    )
    return min(run.between(half_s, 2 * half_s)["goodput_share"] for run in runs)


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
    """Ninety obedient clients: is anybody sent away, and how much do they send?"""
    from bpdemo.lab.exercises.judges.judging import chosen, defended, over_seeds
    from bpdemo.lab.services.simulation import simulate

    (waiters,) = chosen(settings, queue_block_waiters=(0, 10_000))
    defended(settings, right="c", replies=REPLIES)
    knobs = TEAM | {"queue_policy": settings.get("queue_policy"), "queue_block_waiters": waiters}
    load: dict[str, Any] = {"scenario": "closed", "rate": CLIENTS, "client_timeout_s": 30}
    first = simulate(knobs, seconds=0.3, bin_s=0.1, **load)
    if refused := first.reasons.get("queue_full"):
        _hammered(settings, refused / 0.3 / first.summary["capacity_per_s"])
    runs = over_seeds(knobs, seconds=3, **load)
    offered = max(_offered(run) for run in runs)
    if offered > 1.1 or min(run.summary["served_share"] for run in runs) < 0.99:
        _hammered(settings, offered)
    return (
        f"{CLIENTS} clients offered {offered:.2f} × the capacity, without having been told it, "
        "and every order was served."
    )


REPLIES = {
    "a": "Waiting helps only with callers who respond to it. To a crowd that does not care, it "
    "serves nobody better: the queue grows past the cliff.",
    "b": "A line at the door is a queue like any other, and counts in the same sum. Here it is "
    "harmless because there are only so many clients.",
    "d": "Nothing here knows a rate. When the service slows down, the clients slow down with it, "
    "which a limit set last spring does not.",
}


def _offered(run: Any) -> float:
    summary = run.between(1, 3)
    return float(summary["offered_per_s"] / summary["capacity_per_s"])


def _hammered(settings: Any, refused: float) -> None:
    if settings.get("queue_policy") != "block":
        raise NotYet(
            expected="the clients send about as much as the service can do.",
            seen=f"clients that were rejected came back at once: {refused:.0f} × the capacity in "
            "rejections.",
            why="a client that sends again as soon as it is answered is slowed down by *waiting* "
            "for the answer. A rejection at once is the fastest answer there is.",
            look="Which policy makes the client wait instead?",
        )
    raise NotYet(
        expected=f"each of the {CLIENTS} clients may wait.",
        seen=f"only {settings['queue_block_waiters']:g} may wait at the door; the rest were "
        f"rejected and came back at once: {refused:.0f} × the capacity in rejections.",
        why="a few clients too many for the line are enough: they ask all the time, and take the "
        "places of those who wait.",
        look=f"{CLIENTS} clients: 8 are served, 8 have a place inside. Where are the others?",
    )


# -- 02c ------------------------------------------------------------------------------------


def judge_may_wait(may_wait: Any) -> str:
    """By hand at the extremes, then at the door of two services, before two kinds of crowd."""
    _judge_extremes(may_wait)
    sold = [_judge_door(may_wait, *door) for door in DOORS]
    return (
        f"at twice their capacity, two different services served {min(1, *sold):.0%} of it or "
        "more; and of the clients that wait for their answers, none was rejected."
    )


def _judge_extremes(may_wait: Any) -> None:
    workers, service_s = DOORS[0]
    if may_wait(10_000, 0, workers, service_s, PATIENCE_S):
        raise NotYet(
            expected="a line at the door that has an end.",
            seen="10,000 stood at the door, and one more was told to wait.",
            why="a bounded room with an unbounded line before it is an unbounded queue.",
            look="How long will the newcomer wait? Return False when that is too long.",
        )
    if may_wait(0, 10_000, workers, service_s, PATIENCE_S):
        raise NotYet(
            expected="a newcomer waits for all who are before them, at the door and inside.",
            seen="nobody stood at the door, 10,000 were in the queue, and they were told to wait.",
            why="it makes no difference to them on which side of the door they stand: each of them "
            "is served first.",
            look="The fault is what the rule does not look at: in_the_queue.",
        )
    if not may_wait(0, INSIDE, workers, service_s, PATIENCE_S):
        raise NotYet(
            expected=f"with {INSIDE} inside and nobody at the door, one may wait.",
            seen="it was rejected, though it would be its turn in a moment.",
            why="a door at which nobody may wait is policy reject: producers that respond to "
            "backpressure are rejected where a short wait would do.",
            look="Calculate its time: those before it ÷ workers × service time, and its own.",
        )


def _judge_door(may_wait: Any, workers: int, service_s: float) -> float:
    from bpdemo.flow.queue import BoundedQueue
    from bpdemo.lab.exercises.judges.judging import most, over_seeds
    from bpdemo.lab.services.simulation import simulate

    def rule(queue: BoundedQueue[Any]) -> bool:
        return bool(may_wait(queue.waiting, queue.depth, workers, service_s, PATIENCE_S))

    settings = {
        "workers": workers, "payment_latency_s": service_s, "store_latency_s": 0,
        "queue_capacity": INSIDE, "queue_policy": "block", "queue_block_timeout_s": 60,
        "request_timeout_s": 0,
    }  # fmt: skip
    who = f"{workers} workers, {service_s:g} s an order"
    clients = int(0.5 * PATIENCE_S * workers / service_s)
    with patch.object(BoundedQueue, "may_wait", property(rule)):
        deaf = over_seeds(settings, times=2, seconds=6, client_timeout_s=PATIENCE_S)
        obedient = simulate(
            settings, scenario="closed", rate=clients, seconds=0.5, client_timeout_s=PATIENCE_S
        )
    sold = min(run.between(3, 6)["goodput_share"] for run in deaf)
    if sold < 0.85:
        _too_late(who, sold, most(deaf, "late_per_s"))
    if refused := obedient.reasons.get("queue_full", 0):
        raise NotYet(
            expected=f"of {clients} clients that wait for their answers, none is rejected: even "
            "the last one is served in half of the client timeout.",
            seen=f"{who}: {refused} rejections within half a second.",
            why="to reject an order that could be served in time loses a sale, and the client "
            "comes back at once.",
            look="All workers work at the same time: those ahead go in groups of `workers`.",
        )
    return sold


def _too_late(who: str, sold: float, late_per_s: float) -> None:
    if sold >= 0.2:
        raise NotYet(
            expected="at twice capacity, goodput stays at capacity.",
            seen=f"{who}: it served {sold:.0%}; {late_per_s:.0f} a second came a moment too late.",
            why="your rule is right on paper, and lets orders wait up to the edge of the cliff.",
            look="Leave a margin: let an order take, say, 80% of the client timeout.",
        )
    raise NotYet(
        expected="at twice capacity, goodput stays at capacity.",
        seen=f"{who}: it served {sold:.0%} of capacity; {late_per_s:.0f} a second were too late.",
        why="the queue, inside and at the door together, takes longer than anybody waits.",
        look="They need (those ahead ÷ workers) × service time, and then their own service time.",
    )


EXERCISES: dict[str, Exercise] = {
    "02a": Exercise(
        title="How long may the queue be?",
        answer="room_for",
        parameters=("workers", "service_s", "client_timeout_s"),
        judge=judge_room_for,
        hints=(
            "The wall in the lesson's first picture is a ceiling. What does it do when the "
            "payment slows down, and what is a queue good for below it?",
            "Two bounds: enough for bursts, which is about one waiting order per worker and a few "
            "more where workers are few; and never more than half the ceiling.",
            "Two tills take 30 s each, and people wait 5 minutes. The ceiling is 2 × 270 ÷ 30 = "
            "18, half of it 9; one per till and two more makes 4. The lesser of the two: 4.",
        ),
    ),
    "02b": Exercise(
        title="Clients that listen",
        answer="settings",
        judge=judge_batch,
        hints=(
            "A full queue can wait, reject or drop: which of them does a client feel as a wait?",
            "A client that waits for its answer is slowed down by a wait, and by nothing else. So "
            "let all of them wait; there are only so many, and the queue cannot outgrow that.",
            "With 20 clients, 2 workers and room for 3: 2 are served, 3 have a place, and 15 must "
            "be able to stand at the door.",
        ),
    ),
    "02c": Exercise(
        title="The line at the door",
        answer="may_wait",
        parameters=("at_the_door", "in_the_queue", "workers", "service_s", "client_timeout_s"),
        judge=judge_may_wait,
        hints=(
            "Look at who is served before the newcomer. Which of them does the rule count?",
            "A wait is worth it if it ends in time: those ahead, at the door and in the queue, are "
            "served by all workers together; then comes its own service. Leave a margin.",
            "2 tills, 30 s each; 4 wait inside and 6 at the door. The newcomer's turn comes after "
            "10 ÷ 2 × 30 = 150 s, and they have a ticket at 180 s. If they wait 200 s at most, "
            "that is too close: 80% of it is 160 s, so reject them.",
        ),
    ),
}
