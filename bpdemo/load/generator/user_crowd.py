"""A crowd that runs the tasks of a learner's Locust file, at the times of a plan.

Each arrival runs one task, and counts as one request: ok if every request in it was. Runs in
Locust's process only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from locust import FastHttpUser

from bpdemo.load.destination import USER_AGENT
from bpdemo.load.generator.childline import ToOwner, ticks
from bpdemo.load.generator.crowd import LocustCrowd
from bpdemo.load.open_loop import OpenLoopUser, TaskArrival, run_task
from bpdemo.plan.answers import ClientTimedOut, reason_in
from bpdemo.plan.fates import CALLER_LEFT, FAILED, LATE, NO_CONNECTION, OK, fate_of
from bpdemo.plan.plan import Plan
from bpdemo.plan.visits import Visit

DONE: Final = 200
"""Stands where a status would, for a task all of whose requests were ok."""


class UserCrowd(LocustCrowd):
    """Runs tasks instead of sending orders; classes are picked by their rates, tasks by weight."""

    def __init__(
        self,
        user: FastHttpUser,
        plan: Plan,
        line: ToOwner,
        classes: Sequence[type[OpenLoopUser]],
    ) -> None:
        super().__init__(user, plan, line)
        self.users = [self.made(each, user) for each in classes]
        self.rates = [each.rate for each in classes]

    def made(self, kind: type[OpenLoopUser], template: FastHttpUser) -> OpenLoopUser:
        kind.host = template.host
        kind.default_headers = (kind.default_headers or {}) | {"User-Agent": USER_AGENT}
        user = kind(template.environment)
        client: Any = user.client
        client.client.redirect_response_codes = frozenset()  # as for orders
        return user

    def run(self) -> None:
        for user in self.users:
            user.on_start()
        super().run()
        for user in self.users:
            user.on_stop()  # type: ignore[no-untyped-call]

    def place_order(self, visit: Visit) -> int:
        """Run a task, and book what became of it. The status that decided."""
        arrival = TaskArrival(self.start_s + visit.due_s, self.plan.client_timeout_s)
        (user,) = self.chance.choices(self.users, self.rates)
        lag_s = self.now_s() - visit.due_s
        self.tally.attempts.append(ticks(visit.due_s))
        error = run_task(user, self.chance.choice(user.tasks), arrival, self.stop)
        fate, status, reason = verdict_on(arrival, self.plan.client_timeout_s)
        if error is not None and fate == OK:
            fate, status, reason = FAILED, NO_CONNECTION, type(error).__name__
        took_s = self.now_s() - visit.due_s
        self.tally.add(visit.due_s, took_s, lag_s, fate, status, reason, 1, "", "")
        return status

    def stop(self) -> None:
        """A task asks for the end of its user: it gets no further arrivals."""


def verdict_on(arrival: TaskArrival, client_timeout_s: float) -> tuple[int, int, str]:
    """Fate, status and reason of the first request of a task that was not ok."""
    for meta in arrival.requests:
        fate, status, reason = _verdict(meta, client_timeout_s)
        if fate != OK:
            return fate, status, reason
    return OK, DONE, ""


def _verdict(meta: dict[str, Any], client_timeout_s: float) -> tuple[int, int, str]:
    error, response = meta["exception"], meta["response"]
    status = int(getattr(response, "status_code", None) or NO_CONNECTION)
    if error is None:
        in_time = meta["response_time"] <= client_timeout_s * 1000
        return (OK if in_time else LATE), status, ""
    if isinstance(error, ClientTimedOut):
        return LATE, CALLER_LEFT, "caller_left"
    reason = reason_in(response) if status else "no_connection"
    fate = fate_of(status, reason, 0.0, client_timeout_s, is_expected=False)
    return fate, status, reason
