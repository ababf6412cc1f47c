"""Occupancy: a counting semaphore that never waits and whose count may change while it is held."""

from bpdemo.core.ranges import require_count


class Seats:
    """`total` seats, `busy` of them taken. `free` is negative while a shrink has yet to settle."""

    __slots__ = ("busy", "total")

    def __init__(self, total: int) -> None:
        require_count("total", total)
        self.total = total
        self.busy = 0

    @property
    def free(self) -> int:
        return self.total - self.busy

    def acquire(self) -> None:
        """Sit down. Asking for a seat that is not there is a bug: RuntimeError."""
        if self.busy >= self.total:
            raise RuntimeError(f"all {self.total} seats are taken")
        self.busy += 1

    def release(self) -> None:
        """Stand up. Giving back a seat that nobody has taken is a bug: RuntimeError."""
        if not self.busy:
            raise RuntimeError("no seat is taken")
        self.busy -= 1
