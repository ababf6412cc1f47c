"""Python's garbage collector, made fit for a service that holds thousands of waiting requests."""

import gc


def calm_collector() -> None:
    """Make full collections rare: each stops the whole process while it looks at everything.

    A naive service in overload holds tens of thousands of objects for each second of its queue. At
    the usual thresholds full collections paused it for up to half a second each [seen: a loop lag
    of 190 to 840 ms, and 8 to 17 ms with these], which would be measured as the machine's fault.
    What exists by now is never looked at again.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 1_000, 1_000)
