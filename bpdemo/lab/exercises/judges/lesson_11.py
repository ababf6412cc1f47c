"""The exercises of lesson 11: a limit that finds itself, and one that drifts."""

from __future__ import annotations

from dataclasses import dataclass, field
from sys import float_info
from typing import TYPE_CHECKING, Any, Final

from bpdemo.core.ranges import plain, shown
from bpdemo.lab.exercises.exercise import Exercise, NotYet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bpdemo.flow.limits.gradient2 import Gradient2
    from bpdemo.load.run import LoadRun

# -- 11a ------------------------------------------------------------------------------------

WORKERS, SERVICE_S = 8, 0.042
#: Shorter than in the lesson, whose numbers would do otherwise.
CLIENT_TIMEOUT_S: Final = 0.3
SEEDS: Final = range(2)
UNEVEN: Final = {"payment_latency_distribution": "lognormal"}
SLOW: Final = {"payment_latency_s": 0.08, "store_latency_s": 0.004}
NORMAL: Final = {"payment_latency_s": 0.04, "store_latency_s": 0.002}
#: Latencies at which a rule is asked whether it cuts, and the limit at which it is asked.
ASKED_S: Final = (0.05, 0.08, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 1.0, 2.0, 5.0, 10.0)
ASKED_AT: Final = 40.0
MOST: Final = float_info.max
#: Limits at which a rule is asked whether it raises them.
RAISED_AT: Final = (4.0, 10.0, 20.0, 40.0, 80.0)


@dataclass(frozen=True)
class LimitScene:
    """A load of so many seconds, and what counts of it; both `longer` times as long in a test."""

    name: str
    load: dict[str, Any]
    at_least: float
    from_s: float
    to_s: float
    knobs: dict[str, Any] = field(default_factory=dict)


def scenes(longer: float = 1) -> list[LimitScene]:
    """Overload, slow payments, a burst after a quiet time, a day just below capacity; and two
    services of other sizes, between which no number fits: what two workers serve in time is too few
    to keep 32 of them busy."""
    long_s = 12 * longer
    slow = [(4 * longer, SLOW), (8 * longer, NORMAL)]
    burst = {"times": 5, "scenario": "spike", "seconds": 15 * longer}
    return [
        LimitScene("at twice the capacity", {"times": 2, "seconds": long_s}, 0.93, 2, long_s),
        LimitScene(
            "at twice the capacity, with service times that vary",
            {"times": 2, "seconds": long_s}, 0.9, 2, long_s, UNEVEN,
        ),
        LimitScene(
            "at twice the capacity, while and after the payment takes twice as long",
            {"times": 2, "seconds": long_s, "changes": slow}, 0.84, 4 * longer + 1, long_s,
        ),
        LimitScene("in a burst after a quiet time", burst, 0.9, 5 * longer + 1, 10 * longer),
        LimitScene(
            "on a day at 0.9 of the capacity, with service times that vary",
            {"times": 0.9, "seconds": long_s}, 0.88, 2, long_s, UNEVEN,
        ),
        LimitScene(
            "before a service with 2 workers",
            {"times": 2, "seconds": long_s}, 0.9, 2, long_s, {"workers": 2},
        ),
        LimitScene(
            "before a service with 32 workers",
            {"times": 1.5, "seconds": 3 * longer}, 0.85, 1, 3 * longer, {"workers": 32},
        ),
    ]  # fmt: skip


def judge_aimd(aimd: Any) -> str:
    """A few calls by hand; then as the limit of the naive service, in short scenes."""
    _judge_calls(aimd)
    worst = 1.0
    for scene, served, run in played(aimd, scenes()):
        if served < scene.at_least:
            raise _told_of(aimd, scene, served, run)
        worst = min(worst, served)
    return (
        "at twice the capacity, with slow payments, in a burst, on a usual day, and before 2, 8 or "
        f"32 workers, your rule served at least {worst:.0%} of what was possible, and nobody told "
        "it a number."
    )


def played(
    aimd: Any, scenes: list[LimitScene], seeds: range = SEEDS
) -> Iterator[tuple[LimitScene, float, LoadRun]]:
    """Each scene, what was served of what was possible with the worst of `seeds`, and that run."""
    from bpdemo.lab.lessons.limit_rules import simulate_rule

    def sound(limit: float, in_flight: int, latency_s: float, dropped: bool) -> float:
        given = aimd(limit, in_flight, latency_s, dropped)
        if _is_limit(given):
            return float(given)
        unsound.append((limit, in_flight, latency_s, given))
        return limit  # the service goes on; it is told when the scene is over

    unsound: list[tuple[float, int, float, object]] = []
    for scene in scenes:
        runs = [
            simulate_rule(
                sound,
                cut_once=True,
                knobs=scene.knobs,
                seed=seed,
                client_timeout_s=CLIENT_TIMEOUT_S,
                **scene.load,
            )
            for seed in seeds
        ]
        if unsound:
            raise _no_limit(*unsound[0])
        shares = [run.between(scene.from_s, scene.to_s)["goodput_of_possible"] for run in runs]
        worst = min(range(len(runs)), key=shares.__getitem__)
        yield scene, shares[worst], runs[worst]


def _judge_calls(aimd: Any) -> None:
    for in_flight, latency_s, dropped in ((20, 0.05, False), (3, 0.05, False), (20, 3.0, False)):
        limit = aimd(20.0, in_flight, latency_s, dropped)
        if not _is_limit(limit):
            raise _no_limit(20, in_flight, latency_s, limit)
    if not _is_limit(limit := aimd(20.0, 20, 0.2, True)):
        raise _no_limit(20, 20, 0.2, limit)
    if aimd(20.0, 20, 0.2, True) >= 20:
        raise NotYet(
            expected="a call that was dropped cuts the limit.",
            seen="for a limit of 20 and a dropped call, the limit was not cut.",
            why="a dropped call is the clearest sign of overload there is.",
            look="The cut has two causes: the call was dropped, *or* it took too long.",
        )
    if aimd(20.0, 20, 0.05, False) <= 20:
        raise NotYet(
            expected="a call that went well, with the whole limit in use, raises the limit.",
            seen="20 of 20 were in flight, the call took 0.05 s, and the limit did not rise.",
            why="what only ever falls ends at one order at a time, and stays there.",
            look="A fast call while the limit is used: what should the limit be afterwards?",
        )


def _no_limit(limit: float, in_flight: int, latency_s: float, given: object) -> NotYet:
    return NotYet(
        expected="the function returns the limit that holds from now on, as a number.",
        seen=f"for a limit of {limit:g}, {in_flight} in flight and a call of {latency_s:.3g} s it "
        f"returned {shown(given)}.",
        why="the service asks for the limit before it lets the next order in.",
        look="Does every way through your function end in a `return` with a number?",
    )


def _sound(aimd: Any) -> Any:
    """The same rule; `NotYet` at once where it returns no limit."""

    def asked(limit: float, in_flight: int, latency_s: float, dropped: bool) -> float:
        given = aimd(limit, in_flight, latency_s, dropped)
        if not _is_limit(given):
            raise _no_limit(limit, in_flight, latency_s, given)
        return float(given)

    return asked


def _is_limit(given: object) -> bool:
    """A finite number; numpy's are, and a whole one beyond any float is not."""
    given = plain(given)
    return isinstance(given, int | float) and not isinstance(given, bool) and -MOST <= given <= MOST


def _told_of(aimd: Any, scene: LimitScene, served: float, run: LoadRun) -> NotYet:
    why, look = _blamed(_sound(aimd), scene, run)
    return NotYet(
        expected=f"{scene.name}, at least {scene.at_least:.0%} of what is possible is served.",
        seen=f"it was {max(0.0, served):.0%}.",
        why=why,
        look=look,
    )


def _blamed(aimd: Any, scene: LimitScene, run: LoadRun) -> tuple[str, str]:
    """Why, and where to look: by what the rule does when it is asked by hand."""
    if "workers" in scene.knobs and (end := _end_of(aimd)):
        return (
            f"with all of a limit of {end:g} in use, and every call fast, the rule does not raise "
            "it. A rule that knows where to stop is a fixed limit again, sized for one service.",
            "Nobody tells the rule how many workers there are. Only what happens to the calls may "
            "end the rise.",
        )
    cuts_at_s = next((s for s in ASKED_S if aimd(ASKED_AT, 40, s, False) < ASKED_AT), None)
    if cuts_at_s is None:
        return (
            "customers hang up without a word, and the service works for them all the same. So "
            "without a timeout of its own the rule takes every late answer for a success.",
            f"How slow may a call be, when customers wait {CLIENT_TIMEOUT_S:g} s?",
        )
    spared_s = max((s for s in ASKED_S if s < cuts_at_s), default=0.0)
    left = aimd(ASKED_AT, 40, cuts_at_s, False) / ASKED_AT
    if cuts_at_s > CLIENT_TIMEOUT_S / 2:
        return (
            f"a call may take {spared_s:g} s before the rule cuts. By then the limit is so high "
            "that those who enter now are late, and the cut comes a whole wait too late.",
            "The timeout in the rule must be below half of the customers' own: what stands in the "
            "queue already must still drain in time.",
        )
    if grown := _grown_unused(aimd):
        limit = float(run.frame.limit[run.frame.t_s < scene.from_s].max())
        return (
            f"the limit rose to {limit:.0f}, since {grown}. A limit that grows while nobody needs "
            "it is no limit when the burst comes.",
            "Raise it only while at least half of it is in use.",
        )
    if left > 0.97:
        return (
            f"a cut leaves {left:.0%} of the limit, and each call that goes well adds to it. The "
            "next flight is again too many, and the queue grows.",
            "The decrease is *multiplicative*: a share of the limit, one that can be felt.",
        )
    if spared_s < 2 * SERVICE_S and left > 0.2:
        return (
            f"the rule cuts soon after {max(spared_s, SERVICE_S):g} s, or before. An order takes "
            "0.042 s of its own, and 0.084 s when the payment is slow, so it cuts where nobody had "
            "to wait, and workers stay idle.",
            "The timeout must leave room for a service that is itself twice as slow.",
        )
    if left < 0.4:
        return (
            f"a cut leaves {left:.0%} of the limit. Then workers are idle while orders are shed, "
            "until the limit has climbed back.",
            "Cut less: what was too much is seldom more than a part of the limit.",
        )
    return (
        "a limit that is too low leaves workers idle, and one that is too high makes all customers "
        "late.",
        "Print the limit over time for this load: `simulate_rule(aimd, cut_once=True, "
        f"times=2, seconds=10, client_timeout_s={CLIENT_TIMEOUT_S:g}).frame.limit`.",
    )


def _end_of(aimd: Any) -> float | None:
    """The first limit that does not rise though it is used and all goes well."""
    return next((at for at in RAISED_AT if aimd(at, int(at), SERVICE_S, False) <= at), None)


def _grown_unused(aimd: Any) -> str:
    """What the rule does in a quiet hour, in words; nothing where it does not grow."""
    grows = aimd(ASKED_AT, 2, 0.042, False) > ASKED_AT
    return "it grew with every call, also with 2 of 40 in flight" if grows else ""


# -- 11b ------------------------------------------------------------------------------------

#: How long a call takes in a service for which no number is known beforehand.
OTHER_S: Final = 0.2


def judge_follow(follow: Any) -> str:
    """In place of Gradient2's average: six hours of overload, a slow start, a slower payment, and
    another service."""
    follow = _following(follow)
    for long_s, short_s in ((0.042, 0.042), (0.042, 0.2), (0.2, 0.042)):
        follow(long_s, short_s)
    hours = minutes_with(follow, lambda _: SERVICE_S, minutes=360)
    if (gone := _gone_at(hours)) is not None:
        raise NotYet(
            expected="at 1.2× the capacity, six hours on end, the limit serves as in the first "
            "minutes.",
            seen=f"it served {hours[2]:.0%} of what was possible in the third minute, and "
            f"{hours[gone]:.0%} in minute {gone + 1}.",
            why="a reference that rises with the latency comes to treat the queue as normal: a "
            "little more is let in, which makes it rise again. A slower average only drifts later.",
            look="The short time holds the wait in it. Which of the two directions is safe to "
            "follow, however long the overload lasts?",
        )
    if (after_s := _after_two_days(follow)) > 2 * SERVICE_S:
        raise NotYet(
            expected="two days in which each call takes 1.4 times the reference, as in an overload "
            "that stays, leave the reference about where it was.",
            seen=f"it rose from {SERVICE_S:g} s to {after_s:.3g} s.",
            why="it survived six hours, and drifts all the same: only later.",
            look="Which of the two directions is safe to follow, however slowly?",
        )
    cold = minutes_with(follow, lambda t_s: 5 * SERVICE_S if t_s < 120 else SERVICE_S, minutes=20)
    if (gone := _gone_at(cold, after=8)) is not None:
        raise NotYet(
            expected="after two slow minutes at the start, when a call takes 0.21 s in place of "
            "0.042 s, the limit finds the service that is fast again.",
            seen=f"it served {cold[gone]:.0%} of what was possible in minute {gone + 1}.",
            why="a cold start, or a deploy in an overload, is where many services take their "
            "first measurements. A reference that was taken then allows a queue for ever.",
            look="A short time *below* the reference can hold no wait that the reference did not "
            "hold. How soon may it be believed?",
        )
    slower = minutes_with(follow, lambda t_s: SERVICE_S * (2 if t_s >= 600 else 1), minutes=25)
    if (gone := _gone_at(slower, after=11)) is not None:
        raise NotYet(
            expected="when the payment is twice as slow for good, what is possible is served.",
            seen=f"it served {slower[gone]:.0%} of what was possible in minute {gone + 1}.",
            why="a limit that no longer fits the service leaves workers idle or customers late.",
            look="What does your reference do when the short time doubles and stays?",
        )
    other = minutes_with(follow, lambda _: OTHER_S, minutes=10, workers=16, usual_s=OTHER_S)
    if (gone := _gone_at(other)) is not None:
        raise NotYet(
            expected=f"before another service, with 16 workers and calls of {OTHER_S:g} s, what is "
            "possible is served.",
            seen=f"it served {other[gone]:.0%} of what was possible in minute {gone + 1}.",
            why="a number that you know beforehand is right for one service. Where calls take "
            "longer, it makes the limit too low, and workers stay idle.",
            look="Nobody tells the rule how long a call takes. Which of its two arguments does?",
        )
    return (
        f"six hours at 1.2× the capacity, and in the last minute the limit served "
        f"{min(1.0, hours[-1]):.0%} of what was possible; it also found its way after a slow "
        "start, with a slower payment and before another service."
    )


def _following(follow: Any) -> Callable[[float, float], float]:
    """The same rule; `NotYet` at once where it returns no reference."""

    def asked(long_s: float, short_s: float) -> float:
        given = follow(long_s, short_s)
        if not _is_limit(given) or given <= 0:
            raise NotYet(
                expected="the function returns the new reference, in seconds, above 0.",
                seen=f"for {long_s:.3g} s and {short_s:.3g} s it returned {shown(given)}.",
                why="the limit is calculated from it once a second.",
                look="Return a number for every pair of times.",
            )
        return float(given)

    return asked


def _after_two_days(follow: Any) -> float:
    """The reference, once it has doubled or the time is over; a window a second."""
    long_s = SERVICE_S
    for _ in range(2 * 86_400):
        long_s = float(follow(long_s, 1.4 * long_s))
        if long_s > 2 * SERVICE_S:
            break
    return long_s


def minutes_with(
    follow: Any,
    service_s: Callable[[float], float],
    *,
    minutes: int,
    workers: int = 2,
    usual_s: float = SERVICE_S,
) -> list[float]:
    """Goodput minute by minute, of what is possible, with `follow` as the reference's rule.

    The load is 1.2 times what so many workers serve where a call takes `usual_s`.
    """
    from unittest.mock import patch

    from bpdemo.flow.limits.gradient2 import Gradient2
    from bpdemo.lab.lessons.one_queue import goodput_by_minute

    def update(limit: Gradient2, short_s: float) -> None:
        # The published step, with its average put back to what the learner's rule makes of it.
        before_s, windows = limit._long_s, limit._windows
        limit._long_s = float(follow(before_s, short_s)) if windows else short_s
        limit._windows = 10**9  # from the first window on, the average moves by nothing
        weightless(limit, short_s)
        limit._windows = windows + 1

    weightless = Gradient2._update
    with patch.object(Gradient2, "_update", update):
        limit = Gradient2(4, low=1, long_windows=10**12)
        rate_per_s = 1.2 * workers / usual_s
        return goodput_by_minute(
            limit, service_s, workers=workers, rate_per_s=rate_per_s, minutes=minutes
        )


def _gone_at(shares: list[float], after: int = 3) -> int | None:
    """The first minute, from `after` on, of which less than 0.8 was served."""
    return next((i for i, share in enumerate(shares) if i >= after and share < 0.8), None)


EXERCISES: dict[str, Exercise] = {
    "11a": Exercise(
        title="Write AIMD",
        answer="aimd",
        parameters=("limit", "in_flight", "latency_s", "dropped"),
        judge=judge_aimd,
        minutes=12,
        hints=(
            "Three cases: something went wrong, the limit is used and all went well, and all else. "
            "What is the limit after each of them?",
            "Customers wait 0.3 s, so what counts as *too long* must be well below that, and above "
            "what an order takes of its own, also when the payment is twice as slow. Cut by a "
            "share, raise by one, and raise only while at least half of the limit is in use.",
            "In a hall for which people queue for 10 minutes at most, somebody counts. Those who "
            "waited more than 4 minutes: admit a fifth fewer. Less, and the hall more than half "
            "full: admit one more. A hall that is half empty: change nothing.",
        ),
    ),
    "11b": Exercise(
        title="Find the drift",
        answer="follow",
        parameters=("long_s", "short_s"),
        judge=judge_follow,
        hints=(
            "Let the careless rule run for an hour and print its reference. Who moves it?",
            "A call's time is its own time and its wait. The wait is never below zero, so a short "
            "time *below* the reference is news of the service, and one above it may be nothing "
            "but the queue.",
            "A walk takes 20 minutes without traffic. One day it takes 15, and another 40. Of the "
            "first you learn how long the way is, of the second how much traffic there was.",
        ),
    ),
}
