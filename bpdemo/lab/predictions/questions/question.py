"""A question that is asked before a run, with an answer to each choice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """`replies` maps each choice to what is said to those who took it; `right` is one of them.

    `is_harmless`: what happens is that nothing bad does. There must be some of these, or the worst
    choice would be a safe guess.
    """

    text: str
    right: str
    replies: Mapping[str, str]
    is_harmless: bool = False

    @property
    def choices(self) -> list[str]:
        return list(self.replies)
