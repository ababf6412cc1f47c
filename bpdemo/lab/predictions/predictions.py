"""`predict` before a run, `reveal` after it: a guess one commits to teaches more than none.

Predict, observe, explain: `reveal` asks for a sentence of the learner's own before the lesson gives
its explanation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from html import escape
from typing import Any, Final, Protocol, runtime_checkable

from bpdemo.core.kinds import wrong_kind
from bpdemo.core.nearest import nearest
from bpdemo.lab.home import keep, recall
from bpdemo.lab.markup import as_html
from bpdemo.lab.predictions.keepsakes import keep_run
from bpdemo.lab.predictions.order import shuffled
from bpdemo.lab.predictions.outcome import RevealedOutcome
from bpdemo.lab.predictions.printed import outcome_html, question_html
from bpdemo.lab.predictions.questions.catalogue import QUESTIONS
from bpdemo.lab.predictions.questions.question import Question
from bpdemo.lab.subshells import keep_subshells
from bpdemo.picture.palette import BLUE, FONT, GREEN, ORANGE

KEPT: Final = "predictions"
LEAST_CHOICES: Final = 2
CONFIDENCE: Final = ("a guess", "fairly sure", "certain")
UNASKED: Final = (
    "<b>You made no prediction.</b> Choose an answer above, then run this cell again: "
    "a wrong guess teaches more than none."
)


@runtime_checkable
class RevealedRun(Protocol):
    """What `reveal` shows: a run has it."""

    @property
    def sentence(self) -> str: ...


def predict(
    name: str,
    question: str | None = None,
    choices: Sequence[str] | Mapping[str, str] | None = None,
    right: str | None = None,
) -> Any:
    """Ask before a run: radio buttons, and how sure you are. Never waits for the answer.

    `predict("01a")` asks a question of the lessons; with `question` and `choices` (with a reply to
    each, if they are a mapping) it asks one of your own. The choice is kept, and shown again. Each
    learner finds the choices in an order of their own.
    """
    asked = _question(name, question, choices, right)
    return _form(name, asked)


def reveal(name: str, run: RevealedRun | str) -> Any:
    """Show the prediction beside the outcome (a run, or a sentence), and answer it.

    Folded while no prediction is made. Below it is a line for an explanation in the learner's own
    words. Outcome and explanation are kept for `album`, a run with its picture.
    """
    _require_name(name)
    if name not in QUESTIONS and not _kept(name):
        raise ValueError(_unknown(name))
    if not isinstance(run, str | RevealedRun):
        raise TypeError(wrong_kind("run", "a run, or a sentence", run))
    sentence = run if isinstance(run, str) else run.sentence
    asked, chosen = asked_and_chosen(name)
    _note(name, measured=sentence)
    keep_run(name, run)
    told = _told(asked, chosen.get("choice"), chosen.get("confidence"), sentence)
    printed = outcome_html(asked, sentence)
    return RevealedOutcome(told, chosen.get("explanation", ""), partial(_explain, name), printed)


def asked_and_chosen(name: str) -> tuple[Question, dict[str, Any]]:
    """The question of that name, and what is kept of it: choice, confidence, measured."""
    kept = _kept(name)
    asked = QUESTIONS.get(name) or Question(
        kept.get("question", ""), kept.get("right", ""), kept.get("replies", {})
    )
    if kept.get("choice") not in asked.choices:  # an earlier edition offered it
        kept.pop("choice", None)
    return asked, kept


def _question(
    name: str,
    text: str | None,
    choices: Sequence[str] | Mapping[str, str] | None,
    right: str | None,
) -> Question:
    _require_name(name)
    if text is None and choices is None:
        if name not in QUESTIONS:
            raise ValueError(_unknown(name))
        return QUESTIONS[name]
    if text is None or choices is None:
        lacking = "question" if text is None else "choices"
        raise ValueError(f"{lacking}: a question of your own needs it, besides its name")
    if name in QUESTIONS:
        raise ValueError(f"{name!r} is a question of the lessons: give yours another name")
    _require_choices(choices)
    replies = choices if isinstance(choices, Mapping) else dict.fromkeys(choices, "")
    if right is not None and right not in replies:
        raise ValueError(f"right: {right!r} is not one of the choices")
    _note(name, question=text, replies=dict(replies), right=right or "")
    return Question(text, right or "", replies)


def _require_choices(choices: Sequence[str] | Mapping[str, str]) -> None:
    """TypeError or ValueError unless there is something to choose from."""
    if isinstance(choices, str):  # whose letters would be the choices
        raise TypeError(wrong_kind("choices", "a list, each entry a text", choices))
    if len(choices) < LEAST_CHOICES:
        raise ValueError(f"choices: {choices!r} leaves nothing to choose; give at least two")
    if len(set(choices)) < len(choices):
        raise ValueError(f"choices: {choices!r} has one of them twice")


def _require_name(name: object) -> None:
    if not isinstance(name, str):
        raise TypeError(wrong_kind("name", "a text, such as '01a'", name))


def _unknown(name: str) -> str:
    near = nearest(name, QUESTIONS)
    meant = f" Did you mean {near!r}?" if near else ""
    known = ", ".join(QUESTIONS)
    return f"there is no question {name!r}.{meant} There are {known}; predict() takes your own, too"


def _kept(name: str) -> dict[str, Any]:
    kept = recall(KEPT).get(name)
    return dict(kept) if isinstance(kept, dict) else {}


def _note(name: str, **facts: Any) -> None:
    kept = recall(KEPT)
    kept[name] = _kept(name) | facts
    keep(KEPT, kept)


def _explain(name: str, sentence: str) -> None:
    _note(name, explanation=sentence)


def _form(name: str, asked: Question) -> Any:
    import ipywidgets as widgets

    from bpdemo.lab.heard import heard
    from bpdemo.lab.predictions.form import AskedForm

    keep_subshells()
    earlier = _kept(name)
    choice = widgets.RadioButtons(
        options=shuffled(asked.choices, name),
        value=earlier.get("choice") if earlier.get("choice") in asked.choices else None,
        layout=widgets.Layout(width="auto"),
    )
    sure = widgets.ToggleButtons(
        options=CONFIDENCE,
        value=earlier.get("confidence") if earlier.get("confidence") in CONFIDENCE else None,
    )
    said = widgets.HTML()

    def remember(_: Any) -> None:
        if choice.value is not None:
            _note(name, choice=choice.value, confidence=sure.value)
            said.value = _small("Kept. Now run the next cell, also if you ran it before.")

    choice.observe(remember, "value")
    sure.observe(remember, "value")
    heading = widgets.HTML(
        f"<div style='font:600 18px {FONT};line-height:1.4'>{as_html(asked.text)}</div>"
    )
    parts = [heading, choice, widgets.HTML(_small("How sure are you?")), sure, said]
    return heard(AskedForm(parts, question_html(asked)))


def _small(text: str) -> str:
    return f"<span style='font:15px {FONT}'>{escape(text)}</span>"


def _told(asked: Question, choice: str | None, confidence: str | None, sentence: str) -> str:
    measured = f"<b>Measured:</b> {escape(sentence)}"
    if choice is None:
        lines = [measured]
        if asked.right:
            lines.append(f"What happens: {as_html(asked.right)}.")
        return _box(BLUE, [UNASKED, _folded("Show it all the same", lines)])
    sure = f" ({escape(confidence)})" if confidence else ""
    lines = [f"<b>You said</b>{sure}: {escape(choice)}."]
    colour = BLUE
    if asked.right:
        is_right = choice == asked.right
        colour = GREEN if is_right else ORANGE
        lines.append(_marked(asked.replies.get(choice, ""), is_right))
    return _box(colour, [*lines, measured])


def _box(colour: str, lines: Sequence[str]) -> str:
    body = "".join(f"<div style='margin:.3em 0'>{line}</div>" for line in lines)
    return (
        f"<div style='border-left:8px solid {colour};padding:.2em 1em;"
        f"font:17px {FONT};line-height:1.5;max-width:60em'>{body}</div>"
    )


def _folded(summary: str, lines: Sequence[str]) -> str:
    body = "".join(f"<div style='margin:.3em 0'>{line}</div>" for line in lines)
    return f"<details><summary>{summary}</summary>{body}</details>"


def _marked(reply: str, is_right: bool) -> str:
    return as_html(reply) if is_right else f"Not quite. {as_html(reply)}"
