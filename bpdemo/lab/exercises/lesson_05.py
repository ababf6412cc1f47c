"""The exercises of lesson 05: the half-open rule, a breaker that sleeps, how long to stay open."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from bpdemo.lab.exercises.exercise import Exercise, NotYet

if TYPE_CHECKING:
    from bpdemo.load.run import LoadRun

#: A small box office with customers who wait half a second, at 0.6 of its capacity.
OFFICE: dict[str, Any] = {
    "workers": 4, "queue_capacity": 40, "request_timeout_s": 0, "attempt_timeout_s": 0.2,
    "retry_attempts": 1, "breaker_min_calls": 10, "breaker_window_s": 1, "breaker_open_s": 1,
}  # fmt: skip
LOAD = {"times": 0.6}
PROBES = 3


# -- 05a ------------------------------------------------------------------------------------


def judge_may_probe(may_probe: Any) -> str:
    """By hand, then as the breaker of a box office whose payment hangs and comes back."""
    _judge_probes_by_hand(may_probe)
    from bpdemo.flow.breaker import Breaker
    from bpdemo.lab.exercises.judging import over_seeds
    from bpdemo.lab.lessons.outages import back_after_s, outage, trial_requests

    def rule(breaker: Breaker) -> bool:
        breaker._lapse()
        policy = breaker._policy
        return bool(may_probe(len(breaker._probes), breaker._successes, policy.half_open_calls))

    settings = OFFICE | {"breaker_half_open_calls": PROBES}
    with patch.object(Breaker, "_has_probe_left", rule):
        runs = over_seeds(settings, seconds=12, changes=outage(3, 8), **LOAD)
    most = max(max(trial_requests(run), default=0) for run in runs)
    if most > PROBES:
        _a_crowd(most)
    back_s = max(back_after_s(run, 8) for run in runs)
    if back_s > 3:
        raise NotYet(
            expected="when the payment is back, the breaker finds out and closes.",
            seen="it was still turning customers away three seconds later.",
            why="a breaker that cannot find its way back is an outage of your own making.",
            look="Who may be let through when no probe is out, and none has succeeded yet?",
        )
    return (
        f"in five outages, never more than {most} customers reached the hanging payment at a "
        f"time, and {back_s:.1f} s after its return at the latest you sold again."
    )


def _judge_probes_by_hand(may_probe: Any) -> None:
    if not may_probe(0, 0, PROBES):
        raise NotYet(
            expected=f"the first of {PROBES} probes is let through.",
            seen="no probe was out, none had succeeded, and the answer was no.",
            why="nobody but a probe can find out that the payment is back: it would stay shut.",
            look="At the comparison: which side of it is 'all are used'?",
        )
    if may_probe(PROBES, 0, PROBES):
        _a_crowd(PROBES + 1)
    if may_probe(1, PROBES - 1, PROBES):
        raise NotYet(
            expected=f"{PROBES} probes in all.",
            seen="one probe was out and two had succeeded: that makes three. A fourth was let in.",
            why="a probe that came back well has used its permit as much as one that is still "
            "out. Each one that is let in on top is a customer more than you said.",
            look="Which of the two figures does your rule not look at?",
        )
    if not may_probe(PROBES - 1, 0, PROBES) or not may_probe(0, PROBES - 1, PROBES):
        raise NotYet(
            expected=f"while fewer than {PROBES} have been let through, one more may go.",
            seen=f"{PROBES - 1} had been let through, and the next one was refused.",
            why=f"only when {PROBES} have succeeded does the breaker close. If fewer may go, or "
            "one must wait for the other, it stays half-open longer than it has to.",
            look="Those who are out and those who succeeded, together: how many are let through?",
        )
    if not may_probe(2, 2, 5) or may_probe(0, 1, 1):
        raise NotYet(
            expected="the rule for whatever number is allowed.",
            seen="with 5 allowed a fifth was refused, or with 1 allowed a second was let in.",
            why=f"`breaker_half_open_calls` is a setting; {PROBES} is only its default.",
            look="Compare with `allowed`, not with a number of your own.",
        )


def _a_crowd(seen: int) -> None:
    raise NotYet(
        expected=f"at most {PROBES} probes reach a payment that may still be down.",
        seen=f"{seen} customers were let through.",
        why="each of them waits for nothing if the payment still hangs; and a payment that is "
        "just getting up is knocked down again by the crowd.",
        look="Count who has been let through so far, whatever became of them.",
    )


# -- 05b ------------------------------------------------------------------------------------

ASLEEP: dict[str, Any] = OFFICE | {"breaker_open_s": 2}
CAN_END_PER_S = OFFICE["workers"] / OFFICE["attempt_timeout_s"]


def judge_sleeper(settings: Any) -> str:
    """It must open when the payment hangs, and must not when one call in five fails."""
    from bpdemo.lab.exercises.judging import chosen, over_seeds, worst
    from bpdemo.lab.lessons.outages import outage

    calls, window_s = chosen(settings, breaker_min_calls=(1, 10_000), breaker_window_s=(0.1, 60))
    knobs = ASLEEP | {"breaker_min_calls": calls, "breaker_window_s": window_s}
    outages = over_seeds(knobs, seconds=8, changes=outage(3, 8), **LOAD)
    refused = min(_refused(run) for run in outages)
    if refused < 0.6:
        _asleep(refused, calls, window_s)
    lossy = knobs | {"payment_failure_rate": 0.2, "retry_attempts": 3}
    sold = worst(over_seeds(lossy, seconds=8, **LOAD), "served_share")
    if sold < 0.9:
        raise NotYet(
            expected="no harm on a day on which one call in five fails and is tried again.",
            seen=f"on the worst of five such days it sold {sold:.0%} of the orders.",
            why="a few calls prove nothing: chance alone lets half of them fail now and then, "
            "above all when the breaker has just begun to count.",
            look=f"More calls. With four workers up to {CAN_END_PER_S:.0f} a second can time out, "
            "so a longer window has room for them.",
        )
    return (
        f"with the payment hanging, {refused:.0%} or more were told no at once; with one call "
        f"in five failing, {sold:.0%} or more were sold."
    )


def _refused(run: LoadRun) -> float:
    summary = run.between(5, 8)
    return float(summary["shed_per_s"] / summary["offered_per_s"])


def _asleep(refused: float, calls: float, window_s: float) -> None:
    can_end = CAN_END_PER_S * window_s
    if calls > can_end:
        why = (
            f"a call that hangs ends after 200 ms, so four workers end {can_end:.0f} calls in "
            f"{window_s:g} s. A breaker that waits for {calls:g} of them waits for ever."
        )
        look = "Ask for fewer calls, or look further back."
    else:
        why = (
            f"the window still holds the good calls of before. They were many, the failures are "
            f"few, since each takes so long: half of {window_s:g} s of calls is not reached soon."
        )
        look = "Take a shorter window: the old successes must leave it within a second or two."
    raise NotYet(
        expected="two seconds after the payment hangs, nearly everyone is told no at once.",
        seen=f"only {refused:.0%} were; the others waited for nothing.",
        why=why,
        look=look,
    )


# -- 05c ------------------------------------------------------------------------------------

MOST_SACRIFICED_PER_MIN = 60
MOST_BACK_S = 2.0
REPLIES = {
    "a": "It leaves the payment in peace, and the customers as well, long after it could have "
    "served them. Nothing is safe about that.",
    "b": "Each question is three customers who wait for nothing. Asking twice as often sacrifices "
    "about twice as many.",
    "d": "Nobody knows how long an outage will last. The probes are there so that nobody has to.",
}


def judge_open_for(settings: Any) -> str:
    """Both prices of an open time, by simulation; then the reason."""
    from bpdemo.lab.exercises.judging import chosen, defended
    from bpdemo.lab.lessons.open_time import open_times

    (open_s,) = chosen(settings, breaker_open_s=(0.1, 60))
    defended(settings.get("reason"), right="c", replies=REPLIES)
    (cost,) = open_times(OFFICE, [open_s])
    if cost.sacrificed_per_min > MOST_SACRIFICED_PER_MIN:
        raise NotYet(
            expected=f"at most {MOST_SACRIFICED_PER_MIN} customers sacrificed a minute.",
            seen=f"open for {open_s:g} s: {cost.sacrificed_per_min:.0f}.",
            why="each question goes out with three real customers, who wait for nothing.",
            look="How many questions a minute can you afford, at three customers each?",
        )
    if cost.back_s > MOST_BACK_S:
        raise NotYet(
            expected=f"sold again within {MOST_BACK_S:g} s of the payment's return, on average.",
            seen=f"open for {open_s:g} s: {cost.back_s:.1f} s.",
            why="all is well, and you go on turning customers away.",
            look="The payment comes back somewhere between two questions: half-way, on average.",
        )
    return (
        f"open for {open_s:g} s: {cost.sacrificed_per_min:.0f} customers a minute were the price "
        f"of asking, and you sold again {cost.back_s:.1f} s after the payment's return."
    )


EXERCISES: dict[str, Exercise] = {
    "05a": Exercise(
        title="Half-open",
        answer="may_probe",
        parameters=("out", "succeeded", "allowed"),
        judge=judge_may_probe,
        hints=(
            "A probe that has failed is no case of yours: the breaker is open again then. So each "
            "one that was let through is either still out, or has succeeded.",
            "Count permits, not people at the door. Whoever was let through has used one, "
            "also if they have come back.",
            "Five may go in, two are inside, two came out smiling: that makes four, one may "
            "follow. Three inside and two out again: nobody may.",
        ),
    ),
    "05b": Exercise(
        title="The breaker that sleeps",
        answer="settings",
        judge=judge_sleeper,
        hints=(
            "How many calls can *end* within the window while each of them hangs for 200 ms, "
            "and there are four workers?",
            "A breaker judges only when min_calls have ended within the window. Too many for the "
            "window, and it never judges; too few, and chance does; too long a window, and old "
            "successes outvote the failures.",
            "Ten workers and a timeout of 1 s: ten calls a second can end. Asking for 30 calls "
            "needs a window of more than 3 s, and 5 s has air.",
        ),
    ),
    "05c": Exercise(
        title="How long to stay open",
        answer="settings",
        judge=judge_open_for,
        hints=(
            "Look at the picture with the two prices in lesson 05: which one rules out the short "
            "times, which one the long ones?",
            "About every open_s three customers are sacrificed. The payment's return is learned "
            "half of open_s late, on average.",
            "Ten seconds: six questions a minute, some 18 customers; five seconds late. "
            "One second: up to 180 a minute, half a second late.",
        ),
    ),
}
