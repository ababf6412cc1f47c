"""What a notebook imports: run the service, drive load, look at the result.

    from bpdemo.lab import serve, load, simulate, calibrate, predict, reveal, theory, stop_all

Here is what everybody may need, and what several lessons use. What one lesson alone needs comes
from the file that has it, in `lessons`. May use everything below; begin with `services`.

Names are loaded when first used: child processes import this package too, and must stay light.
"""

import sys
from importlib import import_module
from types import FunctionType
from typing import TYPE_CHECKING, Any

from bpdemo.core.late_grammar import build_grammar_late
from bpdemo.lab.live.cell_clock import watch_cells

if TYPE_CHECKING:
    from bpdemo.core.settings import Settings as Settings
    from bpdemo.lab.contest.challenge import challenge as challenge
    from bpdemo.lab.exercises.desk import check as check
    from bpdemo.lab.exercises.desk import hint as hint
    from bpdemo.lab.exercises.desk import progress as progress
    from bpdemo.lab.lessons.database import find_database as find_database
    from bpdemo.lab.lessons.shared.animated import animate as animate
    from bpdemo.lab.lessons.shared.claims import ClaimFailed as ClaimFailed
    from bpdemo.lab.lessons.shared.claims import claim as claim
    from bpdemo.lab.lessons.shared.durations import seconds as seconds
    from bpdemo.lab.lessons.shared.source import show as show
    from bpdemo.lab.lessons.sizing import size as size
    from bpdemo.lab.live.cockpit_panel import cockpit as cockpit
    from bpdemo.lab.live.stopping import stop_all as stop_all
    from bpdemo.lab.predictions.predictions import predict as predict
    from bpdemo.lab.predictions.predictions import reveal as reveal
    from bpdemo.lab.services.calibration import calibrate as calibrate
    from bpdemo.lab.services.loading import load as load
    from bpdemo.lab.services.service import serve as serve
    from bpdemo.lab.services.simulation import simulate as simulate
    from bpdemo.lab.talk.talk import stage as stage
    from bpdemo.load.capacity import capacity_of as capacity_of
    from bpdemo.load.run import LoadRun as LoadRun
    from bpdemo.picture.bars import fate_bars as fate_bars
    from bpdemo.picture.lines import line_figure as line_figure
    from bpdemo.picture.picture import side_by_side as side_by_side
    from bpdemo.plan.request import Request as Request
    from bpdemo.results.validity import NotMeasured as NotMeasured
    from bpdemo.sim import theory as theory

#: Name → the module that has it.
_HOME = {
    "ClaimFailed": "bpdemo.lab.lessons.shared.claims",
    "LoadRun": "bpdemo.load.run",
    "NotMeasured": "bpdemo.results.validity",
    "Request": "bpdemo.plan.request",
    "Settings": "bpdemo.core.settings",
    "animate": "bpdemo.lab.lessons.shared.animated",
    "calibrate": "bpdemo.lab.services.calibration",
    "capacity_of": "bpdemo.load.capacity",
    "challenge": "bpdemo.lab.contest.challenge",
    "check": "bpdemo.lab.exercises.desk",
    "claim": "bpdemo.lab.lessons.shared.claims",
    "cockpit": "bpdemo.lab.live.cockpit_panel",
    "fate_bars": "bpdemo.picture.bars",
    "find_database": "bpdemo.lab.lessons.database",
    "hint": "bpdemo.lab.exercises.desk",
    "line_figure": "bpdemo.picture.lines",
    "load": "bpdemo.lab.services.loading",
    "predict": "bpdemo.lab.predictions.predictions",
    "progress": "bpdemo.lab.exercises.desk",
    "reveal": "bpdemo.lab.predictions.predictions",
    "seconds": "bpdemo.lab.lessons.shared.durations",
    "serve": "bpdemo.lab.services.service",
    "show": "bpdemo.lab.lessons.shared.source",
    "side_by_side": "bpdemo.picture.picture",
    "simulate": "bpdemo.lab.services.simulation",
    "size": "bpdemo.lab.lessons.sizing",
    "stage": "bpdemo.lab.talk.talk",
    "stop_all": "bpdemo.lab.live.stopping",
}
_MODULES = {"theory": "bpdemo.sim.theory"}

# In a notebook's kernel, and in JupyterLab's server: both of them start by this package.
build_grammar_late()

__all__ = [*sorted(_HOME), *sorted(_MODULES)]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(_MODULES[name])
    if name not in _HOME:
        from bpdemo.core.members import imports_from, tell_missing, tell_not_imported

        if imports_from(sys._getframe(1)):
            raise tell_not_imported(__name__, name, __all__)
        raise tell_missing(__name__, name, import_module(__name__))
    watch_cells()  # JupyterLab's kernels import this package before they have cells
    value = getattr(import_module(_HOME[name]), name)
    if isinstance(value, FunctionType):
        from bpdemo.core.slips import forgiving

        value = forgiving(value)
    # No module has the name of what it gives: importing it would put it here in its place.
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
