"""The table of all claims, one module a lesson."""

from __future__ import annotations

from tests.claims.entries import (
    lesson_01,
    lesson_02,
    lesson_03,
    lesson_04,
    lesson_05,
    lesson_06,
    lesson_07,
    lesson_08,
    lesson_10,
    lesson_11,
    lesson_12,
)
from tests.claims.entry import Claim

#: Claims about a live service that virtual time can play, too.
LIVE_IN_VIRTUAL_TIME: tuple[tuple[str, str], ...] = (
    ("01_when_queues_explode", "collapse"),
    ("01_when_queues_explode", "bound"),
    ("01_when_queues_explode", "mean"),
    ("02_bounded_queue_and_workers", "cliff-live"),
    ("02_bounded_queue_and_workers", "obedience-live"),
    ("03_load_shedding", "refusing"),
    ("04_timeouts_retries_jitter", "timeouts"),
    ("05_circuit_breaker", "outage"),
    ("05_circuit_breaker", "bystanders"),
    ("08_tuning_challenge", "live"),
)

CLAIMS: tuple[Claim, ...] = (
    *lesson_01.CLAIMS,
    *lesson_02.CLAIMS,
    *lesson_03.CLAIMS,
    *lesson_04.CLAIMS,
    *lesson_05.CLAIMS,
    *lesson_06.CLAIMS,
    *lesson_07.CLAIMS,
    *lesson_08.CLAIMS,
    *lesson_10.CLAIMS,
    *lesson_11.CLAIMS,
    *lesson_12.CLAIMS,
)
