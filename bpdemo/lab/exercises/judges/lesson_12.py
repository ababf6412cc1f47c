"""The exercises of lesson 12: a service that is stuck, and the load at which none can be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import inf
from operator import itemgetter
from textwrap import shorten
from typing import TYPE_CHECKING, Any, Final

from bpdemo.core.ranges import shown
from bpdemo.lab.exercises.exercise import Exercise, NotYet

if TYPE_CHECKING:
    from bpdemo.load.run import LoadRun

# -- 12a ------------------------------------------------------------------------------------

WORKERS: Final = 4
ON_CALL_S: Final = 20.0
AGAIN_S: Final = 45.0
END_S: Final = 60.0
#: What is judged: until when it must serve again, orders lost before `AGAIN_S`, and what is served
#: from so long after the second trigger on.
WITHIN_S: Final = 5.0
MOST_LOST: Final = 150
CALM_S: Final = 5.0
SERVED: Final = 0.9
#: How long this service takes to start again. With the lesson's second, its last cell would do.
RESTART_S: Final = 8.0
SEEDS: Final = range(2)
SLOW: Final = {"payment_latency_s": 0.2}
NORMAL: Final = {"payment_latency_s": 0.04}
TWICE: Final = ((5.0, SLOW), (7.0, NORMAL), (AGAIN_S, SLOW), (AGAIN_S + 2, NORMAL))
#: What nobody on call can turn: the payment and the store are others', and there are no more
#: machines.
OTHERS: Final = ("payment_", "store", "workers", "initial_", "pool_", "database_")
#: Those with which a new order may pass what has waited for long, and those that get it back.
NEW_FIRST: Final = frozenset({"lifo", "adaptive_lifo"})
GETS_BACK: Final = NEW_FIRST | {"codel"}
#: What may keep a queue short: by letting nobody in, or in another way.
AT_THE_DOOR: Final = frozenset({"queue_capacity", "max_in_flight", "client_max_in_flight"})
BOUNDS: Final = AT_THE_DOOR | {"request_timeout_s"}


def judge_steps(steps: Any) -> str:
    """The service is stuck from second 7 on; the same trigger comes once more later."""
    done = _steps(steps)
    worst_s, worst_lost, worst_served = 0.0, 0, 1.0
    for seed in SEEDS:
        run = rescued(done, seed)
        after_s, lost = _told(run)
        _judge_first(run, done, after_s, lost)
        served = run.between(AGAIN_S + 2 + CALM_S, END_S)["served_share"]
        if served < SERVED:
            raise _stuck_again(served)
        worst_s, worst_lost = max(worst_s, after_s), max(worst_lost, lost)
        worst_served = min(worst_served, served)
    return (
        f"it served again {worst_s:g} s after the call, {worst_lost} orders were lost on the way, "
        f"and after the second trigger it served {worst_served:.0%}."
    )


def rescued(steps: Any, seed: int) -> LoadRun:
    """The minute in which the trigger comes twice, with these steps."""
    from bpdemo.lab.lessons.on_call.rescue import simulate_rescue

    return simulate_rescue(
        steps, settings={"workers": WORKERS}, trigger=TWICE, seconds=END_S, seed=seed
    )


def _told(run: LoadRun) -> tuple[float, int]:
    """How long until it serves again, looked at from the call to the second trigger; orders lost
    meanwhile."""
    from bpdemo.lab.lessons.on_call.recovery import lost, recovered_after_s

    return (
        recovered_after_s(run, ON_CALL_S, AGAIN_S - 1),
        lost(run, ON_CALL_S) - lost(run, AGAIN_S),
    )


def _steps(steps: Any) -> list[tuple[float, dict[str, Any]]]:
    if isinstance(steps, tuple) and len(steps) == 2 and isinstance(steps[1], Mapping):
        steps = [steps]  # one step, and no list around it
    pairs = list(steps) if isinstance(steps, Iterable) and not isinstance(steps, str) else []
    done: list[tuple[float, dict[str, Any]]] = []
    for pair in pairs:
        match pair:
            # A whole number may be beyond any float, so it is compared and not converted here.
            case (int() | float() as at_s, Mapping() as turned) if -inf < at_s < inf:
                done.append((at_s, {str(name): value for name, value in turned.items()}))
            case _:
                raise _no_steps(pair)
    if not done:
        raise _no_steps(steps)
    for at_s, turned in done:
        if at_s < ON_CALL_S:
            raise NotYet(
                expected=f"every step is taken from second {ON_CALL_S:g} on, when you are called, "
                f"and before second {AGAIN_S:g}.",
                seen=f"one of them is at {_told_s(at_s)}.",
                why="those on call come when it has happened.",
                look="Which steps would you have liked to take before? They also help now.",
            )
        if at_s >= AGAIN_S:
            raise _without_you(f"one of your steps is at {_told_s(at_s)}.")
        if theirs := [name for name in turned if name.startswith(OTHERS)]:
            raise NotYet(
                expected="the steps turn knobs of your own service.",
                seen=f"one of them turns `{theirs[0]}`.",
                why="the payment and the store belong to others, and they are well. More workers "
                "are more machines, and the lesson has shown that twice as many do not do it.",
                look="What may wait, for how long, and in which order is yours to say.",
            )
    done = sorted(((float(at_s), turned) for at_s, turned in done), key=itemgetter(0))
    for at_s, down_s in _require_knobs(done):
        if down_s < RESTART_S:
            raise _no_such_restart(down_s)
        if at_s + down_s > AGAIN_S:
            raise _without_you(f"your restart at {at_s:g} s lasts until {at_s + down_s:g} s.")
    return done


def _told_s(at_s: float) -> str:
    """A time that was typed, however large."""
    if abs(at_s) > 1e6:
        return "a time with more than six digits before the point"
    return f"{at_s:g} s"


def _no_such_restart(down_s: float) -> NotYet:
    return NotYet(
        expected=f"a restart takes {RESTART_S:g} s at least: this service fills its caches first.",
        seen=f"one of yours takes {down_s:g} s.",
        why="nobody can choose how long a service needs to come up, and the lesson's second was "
        "chosen for you.",
        look=f"{RESTART_S:g} s cost more orders than you may lose. What takes the old orders out "
        "of the way while the service runs?",
    )


def _without_you(seen: str) -> NotYet:
    return NotYet(
        expected=f"every step is taken before second {AGAIN_S:g}, when the second trigger comes: "
        "from it the service must come back without you.",
        seen=seen,
        why="nobody is on call then, and a service that is saved by hand twice needs it a third "
        "time.",
        look="Which of the settings that got it back may stay for good?",
    )


def _require_knobs(done: list[tuple[float, dict[str, Any]]]) -> list[tuple[float, float]]:
    """When the restarts begin, and how long each lasts."""
    from bpdemo.core.errors import SettingsInvalid
    from bpdemo.core.settings import Settings
    from bpdemo.lab.lessons.on_call.rescue import RESTART, require_steps
    from bpdemo.plan.changes import settings_after

    try:
        knobs, acts = require_steps(done, END_S)
        settings_after(Settings.unprotected(workers=WORKERS), knobs)
        return [(at_s, acted[RESTART]) for at_s, acted in acts if RESTART in acted]
    except (SettingsInvalid, ValueError) as error:
        raise NotYet(
            expected="each step turns knobs that exist, to values that they may have.",
            seen=f"a step is refused: {error}" + ("" if str(error).endswith(("?", ".")) else "."),
            why="in the night, a step that raises is a minute lost.",
            look="The settings are those of `serve`; beside them there are `restart_s`, in "
            "seconds, and `shed_upstream`, a share.",
        ) from None


def _shown(given: object) -> str:
    """As it was typed, and no longer than a line or two."""
    return shorten(shown(given), 200)


def _no_steps(given: object) -> NotYet:
    return NotYet(
        expected="the answer is a list of steps, each a time and a dict of what is done then.",
        seen=f"there was {_shown(given)}.",
        why="somebody else must be able to carry it out.",
        look='Such as `[(20, {"queue_discipline": "fifo"})]`, which changes nothing.',
    )


def _judge_first(
    run: LoadRun, done: list[tuple[float, dict[str, Any]]], after_s: float, lost: int
) -> None:
    if after_s > WITHIN_S:
        why, look = _why_stuck(done, run)
        never = after_s >= AGAIN_S - 1 - ON_CALL_S
        seen = "it did not" if never else f"it took {after_s:g} s"
        raise NotYet(
            expected=f"within {WITHIN_S:g} s of the call the service serves again.",
            seen=f"{seen}, and {lost} orders were lost before second {AGAIN_S:g}.",
            why=why,
            look=look,
        )
    if lost > MOST_LOST:
        raise NotYet(
            expected=f"at most {MOST_LOST} orders are lost from the call to second {AGAIN_S:g}.",
            seen=f"{lost} were.",
            why="each second in which nobody is served in time costs nearly sixty orders, and "
            "those whom a gateway rejects are lost, too.",
            look="What keeps you from doing it at once? And is less load still needed then?",
        )


def _why_stuck(done: list[tuple[float, dict[str, Any]]], run: LoadRun) -> tuple[str, str]:
    """What keeps it stuck, and where to look: by what the steps turn, and when."""
    last = {name: value for _, turned in done for name, value in turned.items()}
    depth = float(run.frame.queue_depth[run.frame.t_s >= ON_CALL_S].iloc[0])
    bounds = [name for name, value in last.items() if _bounds(name, value, depth)]
    orders = [turned["queue_discipline"] for _, turned in done if "queue_discipline" in turned]
    shed = max((turned.get("shed_upstream", 0) for _, turned in done), default=0)
    if restarts := [turned["restart_s"] for _, turned in done if "restart_s" in turned]:
        return (
            f"the restart empties the queue, and for {max(restarts):g} s nobody is served: each of "
            "these seconds costs nearly sixty orders.",
            "Most of those who stand in the queue have left. Must they be thrown out, or is it "
            "enough not to begin with them?",
        )
    if orders and set(orders[:-1]) & GETS_BACK and orders[-1] not in GETS_BACK:
        return (
            f"what got it back was taken away again: with {orders[-1]!r} the orders of callers who "
            "have left are first once more, and they are still in the queue.",
            "Why should it not stay?",
        )
    if orders and orders[-1] in GETS_BACK:
        return _why_not_back(done, orders[-1], bounds, shed, depth)
    if orders:
        return (
            f"with {orders[-1]!r} {depth:,.0f} attempts, most of them of callers who have left, "
            "still stand before those who have just come.",
            "Which discipline begins with the newest, or throws out what has waited too long?",
        )
    if shed:
        return (
            f"{depth:,.0f} attempts stand in the queue, most of them of callers who have left, and "
            "they are processed before anybody who is still there. Less load lets it drain, but "
            "only at the speed of the workers.",
            "What takes them away in one moment?",
        )
    if bounds:
        return (
            f"a bound comes late: {depth:,.0f} attempts stand in the queue already, most of them "
            "of callers who have left, and are processed first.",
            "A bound keeps the queue short. What makes it short *now*?",
        )
    if "drop_on_disconnect" in last:
        return (
            "what stands in the queue is forgotten only as its callers leave, and the oldest of "
            "those who are left is always about to leave.",
            "Drop what waits in one moment, or begin with those who have just come.",
        )
    return (
        "each order comes four times, four times 60% is 240%, and nothing in your steps changes "
        "that or what waits already.",
        "Those whose turn comes must still be waiting for it: now, and after the next trigger.",
    )


def _why_not_back(
    done: list[tuple[float, dict[str, Any]]],
    discipline: str,
    bounds: list[str],
    shed: float,
    depth: float,
) -> tuple[str, str]:
    """With a discipline that gets it back: it came too late, or something else is in its way."""
    began_s = next(at_s for at_s, turned in done if turned.get("queue_discipline") in GETS_BACK)
    if began_s > ON_CALL_S + WITHIN_S:
        return (
            f"the step that gets it back is taken at {began_s:g} s, "
            f"{began_s - ON_CALL_S:g} s after the call.",
            "What keeps you from doing it at once?",
        )
    if shed:
        return (
            f"up to {shed:.0%} of the customers are rejected in front of it. It serves again when "
            "nine of ten are served.",
            "With the discipline that you chose, is less load still needed?",
        )
    at_the_door = [name for name in bounds if name in AT_THE_DOOR]
    if at_the_door and discipline in NEW_FIRST:
        name = "queue_capacity" if "queue_capacity" in at_the_door else at_the_door[0]
        return (
            f"the newest would be first, and none gets in: {depth:,.0f} attempts, most of them of "
            f"callers who have left, fill the queue far beyond its bound, and `{name}` rejects "
            "everybody new.",
            "Either nothing bounds the queue while they are in it, or something throws out what "
            "has waited too long.",
        )
    return (
        f"with {discipline!r}, as your steps set it, too many of those who are served, or who "
        "are let in, have left by then.",
        "With its usual numbers that discipline would do. Which of them did you change, and what "
        "else did you turn?",
    )


def _bounds(name: str, value: Any, depth: float) -> bool:
    """Whether this may keep a queue short, with such a value."""
    return name in BOUNDS and (0 < value < depth or (name == "queue_capacity" and value == 0))


def _stuck_again(served: float) -> NotYet:
    return NotYet(
        expected=f"from second {AGAIN_S + 2 + CALM_S:g} on, {CALM_S:g} s after the second trigger "
        f"is over, {SERVED:.0%} of the orders are served, and nobody is called.",
        seen=f"it then served {served:.0%} of the orders.",
        why="what protects it is too weak, or was taken away again. The trigger is not the root "
        "cause: the sustaining effect is.",
        look="Which setting sees to it that those whose turn comes are still there, and may stay "
        "for good?",
    )


# -- 12b ------------------------------------------------------------------------------------

#: How often clients retry, and their budget as a share of the orders.
CROWDS: Final = ((3, None), (1, None), (0, None), (3, 0.1), (3, 0.5), (0, 0.5))
BELOW: Final = 0.8
ABOVE: Final = 1.25
TRIGGER_S: Final = 3.0


def judge_safe_load(safe_load: Any) -> str:
    """At 0.8 of each answer a long trigger must be survived, and at 1.25 of it not."""
    for retries, budget in CROWDS:
        load = safe_load(retries, budget)
        crowd = f"{retries} retries" + (f" and a budget of {budget:g}" if budget else "")
        if isinstance(load, bool) or not isinstance(load, int | float) or not 0.01 <= load <= 1:
            raise NotYet(
                expected="the function returns a share of the capacity, above 0 and up to 1.",
                seen=f"for {crowd} it returned {_shown(load)}.",
                why="above its capacity a service is overloaded without any trigger.",
                look="With no retries at all, every load up to 1 is safe.",
            )
        if is_stuck(BELOW * load, retries, budget):
            raise NotYet(
                expected=f"below the load that you call safe, a trigger of {TRIGGER_S:g} s is "
                "survived.",
                seen=f"with {crowd} you answered {load:.3g}, and at {BELOW * load:.0%} of capacity "
                "the service stayed stuck.",
                why="a load is safe if the service can process it when every order comes as often "
                "as it may.",
                look=_why_unsafe(retries, budget),
            )
        if not is_stuck(ABOVE * load, retries, budget):
            raise NotYet(
                expected="somewhat above the load that you call safe, the service stays stuck "
                f"after a trigger of {TRIGGER_S:g} s.",
                seen=f"with {crowd} you answered {load:.3g}, and at {ABOVE * load:.0%} of capacity "
                "it recovered.",
                why="a load that is lower than it must be is paid for in machines.",
                look=_why_careful(retries, budget),
            )
    return (
        f"for {len(CROWDS)} kinds of clients, a trigger of {TRIGGER_S:g} s was survived at 80% of "
        "the load that you gave, and was not at 125% of it."
    )


def is_stuck(load: float, retries: int, budget: float | None) -> bool:
    """Of the naive service, in virtual time."""
    from bpdemo.core.settings import Settings
    from bpdemo.sim.margin import Asked
    from bpdemo.sim.ordeal import Trigger

    naive = Settings.unprotected(workers=WORKERS)
    client = {"retries": retries, "retry_budget": budget}
    asked = Asked(naive, Trigger.slow_payment(naive), load, None, client)
    return asked.is_stuck(TRIGGER_S, seed=0)


def _why_unsafe(retries: int, budget: float | None) -> str:
    if budget is None:
        return f"With {retries} retries, how many attempts may an order take in all?"
    return "A budget is a share of the orders: how many attempts may 100 of them take in all?"


def _why_careful(retries: int, budget: float | None) -> str:
    if budget is None:
        return f"With {retries} retries, at which load is the product of load and attempts 1?"
    if not retries:
        return "A budget allows retries, and makes none: who never retries spends nothing of it."
    return "The budget allows fewer attempts than the number of retries does. Which of them counts?"


EXERCISES: dict[str, Exercise] = {
    "12a": Exercise(
        title="Get it back",
        answer="steps",
        judge=judge_steps,
        minutes=10,
        hints=(
            "In the lesson's last pictures, how many stand in the queue at second 20? Who of them "
            "is still waiting for an answer?",
            "A restart would throw all of them out, and costs too much. In lesson 03 the order in "
            "which a queue is served was a setting. With which of them do the orders that are too "
            "old no longer stand before those who have just come?",
            "A hall is full of people whose show is over, and the clerks call them up one by one, "
            "the first who came first. Call up those who came last, or send away those who have "
            "waited for longer than five minutes as soon as it is their turn. But do not call up "
            "the last ones *and* shut the door while the hall is full: nobody new would get in.",
        ),
    ),
    "12b": Exercise(
        title="How much load is safe with N retries?",
        answer="safe_load",
        parameters=("retries", "budget"),
        judge=judge_safe_load,
        hints=(
            "How many attempts does an order take at most? Multiply them by the load.",
            "The product must not exceed what the service can process, which is 1. A budget of "
            "0.1 allows one retry for ten orders, so 1.1 attempts an order on average, however "
            "many retries each client would like.",
            "With 4 retries and no budget an order takes 5 attempts, and 0.2 of the capacity is "
            "safe. With a budget of 0.25 it takes 1.25, and 0.8 is.",
        ),
    ),
}
