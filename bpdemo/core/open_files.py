"""How many files and sockets this process, and what it starts, may have open at once."""

from __future__ import annotations

import sys
from typing import Final

#: Eight thousand callers may be connected at once in a storm; the rest is for everything else. Many
#: systems allow fewer at first.
OPEN_FILES: Final = 10_000


def raise_open_files() -> tuple[int | None, int | None]:
    """Raise the soft limit to `OPEN_FILES`, or as far as the hard one lets it: what it was, and
    what it is now. None is no limit, as on Windows."""
    if sys.platform == "win32":
        return None, None
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    if soft == unlimited:
        return None, None
    wanted = OPEN_FILES if hard == unlimited else min(OPEN_FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return soft, max(soft, wanted)
