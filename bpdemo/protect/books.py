"""The books of one rule, exact at all times."""

from dataclasses import dataclass


@dataclass(slots=True)
class AdmissionBooks:
    """How many requests came, and what became of them.

    At all times `arrived = waiting + admitted + rejected + left`; `inside` of the admitted have
    not ended yet.
    """

    arrived: int = 0
    waiting: int = 0
    admitted: int = 0
    rejected: int = 0
    left: int = 0
    inside: int = 0
