"""What the judging process says about an answer that passed, slipped, slept or never ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from bpdemo.core.errors import SettingsInvalid
from bpdemo.lab.exercises.answered import NotTried, Slept
from bpdemo.lab.exercises.exercise import NotYet
from bpdemo.lab.exercises.learner_code import place_of

Told = dict[str, Any]
NO_ANSWER: Final = (
    "There is no answer yet. Replace the blank in the answer cell, run that cell, and check again."
)


def tell(state: str, *says: tuple[str, str]) -> Told:
    return {"state": state, "says": says}


def tell_passed(seen: str) -> Told:
    return tell("passed", ("Seen", seen))


def tell_mistake(error: BaseException, lines: Sequence[str], whose: str) -> Told:
    """What the answer or its judge raised, as prose. `whose` names the learner's code."""
    if isinstance(error, NotYet):
        return tell(
            "not yet",
            ("Expected", error.expected),
            ("Seen", error.seen),
            ("Why it matters", error.why),
            ("Where to look", error.look),
        )
    if isinstance(error, NotTried | NotImplementedError):
        return tell(
            "not tried",
            ("", str(error) if isinstance(error, NotTried) and error.args else NO_ANSWER),
        )
    if isinstance(error, Slept):
        return _tell_slept(place_of(error, lines))
    if isinstance(error, SettingsInvalid):
        return tell(
            "not yet",
            ("Expected", "the service accepts these settings."),
            ("Seen", f"it says: {error}."),
            (
                "Why it matters",
                "a service that starts with half of its settings would surprise you.",
            ),
            ("Where to look", "Compare the names and the values with those in the task."),
        )
    if type(error).__name__ == "NotMeasured":
        return tell(
            "could not judge", ("", f"{error} Close what else is running, then check again.")
        )
    return _tell_raised(error, place_of(error, lines), whose)


def tell_endless(place: str, spent_s: float) -> Told:
    """The time is over. `place`: where the learner's code was, if it was running."""
    if not place:
        return tell(
            "could not judge",
            ("", f"The trial was not over after {spent_s:.0f} s. Check again. If it takes as long "
             "the second time, your answer keeps the service busy for ever, for example with waits "
             "of 0 s."),
        )  # fmt: skip
    return tell(
        "not yet",
        ("Expected", "your code returns within a moment."),
        ("Seen", f"it was still running after {spent_s:.0f} s, at {place}: an endless loop."),
        (
            "Why it matters",
            "the service has one event loop; while one call keeps it busy, nobody is served.",
        ),
        ("Where to look", "What would have to change to end that loop? Look at its condition."),
    )


def _tell_slept(place: str) -> Told:
    return tell(
        "not yet",
        ("Expected", "the function decides at once."),
        ("Seen", f"it calls `time.sleep`, at {place}."),
        ("Why it matters", "a sleep holds up the event loop, and with it everybody else's order."),
        ("Where to look", "Return what to do, or how long to wait; the service does the waiting."),
    )


def _tell_raised(error: BaseException, place: str, whose: str) -> Told:
    kind, what = type(error).__name__, str(error)
    told = f"{kind}: {what}" if what else kind
    if not place and not isinstance(error, SyntaxError):
        return tell(
            "could not judge",
            ("", f"The check itself failed ({told}). If your answer has the form that the task "
             "gives, it is not your fault: please tell your instructor."),
        )  # fmt: skip
    if isinstance(error, SyntaxError) and not place:
        return tell_unreadable(error)
    return tell(
        "not yet",
        ("Expected", f"{whose} runs without an error."),
        ("Seen", f"it raised {told}, at {place}."),
        ("Why it matters", "in a service, every such error is an order that fails."),
        ("Where to look", "Read that line again, with the values in mind that it is called with."),
    )


def tell_unreadable(error: SyntaxError) -> Told:
    """Python could not even read the cell: nothing of it has run."""
    return tell(
        "not yet",
        ("Expected", "Python can read the cell."),
        ("Seen", f"{type(error).__name__} at line {error.lineno or '?'}: {error.msg}."),
        (
            "Where to look",
            "That line or the one before it lacks something, such as a bracket, a colon or the "
            "right indentation.",
        ),
    )
