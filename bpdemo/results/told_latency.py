"""A percentile of latency in words.

A caller that hangs up at the client timeout would have waited longer: where a percentile reaches
that timeout it is only a lower bound, and is told as one.
"""

from __future__ import annotations

import math
from typing import Final

#: Times that are subtracted from one another carry the error of floats, and a simulated caller
#: hangs up a microsecond early. Both are far below this.
EXACT_MS: Final = 0.01


def timed_out(latency_ms: float, client_timeout_s: float) -> bool:
    """Whether a latency is that of a caller who hung up. False where it is not known (NaN)."""
    return latency_ms >= client_timeout_s * 1000 - EXACT_MS


def told_latency(latency_ms: float, client_timeout_s: float) -> str:
    """`214 ms`, `above 500 ms`, or `-` where there is none."""
    if math.isnan(latency_ms):
        return "-"
    if timed_out(latency_ms, client_timeout_s):
        return f"above {client_timeout_s * 1000:,.0f} ms"
    return f"{told_ms(latency_ms, client_timeout_s)} ms"


def told_ms(latency_ms: float, client_timeout_s: float) -> str:
    """Whole milliseconds of a latency below the timeout, never rounded up to the timeout itself."""
    below_ms = math.ceil(client_timeout_s * 1000) - 1
    return f"{min(round(latency_ms), max(below_ms, 0)):,}"
