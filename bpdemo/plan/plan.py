"""What a load is to do: one frozen, validated plan, sent to the child as JSON.

Plain Python only, so that the child starts fast.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from math import inf
from typing import Any, Final

from bpdemo.core.choices import (
    BACKOFFS,
    CLIENT_JITTERS,
    PRIORITIES,
    RETRY_POLICIES,
    SCENARIOS,
    RetryPolicyName,
)
from bpdemo.core.nearest import meant
from bpdemo.core.ranges import plain
from bpdemo.plan.request import Request
from bpdemo.plan.retries import BASE_S, CAP_S

SETTLE_MAX_S: Final = 10.0

Mix = tuple[tuple[str, float], ...]
"""Weighted labels, such as (("fair", 9.0), ("greedy", 1.0))."""

RATES: Final = (0.001, 100_000)
RANGES: Final[dict[str, tuple[float, float]]] = {
    "rate_per_s": RATES,
    "seconds": (0.1, 7200),
    "client_timeout_s": (0.001, 3600),
    "browse_per_s": (0, 100_000),
}
_FLAGS: Final = ("send_deadline", "send_keys", "watch")


@dataclass(frozen=True, slots=True)
class Plan:
    """A load. Times in seconds from its start; `rate_per_s` is the peak of the scenario.

    `closed` reads `rate_per_s` as a number of users. `clients` and `priorities`
    are mixes of labels for X-Client-Id and X-Priority. `item_id` None draws
    among 1 to 100. `watch` samples the server's /stats ten times a second. `part` (index,
    count) is this process's: of `count` processes it sends each `count`-th order of the whole.
    `retry_policy` is what the client library does about failures, by its name in `RETRY_POLICIES`,
    beside `retry_budget`: a retry needs the leave of both.
    `request` is what is sent to a service that is no box office; None sends orders.
    """

    rate_per_s: float
    seconds: float = 10.0
    scenario: str = "steady"
    seed: int = 0
    client_timeout_s: float = 0.5
    send_deadline: bool = False
    send_keys: bool = False
    retries: int = 0
    backoff: str = "none"
    jitter: str = "full"
    retry_budget: float | None = None
    retry_policy: RetryPolicyName | None = None
    browse_per_s: float = 0.0
    clients: Mix = ()
    priorities: Mix = ()
    item_id: int | None = None
    watch: bool = True
    part: tuple[int, int] = (0, 1)
    request: Request | None = None

    def __post_init__(self) -> None:
        require_choice("scenario", self.scenario, SCENARIOS)
        require_choice("backoff", self.backoff, BACKOFFS)
        require_choice("jitter", self.jitter, CLIENT_JITTERS)
        for name, (low, high) in RANGES.items():
            self._set(name, require_range(name, getattr(self, name), low, high))
        if self.retry_budget is not None:
            self._set("retry_budget", require_range("retry_budget", self.retry_budget, 0, 1))
        if self.retry_policy is not None:
            require_choice("retry_policy", self.retry_policy, RETRY_POLICIES)
        if self.item_id is not None:
            self._set("item_id", require_whole("item_id", self.item_id, 1, 100))
        self._set("seed", require_whole("seed", self.seed))
        self._set("retries", require_whole("retries", self.retries, 0, 20))
        for name in _FLAGS:
            self._set(name, require_yes_or_no(name, getattr(self, name)))
        for name in ("clients", "priorities"):
            self._set(name, _weighed(name, getattr(self, name)))
        for label, _ in self.priorities:
            require_choice("priorities", label, PRIORITIES)
        if self.is_closed:
            require_whole("rate of a closed load (its users)", self.rate_per_s)
        if self.scenario == "retry_storm":
            self._storm()
        if self.request is not None:
            self._require_no_items()

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)  # frozen to everybody else

    def _storm(self) -> None:
        """A retry storm is three instant retries, whatever else is asked for."""
        if self.retries not in (0, 3) or self.backoff != "none":
            raise ValueError(
                "scenario 'retry_storm' is three instant retries: leave out retries and backoff, "
                f"not retries={self.retries}, backoff={self.backoff!r}"
            )
        self._set("retries", 3)

    def _require_no_items(self) -> None:
        for name in ("browse_per_s", "item_id"):
            if getattr(self, name):
                raise ValueError(f"{name} is for a box office, which has items: leave it out")

    @property
    def is_closed(self) -> bool:
        return self.scenario == "closed"

    @property
    def grace_s(self) -> float:
        """How long the last orders may still take once the plan is over, at most 10 s.

        An order that would have to wait longer for its retry ends with the answer it has.
        """
        attempts = self.retries + 1
        pauses_s = 0.0 if self.backoff == "none" else self.retries * CAP_S
        if self.backoff == "retry_after":
            pauses_s = SETTLE_MAX_S if self.retries else 0.0
        return max(
            self.client_timeout_s, min(SETTLE_MAX_S, attempts * self.client_timeout_s + pauses_s)
        )

    @property
    def visit_s(self) -> float:
        """How long it may take until it is known what became of an order, its retries included.

        Where the server says how long they wait, that is taken as for a failure without an answer.
        """
        pauses = range(self.retries if self.backoff != "none" else 0)
        pauses_s = sum(min(CAP_S, BASE_S * 2.0**pause) for pause in pauses)
        return (self.retries + 1) * self.client_timeout_s + pauses_s

    @property
    def last_call_s(self) -> float:
        """After this no attempt may begin any more: it could not end before the load does."""
        return self.seconds + self.grace_s - self.client_timeout_s

    @property
    def told_timeout_ms(self) -> int | None:
        """What a request says of its client's timeout; None: nothing."""
        return max(1, round(self.client_timeout_s * 1000)) if self.send_deadline else None

    def share(self, index: int, count: int) -> Plan:
        """The part of this plan that process `index` of `count` drives.

        All keep the seed: together they send what one would.
        """
        mine = replace(self, part=(index, count), watch=self.watch and index == 0)
        if not self.is_closed:
            return mine
        users = int(self.rate_per_s)
        return replace(mine, rate_per_s=users // count + (1 if index < users % count else 0))

    def to_json(self) -> str:
        request = self.request and self.request.to_fields()
        fields = asdict(replace(self, request=None)) | {"request": request}
        return json.dumps(fields, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Plan:
        fields: dict[str, Any] = json.loads(text)
        for name in ("clients", "priorities"):
            fields[name] = tuple((str(label), float(weight)) for label, weight in fields[name])
        request = fields["request"]
        fields["request"] = request and Request.from_fields(request)
        index, count = fields["part"]
        fields["part"] = int(index), int(count)
        return cls(**fields)


def mix_of(name: str, weights: Mapping[Any, float] | None) -> Mix:
    """The mix that a mapping of labels to weights tells; empty for None.

    ValueError, naming the argument `name`, for what is no such mapping.
    """
    if weights is None:
        return ()
    if not isinstance(weights, Mapping):
        raise ValueError(f"{name} must be a mapping of labels to weights, not {weights!r}")
    return tuple((str(label), weight) for label, weight in weights.items())


def _weighed(name: str, mix: Mix) -> Mix:
    checked = tuple(
        (label, require_range(f"{name}: the weight of {label!r}", weight, 0, 1e9))
        for label, weight in mix
    )
    if checked and not any(weight for _, weight in checked):
        raise ValueError(f"{name} must have a weight above 0, not {dict(checked)!r}")
    return checked


def require_choice(name: str, value: object, choices: Collection[str]) -> None:
    if not isinstance(value, str) or value not in choices:
        told = f"{name} must be one of {', '.join(choices)}, not {value!r}"
        raise ValueError(told + meant(value, choices))


def require_yes_or_no(name: str, value: Any) -> bool:
    """ValueError, naming the field, unless `value` is True or False; numpy's will do."""
    if not isinstance(found := plain(value), bool):
        raise ValueError(f"{name} must be True or False, not {value!r}")
    return found


def require_range(name: str, value: Any, low: float, high: float) -> float:
    """`value`, which may be numpy's, as a float of Python's own.

    ValueError, naming field, range and value, unless it is a number within.
    """
    found = plain(value)
    is_number = isinstance(found, (int, float)) and not isinstance(found, bool)
    if not (is_number and low <= found <= high):
        raise ValueError(f"{name} must be a number from {low:g} to {high:g}, not {value!r}")
    return float(found)


def require_whole(name: str, value: Any, low: float = -inf, high: float = inf) -> int:
    """The same for a whole number; 3.0 is one."""
    found = plain(value)
    is_number = isinstance(found, (int, float)) and not isinstance(found, bool)
    is_whole = is_number and -inf < found < inf and found == int(found)
    if not (is_whole and low <= found <= high):
        span = f" from {low:g} to {high:g}" if high < inf else ""
        raise ValueError(f"{name} must be a whole number{span}, not {value!r}")
    return int(found)
