"""Every live knob, turned to anything it may be turned to: its ends, and all between them."""

from collections.abc import Callable
from random import Random
from typing import Any

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from bpdemo.core.settings import Settings, describe

LIVE = {name: told for name, told in describe(Settings()).items() if told["live"]}
#: Those that are faults; they begin and end as such.
FAULTY = ("payment_failure_rate", "payment_outage", "store_failure_rate", "store_outage")
#: Never drawn: a call that hangs is a fault of the world's own, which ends it when all is calm.
UNDRAWN = (*FAULTY, "payment_hang_rate")
LATENCIES = ("payment_latency_s", "store_latency_s")
#: The first of these is at most the second, whatever they were before: so they turn together.
ORDERED = (("codel_target_s", "codel_interval_s"), ("limit_min", "limit_max"))
#: Narrower than their range, where all of it would cost more time than it teaches.
NARROWED = {
    "workers": (1, 150),
    "retry_attempts": (1, 12),
    "payment_latency_s": (0.0, 3.0),
    "store_latency_s": (0.0, 0.3),
    "breaker_half_open_calls": (1, 300),
}


class WorldSettings(Settings):
    """Settings that no variable of the environment reaches: a seed means the same everywhere."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *_: PydanticBaseSettingsSource,
        **__: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


Grid = Callable[[float], float]


def draw(rng: Random, share: float, grid: Grid) -> dict[str, Any]:
    """A value for about `share` of the knobs. `grid` brings a time to where times may be."""
    chosen = [name for name in LIVE if name not in UNDRAWN and rng.random() < share]
    return _fitting({name: draw_one(rng, name, grid) for name in chosen})


def _fitting(knobs: dict[str, Any]) -> dict[str, Any]:
    for pair in ORDERED:
        if not knobs.keys().isdisjoint(pair):
            values = [knobs.get(name, LIVE[name]["value"]) for name in pair]
            knobs |= dict(zip(pair, sorted(values), strict=True))
    return knobs


def draw_one(rng: Random, name: str, grid: Grid) -> Any:
    usual, choices = LIVE[name]["value"], LIVE[name]["choices"]
    if choices or isinstance(usual, bool):
        return rng.choice(choices or [True, False])
    low, high = NARROWED.get(name, (LIVE[name]["minimum"], LIVE[name]["maximum"]))
    where = rng.random()
    if where < 0.25:
        value = rng.choice([low, low, high])
    else:
        middle = usual or 10 ** rng.uniform(-1, 2)
        value = min(max(middle * 10 ** rng.gauss(0, 0.7), low), high)
    if isinstance(usual, int):
        return round(value)
    return grid(value) if LIVE[name]["unit"] == "s" else round(value, 3)
