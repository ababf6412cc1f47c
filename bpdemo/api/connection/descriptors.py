"""How many files and connections the system lets this process have at once."""

import sys
from math import inf

#: As many as a service has use for, where it may have any number.
MOST_DESCRIPTORS = 65_536
#: More than that macOS does not grant, whatever it says.
_MODEST_DESCRIPTORS = 10_240

if sys.platform == "win32":

    def descriptor_limit() -> float:
        """How many there may be now; infinite where nothing limits them."""
        return inf

    def reachable_limit() -> float:
        """What `raise_descriptor_limit` would make of it."""
        return inf

    def raise_descriptor_limit() -> None:
        """As far as this process may, and has use for. Never lowers it."""

else:
    import resource

    def descriptor_limit() -> float:
        """How many there may be now; infinite where nothing limits them."""
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return inf if soft == resource.RLIM_INFINITY else soft

    def reachable_limit() -> float:
        """What `raise_descriptor_limit` would make of it."""
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = MOST_DESCRIPTORS if hard == resource.RLIM_INFINITY else hard
        return max(descriptor_limit(), min(wanted, MOST_DESCRIPTORS))

    def raise_descriptor_limit() -> None:
        """As far as this process may, and has use for. Never lowers it."""
        _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        for wanted in (reachable_limit(), min(reachable_limit(), _MODEST_DESCRIPTORS)):
            if descriptor_limit() >= wanted:
                return
            try:
                resource.setrlimit(resource.RLIMIT_NOFILE, (int(wanted), hard))
            except (ValueError, OSError):
                continue
