"""Fair share: one greedy client fills its own share, not everybody's queue."""

from bpdemo.core.ranges import require_count


class FairShare:
    """Counts what each client has in flight. Remembers only those that have something."""

    __slots__ = ("_in_flight", "limit")

    def __init__(self, limit: int) -> None:
        """`limit` in flight for each client; 0 means no limit."""
        require_count("limit", limit)
        self.limit = limit
        self._in_flight: dict[str, int] = {}

    def try_enter(self, client: str) -> bool:
        """Count one more for `client`, unless its share is used up. Pair it with `leave`."""
        mine = self._in_flight.get(client, 0)
        if self.limit and mine >= self.limit:
            return False
        self._in_flight[client] = mine + 1
        return True

    def leave(self, client: str) -> None:
        mine = self._in_flight[client] - 1
        if mine:
            self._in_flight[client] = mine
        else:
            del self._in_flight[client]
