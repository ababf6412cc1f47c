"""What cannot be is refused when it is made, with the field, the value and the range."""

import re
from math import inf, nan
from typing import Any

import numpy as np
import pytest

from bpdemo.flow.limiter import FixedLimit
from bpdemo.protect import AdmissionControl, Rule


class Learns:
    """A limit of the simplest sort."""

    def __init__(self, current: Any = 4.0) -> None:
        self.current = current

    def learn(self, in_flight: int, latency_s: float, *, dropped: bool, **_: object) -> None:
        pass

    @classmethod
    def of(cls, learn: Any) -> "Learns":
        """With another function in its place."""
        limit = cls()
        limit.learn = learn  # type: ignore[method-assign]
        return limit


class Deaf(Learns):
    """It cannot be told how long a call took."""

    def learn(self, in_flight: int, **_: object) -> None:  # type: ignore[override]
        pass


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    pass


BAD: list[tuple[str, Any]] = [
    ("concurrency", 0),
    ("concurrency", -1),
    ("concurrency", 2.5),
    ("concurrency", True),
    ("concurrency", nan),
    ("concurrency", "8"),
    ("concurrency", Learns(0)),
    ("concurrency", Learns(inf)),
    ("concurrency", Learns(nan)),
    ("concurrency", Learns("4")),
    ("concurrency", FixedLimit(0)),
    ("concurrency", Deaf()),
    ("concurrency", Learns.of(max)),
    ("concurrency", 10**400),
    ("queue_capacity", -1),
    ("queue_capacity", 1.0),
    ("queue_capacity", None),
    ("queue_timeout_s", -0.1),
    ("queue_timeout_s", inf),
    ("queue_timeout_s", nan),
    ("queue_timeout_s", "1"),
]


@pytest.mark.parametrize(("field", "value"), BAD)
@pytest.mark.parametrize("make", ["rule", "middleware"])
def test_a_value_out_of_range_is_named(field: str, value: Any, make: str) -> None:
    """In a rule and in the middleware's own arguments alike, and on one line."""
    given = {"concurrency": 8} | {field: value}
    with pytest.raises(ValueError, match=rf"^{field}: ") as told:
        Rule(**given) if make == "rule" else AdmissionControl(nothing, **given)
    line = str(told.value)
    assert "\n" not in line
    assert re.search(r"at least|neither|from|must have", line), line


@pytest.mark.parametrize(
    "concurrency", [1, 1000, np.int64(4), Learns(), Learns(np.float64(2)), FixedLimit(3)]
)
def test_a_number_or_a_limit_will_do(concurrency: Any) -> None:
    """Numbers of other libraries too."""
    assert Rule(concurrency, queue_capacity=0, queue_timeout_s=0).limit.current >= 1


def test_two_rules_of_the_same_number_have_a_limit_each() -> None:
    """The rule is a description, and may stand for several prefixes."""
    rule = Rule(3)
    assert rule.limit is not rule.limit
    AdmissionControl(nothing, paths={"/a": rule, "/b": rule})


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({}, "concurrency"),
        ({"paths": {}}, "concurrency"),
        ({"paths": {"/healthz": None}}, "concurrency"),
        ({"paths": {"/a": Rule(lim := Learns()), "/b": Rule(lim)}}, "concurrency"),
        ({"concurrency": (other := Learns()), "paths": {"/b": Rule(other)}}, "concurrency"),
        ({"paths": {"orders": Rule(1)}}, "paths"),
        ({"paths": {"/orders": 8}}, "paths"),
        ({"paths": {"/orders": Rule(1), "/orders/": Rule(2)}}, "paths"),
        ({"paths": ["/orders"]}, "paths"),
        ({"concurrency": 1, "timeout_header": ""}, "timeout_header"),
        ({"concurrency": 1, "timeout_header": "X Timeout"}, "timeout_header"),
        ({"concurrency": 1, "timeout_header": 5}, "timeout_header"),
        ({"concurrency": 1, "observer": "stdout"}, "observer"),
        ({"paths": {"/a": Rule(1)}, "queue_capacity": -1}, "queue_capacity"),
    ],
)
def test_what_makes_no_sense_together_is_refused(arguments: dict[str, Any], field: str) -> None:
    """Nothing to limit, one adaptive limit for two rules, no path, no header, no observer."""
    with pytest.raises(ValueError, match=rf"^{field}: "):
        AdmissionControl(nothing, **arguments)
