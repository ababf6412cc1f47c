"""How long a service takes of its own, apart from the queue before it."""

from math import sqrt

#: Each answered call counts a fiftieth, so that the last hundred or so decide.
WEIGHT = 0.02
#: What fewer calls than these say is chance.
FEW = 50


class OwnTime:
    """How long a call usually takes while next to nobody waits: the mean of answered calls and
    their standard deviation together, at the least that these have been. 0 until one is known.

    It never rises. Under a standing queue every call is slow, and measured by that a caller who
    gave up in the queue would seem hasty, and overload would hide itself. The price: in a service
    that became slower for good it is too short, and callers who left before anybody could be
    answered are heard as drops (`limiter.py`).
    """

    __slots__ = ("_answered", "_mean_s", "_variance", "least_s")

    def __init__(self) -> None:
        self.least_s = 0.0
        self._mean_s = self._variance = 0.0
        self._answered = 0

    def note(self, latency_s: float) -> None:
        """A call was answered after that time."""
        self._answered += 1
        weight = max(WEIGHT, 1 / self._answered)
        off_s = latency_s - self._mean_s
        self._mean_s += weight * off_s
        self._variance = (1 - weight) * (self._variance + weight * off_s * off_s)
        usual_s = self._mean_s + sqrt(self._variance)
        if self._answered <= FEW or usual_s < self.least_s:
            self.least_s = usual_s
