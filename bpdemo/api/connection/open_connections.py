"""All connections of a server: how many there may be, and which of them ends for a newcomer."""

from math import inf
from typing import Protocol

#: Descriptors that are for other things than callers: files, pipes, libraries.
RESERVE = 96
#: Newcomers who are told that there is no room, at the same time.
SPARE = 32


class Guest(Protocol):
    """A connection, as the crowd sees it."""

    def cut(self) -> None:
        """End at once."""
        ...


class OpenConnections:
    """The connections that are open, `capacity` at most, and what each of them is about.

    Each stands in one of the groups, in the order in which it came there, or is busy.
    """

    def __init__(self, capacity: float = inf, spare: int = SPARE) -> None:
        """`spare` newcomers may be here besides, to be told so."""
        self.capacity = capacity
        self.turned_away = 0
        self.parting: dict[Guest, None] = {}  # answered, and about to end
        self.idle: dict[Guest, None] = {}  # between two requests, or before the first
        self.half_closed: dict[Guest, None] = {}  # whose callers said that they are done
        self._spare = spare
        self._inside: set[Guest] = set()
        self._outside: dict[Guest, None] = {}

    @property
    def open(self) -> int:
        return len(self._inside)

    def enter(self, guest: Guest) -> bool:
        """Whether there is room, made by ending another where that harms nobody.

        First those that were answered, then the longest idle; then those whose callers have most
        likely left.
        """
        if len(self._inside) >= self.capacity and not self._make_room():
            self.turned_away += 1
            if len(self._outside) >= self._spare:
                self._drop(next(iter(self._outside)))
            self._outside[guest] = None
            return False
        self._inside.add(guest)
        self.idle[guest] = None
        return True

    def figures(self) -> dict[str, int]:
        """As `GET /stats` tells them; a capacity of -1: no bound."""
        capacity = -1 if self.capacity == inf else int(self.capacity)
        return {"open": self.open, "capacity": capacity, "turned_away": self.turned_away}

    def leave(self, guest: Guest) -> None:
        self._inside.discard(guest)
        self._outside.pop(guest, None)
        for group in (self.parting, self.idle, self.half_closed):
            group.pop(guest, None)

    def _make_room(self) -> bool:
        for group in (self.parting, self.idle, self.half_closed):
            for guest in group:
                if guest in self._inside:
                    self._drop(guest)
                    return True
        return False

    def _drop(self, guest: Guest) -> None:
        self.leave(guest)
        guest.cut()


def capacity_within(descriptors: float, others: int = 0) -> float:
    """How many connections that many descriptors allow for, with `others` in use besides.

    At least three in eight of them, where there are very few.
    """
    if descriptors == inf:
        return inf
    return max(1, descriptors - min(RESERVE + others, descriptors * 5 // 8))
