"""A percentile of latency in words.

A caller that hangs up at the client timeout would have waited longer: where a percentile reaches
that timeout it is only a lower bound, and is told as one.
"""

from __future__ import annotations

import math
from typing import Final

#: Times that are subtracted from one another carry the error of floats; nothing is this exact.
EXACT_MS: Final = 1e-3


def timed_out(latency_ms: float, client_timeout_s: float) -> bool:
    """Whether a latency is that of a caller who hung up. False where it is not known (NaN)."""
    return latency_ms >= client_timeout_s * 1000 - EXACT_MS


def told_latency(latency_ms: float, client_timeout_s: float) -> str:
    """`214 ms`, `over 500 ms`, or `-` where there is none."""
    if math.isnan(latency_ms):
        return "-"
    if timed_out(latency_ms, client_timeout_s):
        return f"over {client_timeout_s * 1000:,.0f} ms"
    return f"{latency_ms:,.0f} ms"
