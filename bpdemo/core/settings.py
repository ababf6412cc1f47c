"""Every knob of the service, with its unit, range and meaning.

The environment sets them with the prefix `BPDEMO_` (`BPDEMO_WORKERS=16`). Anyone who shows the
knobs (docs, `GET /settings`, widgets) reads `describe()`; nothing is written down twice.
"""

import sys
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Final, Self, get_args

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from bpdemo.core.box import is_our_frame
from bpdemo.core.capacity import nominal_capacity
from bpdemo.core.choices import (
    Distribution,
    Jitter,
    LimitAlgorithm,
    LogFormat,
    LogLevel,
    QueueDiscipline,
    StoreKind,
    Traces,
    WhenFull,
)
from bpdemo.core.errors import SettingsInvalid
from bpdemo.core.members import naming_class, tell_missing_of
from bpdemo.core.nearest import nearest, one_of
from bpdemo.core.ranges import plain
from bpdemo.core.slips import forgiving

#: What a memory store costs an order; a real database brings its own latency.
MEMORY_STORE_LATENCY_S = 0.002
MASK = "********"
ENV_PREFIX = "BPDEMO_"
WHERE_LISTED = "GET /settings lists them all"


def _knob(default: Any, text: str, *, unit: str, live: bool = False, **bounds: Any) -> Any:
    extra: dict[str, Any] = {"unit": unit, "live": live}
    return Field(default, description=text, json_schema_extra=extra, allow_inf_nan=False, **bounds)


def _seconds(default: float, text: str, *, live: bool = False) -> Any:
    return _knob(default, text, unit="s", live=live, ge=0, le=3600)


def _ratio(default: float, text: str, *, live: bool = False) -> Any:
    return _knob(default, text, unit="ratio", live=live, ge=0, le=1)


def _count(
    default: int, text: str, *, low: int = 1, high: int = 10_000, unit: str = "", live: bool = False
) -> Any:
    return Field(
        default,
        description=text,
        json_schema_extra={"unit": unit, "live": live},
        ge=low,
        le=high,
    )


def _choice(default: Any, text: str, *, live: bool = False) -> Any:
    return Field(default, description=text, json_schema_extra={"unit": "", "live": live})


#: What makes a service the naive one, whatever the environment says.
NAIVE: Final[Mapping[str, Any]] = {
    "queue_capacity": -1,
    "request_timeout_s": 0.0,
    "attempt_timeout_s": 0.0,
    "drop_on_disconnect": False,
    "breaker_enabled": False,
    "retry_budget_enabled": False,
    "retry_base_s": 0.0,
    "retry_jitter": "none",
}
#: Knobs that do nothing unless another stands at one of those values, and why.
ASKED_FOR: Final[tuple[tuple[tuple[str, ...], str, tuple[object, ...], str], ...]] = (
    (
        ("limit_min", "limit_max"), "limit_algorithm", get_args(LimitAlgorithm)[1:],
        "limit_algorithm is fixed, and only a limit that adapts has a least and a most",
    ),
    (("codel_target_s",), "queue_discipline", ("codel",), "queue_discipline is not codel"),
    (
        ("codel_interval_s",), "queue_discipline", ("codel", "adaptive_lifo"),
        "queue_discipline is neither codel nor adaptive_lifo",
    ),
    (
        ("queue_block_timeout_s", "queue_block_waiters"), "queue_policy", ("block",),
        "queue_policy is not block",
    ),
    (
        ("retry_budget_ratio", "retry_budget_min_per_s"), "retry_budget_enabled", (True,),
        "retry_budget_enabled is false",
    ),
    (
        (
            "breaker_failure_ratio", "breaker_min_calls", "breaker_window_s", "breaker_open_s",
            "breaker_half_open_calls",
        ),
        "breaker_enabled", (True,), "breaker_enabled is false",
    ),
)  # fmt: skip


@naming_class
class Settings(BaseSettings):
    """Times in seconds, ratios from 0 to 1. Made once, never changed: `changed` gives a new one.

    Raises `SettingsInvalid`, naming field, value and range.
    """

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, frozen=True, extra="forbid")

    workers: int = _count(8, "Orders worked on at once.", high=1024, unit="workers", live=True)
    queue_capacity: int = _count(
        32,
        "Orders that may wait beyond those being worked on. 0: no queue. "
        "-1: no bound, to show the collapse.",
        low=-1,
        high=1_000_000,
        unit="orders",
        live=True,
    )
    queue_policy: WhenFull = _choice(
        "reject", "When there is no place: refuse at once, or wait a while for one.", live=True
    )
    queue_block_timeout_s: float = _seconds(
        0.5, "Policy block: how long a caller waits for a place.", live=True
    )
    queue_block_waiters: int = _count(
        64, "Policy block: how many callers may wait for a place.", low=0, unit="callers", live=True
    )
    queue_discipline: QueueDiscipline = _choice(
        "fifo",
        "Whose turn it is: oldest first, newest first, newest first only while the queue is "
        "standing, by X-Priority, or oldest first with stale work shed (CoDel).",
        live=True,
    )
    codel_target_s: float = _seconds(
        0.02,
        "CoDel: the queueing time that is still fine in a standing queue. "
        "At most codel_interval_s.",
        live=True,
    )
    codel_interval_s: float = _seconds(
        0.2,
        "CoDel and adaptive LIFO: a queue that has not been empty for this long is standing. "
        "At least codel_target_s.",
        live=True,
    )
    async_queue_capacity: int = _count(
        1000,
        "Orders taken with Prefer: respond-async that may be unfinished at once, in all services "
        "of one database. Needs store=postgres or embedded.",
        low=0,
        high=1_000_000,
        unit="orders",
        live=True,
    )
    max_in_flight: int = _count(
        0,
        "Limit on requests in flight. 0: off. Where limit_algorithm adapts, the limit on orders "
        "starts there (0: at two orders a worker, as far as the queue has room), and all other "
        "requests are limited to it.",
        low=0,
        high=1_000_000,
        unit="requests",
        live=True,
    )
    limit_algorithm: LimitAlgorithm = _choice(
        "fixed",
        "Who sets the limit on orders in flight: max_in_flight stays (fixed), or the limit adapts "
        "to what it measures: AIMD, Vegas, Gradient2, Envoy's gradient, or one of our own.",
        live=True,
    )
    limit_min: int = _count(
        1,
        "The least that a limit which adapts can be. At most limit_max.",
        high=1000,
        unit="requests",
        live=True,
    )
    limit_max: int = _count(
        1000,
        "The most that a limit which adapts can be. At least limit_min.",
        high=1_000_000,
        unit="requests",
        live=True,
    )
    client_max_in_flight: int = _count(
        0,
        "Requests in flight that one client may have. 0: off.",
        low=0,
        high=1_000_000,
        unit="requests",
        live=True,
    )
    request_timeout_s: float = _seconds(
        2.0, "Longest patience granted to a caller. 0: no limit.", live=True
    )
    attempt_timeout_s: float = _seconds(
        0.5,
        "Time for one attempt at a dependency; keep it below the callers' own timeout, or their "
        "deadlines cut every hang short and no breaker sees it. 0: no limit.",
        live=True,
    )
    drop_on_disconnect: bool = _choice(
        True, "Drop queued work whose callers have hung up.", live=True
    )
    retry_attempts: int = _count(
        3, "Attempts at a dependency in all, the first included.", unit="attempts", live=True
    )
    retry_base_s: float = _seconds(0.05, "Backoff before the second attempt.", live=True)
    retry_cap_s: float = _seconds(1.0, "Longest backoff.", live=True)
    retry_jitter: Jitter = _choice("full", "How the backoff is spread.", live=True)
    retry_budget_enabled: bool = _choice(True, "Bound retries to a share of the calls.", live=True)
    retry_budget_ratio: float = _ratio(0.2, "Retries allowed for each call.", live=True)
    retry_budget_min_per_s: float = _knob(
        10.0, "Retries allowed however few the calls are.", unit="1/s", live=True, ge=0, le=10_000
    )
    breaker_enabled: bool = _choice(True, "Put a circuit breaker before dependencies.", live=True)
    breaker_failure_ratio: float = _ratio(
        0.5, "Share of failed calls at which the breaker opens.", live=True
    )
    breaker_min_calls: int = _count(
        20, "Calls in the window before the breaker judges.", unit="calls", live=True
    )
    breaker_window_s: float = _seconds(10.0, "How far back the breaker looks.", live=True)
    breaker_open_s: float = _seconds(5.0, "How long the breaker stays open.", live=True)
    breaker_half_open_calls: int = _count(
        3, "Probes that must all succeed to close the breaker.", unit="calls", live=True
    )
    payment_latency_s: float = _seconds(0.04, "Mean time the simulated payment takes.", live=True)
    payment_latency_distribution: Distribution = _choice(
        "constant", "How payment times scatter around their mean.", live=True
    )
    payment_hang_rate: float = _ratio(
        0.0, "Share of payment calls that never answer; attempt_timeout_s ends them.", live=True
    )
    payment_failure_rate: float = _ratio(0.0, "Share of payment calls that fail.", live=True)
    payment_outage: bool = _choice(False, "Every payment call fails at once.", live=True)
    store: StoreKind = _choice(
        "memory", "Where orders are kept: in memory, in a PostgreSQL of our own, or in yours."
    )
    database_url: SecretStr | None = _choice(None, "PostgreSQL to use with store=postgres.")
    initial_stock: int = _count(
        1_000_000,
        "Tickets of each item in a fresh store.",
        low=0,
        high=1_000_000_000,
        unit="tickets",
    )
    pool_min: int = _count(
        1, "Database connections kept open.", low=0, high=1000, unit="connections"
    )
    pool_max: int = _count(
        8,
        "Connections to the database at most. Where it is set, so many calls of the store in "
        "memory at once, too.",
        high=1000,
        unit="connections",
    )
    pool_acquire_timeout_s: float = _seconds(
        0.2,
        "How long to wait for a connection to the store; to that in memory only where pool_max is "
        "set. 0: no limit.",
    )
    store_latency_s: float = _seconds(
        MEMORY_STORE_LATENCY_S,
        "Latency added before every store call; unset: 0.002 for memory, else 0.",
        live=True,
    )
    store_failure_rate: float = _ratio(0.0, "Share of store calls that fail.", live=True)
    store_outage: bool = _choice(False, "Every store call fails at once.", live=True)
    cache_ttl_s: float = _seconds(5.0, "How long a cached item is fresh. 0: no cache.", live=True)
    cache_capacity: int = _count(
        1024, "Items kept in the cache.", high=1_000_000, unit="items", live=True
    )
    cache_stale_s: float = _seconds(
        30.0, "How long past that a stale item may be served while the store is down.", live=True
    )
    drain_timeout_s: float = _seconds(10.0, "Time to finish admitted work at shutdown.")
    read_timeout_s: float = _seconds(
        5.0, "Time for a request's head and body, and for its answer to be taken. 0: no limit."
    )
    max_body_bytes: int = _count(16_384, "Largest body read.", high=100_000_000, unit="bytes")
    admin_token: SecretStr | None = _choice(
        None, "Bearer token for PATCH /settings; unset: loopback only."
    )
    log_format: LogFormat = _choice("json", "One JSON object per line, or coloured text.")
    log_level: LogLevel = _choice("info", "Least severe line that is written.")
    traces: Traces = _choice("off", "Where OpenTelemetry spans go.")
    seed: int | None = Field(
        None,
        description="Makes every random draw repeatable; unset: a new one each time.",
        json_schema_extra={"unit": "", "live": False},
    )

    @forgiving
    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise explain(error) from None
        _require_fit(dict(self), self.model_fields_set)

    def __setattr__(self, name: str, value: Any) -> None:
        try:
            super().__setattr__(name, value)
        except ValidationError:
            told = "settings are frozen; a service is given others by tune()"
            raise SettingsInvalid(name, told) from None

    if not TYPE_CHECKING:  # to which every name would be there

        def __getattr__(self, name: str) -> Any:
            try:
                return super().__getattr__(name)
            except AttributeError:
                # A fault of ours, or a program that asks what there is, hears what it always did.
                if name.startswith("_") or is_our_frame(sys._getframe(1)):
                    raise
            raise tell_missing_of("Settings", name, type(self).model_fields)

    @model_validator(mode="before")
    @classmethod
    def _default_store_latency(cls, data: dict[str, Any]) -> dict[str, Any]:
        in_memory = data.get("store", "memory") == "memory"
        return {"store_latency_s": MEMORY_STORE_LATENCY_S if in_memory else 0.0} | data

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        if self.pool_min > self.pool_max:
            raise ValueError(f"pool_min: {self.pool_min} is above pool_max ({self.pool_max})")
        if self.store == "postgres" and not self.database_url:
            raise ValueError("database_url: store=postgres needs one (BPDEMO_DATABASE_URL)")
        return self

    @property
    def warnings(self) -> tuple[str, ...]:
        """What these settings allow and nobody can want, a sentence each; mostly none."""
        return (*self._idle_settings(), *self._blind_breaker())

    def _idle_settings(self) -> tuple[str, ...]:
        """What was set and is not asked for, since another setting has turned it off."""
        asked, fields = self.model_fields_set, type(self).model_fields
        told = [
            f"{name} does nothing: {why}"
            for names, other, values, why in ASKED_FOR
            if getattr(self, other) not in values
            for name in names
            if name in asked and getattr(self, name) != fields[name].default
        ]
        pool = "pool_acquire_timeout_s"
        if self.store == "memory" and pool in asked and "pool_max" not in asked:
            told.append(
                f"{pool} does nothing: the store in memory has connections to wait for only where "
                "pool_max is set"
            )
        return tuple(told)

    def _blind_breaker(self) -> tuple[str, ...]:
        attempt_s, request_s = self.attempt_timeout_s, self.request_timeout_s
        if not self.breaker_enabled:
            return ()
        slow: tuple[str, ...] = ()
        if not attempt_s:
            ends = "attempt_timeout_s is 0, so an attempt that hangs is never a failure"
            slow = (
                "attempt_timeout_s is 0, so a probe of the half-open breaker has breaker_open_s "
                f"({self.breaker_open_s:g}) to fail in: a dependency whose errors take longer "
                "keeps it half-open, and keeps workers waiting for probes",
            )
        elif 0 < request_s <= attempt_s:
            ends = (
                f"attempt_timeout_s ({attempt_s:g}) is not below request_timeout_s "
                f"({request_s:g}), so the caller's deadline ends every attempt that hangs, and "
                "that is no failure of the dependency"
            )
        else:
            return ()
        hangs = f"{ends}: a dependency that hangs on every read never opens its breaker"
        return (hangs, *slow)

    @property
    def expected_service_s(self) -> float:
        """The mean time an order takes a worker, as configured: payment, then store."""
        return self.payment_latency_s + self.store_latency_s

    @property
    def nominal_capacity(self) -> float | None:
        """What it can do at best, in orders a second; None where an order takes no time."""
        return nominal_capacity(self.workers, self.expected_service_s)

    @classmethod
    @forgiving
    def unprotected(cls, **knobs: Any) -> Self:
        """The naive service the workshop starts from: it says yes to everyone, and retries."""
        return cls(**{**NAIVE, **knobs})

    @classmethod
    @forgiving
    def protected(cls, **knobs: Any) -> Self:
        """The service with its protections, which are the defaults: the pair of `unprotected`."""
        return cls(**knobs)

    @forgiving
    def changed(self, knobs: Mapping[str, Any]) -> Self:
        """A copy with live knobs turned: all of them or, raising `SettingsInvalid`, none.

        Types are taken strictly: `"8"` is no number of workers, but one of numpy's is.
        """
        for name in knobs:
            _require_live(name)
        try:
            # Strict on the knobs alone: secrets and the rest were read leniently when made.
            checked = {
                name: _strictly(type(self), name, plain(value)) for name, value in knobs.items()
            }
            together = dict(self) | checked
            _require_fit(together, checked)
            type(self).model_validate(together)
        except ValidationError as error:
            raise explain(error) from None
        # No validated copy: all of its settings would count as set, that of a pool among them.
        return self.model_copy(update=checked)


def _strictly(cls: type[Settings], name: str, value: Any) -> Any:
    """`value` as the field takes it, without coercion; ranges are checked with it."""
    partial = cls.__pydantic_validator__.validate_assignment(
        cls.model_construct(), name, value, strict=True
    )
    return partial[0][name] if isinstance(partial, tuple) else getattr(partial, name)


#: Knobs the first of which is never above the second, with the least and the most of their range.
_ORDERED = (
    (("codel_target_s", 0), ("codel_interval_s", 3600), "a number"),
    (("limit_min", 1), ("limit_max", 1_000_000), "a whole number"),
)


def _require_fit(values: Mapping[str, Any], turned: Collection[str]) -> None:
    """The knobs that bound one another; blames the one that was `turned`, and tells its range."""
    for (lesser, least), (greater, most), kind in _ORDERED:
        low, high = values[lesser], values[greater]
        if low <= high:
            continue
        if lesser not in turned and greater in turned:
            told = f"{high} is not {kind} from {lesser} ({low}) to {most}"
            raise SettingsInvalid(greater, told)
        raise SettingsInvalid(lesser, f"{low} is not {kind} from {least} to {greater} ({high})")


def _require_live(name: str) -> None:
    field = Settings.model_fields.get(name)
    if field is None:
        raise _unknown(name)
    if not _extra(field)["live"]:
        raise SettingsInvalid(name, "cannot be changed while the service runs; set it at the start")


def _unknown(name: str) -> SettingsInvalid:
    near = nearest(name, Settings.model_fields)
    hint = f"did you mean {near}?" if near else WHERE_LISTED
    return SettingsInvalid(name, f"there is no such setting; {hint}")


def misspelt_in(environment: Mapping[str, str]) -> dict[str, str]:
    """Variables that set nothing and are spelt almost like one that does, each with that one."""
    known = [(ENV_PREFIX + name).upper() for name in Settings.model_fields]
    names = [n for n in environment if n.upper().startswith(ENV_PREFIX) and n.upper() not in known]
    # Close indeed: BPDEMO_ is on variables that are no settings too.
    near = {name: nearest(name, known, cutoff=0.85) for name in names}
    return {name: close for name, close in near.items() if close}


def overruled_in(environment: Mapping[str, str], knobs: Collection[str] = ()) -> dict[str, str]:
    """Variables that set nothing of the naive service, each with the setting that it is for. What
    is among `knobs` is given to it all the same."""
    meant = {(ENV_PREFIX + name).upper(): name for name in NAIVE if name not in knobs}
    return {name: meant[name.upper()] for name in environment if name.upper() in meant}


def _extra(field: FieldInfo) -> dict[str, Any]:
    extra = field.json_schema_extra
    return dict(extra) if isinstance(extra, dict) else {}


def explain(error: ValidationError) -> SettingsInvalid:
    """The first fault as one clear line: the field, the value, the range or the choices."""
    fault = error.errors(include_url=False, include_context=False)[0]
    field = str(fault["loc"][0]) if fault["loc"] else ""
    if not field:
        field, _, detail = fault["msg"].removeprefix("Value error, ").partition(": ")
        return SettingsInvalid(field, detail)
    if fault["type"] == "extra_forbidden":
        return _unknown(field)
    info = Settings.model_fields.get(field)
    if info is None or _is_secret(info):
        return SettingsInvalid(field, fault["msg"])
    return SettingsInvalid(field, f"{fault['input']!r} is not {_wanted(info, fault['input'])}")


def _wanted(field: FieldInfo, given: object) -> str:
    choices = _choices(field)
    if choices:
        return one_of(given, choices)
    if field.annotation is bool:
        return "true or false"
    kind = "a number" if field.annotation is float else "a whole number"
    low, high = _bound(field, "ge"), _bound(field, "le")
    return kind if low is None else f"{kind} from {low} to {high}"


def _choices(field: FieldInfo) -> list[str] | None:
    options = get_args(field.annotation)
    return list(options) if options and all(isinstance(o, str) for o in options) else None


def _bound(field: FieldInfo, name: str) -> float | None:
    return next((getattr(m, name) for m in field.metadata if hasattr(m, name)), None)


def _is_secret(field: FieldInfo) -> bool:
    return SecretStr in get_args(field.annotation)


def describe(settings: Settings) -> dict[str, dict[str, Any]]:
    """Every setting with its value, unit, range and meaning; secrets are masked."""
    return {
        name: {
            "value": _shown(getattr(settings, name)),
            "unit": _extra(field)["unit"],
            "minimum": _bound(field, "ge"),
            "maximum": _bound(field, "le"),
            "choices": _choices(field),
            "live": _extra(field)["live"],
            "description": field.description,
        }
        for name, field in Settings.model_fields.items()
    }


def _shown(value: Any) -> Any:
    return MASK if isinstance(value, SecretStr) else value
