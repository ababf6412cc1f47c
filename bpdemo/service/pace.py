"""How long a job takes on average, lately: what estimates of waiting times rest on."""

#: Each job counts a tenth, so that the last twenty or so decide.
WEIGHT = 0.1


class Pace:
    """An exponentially weighted mean. It starts from what the settings promise."""

    __slots__ = ("mean_s",)

    def __init__(self, expected_s: float) -> None:
        self.mean_s = expected_s

    def note(self, service_s: float) -> None:
        self.mean_s += WEIGHT * (service_s - self.mean_s)
