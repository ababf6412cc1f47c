"""`Prefer` (RFC 7240): of all that a caller may prefer, we know `respond-async`.

What is not known, or cannot be read, is ignored: that is what the RFC asks for.
"""

import re

from bpdemo.api.headers import RawHeaders

RESPOND_ASYNC = "respond-async"

#: Commas inside are no separators; one that is not closed takes all that follows.
_QUOTED = re.compile(rb'"(?:[^"\\]|\\.)*(?:"|$)')


def prefers_async(headers: RawHeaders) -> bool:
    """Whether the caller would rather not wait for the work to be done."""
    return any(name == b"prefer" and _asks_for_it(value) for name, value in headers)


def _asks_for_it(value: bytes) -> bool:
    preferences = _QUOTED.sub(b"", value).split(b",")
    wanted = RESPOND_ASYNC.encode()
    # What follows the name is its value or its parameters: it has none that we know.
    return any(
        re.split(rb"[;=]", one, maxsplit=1)[0].strip().lower() == wanted for one in preferences
    )
