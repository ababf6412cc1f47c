"""The exercises of lesson 05: how a breaker moves, one that never opens, how long to stay open, and
the order of the guards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpdemo.lab.exercises.exercise import Exercise, NotYet
from bpdemo.lab.exercises.judges.breaker_moves import LOAD, OFFICE, judge_next_state
from bpdemo.lab.exercises.judges.guard_order import judge_order

if TYPE_CHECKING:
    from bpdemo.load.run import LoadRun

# -- 05b ------------------------------------------------------------------------------------

ASLEEP: dict[str, Any] = OFFICE | {"breaker_open_s": 2}
CAN_END_PER_S = OFFICE["workers"] / OFFICE["attempt_timeout_s"]


def judge_sleeper(settings: Any) -> str:
    """It must open when the payment hangs, and must not when one call in five fails."""
    from bpdemo.lab.exercises.judges.judging import chosen, over_seeds, worst
    from bpdemo.lab.lessons.outages import outage

    calls, window_s = chosen(settings, breaker_min_calls=(1, 10_000), breaker_window_s=(0.1, 60))
    knobs = ASLEEP | {"breaker_min_calls": calls, "breaker_window_s": window_s}
    outages = over_seeds(knobs, seconds=8, changes=outage(3, 8), **LOAD)
    refused = min(_refused(run) for run in outages)
    if refused < 0.6:
        _asleep(refused, calls, window_s)
    lossy = knobs | {"payment_failure_rate": 0.2, "retry_attempts": 3}
    served = worst(over_seeds(lossy, seconds=8, **LOAD), "served_share")
    if served < 0.9:
        raise NotYet(
            expected="the breaker does no harm on a day on which 20% of the calls fail and are "
            "tried again.",
            seen=f"on the worst of five such days, {served:.0%} of the orders were served.",
            why="a few calls prove nothing: now and then half of them fail by chance, above all "
            "when the breaker has just begun to count.",
            look=f"Ask for more calls. With four workers, up to {CAN_END_PER_S:.0f} calls a second "
            "can time out, so a longer window holds enough of them.",
        )
    return (
        f"while the payment hung, at least {refused:.0%} of the orders were rejected at once; "
        f"while 20% of the calls failed, at least {served:.0%} of the orders were served."
    )


def _refused(run: LoadRun) -> float:
    summary = run.between(5, 8)
    return float(summary["shed_per_s"] / summary["offered_per_s"])


def _asleep(refused: float, calls: float, window_s: float) -> None:
    can_end = CAN_END_PER_S * window_s
    if calls > can_end:
        why = (
            f"a call that hangs ends after 200 ms, so in {window_s:g} s four workers end "
            f"{can_end:.0f} calls. A breaker that needs {calls:g} calls never opens."
        )
        look = "Ask for fewer calls, or take a longer window."
    else:
        why = (
            f"the window of {window_s:g} s still holds the successes from before the outage. They "
            "are many, and the failures are few because each takes so long: it is a long time "
            "before half of all these calls are failures."
        )
        look = "Take a shorter window, so that the old successes leave it within a second or two."
    raise NotYet(
        expected="two seconds after the payment begins to hang, nearly every order is rejected at "
        "once.",
        seen=f"{refused:.0%} of the orders were rejected; the others waited for nothing.",
        why=why,
        look=look,
    )


# -- 05c ------------------------------------------------------------------------------------

MOST_SACRIFICED_PER_MIN = 60
MOST_BACK_S = 2.0
REPLIES = {
    "a": "a few trial requests are no load to speak of, and a breaker that stays open rejects "
    "customers long after the provider is back.",
    "b": "at each trial, three customers wait for nothing. Trying twice as often sacrifices about "
    "twice as many.",
    "c": "no one knows how long an outage will last, and thanks to trial requests no one has to.",
}


def judge_open_for(settings: Any) -> str:
    """The reason; then both prices of an open time, by simulation."""
    from bpdemo.lab.exercises.judges.judging import chosen, defended
    from bpdemo.lab.lessons.open_time import open_times

    (open_s,) = chosen(settings, breaker_open_s=(0.1, 60))
    defended(settings, right="d", replies=REPLIES, formerly="abdc")
    (cost,) = open_times(OFFICE, [open_s])
    if cost.sacrificed_per_min > MOST_SACRIFICED_PER_MIN:
        raise NotYet(
            expected=f"at most {MOST_SACRIFICED_PER_MIN} customers a minute are sacrificed.",
            seen=f"with an open time of {open_s:g} s, {cost.sacrificed_per_min:.0f} customers a "
            "minute were.",
            why="each trial takes three real customers, who wait for nothing.",
            look="How many trials a minute can you afford, at three customers each?",
        )
    if cost.back_s > MOST_BACK_S:
        raise NotYet(
            expected=f"on average, orders are served again within {MOST_BACK_S:g} s of the "
            "provider's return.",
            seen=f"with an open time of {open_s:g} s, it took {cost.back_s:.1f} s on average.",
            why="the provider is back, and you go on rejecting customers.",
            look="The provider comes back somewhere between two trials: halfway, on average.",
        )
    return (
        f"with an open time of {open_s:g} s, trial requests cost {cost.sacrificed_per_min:.0f} "
        f"customers a minute, and on average tickets were sold again {cost.back_s:.1f} s after the "
        "provider's return."
    )


EXERCISES: dict[str, Exercise] = {
    "05a": Exercise(
        title="How a breaker moves",
        minutes=10,
        answer="next_state",
        parameters=("state", "event", "seen", "rules"),
        judge=judge_next_state,
        hints=(
            "Draw the three states and the arrows between them. There are four arrows: which event "
            "belongs to each? In every other case the state stays as it is.",
            "A closed breaker looks at the share of failures, once there are enough calls. An open "
            "one looks at the clock, and only when somebody calls. For a half-open one, a single "
            "failure is enough to open; to close, all of the trial requests must succeed.",
            "With `half_open_calls` 5, a half-open breaker stays half-open after a success with "
            "`seen['succeeded']` 4, and closes with 5. A failure opens it, even after four "
            "successes.",
        ),
    ),
    "05b": Exercise(
        title="The breaker that never opens",
        answer="settings",
        judge=judge_sleeper,
        hints=(
            "While each call hangs for 200 ms, how many calls can four workers *end* within the "
            "window?",
            "A breaker judges only when `min_calls` calls have ended within the window. If it "
            "needs more than can end, it never judges; if it needs too few, chance decides; and if "
            "the window is too long, old successes outnumber the failures.",
            "Ten workers with a timeout of 1 s can end ten calls a second. A breaker that needs 30 "
            "calls then needs a window of more than 3 s; 5 s leaves a margin.",
        ),
    ),
    "05c": Exercise(
        title="How long to stay open",
        answer="settings",
        judge=judge_open_for,
        hints=(
            "Look at the picture with the two prices in lesson 05: which of them rules out the "
            "short times, and which the long ones?",
            "About once in every `breaker_open_s`, three customers are sacrificed. On average, the "
            "provider's return is noticed half of `breaker_open_s` late.",
            "Ten seconds make about six trials a minute, which cost some 18 customers, and the "
            "return is noticed five seconds late. One second makes up to 180 customers a minute, "
            "and half a second.",
        ),
    ),
    "05d": Exercise(
        title="The order of the guards",
        minutes=10,
        answer="order",
        judge=judge_order,
        hints=(
            "Take two guards at a time, and ask what happens to the inner one when the outer one "
            "cancels it, or runs it again.",
            "What is inside the retry happens once for each attempt; what is outside it happens "
            "once for all attempts together. And a guard learns only of what ends *inside* it.",
            "A logger around the retry writes one line for each order; inside the retry it writes "
            "up to three. Which of the guards must see each attempt, and which of them all "
            "attempts together?",
        ),
    ),
}
