"""How long a caller says that they wait, as it stands in a header of their request."""

import re

LONGEST_TIMEOUT_MS = 3_600_000
_NUMBER = re.compile(rb"[0-9]{1,7}")


def client_timeout_s(value: bytes) -> float | None:
    """Whole milliseconds from 1 to an hour, as seconds; None for what is no such number."""
    if not _NUMBER.fullmatch(value) or not 1 <= int(value) <= LONGEST_TIMEOUT_MS:
        return None
    return int(value) / 1000
