"""The times of a plan, when its pace is changed on the way."""

from __future__ import annotations


class PlanClock:
    """Says when an arrival of the plan is due. At pace 2 they come twice as fast from then on, as a
    Poisson stream of twice the rate would; what is past stays as it was."""

    def __init__(self) -> None:
        self._pace = 1.0
        self._since_s = 0.0
        self._planned_s = 0.0
        """Where in the plan it was at `_since_s`."""

    def due_s(self, planned_s: float, pace: float, now_s: float) -> float:
        """When an arrival planned for `planned_s` comes if it goes on at this pace from now."""
        if pace != self._pace:
            self._planned_s += (now_s - self._since_s) * self._pace
            self._since_s, self._pace = now_s, pace
        return self._since_s + (planned_s - self._planned_s) / self._pace
