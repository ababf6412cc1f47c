"""On how many examples hypothesis tries a property: all of them, or few in `make test`.

`make test` and `make test-quick` set `BPDEMO_EXAMPLES=few`; `make test-all` sets `all`, and so does
pytest called by hand. Where examples are drawn at random, every run of few draws others.
"""

import os
from typing import Final

#: Of a hundred, as hypothesis has it where nothing else is said.
USUAL: Final = 100
#: A property that was worth fewer than this is never tried on fewer.
LEAST: Final = 15
PART: Final = 4


def examples(number: int = USUAL) -> int:
    """How many to try now of `number`: a quarter in `make test`, though not under 15."""
    chosen = os.environ.get("BPDEMO_EXAMPLES", "all")
    if chosen not in ("all", "few"):
        raise ValueError(f"BPDEMO_EXAMPLES is 'all' or 'few', not {chosen!r}")
    return number if chosen == "all" else min(number, max(LEAST, number // PART))
