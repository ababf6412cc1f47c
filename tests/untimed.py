"""Where tests need no process, no socket and no real time, only the processor.

`scripts/suite.py` runs them beside the others, at the lowest priority: they may stand still for
seconds, and must not notice. What stands here and starts a process or listens on a port fails.
"""

from typing import Final

UNTIMED: Final = (
    "tests/claims",
    "tests/core",
    "tests/flow",
    "tests/lab/lessons/test_sizing.py",
    "tests/lab/services/test_simulation.py",
    "tests/picture",
    "tests/plan",
    "tests/protect",
    "tests/results",
    "tests/service",
    "tests/sim",
    "tests/vopr",
)


def is_untimed(name: str, markers: set[str]) -> bool:
    """Whether the test of that name, with these markers, is one of them."""
    file = name.partition("::")[0]
    among = any(file == place or file.startswith(f"{place}/") for place in UNTIMED)
    return among and not markers & {"load", "browser", "process"}
