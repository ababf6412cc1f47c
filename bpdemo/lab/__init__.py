"""What a notebook imports: run the service, drive load, look at the result.

    from bpdemo.lab import serve, load, simulate, calibrate, predict, reveal, theory, stop_all

Names are loaded when first used: child processes import this package too, and must stay light.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bpdemo.lab import theory as theory
    from bpdemo.lab.attempts import attempt_peak as attempt_peak
    from bpdemo.lab.attempts import attempts_figure as attempts_figure
    from bpdemo.lab.backlog_watch import watch_backlog as watch_backlog
    from bpdemo.lab.bars import fate_bars as fate_bars
    from bpdemo.lab.bound import bound_figure as bound_figure
    from bpdemo.lab.by_hand import send_at_once as send_at_once
    from bpdemo.lab.calibration import calibrate as calibrate
    from bpdemo.lab.checking import check as check
    from bpdemo.lab.checking import hint as hint
    from bpdemo.lab.checking import progress as progress
    from bpdemo.lab.cockpit_panel import cockpit as cockpit
    from bpdemo.lab.crew import crew_figure as crew_figure
    from bpdemo.lab.database import find_database as find_database
    from bpdemo.lab.database import pool_wait_ms as pool_wait_ms
    from bpdemo.lab.database import slow_updates as slow_updates
    from bpdemo.lab.durable_workers import kept_by as kept_by
    from bpdemo.lab.durable_workers import start_workers as start_workers
    from bpdemo.lab.durations import seconds as seconds
    from bpdemo.lab.effort import watch_work as watch_work
    from bpdemo.lab.fairness import jain_index as jain_index
    from bpdemo.lab.fairness import parts_by as parts_by
    from bpdemo.lab.lines import line_figure as line_figure
    from bpdemo.lab.loads import load as load
    from bpdemo.lab.looking import look_at_once as look_at_once
    from bpdemo.lab.looking import source_bars as source_bars
    from bpdemo.lab.offers import offered_around as offered_around
    from bpdemo.lab.open_time import open_time_figure as open_time_figure
    from bpdemo.lab.open_time import open_times as open_times
    from bpdemo.lab.outages import back_after_s as back_after_s
    from bpdemo.lab.outages import browsers_served as browsers_served
    from bpdemo.lab.outages import outage as outage
    from bpdemo.lab.outages import p99_to_answer_ms as p99_to_answer_ms
    from bpdemo.lab.outages import payment_calls as payment_calls
    from bpdemo.lab.outages import probes as probes
    from bpdemo.lab.own_page import album as album
    from bpdemo.lab.picture import side_by_side as side_by_side
    from bpdemo.lab.pooled import p99_two_ways as p99_two_ways
    from bpdemo.lab.predictions import predict as predict
    from bpdemo.lab.predictions import reveal as reveal
    from bpdemo.lab.promises import ask_until_done as ask_until_done
    from bpdemo.lab.promises import audit as audit
    from bpdemo.lab.promises import send_orders as send_orders
    from bpdemo.lab.run import LoadRun as LoadRun
    from bpdemo.lab.service import serve as serve
    from bpdemo.lab.signal_panels import signal_figure as signal_figure
    from bpdemo.lab.signals import watch_signals as watch_signals
    from bpdemo.lab.simulation import simulate as simulate
    from bpdemo.lab.sizing import size as size
    from bpdemo.lab.stopping import stop_all as stop_all
    from bpdemo.lab.sweeps import goodput_figure as goodput_figure
    from bpdemo.lab.sweeps import sweep as sweep
    from bpdemo.lab.talk import stage as stage
    from bpdemo.lab.tracing import send_traced as send_traced
    from bpdemo.lab.tracing import waterfall as waterfall
    from bpdemo.lab.tuning_challenge import challenge as challenge
    from bpdemo.lab.verdict import NotMeasured as NotMeasured
    from bpdemo.lab.waits import buyers_wait_ms as buyers_wait_ms
    from bpdemo.lab.waits import others_wait_ms as others_wait_ms

#: Name → the module that has it.
_HOME = {
    "LoadRun": "run",
    "NotMeasured": "verdict",
    "album": "own_page",
    "ask_until_done": "promises",
    "attempt_peak": "attempts",
    "attempts_figure": "attempts",
    "audit": "promises",
    "back_after_s": "outages",
    "bound_figure": "bound",
    "browsers_served": "outages",
    "buyers_wait_ms": "waits",
    "calibrate": "calibration",
    "challenge": "tuning_challenge",
    "check": "checking",
    "cockpit": "cockpit_panel",
    "crew_figure": "crew",
    "fate_bars": "bars",
    "find_database": "database",
    "goodput_figure": "sweeps",
    "hint": "checking",
    "jain_index": "fairness",
    "kept_by": "durable_workers",
    "line_figure": "lines",
    "load": "loads",
    "look_at_once": "looking",
    "offered_around": "offers",
    "open_time_figure": "open_time",
    "open_times": "open_time",
    "others_wait_ms": "waits",
    "outage": "outages",
    "p99_to_answer_ms": "outages",
    "p99_two_ways": "pooled",
    "parts_by": "fairness",
    "payment_calls": "outages",
    "pool_wait_ms": "database",
    "predict": "predictions",
    "probes": "outages",
    "progress": "checking",
    "reveal": "predictions",
    "seconds": "durations",
    "send_at_once": "by_hand",
    "send_orders": "promises",
    "send_traced": "tracing",
    "serve": "service",
    "side_by_side": "picture",
    "signal_figure": "signal_panels",
    "simulate": "simulation",
    "size": "sizing",
    "slow_updates": "database",
    "source_bars": "looking",
    "stage": "talk",
    "start_workers": "durable_workers",
    "stop_all": "stopping",
    "sweep": "sweeps",
    "watch_backlog": "backlog_watch",
    "watch_signals": "signals",
    "watch_work": "effort",
    "waterfall": "tracing",
}
_MODULES = {"theory"}

__all__ = [*sorted(_HOME), *sorted(_MODULES)]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name not in _HOME:
        raise AttributeError(f"bpdemo.lab has no {name!r}; it has {', '.join(__all__)}")
    # No module has the name of what it gives: importing it would put it here in its place.
    value = globals()[name] = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    return value


def __dir__() -> list[str]:
    return __all__
