"""On how many examples hypothesis tries a property: all of them, or few in `make test`.

`make test` and `make test-quick` set `BPDEMO_EXAMPLES=few`; `make test-all` sets `all`, and so does
pytest called by hand. `BPDEMO_EXAMPLES=many` goes hunting: ten times as many. Where examples are
drawn at random, as everywhere but in CI, every run draws others.
"""

import os
from typing import Final

#: Of a hundred, as hypothesis has it where nothing else is said.
USUAL: Final = 100
#: A property that was worth fewer than this is never tried on fewer.
LEAST: Final = 15
PART: Final = 4


MORE: Final = 10


def examples(number: int = USUAL) -> int:
    """How many to try now of `number`: a quarter in `make test`, though not under 15."""
    chosen = os.environ.get("BPDEMO_EXAMPLES", "all")
    numbers = {"few": min(number, max(LEAST, number // PART)), "all": number, "many": MORE * number}
    if chosen not in numbers:
        raise ValueError(f"BPDEMO_EXAMPLES is 'few', 'all' or 'many', not {chosen!r}")
    return numbers[chosen]
