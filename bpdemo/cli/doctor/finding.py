"""What the doctor says of one thing it looked at.

What can be foreseen is a finding of its own; `looked_at` makes one of everything else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bpdemo.core.extras import extra_with, how_to_install
from bpdemo.core.one_line import in_one_line

Grade = Literal["ok", "warn", "FAIL"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor: how it stands, what was seen, and how to fix it."""

    name: str
    grade: Grade
    seen: str
    mend: str = ""


Check = Callable[[], Finding]


def looked_at(check: Check) -> Finding:
    """The finding of a check; an error that nobody foresaw is a warning, not an end."""
    name = check.__name__.replace("_", " ")
    try:
        return check()
    except Exception as error:
        if extra := extra_with(getattr(error, "name", None)):
            return Finding(name, "warn", f"needs bpdemo[{extra}]", how_to_install(extra))
        seen = f"could not be looked at: {in_one_line(error)}"
        return Finding(name, "warn", seen, "please report it")
