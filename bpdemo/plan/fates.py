"""What became of an order: four fates, one word for each, the same in prose and picture.

Plain Python only: the load generator's child process and the virtual-time
simulation judge orders with this very function.
"""

from __future__ import annotations

from typing import Final, get_args

from bpdemo.core.choices import Fate

OK: Final = 0
LATE: Final = 1
SHED: Final = 2
FAILED: Final = 3

FATES: Final[tuple[Fate, ...]] = get_args(Fate)
"""Names of the fates; the position is the code."""

WORDS: Final = {"ok": "served", "late": "late", "shed": "shed", "failed": "failed"}
"""What people read, in pictures, sentences and tables alike."""

CALLER_LEFT: Final = 499
"""Stands where a status would: the caller hung up before an answer came."""

NO_CONNECTION: Final = 0
"""Stands where a status would: no connection, or it broke."""

TRY_AGAIN: Final = frozenset({NO_CONNECTION, 408, 429, CALLER_LEFT, 500, 502, 503, 504})


def fate_of(
    status: int,
    reason: str,
    waited_s: float,
    client_timeout_s: float,
    is_expected: bool | None = None,
) -> int:
    """The fate of an order whose last attempt ended with `status`.

    `waited_s` runs from that attempt's intended send to the end of its answer.
    2xx and 409 (sold out is an answer too) are ok within `client_timeout_s`, late after it. For a
    request that says itself which statuses are ok, `is_expected` tells whether this one is.
    """
    if is_order_answered(status) if is_expected is None else is_expected:
        return OK if waited_s <= client_timeout_s else LATE
    if status == CALLER_LEFT or (status == 504 and reason != "outcome_unknown"):
        return LATE
    if status == 429 or (status == 503 and reason != "downstream_failed"):
        return SHED
    return FAILED


def is_order_answered(status: int) -> bool:
    """Whether an order has its answer: made, known already, or sold out."""
    return 200 <= status < 300 or status == 409


def is_worth_retrying(status: int) -> bool:
    """Would a client send this again? Not when it was answered, nor when it was at fault."""
    return status in TRY_AGAIN
