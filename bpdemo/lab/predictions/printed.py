"""Question and outcome for a page that nothing runs behind: there is no choice to be made there."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

from bpdemo.lab.markup import as_html
from bpdemo.lab.predictions.questions.question import Question

PRINTED: Final = "application/vnd.bpdemo.printed+html"
"""A form of an output that no notebook shows: it is for pages made of notebooks that have run."""

TRY: Final = "Choose one before you read on:"


def question_html(asked: Question) -> str:
    """The question with its choices, in an order that tells nothing."""
    items = "".join(f"<li>{escape(choice)}</li>" for choice in _in_order(asked.choices))
    question = f"<summary>{escape(asked.text)}</summary>"
    return f'<details class="prediction" open>{question}<p>{TRY}</p><ul>{items}</ul></details>'


def outcome_html(asked: Question, sentence: str) -> str:
    """What was measured, folded, with a reply to each choice."""
    told = [f"<p><strong>Measured:</strong> {escape(sentence)}</p>"]
    if asked.right:
        told.append(f"<p><strong>What happens:</strong> {as_html(asked.right)}.</p>")
    replies = "".join(
        f"<li><em>{escape(choice)}</em>: {as_html(reply)}</li>"
        for choice, reply in asked.replies.items()
        if reply
    )
    told += [f"<ul>{replies}</ul>"] if replies else []
    return f'<details class="outcome"><summary>What happens</summary>{"".join(told)}</details>'


def _in_order(choices: Sequence[str]) -> list[str]:
    """By the alphabet: where a choice stands must not tell whether it is right."""
    return sorted(choices)
