"""What a notebook imports: run the service, drive load, look at the result.

    from bpdemo.lab import serve, load, simulate, calibrate, predict, reveal, theory, stop_all

Names are loaded when first used: child processes import this package too, and must stay light.
"""

from importlib import import_module
from types import FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bpdemo.lab.contest.challenge import challenge as challenge
    from bpdemo.lab.exercises.desk import check as check
    from bpdemo.lab.exercises.desk import hint as hint
    from bpdemo.lab.exercises.desk import progress as progress
    from bpdemo.lab.lessons.backlog_watch import watch_backlog as watch_backlog
    from bpdemo.lab.lessons.bound import bound_figure as bound_figure
    from bpdemo.lab.lessons.claims import ClaimFailed as ClaimFailed
    from bpdemo.lab.lessons.claims import claim as claim
    from bpdemo.lab.lessons.crew import crew_figure as crew_figure
    from bpdemo.lab.lessons.database import find_database as find_database
    from bpdemo.lab.lessons.database import pool_wait_ms as pool_wait_ms
    from bpdemo.lab.lessons.database import slow_updates as slow_updates
    from bpdemo.lab.lessons.durations import seconds as seconds
    from bpdemo.lab.lessons.effort import watch_work as watch_work
    from bpdemo.lab.lessons.open_time import open_time_figure as open_time_figure
    from bpdemo.lab.lessons.open_time import open_times as open_times
    from bpdemo.lab.lessons.outages import back_after_s as back_after_s
    from bpdemo.lab.lessons.outages import browsers_served as browsers_served
    from bpdemo.lab.lessons.outages import outage as outage
    from bpdemo.lab.lessons.outages import p99_to_answer_ms as p99_to_answer_ms
    from bpdemo.lab.lessons.outages import payment_calls as payment_calls
    from bpdemo.lab.lessons.outages import probes as probes
    from bpdemo.lab.lessons.promises import ask_until_done as ask_until_done
    from bpdemo.lab.lessons.promises import audit as audit
    from bpdemo.lab.lessons.promises import send_orders as send_orders
    from bpdemo.lab.lessons.readers import look_at_once as look_at_once
    from bpdemo.lab.lessons.readers import source_bars as source_bars
    from bpdemo.lab.lessons.signal_panels import signal_figure as signal_figure
    from bpdemo.lab.lessons.signals import watch_signals as watch_signals
    from bpdemo.lab.lessons.single_orders import send_at_once as send_at_once
    from bpdemo.lab.lessons.sizing import size as size
    from bpdemo.lab.lessons.source import show as show
    from bpdemo.lab.lessons.sweeps import goodput_figure as goodput_figure
    from bpdemo.lab.lessons.sweeps import sweep as sweep
    from bpdemo.lab.lessons.tracing import send_traced as send_traced
    from bpdemo.lab.lessons.tracing import waterfall as waterfall
    from bpdemo.lab.live.cockpit_panel import cockpit as cockpit
    from bpdemo.lab.live.stopping import stop_all as stop_all
    from bpdemo.lab.predictions.own_page import album as album
    from bpdemo.lab.predictions.predictions import predict as predict
    from bpdemo.lab.predictions.predictions import reveal as reveal
    from bpdemo.lab.services.calibration import calibrate as calibrate
    from bpdemo.lab.services.durable_workers import kept_by as kept_by
    from bpdemo.lab.services.durable_workers import start_workers as start_workers
    from bpdemo.lab.services.service import serve as serve
    from bpdemo.lab.services.simulation import simulate as simulate
    from bpdemo.lab.talk.talk import stage as stage
    from bpdemo.load.loads import load as load
    from bpdemo.load.run import LoadRun as LoadRun
    from bpdemo.picture.attempts import attempt_peak as attempt_peak
    from bpdemo.picture.attempts import attempts_figure as attempts_figure
    from bpdemo.picture.bars import fate_bars as fate_bars
    from bpdemo.picture.lines import line_figure as line_figure
    from bpdemo.picture.picture import side_by_side as side_by_side
    from bpdemo.results.fairness import jain_index as jain_index
    from bpdemo.results.fairness import parts_by as parts_by
    from bpdemo.results.offers import offered_around as offered_around
    from bpdemo.results.pooled import p99_two_ways as p99_two_ways
    from bpdemo.results.timeouts import goodput_if_timeouts_differ as goodput_if_timeouts_differ
    from bpdemo.results.validity import NotMeasured as NotMeasured
    from bpdemo.results.waits import buyers_wait_ms as buyers_wait_ms
    from bpdemo.results.waits import others_wait_ms as others_wait_ms
    from bpdemo.sim import theory as theory

#: Name → the module that has it.
_HOME = {
    "ClaimFailed": "bpdemo.lab.lessons.claims",
    "LoadRun": "bpdemo.load.run",
    "NotMeasured": "bpdemo.results.validity",
    "album": "bpdemo.lab.predictions.own_page",
    "ask_until_done": "bpdemo.lab.lessons.promises",
    "attempt_peak": "bpdemo.picture.attempts",
    "attempts_figure": "bpdemo.picture.attempts",
    "audit": "bpdemo.lab.lessons.promises",
    "back_after_s": "bpdemo.lab.lessons.outages",
    "bound_figure": "bpdemo.lab.lessons.bound",
    "browsers_served": "bpdemo.lab.lessons.outages",
    "buyers_wait_ms": "bpdemo.results.waits",
    "calibrate": "bpdemo.lab.services.calibration",
    "challenge": "bpdemo.lab.contest.challenge",
    "check": "bpdemo.lab.exercises.desk",
    "claim": "bpdemo.lab.lessons.claims",
    "cockpit": "bpdemo.lab.live.cockpit_panel",
    "crew_figure": "bpdemo.lab.lessons.crew",
    "fate_bars": "bpdemo.picture.bars",
    "find_database": "bpdemo.lab.lessons.database",
    "goodput_figure": "bpdemo.lab.lessons.sweeps",
    "goodput_if_timeouts_differ": "bpdemo.results.timeouts",
    "hint": "bpdemo.lab.exercises.desk",
    "jain_index": "bpdemo.results.fairness",
    "kept_by": "bpdemo.lab.services.durable_workers",
    "line_figure": "bpdemo.picture.lines",
    "load": "bpdemo.load.loads",
    "look_at_once": "bpdemo.lab.lessons.readers",
    "offered_around": "bpdemo.results.offers",
    "open_time_figure": "bpdemo.lab.lessons.open_time",
    "open_times": "bpdemo.lab.lessons.open_time",
    "others_wait_ms": "bpdemo.results.waits",
    "outage": "bpdemo.lab.lessons.outages",
    "p99_to_answer_ms": "bpdemo.lab.lessons.outages",
    "p99_two_ways": "bpdemo.results.pooled",
    "parts_by": "bpdemo.results.fairness",
    "payment_calls": "bpdemo.lab.lessons.outages",
    "pool_wait_ms": "bpdemo.lab.lessons.database",
    "predict": "bpdemo.lab.predictions.predictions",
    "probes": "bpdemo.lab.lessons.outages",
    "progress": "bpdemo.lab.exercises.desk",
    "reveal": "bpdemo.lab.predictions.predictions",
    "seconds": "bpdemo.lab.lessons.durations",
    "send_at_once": "bpdemo.lab.lessons.single_orders",
    "send_orders": "bpdemo.lab.lessons.promises",
    "send_traced": "bpdemo.lab.lessons.tracing",
    "serve": "bpdemo.lab.services.service",
    "show": "bpdemo.lab.lessons.source",
    "side_by_side": "bpdemo.picture.picture",
    "signal_figure": "bpdemo.lab.lessons.signal_panels",
    "simulate": "bpdemo.lab.services.simulation",
    "size": "bpdemo.lab.lessons.sizing",
    "slow_updates": "bpdemo.lab.lessons.database",
    "source_bars": "bpdemo.lab.lessons.readers",
    "stage": "bpdemo.lab.talk.talk",
    "start_workers": "bpdemo.lab.services.durable_workers",
    "stop_all": "bpdemo.lab.live.stopping",
    "sweep": "bpdemo.lab.lessons.sweeps",
    "watch_backlog": "bpdemo.lab.lessons.backlog_watch",
    "watch_signals": "bpdemo.lab.lessons.signals",
    "watch_work": "bpdemo.lab.lessons.effort",
    "waterfall": "bpdemo.lab.lessons.tracing",
}
_MODULES = {"theory": "bpdemo.sim.theory"}

__all__ = [*sorted(_HOME), *sorted(_MODULES)]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(_MODULES[name])
    if name not in _HOME:
        raise AttributeError(f"bpdemo.lab has no {name!r}; it has {', '.join(__all__)}")
    value = getattr(import_module(_HOME[name]), name)
    if isinstance(value, FunctionType):
        from bpdemo.lab.slips import forgiving

        value = forgiving(value)
    # No module has the name of what it gives: importing it would put it here in its place.
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
