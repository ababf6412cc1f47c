"""What the judge of 11a finds in seconds, minutes find too."""

from __future__ import annotations

from typing import Any

import pytest

from bpdemo.lab.exercises.judges.lesson_11 import played, scenes
from tests.lab.exercises.wrong.lesson_11 import WRONG

GOOD = {
    "the solution": (0.15, 0.8),
    "a tenth at 0.2 s": (0.2, 0.9),
    "half at 0.2 s": (0.2, 0.5),
    "a tenth at 0.1 s": (0.1, 0.9),
}
#: Four times as long as it is judged, with seeds of its own.
LONG = pytest.param(4, range(10, 12), id="long", marks=[pytest.mark.slow, pytest.mark.long])
#: As it is judged, and long.
LENGTHS = [pytest.param(1, range(2), id="short"), LONG]


def rule(timeout_s: float, left: float) -> Any:
    def aimd(limit: float, in_flight: int, latency_s: float, dropped: bool) -> float:
        if dropped or latency_s > timeout_s:
            return left * limit
        return limit + 1 if 2 * in_flight >= limit else limit

    return aimd


def passes(aimd: Any, longer: float, seeds: range) -> bool:
    return all(served >= scene.at_least for scene, served, _ in played(aimd, scenes(longer), seeds))


@pytest.mark.parametrize(("longer", "seeds"), LENGTHS)
@pytest.mark.parametrize("name", GOOD)
def test_a_good_rule_passes_at_any_length(name: str, longer: float, seeds: range) -> None:
    """Timeouts and cuts over the whole range that the lesson allows."""
    assert passes(rule(*GOOD[name]), longer, seeds)


@pytest.mark.parametrize(("longer", "seeds"), [LONG])
@pytest.mark.parametrize("source", list(WRONG["11a"])[:7])
def test_a_wrong_rule_fails_at_any_length(source: str, longer: float, seeds: range) -> None:
    """Those that only the scenes can tell: each fails in one of them. That the short ones find them
    is seen where 11a is judged: `test_a_usual_wrong_answer_is_told_what_is_wrong_with_it`."""
    names: dict[str, Any] = {}
    exec(source, names)
    assert not passes(names["aimd"], longer, seeds)
