"""What the judge of 11a finds in seconds, minutes find too."""

from __future__ import annotations

from typing import Any

import pytest

from bpdemo.lab.exercises.judges.lesson_11 import played, scenes
from tests.lab.exercises.wrong.lesson_11 import WRONG

GOOD = {
    "the solution": (0.12, 0.8),
    "half at 0.12 s": (0.12, 0.5),
    "half at 0.1 s": (0.1, 0.5),
    "a tenth at 0.1 s": (0.1, 0.9),
}
#: On both sides of what passes: timeout, and what a cut leaves.
BORDER = [(0.08, 0.9), (0.15, 0.3), (0.15, 0.9), (0.2, 0.5)]
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
@pytest.mark.parametrize("source", list(WRONG["11a"])[:8])
def test_a_wrong_rule_fails_at_any_length(source: str, longer: float, seeds: range) -> None:
    """Those that only the scenes can tell: each fails in one of them. That the short ones find them
    is seen where 11a is judged: `test_a_usual_wrong_answer_is_told_what_is_wrong_with_it`."""
    names: dict[str, Any] = {}
    exec(source, names)
    assert not passes(names["aimd"], longer, seeds)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.parametrize("constants", BORDER)
def test_near_the_border_the_short_verdict_is_the_long_one(constants: tuple[float, float]) -> None:
    """Whichever it is: nobody chose these rules for passing or failing."""
    assert passes(rule(*constants), 1, range(2)) is passes(rule(*constants), 4, range(10, 12))


def rule_that_goes_astray(after_calls: int) -> Any:
    """As good as the solution at first, and then with a timeout that is far too long."""
    good, bad, calls = rule(0.12, 0.8), rule(5, 0.8), 0

    def aimd(*told: Any) -> Any:
        nonlocal calls
        calls += 1
        return (good if calls <= after_calls else bad)(*told)

    return aimd


@pytest.mark.slow
@pytest.mark.long
def test_a_rule_that_only_minutes_find_out_would_be_seen_here() -> None:
    """The two verdicts can differ, so that what holds them equal can fail: planted is a rule that
    goes wrong after more calls than the short scenes have."""
    after_calls = 30_000
    assert passes(rule_that_goes_astray(after_calls), 1, range(2))
    assert not passes(rule_that_goes_astray(after_calls), 4, range(10, 12))
