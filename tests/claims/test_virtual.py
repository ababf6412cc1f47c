"""The claims about a live service hold in virtual time, too, where each mechanism is broken."""

import pytest

from tests.support.claims import play

LIVE = [
    ("01_when_queues_explode", "collapse"),
    ("01_when_queues_explode", "bound"),
    ("01_when_queues_explode", "mean"),
    ("02_bounded_queue_and_workers", "cliff-live"),
    ("02_bounded_queue_and_workers", "obedience-live"),
    ("03_load_shedding", "refusing"),
    ("05_circuit_breaker", "outage"),
    ("05_circuit_breaker", "bystanders"),
]


@pytest.mark.parametrize(("lesson", "claim"), LIVE)
def test_a_live_claim_holds_in_virtual_time(lesson: str, claim: str) -> None:
    """Unbroken: what fails in the tests of its lesson fails for the mechanism alone."""
    play(lesson, claim, "virtual")
