"""How long a job takes on average, lately: what estimates of waiting times rest on."""

#: Each job counts a tenth, so that the last twenty or so decide.
WEIGHT = 0.1


class Pace:
    """An exponentially weighted mean, in seconds. It starts from what is expected of a job.

    Where nothing is, the first job sets it, and `mean_s` is 0 until then.
    """

    __slots__ = ("_is_known", "mean_s")

    def __init__(self, expected_s: float | None) -> None:
        self._is_known = expected_s is not None
        self.mean_s = expected_s or 0.0

    def note(self, service_s: float) -> None:
        if self._is_known:
            self.mean_s += WEIGHT * (service_s - self.mean_s)
        else:
            self._is_known, self.mean_s = True, service_s

    def note_at_least(self, service_s: float) -> None:
        """A job was cut short after that time: it never lowers the mean, and sets none."""
        if self._is_known and service_s > self.mean_s:
            self.note(service_s)
