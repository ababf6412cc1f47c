"""`OpenLoopUser`: a Locust user whose tasks arrive at a rate, however slow the answers are.

Import it in a Locust file only: Locust patches the whole process that imports it.

    from bpdemo.load.open_loop import OpenLoopUser
    from locust import task

    class Shopper(OpenLoopUser):
        rate = 50

        @task
        def buy(self):
            self.client.post("/orders", json={"item_id": 1, "quantity": 1})

It runs under plain `locust -f`, with Locust's web page, CSV and reports, and under
`bpdemo load --user` or `load(user=…)`. Locust's own users wait for an answer before they send
again: a slow service slows them down, and its overload is hidden.
"""

from __future__ import annotations

# Before all others, which it patches.
import locust  # isort: skip

import logging
import random
import time
import traceback
from collections.abc import Callable
from itertools import count
from typing import Any, Final

import gevent
from gevent.local import local
from gevent.pool import Pool
from locust import FastHttpUser, TaskSet
from locust.contrib.fasthttp import FastHttpSession
from locust.exception import (
    InterruptTaskSet,
    RescheduleTask,
    RescheduleTaskImmediately,
    StopUser,
)

from bpdemo.load.destination import USER_AGENT
from bpdemo.plan.answers import ClientTimedOut

logger = logging.getLogger(__name__)

UNSENT: Final = "unsent"
#: How often a user that waits for its next arrival looks whether it is to stop.
LOOK_S: Final = 0.05
STOPPING: Final = "stopping"

_here = local()
_StopTest: type[Exception] = getattr(locust.exception, "StopTest", Exception)


class NotOpenLoop(_StopTest, ValueError):  # type: ignore[valid-type, misc]
    """A class that cannot be run in an open loop; it ends the test, and says why."""


class Unsent(Exception):
    """An arrival for which there was no place any more."""

    def __init__(self) -> None:
        super().__init__(UNSENT)


class TaskArrival:
    """One arrival, at its intended time on the monotonic clock, and the requests of its task.

    `timeout_s`: each request is hung up after so long; None lets Locust's own timeouts rule.
    """

    def __init__(self, intended_s: float, timeout_s: float | None = None) -> None:
        self.intended_s = intended_s
        self.timeout_s = timeout_s
        self.requests: list[dict[str, Any]] = []
        self.lag_ms = 0.0
        self._has_sent = False

    def begin_request(self) -> float:
        """How late the request is: the first of a task counts from the intended send, the later
        ones from their own."""
        if self._has_sent:
            return 0.0
        self._has_sent = True
        return max(0.0, time.monotonic() - self.intended_s)


class OpenLoopSession(FastHttpSession):
    """Locust's client, with the clock of the arrival that uses it."""

    def request(self, method: str, url: str, *words: Any, **options: Any) -> Any:
        arrival: TaskArrival | None = getattr(_here, "arrival", None)
        if arrival is None:  # `on_start` and the like
            return super().request(method, url, *words, **options)
        lag_s = arrival.begin_request()
        catches = bool(options.get("catch_response"))
        arrival.lag_ms = 0.0 if catches else lag_s * 1000
        with gevent.Timeout(*_timeout(arrival, lag_s)):
            response = super().request(method, url, *words, **options)
        if catches:
            # It is told at the end of the `with` block, which may be long after the answer.
            response.request_meta["response_time"] += lag_s * 1000
        return response


class RequestEvent:
    """Stands before Locust's request event, and adds to a request how late it was sent."""

    def __init__(self, event: Any) -> None:
        self._event = event

    def fire(self, **meta: Any) -> None:
        arrival: TaskArrival | None = getattr(_here, "arrival", None)
        if arrival is not None:
            meta["response_time"] += arrival.lag_ms
            arrival.lag_ms = 0.0
            arrival.requests.append(meta)
        self._event.fire(**meta)


class OpenLoopUser(FastHttpUser):
    """`rate` arrivals a second (Poisson) for each user; n users, on all workers, add up.

    Each arrival runs a task, picked by weight, in a greenlet of its own. So what is kept on `self`
    is shared by all of them. `on_start` runs once for each user, before the first arrival. A task
    makes as many requests as it likes. `wait_time` means nothing here, and is ignored. At most
    `max_waiting` arrivals are under way; those beyond are told as failures called `unsent`. `seed`
    makes the same arrivals again. A `TaskSet` raises at the start: its tasks would wait for each
    other.
    """

    abstract = True
    rate: float = 1.0
    max_waiting: int = 8000
    seed: int | None = None
    default_headers = {"User-Agent": USER_AGENT}  # noqa: RUF012 - an instance's, says Locust

    _numbers = count()

    def __init__(self, environment: Any) -> None:
        require_open_loop(type(self))
        self.concurrency = self.max_waiting
        super().__init__(environment)
        session = OpenLoopSession.__new__(OpenLoopSession)
        session.__dict__.update(self.client.__dict__)
        session.request_event = RequestEvent(environment.events.request)
        self.client = session
        number = next(OpenLoopUser._numbers)
        worker = getattr(environment.runner, "worker_index", 0)
        self.chance = random.Random(
            None if self.seed is None else f"arrivals {self.seed} {worker} {number}"
        )
        self.under_way = Pool(self.max_waiting)

    def run(self) -> None:  # type: ignore[misc]
        """Locust's own would send, wait for the answer, and send again."""
        self._state = "running"
        try:
            self._begin()
            self._arrive()
            self.under_way.join()
        except (gevent.GreenletExit, StopUser, _StopTest):
            self.under_way.kill()
        self.on_stop()  # type: ignore[no-untyped-call]

    def _begin(self) -> None:
        try:
            self.on_start()
        except (StopUser, _StopTest, gevent.GreenletExit):
            raise
        except Exception as error:
            tell_error(self, error)
            raise

    def _arrive(self) -> None:
        due_s = time.monotonic()
        for number in count():
            due_s += self.chance.expovariate(self.rate)
            while (ahead_s := due_s - time.monotonic()) > 0 and self._state != STOPPING:
                gevent.sleep(min(ahead_s, LOOK_S))
            if self._state == STOPPING:
                return
            # Behind time there is nothing to sleep for; the tasks need the loop all the same.
            if ahead_s <= 0 and number % 20 == 0:
                gevent.sleep(0)
            task = self.chance.choice(self.tasks)
            if self.under_way.full():
                self._tell_unsent()
            else:
                self.under_way.spawn(run_task, self, task, TaskArrival(due_s), self._stop_all)

    def _stop_all(self) -> None:
        self._state = STOPPING

    def _tell_unsent(self) -> None:
        self.environment.events.request.fire(
            request_type="TASK",
            name=UNSENT,
            response_time=0,
            response_length=0,
            response=None,
            context=self.context(),
            exception=Unsent(),
            start_time=time.time(),
            url=None,
        )


def run_task(
    user: OpenLoopUser, task: Any, arrival: TaskArrival, stop: Callable[[], object] = int
) -> Exception | None:
    """Run one task for one arrival; what it raised, which is told to Locust, too.

    `stop` is called when the task wants its user to end.
    """
    _here.arrival = arrival
    try:
        task(user)
    except (RescheduleTask, RescheduleTaskImmediately, InterruptTaskSet):
        return None  # there is no queue of tasks here in which it could matter
    except (StopUser, _StopTest):
        stop()
    except Exception as error:
        tell_error(user, error)
        return error
    return None


def tell_error(user: OpenLoopUser, error: Exception) -> None:
    """As Locust tells what its tasks raise."""
    logger.error("%s\n%s", error, traceback.format_exc())
    user.environment.events.user_error.fire(
        user_instance=user, exception=error, tb=error.__traceback__
    )


def require_open_loop(user: type[OpenLoopUser]) -> None:
    """Raises `NotOpenLoop` for a class with a TaskSet, with no task, or with no rate."""
    for task in user.tasks:
        if isinstance(task, type) and issubclass(task, TaskSet):
            raise NotOpenLoop(
                f"{user.__name__}: {task.__name__} is a TaskSet, whose tasks wait for each other; "
                "an OpenLoopUser has tasks of its own"
            )
    if not user.tasks:
        raise NotOpenLoop(f"{user.__name__} has no @task")
    rate = user.rate
    is_number: bool = type(rate) in (int, float)
    if not is_number or not 0 < rate <= 100_000:
        raise NotOpenLoop(f"{user.__name__}: rate must be a number above 0, not {rate!r}")
    if user.wait_time is not FastHttpUser.wait_time and not getattr(user, "_is_warned", False):
        user._is_warned = True  # type: ignore[attr-defined]
        logger.warning("%s: wait_time is ignored; its rate says when it comes", user.__name__)


def _timeout(arrival: TaskArrival, lag_s: float) -> tuple[float | None, Exception]:
    left_s = None if arrival.timeout_s is None else max(arrival.timeout_s - lag_s, 0.001)
    return left_s, ClientTimedOut("caller left")
