"""The exercises of lesson 05: how a breaker moves, one that sleeps, how long to stay open, and the
order of the guards."""

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
    sold = worst(over_seeds(lossy, seconds=8, **LOAD), "served_share")
    if sold < 0.9:
        raise NotYet(
            expected="no harm on a day on which one call in five fails and is tried again.",
            seen=f"on the worst of five such days it served {sold:.0%} of the orders.",
            why="a few calls prove nothing: chance alone lets half of them fail now and then, "
            "above all when the breaker has just begun to count.",
            look=f"More calls. With four workers up to {CAN_END_PER_S:.0f} a second can time out, "
            "so a longer window has room for them.",
        )
    return (
        f"with the payment hanging, {refused:.0%} or more were rejected at once; with one "
        f"call in five failing, {sold:.0%} or more were served."
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
        expected="two seconds after the payment hangs, nearly every order is rejected at once.",
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
    "b": "Each trial is three customers who wait for nothing. Asking twice as often sacrifices "
    "about twice as many.",
    "c": "Nobody knows how long an outage will last, and thanks to trial requests nobody has to.",
}


def judge_open_for(settings: Any) -> str:
    """Both prices of an open time, by simulation; then the reason."""
    from bpdemo.lab.exercises.judges.judging import chosen, defended
    from bpdemo.lab.lessons.open_time import open_times

    (open_s,) = chosen(settings, breaker_open_s=(0.1, 60))
    defended(settings, right="d", replies=REPLIES, formerly="abdc")
    (cost,) = open_times(OFFICE, [open_s])
    if cost.sacrificed_per_min > MOST_SACRIFICED_PER_MIN:
        raise NotYet(
            expected=f"at most {MOST_SACRIFICED_PER_MIN} customers sacrificed a minute.",
            seen=f"open for {open_s:g} s: {cost.sacrificed_per_min:.0f}.",
            why="each trial takes three real customers, who wait for nothing.",
            look="How many trials a minute can you afford, at three customers each?",
        )
    if cost.back_s > MOST_BACK_S:
        raise NotYet(
            expected=f"sold again within {MOST_BACK_S:g} s of the payment's return, on average.",
            seen=f"open for {open_s:g} s: {cost.back_s:.1f} s.",
            why="all is well, and you go on rejecting customers.",
            look="The payment comes back somewhere between two trials: half-way, on average.",
        )
    return (
        f"open for {open_s:g} s: {cost.sacrificed_per_min:.0f} customers a minute were the price "
        f"of its trial requests, and you sold again {cost.back_s:.1f} s after the payment's return."
    )


EXERCISES: dict[str, Exercise] = {
    "05a": Exercise(
        title="How a breaker moves",
        minutes=10,
        answer="next_state",
        parameters=("state", "event", "seen", "rules"),
        judge=judge_next_state,
        hints=(
            "Draw the three states, and one arrow for each sentence of the task. There are four "
            "arrows: which event belongs to each? In every other case the state stays.",
            "Closed, it looks at shares of enough calls. Open, it looks at the clock, and only "
            "when somebody calls. Half-open, one failure is enough to open, and only all of the "
            "trial requests together are enough to close.",
            "With half_open_calls 5: half-open, a success with seen['succeeded'] 4 stays half-open;"
            " with 5 it closes. A failure after four successes opens.",
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
            "needs a window of more than 3 s, and 5 s leaves a margin.",
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
            "Ten seconds: six trials a minute, some 18 customers; five seconds late. "
            "One second: up to 180 a minute, half a second late.",
        ),
    ),
    "05d": Exercise(
        title="The order of the guards",
        minutes=10,
        answer="order",
        judge=judge_order,
        hints=(
            "Take two guards at a time, and ask what becomes of the inner one when the outer one "
            "ends it, or runs it again.",
            "What is inside the retry happens once for each attempt; what is outside it happens "
            "once for all of them. And a guard learns only of what ends *inside* it.",
            "A logger around the retry writes one line for each order; inside the retry it writes "
            "up to three. Which of the guards must see each attempt, and which one all of them "
            "together?",
        ),
    ),
}
