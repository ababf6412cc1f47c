"""`load` as a notebook has it: a run that proves nothing is repeated once by itself."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable
from math import inf
from typing import Any, Final

from bpdemo.load.loads import load as load_once
from bpdemo.load.progress_line import ProgressText
from bpdemo.load.run import LoadRun
from bpdemo.results.validity import causes_of

REST_S: Final = 30.0
"""So long a service gets to finish what the first run left with it."""
LOOK_S: Final = 0.1


@functools.wraps(load_once)
def load(target: Any, *args: Any, **kwargs: Any) -> Any:
    """As `load_once`, which the learner's `help` shows."""
    run = load_once(target, *args, **kwargs)
    if not isinstance(run, LoadRun) or not (causes := causes_of(run.records, run.meta)):
        return run
    if kwargs.get("changes"):
        return run  # the service is not as it was: another run would tell something else
    with ProgressText() as progress:
        progress.show("Your machine was busy; the service finishes what it has before a repeat")
        if not _is_at_rest(target):
            return run
    _say_repeated(causes)
    return load_once(target, *args, **kwargs)


def load_fresh(
    start: Callable[[], contextlib.AbstractContextManager[Any]], **arguments: Any
) -> Any:
    """A load at a service that is started for it, and anew for the repeat: so what an unprotected
    one still holds need not be waited for."""
    with start() as service:
        run = load_once(service, **arguments)
    if not (causes := causes_of(run.records, run.meta)):
        return run
    _say_repeated(causes)
    with start() as service:
        return load_once(service, **arguments)


def _say_repeated(causes: list[str]) -> None:
    print(f"Your machine was busy ({causes[0]}): the run is repeated, once.")


def _is_at_rest(target: Any) -> bool:
    """Whether the service has nothing left to do, at the latest after `REST_S`; one that does not
    tell is taken to be, since its answers have been waited for."""
    import httpx  # takes its time to load, and hardly any run is repeated

    stats = getattr(target, "stats", None)
    if not callable(stats):
        return True
    give_up_s = time.monotonic() + REST_S
    while time.monotonic() < give_up_s:
        try:
            told = stats()
            if not told["queue"]["depth"] and not told["workers"]["busy"]:
                return set(told["breakers"].values()) <= {"closed"}
            if told["queue"]["depth"] > (give_up_s - time.monotonic()) * _pace_of(target):
                return False  # nobody need wait to see that
        except (httpx.HTTPError, RuntimeError, KeyError, TypeError, AttributeError):
            return False
        time.sleep(LOOK_S)
    return False


def _pace_of(target: Any) -> float:
    """Orders a second, as far as it is known; where not, any number of them."""
    return getattr(target, "capacity_per_s", None) or inf
