"""What a claim must survive before it counts: the shape of an entry in the table of claims.

A claim says that something does something. It is true of the mechanism only if the claim fails
without it (`test_lesson_NN.py` breaks each), if none of the other mechanisms in the run does the
same alone (its arms), and if what it recommends still holds when the dependency is slower than it
was when the value was chosen. Arms and slow dependencies are measured in virtual time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

#: How many times slower the dependency gets before a recommended value is believed.
SLOWER = (1.5, 2.0)


@dataclass(frozen=True, slots=True)
class Arm:
    """One mechanism without the others. Its figure must lie in `at_least` … `at_most`."""

    name: str
    measure: Callable[[], float]
    at_least: float = -inf
    at_most: float = inf


@dataclass(frozen=True, slots=True)
class Recommended:
    """A value that the lesson advises; `measure` takes how many times slower the payment is."""

    value: str
    measure: Callable[[float], float]
    at_least: float = -inf
    at_most: float = inf


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """Why a claim has no arms, or recommends nothing that a slower dependency could refute."""

    reason: str


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim of a lesson: what does it, what might do it alone, and what is recommended."""

    lesson: str
    name: str
    mechanism: str
    figure: str
    arms: tuple[Arm, ...] | NotApplicable
    recommended: tuple[Recommended, ...] | NotApplicable

    @property
    def label(self) -> str:
        return f"{self.lesson} {self.name}"
