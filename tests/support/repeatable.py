"""Properties that draw the same examples each time, for CI: what failed there fails everywhere.

`derandomize` alone does not do that. Hypothesis mixes into its draws the constants of the modules
that happen to be imported by then, and which those are depends on which tests a process has run.
"""

from typing import Any, Final

import hypothesis
from hypothesis.internal.conjecture import providers

REPEATABLE: Final[dict[str, Any]] = {"derandomize": True, "print_blob": True}


def draw_without_constants() -> None:
    """From now on, in this process, no module's constants are among what is drawn."""
    constants: Any = providers
    none = constants.Constants()
    # No setting does it, and a release that renames this must not make CI a lottery again.
    if not hasattr(constants, "_get_local_constants"):
        raise RuntimeError(f"hypothesis {hypothesis.__version__} looks for constants elsewhere")
    constants._get_local_constants = lambda: none
