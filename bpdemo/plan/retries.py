"""How the load's customers try again: backoff, jitter, and a budget on their side."""

from __future__ import annotations

import random
from typing import Final

BASE_S: Final = 0.05
CAP_S: Final = 1.0


def retry_delay_s(
    backoff: str, jitter: str, retry: int, retry_after_s: float | None, rng: random.Random
) -> float:
    """Seconds to wait before retry number `retry` (1, 2, …).

    none: 0. exponential: d = min(1, 0.05 · 2^(retry-1)); jitter full draws from
    0…d, equal from d/2…d. retry_after: what the server asked for, never less;
    full adds up to as much again, equal up to half. With no such header it is
    exponential.
    """
    if backoff == "none":
        return 0.0
    if backoff == "retry_after" and retry_after_s is not None:
        spread = {"none": 0.0, "full": 1.0, "equal": 0.5}[jitter]
        return retry_after_s * (1 + rng.random() * spread)
    delay_s: float = min(CAP_S, BASE_S * 2.0 ** (retry - 1))
    floor = {"none": 1.0, "full": 0.0, "equal": 0.5}[jitter]
    return delay_s * (floor + (1 - floor) * rng.random())


class ClientRetryBudget:
    """Lets retries be at most `ratio` of first attempts; None sets no limit.

    Each first attempt earns `ratio` of a retry, each retry spends one. At most
    ten are saved up, so that a quiet hour does not pay for a storm.
    """

    def __init__(self, ratio: float | None, saved_max: float = 10.0) -> None:
        self._ratio = ratio
        self._saved_max = saved_max
        self._saved = 0.0

    def earn(self) -> None:
        if self._ratio is not None:
            self._saved = min(self._saved_max, self._saved + self._ratio)

    def try_spend(self) -> bool:
        """Take one retry out of the budget; False when there is none left."""
        if self._ratio is None:
            return True
        # A sum of tenths falls a hair short of 1.
        if self._saved < 1 - 1e-9:
            return False
        self._saved -= 1
        return True
