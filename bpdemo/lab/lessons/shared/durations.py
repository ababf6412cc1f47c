"""How long the lessons' runs take: the only place that says so.

A room sees every run at full length. CI executes all lessons in the short profile
(`BPDEMO_PROFILE=short`), where each run is just long enough for its claim.
"""

import math
import os
from numbers import Real
from typing import Any, Final

SHORT_SHARE: Final = 0.35
SHORTEST_S: Final = 2.5


def is_short() -> bool:
    return os.environ.get("BPDEMO_PROFILE", "full").lower() == "short"


def seconds(full_s: float) -> float:
    """`full_s`, or what is left of it in the short profile: 35 %, but at least 2.5 s."""
    given: Any = full_s  # in a notebook whatever was typed
    if not isinstance(given, Real) or isinstance(given, bool) or not 0 < given < math.inf:
        raise ValueError(f"full_s: {given!r} is not a number of seconds above 0")
    return max(SHORTEST_S, SHORT_SHARE * full_s) if is_short() else full_s
