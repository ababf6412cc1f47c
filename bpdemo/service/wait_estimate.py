"""The line as a customer sees it: how many are ahead, how fast it moves."""

from bpdemo.flow.deadline import can_finish
from bpdemo.flow.pace import Pace
from bpdemo.flow.queue import BoundedQueue
from bpdemo.flow.seats import Seats
from bpdemo.service.order_job import OrderJob


class WaitEstimate:
    """Reads queue, seats and pace together."""

    __slots__ = ("_pace", "_queue", "_seats")

    def __init__(self, queue: BoundedQueue[OrderJob], seats: Seats, pace: Pace) -> None:
        self._queue = queue
        self._seats = seats
        self._pace = pace

    @property
    def depth(self) -> int:
        return self._queue.depth

    @property
    def seconds_each(self) -> float:
        """The mean time from one job's start to the next one's, with every worker busy."""
        return self._pace.mean_s / max(1, self._seats.total)

    def estimated_wait_s(self, priority: int) -> float:
        """How long a newcomer would wait for a worker; 0 while one is idle."""
        return self._wait_s(self._queue.ahead_of(priority) + 1)

    def wait_in_it_s(self, priority: int) -> float:
        """The same for the one who has just joined the line."""
        # They are among those ahead of a newcomer already, unless newcomers go first.
        return self._wait_s(max(1, self._queue.ahead_of(priority)))

    def can_finish(self, wait_s: float, remaining_s: float) -> bool:
        """Whether an order that waits `wait_s` can be finished within `remaining_s`."""
        return can_finish(wait_s, self._pace.mean_s, remaining_s)

    def _wait_s(self, turns: int) -> float:
        # Each of those ahead takes a worker that comes free, and so does the one who asks.
        return max(0, turns - max(0, self._seats.free)) * self.seconds_each
