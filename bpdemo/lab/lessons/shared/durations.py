"""How long the lessons' runs take: the only place that says so.

A room sees every run at full length. CI executes all lessons in the short profile
(`BPDEMO_PROFILE=short`), where each run is just long enough for its claim.
"""

import os
from typing import Final

from bpdemo.plan.plan import RANGES, require_range

SHORT_SHARE: Final = 0.35
SHORTEST_S: Final = 2.5


def is_short() -> bool:
    return os.environ.get("BPDEMO_PROFILE", "full").lower() == "short"


def seconds(full_s: float) -> float:
    """`full_s`, or what is left of it in the short profile: 35 %, but at least 2.5 s."""
    require_range("full_s", full_s, *RANGES["seconds"])
    return max(SHORTEST_S, SHORT_SHARE * full_s) if is_short() else full_s
