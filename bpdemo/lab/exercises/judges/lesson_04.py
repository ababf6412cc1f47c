"""The exercises of lesson 04: jitter, a budget for retries, and orders finished in time."""

from __future__ import annotations

import random
from math import inf
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from bpdemo.lab.exercises.exercise import Exercise, NotYet

if TYPE_CHECKING:
    from bpdemo.flow.deadline import Deadline
    from bpdemo.service.intake import Intake

BASE_S, CAP_S = 0.05, 1.0
DRAWS = 200

SLOW_FROM_S, SLOW_TO_S, END_S = 4, 6, 10

#: workers, service_s
TILLS = ((8, 0.04), (4, 0.1))
CLIENT_TIMEOUT_S = 0.5


# -- 04a ------------------------------------------------------------------------------------


def judge_full_jitter(full_jitter: Any) -> str:
    """By hand for its range and its growth; then as the retries of a crowd at opening time."""
    for failed in (1, 3, 60):
        _judge_range(full_jitter, failed)
    early, late = (_mean_wait_s(full_jitter, failed) for failed in (1, 4))
    if late < 2 * early:
        raise NotYet(
            expected="the waits grow with the number of failures.",
            seen=f"the mean wait is {early:.3f} s after one failure, and {late:.3f} s after four.",
            why="a service that has failed four times needs more time to recover than one that has "
            "failed once.",
            look="The longest wait doubles each time: `base_s * 2 ** (failed - 1)`.",
        )
    told = _judge_crowd(full_jitter)
    _judge_evenness(full_jitter)
    return told


def _judge_range(full_jitter: Any, failed: int) -> None:
    longest_s = min(CAP_S, BASE_S * 2.0 ** (failed - 1))
    rng = random.Random("waits by hand")
    waits = [full_jitter(failed, BASE_S, CAP_S, rng) for _ in range(DRAWS)]
    if not all(isinstance(wait, (int, float)) and wait >= 0 for wait in waits):
        raise NotYet(
            expected="the function returns a number of seconds, 0 or more.",
            seen=f"after {_failures(failed)} it returned {waits[0]!r}.",
            why="the caller sleeps for as long as the function says.",
            look="Does every path through the function return the wait?",
        )
    if max(waits) <= longest_s + 1e-9:
        return
    if failed == 1 and longest_s <= min(waits) < 1.5 * longest_s:
        _on_top_of_it(longest_s, waits)
    capped = longest_s == CAP_S
    raise NotYet(
        expected=f"after {_failures(failed)} the wait is at most {longest_s:g} s.",
        seen=f"it was up to {max(waits):.3g} s.",
        why="without the cap, a caller who has failed often never comes back at all."
        if capped
        else "most failures are hiccups, so the first retry should come soon.",
        look="Take `min(cap_s, …)` before you draw."
        if capped
        else "The first wait is not doubled yet: `failed` is 1, so `2 ** (failed - 1)` is 1.",
    )


def _on_top_of_it(longest_s: float, waits: list[float]) -> None:
    raise NotYet(
        expected=f"after {_failures(1)} the wait is anything from 0 to {longest_s:g} s.",
        seen=f"it was never less than {min(waits):.3g} s, and up to {max(waits):.3g} s.",
        why="a random part that is *added* to the backoff leaves the crowd together, only later.",
        look="What is the shortest wait that you can draw? The backoff is the *longest* one.",
    )


def _failures(failed: int) -> str:
    return f"{failed} failures" if failed > 1 else "one failure"


def _mean_wait_s(full_jitter: Any, failed: int) -> float:
    rng = random.Random("means by hand")
    waits_s = [float(full_jitter(failed, BASE_S, CAP_S, rng)) for _ in range(DRAWS)]
    return sum(waits_s) / DRAWS


def _judge_evenness(full_jitter: Any) -> None:
    """A quarter of the waits in each quarter of the range, also for another base and cap."""
    rng = random.Random("evenness by hand")
    for failed, base_s, cap_s in ((2, BASE_S, CAP_S), (60, BASE_S, CAP_S), (3, 0.2, 3.0)):
        longest_s = min(cap_s, base_s * 2.0 ** (failed - 1))
        waits_s = [full_jitter(failed, base_s, cap_s, rng) for _ in range(5 * DRAWS)]
        quarters = [min(3, int(4 * wait_s / longest_s)) for wait_s in waits_s]
        shares = [quarters.count(quarter) / len(waits_s) for quarter in range(4)]
        if not all(0.18 <= share <= 0.32 for share in shares) or max(waits_s) > longest_s + 1e-9:
            _uneven(
                shares,
                longest_s,
                f"with a base of {base_s:g} s and a cap of {cap_s:g} s, after {failed} failures,",
            )


def _uneven(shares: list[float], longest_s: float, case: str) -> None:
    told = ", ".join(f"{share:.0%}" for share in shares)
    why, look = (
        "this is *equal* jitter, which always keeps half of the wait. It has its uses (nobody "
        "comes back at once), but it spreads the crowd over only half of the time.",
        "Draw from 0 and not from half of the longest wait.",
    ) if sum(shares[:2]) < 0.01 and min(shares[2:]) > 0.4 else (
        "callers whose waits lie close together come back together.",
        "First calculate the longest wait from `base_s`, `cap_s` and `failed`, with "
        "`min(cap_s, …)`. Then draw once, evenly, from 0 to that.",
    )  # fmt: skip
    raise NotYet(
        expected=f"{case} the waits are spread evenly from 0 to {longest_s:g} s: 25% of them in "
        "each quarter.",
        seen=f"of 1000 waits, the four quarters had {told}.",
        why=why,
        look=look,
    )


def _judge_crowd(full_jitter: Any) -> str:
    from bpdemo.lab.exercises.judges.judging import over_seeds, worst
    from bpdemo.lab.lessons.figures.attempts import attempt_peak
    from bpdemo.sim import crowd as sim_crowd

    def delay_s(_: str, __: str, retry: int, ___: float | None, rng: random.Random) -> float:
        return float(full_jitter(retry, BASE_S, CAP_S, rng))

    with patch.object(sim_crowd, "retry_delay_s", delay_s):
        runs = over_seeds(
            {"workers": 4, "queue_capacity": 8},
            times=50, seconds=0.15, scenario="spike", bin_s=0.05,
            retries=6, backoff="exponential",
        )  # fmt: skip
    peak = max(attempt_peak(run, after_s=0.5) / len(run.records) for run in runs)
    served = worst(runs, "served_share")
    if peak > 0.33:
        raise NotYet(
            expected="once half a second has passed, no more than a third of the crowd comes back "
            "within the same 50 ms.",
            seen=f"{peak:.0%} of it came back together, and {served:.0%} of the orders were "
            "served.",
            why="backoff alone only decides when the next wave comes. Randomness is what breaks "
            "the wave up.",
            look="The wait may fall anywhere from 0 to the longest: `rng.uniform(0, longest_s)`.",
        )
    if served < 0.52:
        raise NotYet(
            expected="the retries last long enough for more than half of the orders to be served.",
            seen=f"only {served:.0%} of the orders were served.",
            why="a caller that uses up its six retries within a moment meets the same full queue "
            "six times.",
            look="Does the longest wait double with each failure?",
        )
    return (
        f"of a crowd that came in one moment, no more than {peak:.0%} came back within the same "
        f"50 ms once half a second had passed, and at least {served:.0%} were served."
    )


# -- 04b ------------------------------------------------------------------------------------


def judge_hiccup(settings: Any) -> str:
    """Four quiet seconds with some failures, two slow ones, four to recover; over five seeds."""
    from bpdemo.core.settings import Settings
    from bpdemo.lab.exercises.judges.judging import chosen, defended, over_seeds, worst_between

    places, share = chosen(settings, queue_capacity=(-1, 10_000), retry_budget=(0, 1))
    defended(settings, right="a", replies=REPLIES, formerly="bacd")
    runs = over_seeds(
        Settings.unprotected(
            workers=8, queue_capacity=int(places), retry_attempts=1, payment_failure_rate=0.05
        ),
        times=0.6, seconds=END_S, retries=3, retry_budget=share,
        changes=[(SLOW_FROM_S, {"payment_latency_s": 0.4}),
                 (SLOW_TO_S, {"payment_latency_s": 0.04})],
    )  # fmt: skip
    quiet = worst_between(runs, 0, SLOW_FROM_S, "served_share")
    if quiet < 0.975:
        _lost_in_quiet(places, share, quiet)
    attempts = max(_attempts_an_order(run) for run in runs)
    if attempts > 1.35:
        raise NotYet(
            expected="while the payment is slow, there are few more attempts than orders.",
            seen=f"with a budget of {share:g} there were {attempts:.2f} attempts per order.",
            why="in a storm everything fails, so the whole budget is spent: it is what the storm "
            "may add to the load, at the time when there is least capacity to spare.",
            look="On a quiet day, 5% of the orders need a retry. How much more do you allow?",
        )
    after = worst_between(runs, SLOW_TO_S + 1, END_S, "served_share")
    if after < 0.93:
        raise NotYet(
            expected="a second after the slow spell, the service serves as it did before.",
            seen=f"with a queue capacity of {places:g} it then served {after:.0%} of the orders "
            "in time.",
            why="there was no storm, but a backlog: all that piled up in the slow seconds is "
            "served before any new order, and most of those callers have left.",
            look="A capacity of -1 is a queue without a bound. Lesson 02 says how long a queue may "
            "be.",
        )
    return (
        f"in the worst of five days, {quiet:.1%} of the orders were served while it was quiet, "
        f"there were {attempts:.2f} attempts per order while the payment was slow, and a second "
        f"later {after:.0%} were served again."
    )


REPLIES = {
    "b": "on a quiet day, a retry turns a lost sale into a failure that nobody notices. Retries do "
    "harm when *everything* fails.",
    "c": "what makes callers wait is backoff. A budget postpones nothing: it denies a retry, and "
    "the caller gives up.",
    "d": "the budget prevents the storm, but the slow seconds themselves leave a backlog. Without "
    "a bound, all of it is served before any new order.",
}


def _attempts_an_order(run: Any) -> float:
    slow = run.between(SLOW_FROM_S, SLOW_TO_S)
    return float(slow["attempts_per_s"] / slow["offered_per_s"])


def _lost_in_quiet(places: float, share: float, quiet: float) -> None:
    is_short, is_poor = 0 <= places < 8, share <= 0.03
    given = f"a queue capacity of {places:g} and a budget of {share:g}"
    if is_short and is_poor:
        why = (
            "orders that come together by chance are rejected where there is hardly a place to "
            "wait; besides, 5% of the payments fail for no reason, and nothing is left to try "
            "them again."
        )
        look = (
            "Two things at once: how many places cost nothing at this load, and for how many "
            "orders is a retry needed?"
        )
    elif is_short:
        why = (
            "even at 60% of capacity, some orders come together by chance. Without a place to "
            "wait they are rejected, and their retries use up the budget."
        )
        look = "A few more places cost nothing at this load: about one per worker."
    else:
        given = f"a budget of {share:g}"
        why = "5% of the payments fail for no reason, and would succeed when tried again."
        look = "Retries are needed for 5% of the orders. What must the budget be at least?"
    raise NotYet(
        expected="on a quiet day, at least 97.5% of the orders are served.",
        seen=f"with {given}, {quiet:.1%} of them were.",
        why=why,
        look=look,
    )


# -- 04c ------------------------------------------------------------------------------------


def judge_turn_away(turn_away: Any) -> str:
    """By hand in five plain cases; then at the door of two services with no bound."""
    for case in CASES:
        _judge_case(turn_away, *case)
    served = [_judge_door(turn_away, *till) for till in TILLS]
    return (
        f"at twice the capacity, two services with unbounded queues served at least "
        f"{min(1, *served):.0%} of it, since your rule asks whether an order can be *finished* in "
        "time."
    )


#: wait_s, service_s, remaining_s, whether to shed, and why.
CASES = (
    (0.0, 0.04, 0.5, False, "nobody waits, and the time left is twelve times what the order takes"),
    (0.2, 0.04, 0.5, False, "it is served after 0.24 s, about half of the time it has"),
    (2.0, 0.04, 0.5, True, "its turn would come long after its caller has left"),
    (0.48, 0.04, 0.5, True, "its turn comes just in time, and its caller leaves before it is done"),
    (0.2, 0.4, 0.5, True, "it takes so long that its caller leaves before it is done"),
)


def _judge_case(turn_away: Any, *case: Any) -> None:
    *figures, wanted, because = case
    if bool(turn_away(*figures)) is wanted:
        return
    wait_s, service_s, remaining_s = figures
    word = {True: "shed", False: "let in"}
    raise NotYet(
        expected=f"an order with a wait of {wait_s:g} s, a service time of {service_s:g} s and "
        f"{remaining_s:g} s left is {word[wanted]}: {because}.",
        seen=f"it was {word[not wanted]}.",
        why="an order whose caller leaves before the end costs a worker's time, for nothing."
        if wanted
        else "to shed an order that could have been served in time is to lose a sale.",
        look="An order is *served* after the wait and the service time. Compare their sum with "
        "the time left.",
    )


def _judge_door(turn_away: Any, workers: int, service_s: float) -> float:
    from bpdemo.core.settings import Settings
    from bpdemo.lab.exercises.judges.judging import over_seeds, worst_between
    from bpdemo.service.intake import Intake

    settings = Settings.unprotected(
        workers=workers, payment_latency_s=service_s, store_latency_s=0.002
    )
    crowd: dict[str, Any] = {"client_timeout_s": CLIENT_TIMEOUT_S, "send_deadline": True}
    with patch.object(Intake, "_check_time", _as_method(turn_away)):
        overload = over_seeds(settings, times=2, seconds=4, **crowd)
        burst = over_seeds(settings, times=3, scenario="spike", seconds=0.3, bin_s=0.1, **crowd)
    who = f"with {workers} workers and {service_s:g} s an order"
    served = worst_between(overload, 2, 4)
    if served < 0.88:
        raise NotYet(
            expected="at twice the capacity, goodput stays near capacity.",
            seen=f"{who}, the service served {served:.0%} of capacity.",
            why="the estimated wait is never quite right. An order that is let in with no margin "
            "at all is late as often as not.",
            look="Leave a margin: let an order take, say, 80% of the time that is left.",
        )
    through = sum(run.summary["served_share"] for run in burst) / len(burst)
    if through < 0.87:
        raise NotYet(
            expected="a short burst that can be served in time gets through.",
            seen=f"{who}, only {through:.0%} of a burst was served.",
            why="a rule that is too careful sheds orders for which there was time.",
            look="Shed an order only when the wait and the service time together do not fit into "
            "the time left, less a small margin.",
        )
    return served


def _as_method(turn_away: Any) -> Any:
    from bpdemo.core.errors import WouldExpire

    def check_time(intake: Intake, deadline: Deadline, priority: int) -> None:
        if deadline.at == inf:
            return
        remaining_s = deadline.remaining_s(intake._clock())
        wait_s = intake._estimate.estimated_wait_s(priority)
        # As in the service: while a worker is idle, the rule is not asked.
        sheds = wait_s > 0 and turn_away(wait_s, intake._pace.mean_s, remaining_s)
        if remaining_s <= 0 or sheds:
            raise WouldExpire

    return check_time


EXERCISES: dict[str, Exercise] = {
    "04a": Exercise(
        title="Retries that spread out",
        answer="full_jitter",
        parameters=("failed", "base_s", "cap_s", "rng"),
        judge=judge_full_jitter,
        hints=(
            "Look at the worked example: what makes all callers wait equally long?",
            "Take the wait that backoff gives as the *longest*, and draw the real one evenly from "
            "0 to that: `rng.uniform(low, high)` draws.",
            "With a base of 1 s, a cap of 10 s and 3 failures, backoff says min(10, 1 × 2 × 2) = "
            "4 s, and full jitter anything from 0 to 4 s. With 5 failures it is anything from 0 to "
            "10 s.",
        ),
    ),
    "04b": Exercise(
        title="A budget for retries",
        answer="settings",
        judge=judge_hiccup,
        hints=(
            "Look at two moments: a quiet hour, in which 5% of the payments fail, and the slow "
            "seconds, in which nearly all of them do.",
            "The budget must be more than a quiet day needs, and it is all that a storm can add to "
            "the load. The bound of the queue decides how much backlog the slow seconds leave.",
            "If 1% of the calls failed, 0.01 would be needed, and a budget of 0.03 would leave a "
            "margin. A storm would then add 3% to the load.",
        ),
    ),
    "04c": Exercise(
        title="Finished in time",
        answer="turn_away",
        parameters=("wait_s", "service_s", "remaining_s"),
        judge=judge_turn_away,
        hints=(
            "Which of its three figures does the careless rule not use?",
            "An order needs the wait and then its service time. Both together must fit into the "
            "time that is left, with a margin, since the wait is only an estimate.",
            "The show begins in 20 minutes; the queue takes 15, and the till takes 4. That makes "
            "19, which is too close: with 80% of the time, 16 minutes, as the limit, do not queue.",
        ),
    ),
}
