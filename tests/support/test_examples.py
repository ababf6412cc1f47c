"""Few examples where a person waits, all before a release, many to hunt, and no other number."""

import hypothesis
import pytest

from tests.support.examples import USUAL, examples


@pytest.mark.parametrize(
    ("number", "few"), [(300, 75), (100, 25), (60, 15), (40, 15), (15, 15), (8, 8), (1, 1)]
)
def test_few_are_a_quarter_and_all_are_all(
    monkeypatch: pytest.MonkeyPatch, number: int, few: int
) -> None:
    """What was tried on little is not tried on less."""
    monkeypatch.setenv("BPDEMO_EXAMPLES", "few")
    assert examples(number) == few
    monkeypatch.setenv("BPDEMO_EXAMPLES", "all")
    assert examples(number) == number
    monkeypatch.setenv("BPDEMO_EXAMPLES", "many")
    assert examples(number) == 10 * number
    monkeypatch.delenv("BPDEMO_EXAMPLES")
    assert examples(number) == number


def test_a_misspelt_choice_weakens_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends the run."""
    monkeypatch.setenv("BPDEMO_EXAMPLES", "fewer")
    with pytest.raises(ValueError, match="'few', 'all' or 'many', not 'fewer'"):
        examples()


def test_a_property_that_names_no_number_has_the_one_of_this_run() -> None:
    """By the profile that the tests' configuration loads."""
    assert hypothesis.settings().max_examples == examples(USUAL)
