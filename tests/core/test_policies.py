"""Every slice that a pattern receives is checked when it is made, field by field."""

import dataclasses
import importlib
import pkgutil
from collections.abc import Iterator
from fractions import Fraction
from math import inf, nan
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
import pytest

import bpdemo
from bpdemo.service.tuning import Tuning
from tests.support.policies import usual

ROOMS = ("bpdemo.api", "bpdemo.downstream", "bpdemo.flow", "bpdemo.service")


def every_policy() -> Iterator[type[Any]]:
    """All classes named a policy, wherever they are written, and what holds them together."""
    for module in pkgutil.walk_packages(bpdemo.__path__, "bpdemo."):
        if module.name.startswith(ROOMS):
            for name, kind in vars(importlib.import_module(module.name)).items():
                is_own = isinstance(kind, type) and kind.__module__ == module.name
                if is_own and name.endswith("Policy"):
                    yield kind
    yield Tuning


POLICIES = sorted(every_policy(), key=lambda kind: kind.__name__)
FIELDS = [
    pytest.param(kind, field.name, get_type_hints(kind)[field.name], id=f"{kind.__name__}-{name}")
    for kind in POLICIES
    for field in dataclasses.fields(kind)
    for name in [field.name]
]

#: For each type of field, what it must refuse.
NEVER: dict[object, list[object]] = {
    float: [nan, -nan, inf, -inf, -0.001, -1, True, False, "1", None, 1j, [1.0], np.nan, np.True_],
    int: [nan, inf, -inf, -2, 1.0, 2.5, True, False, "1", None, 1j, [1], np.float64(1), np.True_],
    bool: [0, 1, "yes", None, nan],
}


def valid(kind: type[Any]) -> Any:
    """One as a service has it by default."""
    return usual(kind)


def test_all_the_policies_are_found() -> None:
    """So that the matrix cannot be empty, and none is forgotten."""
    names = {kind.__name__ for kind in POLICIES}
    assert names >= {
        "BackoffPolicy", "BreakerPolicy", "BudgetPolicy", "CachePolicy", "CoDelPolicy",
        "DoorPolicy", "FaultPolicy", "GatePolicy", "GuardPolicy", "IntakePolicy", "PaymentPolicy",
        "PoolPolicy", "QueuePolicy", "Tuning",
    }  # fmt: skip
    for kind in POLICIES:
        assert kind.__dataclass_params__.frozen
        valid(kind)


@pytest.mark.parametrize(("kind", "name", "annotation"), FIELDS)
def test_what_a_field_cannot_be_is_refused(kind: type[Any], name: str, annotation: Any) -> None:
    """NaN, infinite, negative, of another type, or no word that it knows; the field is named."""
    policy = valid(kind)
    if get_origin(annotation) is Literal:
        wrong: list[object] = ["no such word", "", None, 1, nan]
        assert get_args(annotation)
    elif dataclasses.is_dataclass(annotation):
        return  # checked when it was made itself
    else:
        wrong = NEVER[annotation]
    for value in wrong:
        with pytest.raises(ValueError, match=name):
            dataclasses.replace(policy, **{name: value})


@pytest.mark.parametrize(("kind", "name", "annotation"), FIELDS)
def test_what_a_field_can_be_is_taken(kind: type[Any], name: str, annotation: Any) -> None:
    """Whole numbers where any will do, other libraries' numbers, and each word."""
    policy = valid(kind)
    if annotation is float:
        values: list[object] = [0, 1, 0.0, 1.0, np.float64(0.5), np.float32(0.5), Fraction(1, 2)]
        if kind.__name__ == "CoDelPolicy":  # one bounds the other
            values = [0.02, 0.2] if name == "target_s" else [0.02, 0.2, 3600, np.float64(0.5)]
    elif annotation is int:
        values = [1, 2, 10_000, np.int64(3), np.uint8(4)]
        if name == "min_size":
            values = [0, 1, 8, np.int64(3)]
    elif annotation is bool:
        values = [True, False]
    else:
        values = list(get_args(annotation))
    for value in values:
        assert getattr(dataclasses.replace(policy, **{name: value}), name) == value


@pytest.mark.parametrize(
    ("kind", "name"),
    [(kind, name.values[1]) for kind, name in ((f.values[0], f) for f in FIELDS)
     if name.values[1] in ("failure_ratio", "ratio", "failure_rate")],
)  # fmt: skip
def test_a_ratio_runs_from_0_to_1(kind: type[Any], name: str) -> None:
    """Both ends in it, and nothing beyond."""
    policy = valid(kind)
    for value in (0, 1):
        dataclasses.replace(policy, **{name: value})
    for beyond in (1.0000001, 2, 100):
        with pytest.raises(ValueError, match=rf"{name}: .* from 0 to 1"):
            dataclasses.replace(policy, **{name: beyond})
