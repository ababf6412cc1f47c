"""`load` as a notebook has it: a run that proves nothing is repeated once by itself."""

from __future__ import annotations

import functools
import time
from typing import Any, Final

from bpdemo.load.loads import load as load_once
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
    if kwargs.get("changes") or not _is_at_rest(target):
        return run  # the service is not as it was: another run would tell something else
    print(f"Your machine was busy ({causes[0]}): the run is repeated, once.")
    return load_once(target, *args, **kwargs)


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
        except (httpx.HTTPError, RuntimeError, KeyError, TypeError, AttributeError):
            return False
        time.sleep(LOOK_S)
    return False
