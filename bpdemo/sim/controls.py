"""What a person may turn on the playground, in the order in which it stands there.

Units, defaults and meanings are those of the settings; what is written here is how far a slider
goes, which lies within what the setting allows.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

from bpdemo.core.choices import SCENARIOS
from bpdemo.core.settings import Settings, describe
from bpdemo.plan.arguments import DEFAULTS, NAMES


@dataclass(frozen=True, slots=True)
class Control:
    """A slider from `low` to `high` in steps of `step`, a menu of `choices`, or a box to tick."""

    name: str
    label: str
    low: float = 0
    high: float = 0
    step: float = 0
    unit: str = ""
    value: Any = None
    choices: tuple[str, ...] = ()
    help: str = ""


_SERVICE: Final = (
    Control("queue_capacity", "Queue capacity", -1, 256, 1),
    Control("workers", "Workers", 1, 32, 1),
    Control("queue_policy", "When the queue is full"),
    Control("queue_discipline", "Whose turn it is"),
    Control("payment_latency_s", "Payment takes", 0.005, 0.4, 0.005),
    Control("payment_latency_distribution", "Payment times are"),
    Control("payment_failure_rate", "Payment fails", 0, 1, 0.05),
    Control("limit_algorithm", "Limit on orders in flight"),
    Control("drop_on_disconnect", "Drop the work of callers who left"),
)

_LOAD: Final = (
    Control("times", "Load", 0.1, 5, 0.1, "× capacity", 2.0,
            help="How many requests arrive, as a multiple of what the service can do."),
    Control("scenario", "Shape of the load", choices=tuple(
                shape for shape in SCENARIOS if shape != "closed"),
            help="Steady, or one that rises and falls; Load is its peak."),
    Control("client_timeout_s", "Clients wait", 0.1, 3, 0.1, "s",
            help="Then they hang up. A later answer is late."),
    Control("retries", "Clients retry", 0, 5, 1, "times",
            help="After a failure, a refusal or a timeout."),
    Control("send_deadline", "Clients send their deadline",
            help="The time that is left, in a header, so that the service can refuse in time."),
    Control("seconds", "Seconds", 5, 60, 5, "s", 30.0, help="Of virtual time."),
    Control("seed", "Seed", 0, 99, 1, help="The same seed gives the same requests."),
)  # fmt: skip


#: Arguments of a load that weigh labels.
MIXES: Final = ("clients", "priorities")


def controls() -> dict[str, list[Any]]:
    """`{"service": […], "load": […]}`: each control with all that a page shows of it.

    `naive` is the setting's value in the unprotected service. `arguments` names all that a link may
    ask of a load, and `mixes` those of them that weigh labels.
    """
    knobs, naive = describe(Settings()), Settings.unprotected()
    return {
        "service": [
            _of_setting(control, knobs[control.name]) | {"naive": getattr(naive, control.name)}
            for control in _SERVICE
        ],
        "load": [_of_load(control) for control in _LOAD],
        "arguments": list(NAMES),
        "mixes": list(MIXES),
    }


def _of_setting(control: Control, knob: dict[str, Any]) -> dict[str, Any]:
    return asdict(control) | {
        "unit": knob["unit"],
        "value": knob["value"],
        "choices": knob["choices"] or [],
        "help": knob["description"],
    }


def _of_load(control: Control) -> dict[str, Any]:
    value = DEFAULTS[control.name] if control.value is None else control.value  # type: ignore[literal-required]
    return asdict(control) | {"value": value, "choices": list(control.choices)}
