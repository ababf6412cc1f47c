"""The claims about a live service hold in virtual time, too, where each mechanism is broken."""

import pytest

from tests.claims.table import LIVE_IN_VIRTUAL_TIME
from tests.support.claims import is_live, play


@pytest.mark.parametrize(("lesson", "claim"), LIVE_IN_VIRTUAL_TIME)
def test_a_live_claim_holds_in_virtual_time(lesson: str, claim: str) -> None:
    """Unbroken: what fails in the tests of its lesson fails for the mechanism alone."""
    assert is_live(lesson, claim)
    play(lesson, claim, "virtual")
