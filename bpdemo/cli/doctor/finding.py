"""What the doctor says of one thing it looked at.

What can be foreseen is a finding of its own; `looked_at` makes one of everything else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from bpdemo import __version__
from bpdemo.core.errors import SettingsInvalid
from bpdemo.core.extras import extra_with, how_to_install
from bpdemo.core.one_line import in_one_line

Grade = Literal["ok", "warn", "FAIL"]

BUSY: Final = "the machine is probably busy: close other programs, and run the doctor again"


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
        return Finding(name, "warn", f"could not be looked at: {in_one_line(error)}", cure(error))


def cure(error: Exception) -> str:
    """What to do about an error that no check foresaw.

    One that says itself in a sentence, or that is a timeout, is no fault of the program: a service
    or a load did not start, or did not answer, in time.
    """
    if isinstance(error, SettingsInvalid):
        return f"correct the variable BPDEMO_{error.field.upper()}, or take it away"
    is_timeout = any("timeout" in each.__name__.lower() for each in type(error).__mro__)
    if is_timeout or hasattr(error, "_render_traceback_"):
        return BUSY
    return f"run it again; if it stays so, please report it with this line: bpdemo {__version__}"
