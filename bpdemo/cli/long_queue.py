"""Says when a queue is longer than clients wait: then its end is served for nobody."""

import sys

from bpdemo.core.counted import counted
from bpdemo.core.settings import Settings

#: Those that serve in the order of arrival, or nearly so.
IN_TURN = frozenset({"fifo", "priority"})


def long_queue_note(settings: Settings, client_timeout_s: float) -> str | None:
    """One line, where an order at the end of a full queue takes longer than that; else None.

    `workers` alone is easily set, and the queue keeps its length.
    """
    queued, workers = settings.queue_capacity, settings.workers
    if queued <= 0 or settings.queue_discipline not in IN_TURN:
        return None
    ends_s = settings.expected_service_s * (1 + queued / workers)
    if ends_s <= client_timeout_s:
        return None
    return (
        f"note: the last order of a full queue of {queued} is done after {ends_s:.2g} s by "
        f"{counted(workers, 'worker')}, and these clients wait "
        f"{client_timeout_s:g} s. Start with one waiting order per worker: "
        f"--set queue_capacity={workers}"
    )


def tell_long_queue(settings: Settings, client_timeout_s: float) -> None:
    """On stderr: what a run prints stays the same."""
    if note := long_queue_note(settings, client_timeout_s):
        print(note, file=sys.stderr)
