"""The tree of errors: drawn in the module, and so in the classes."""

import inspect
import re
from typing import Any

import pytest

from bpdemo.core import errors
from bpdemo.core.errors import BoxOfficeError, InvalidRequest, Refused, SettingsInvalid
from bpdemo.core.events import REJECTIONS
from bpdemo.core.reasons import PROBLEMS

CLASSES: dict[str, Any] = {
    name: cls
    for name, cls in inspect.getmembers(errors, inspect.isclass)
    if cls.__module__ == errors.__name__
}


def drawn_tree() -> dict[str, str | None]:
    """Class → parent, as the module's docstring draws them."""
    assert errors.__doc__
    parents: dict[str, str | None] = {}
    path: list[str] = []
    for line in errors.__doc__.splitlines():
        drawn = re.match(r"^ {4}((?:│   |    )*)(?:[├└]── )?([A-Z]\w+)(?:\s|$)", line)
        if not drawn:
            continue
        depth = len(drawn[1]) // 4 + ("──" in line)
        path[depth:] = [drawn[2]]
        parents[drawn[2]] = path[depth - 1] if depth else None
    return parents


def test_the_drawing_matches_the_classes() -> None:
    """Every class is drawn, under its parent, and nothing else is."""
    actual = {
        name: next(
            (base.__name__ for base in cls.__mro__[1:] if issubclass(base, BoxOfficeError)), None
        )
        for name, cls in CLASSES.items()
    }
    assert drawn_tree() == actual


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_every_error_has_a_reason_that_can_be_answered(name: str) -> None:
    """The reason is one of those that have a status, and it fits the kind of error."""
    status, _ = PROBLEMS[CLASSES[name].reason]
    assert (status in (429, 503)) == (
        CLASSES[name].reason != "internal_error"
        and issubclass(CLASSES[name], (Refused, errors.DependencyError))
    )


def test_every_rejection_is_the_reason_of_a_refusal() -> None:
    """The closed set of the metrics' label and the tree agree."""
    reasons = {cls.reason for cls in CLASSES.values() if issubclass(cls, Refused)}
    assert set(REJECTIONS) <= reasons
    # What can only be said after admission is no rejection.
    assert reasons - set(REJECTIONS) == {
        "internal_error", "queue_shed", "pool_exhausted", "downstream_failed",
    }  # fmt: skip


def test_an_error_says_its_detail_or_what_it_was_told() -> None:
    """`str` is for people: a whole sentence by default."""
    for cls in CLASSES.values():
        if issubclass(cls, (InvalidRequest, SettingsInvalid)):
            error = cls("workers", "0 is too few")
            assert str(error) == "workers: 0 is too few"
            assert error.field == "workers"
        else:
            assert str(cls()).endswith(".")
            assert str(cls("Something else.")) == "Something else."


def test_a_refusal_carries_when_to_come_back_if_that_is_known() -> None:
    """None until somebody estimates it."""
    assert errors.QueueFull().retry_after_s is None
    assert errors.CircuitOpen(retry_after_s=2.5).retry_after_s == 2.5


def test_invalid_settings_are_a_value_error_too() -> None:
    """Anyone who knows nothing of this tree can still catch them."""
    assert issubclass(SettingsInvalid, ValueError)
