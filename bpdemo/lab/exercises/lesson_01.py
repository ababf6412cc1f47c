"""The exercises of lesson 01: a bound, and how to see that one is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bpdemo.lab.exercises.exercise import Exercise, NotYet

if TYPE_CHECKING:
    from bpdemo.flow.queue import BoundedQueue

CAPACITY = 8


def judge_try_put(try_put: Any) -> str:
    """First by hand, one job after another; then as the queue of the service, on sale day."""
    _judge_by_hand(try_put)
    from bpdemo.core.settings import Settings
    from bpdemo.flow.queue import BoundedQueue
    from bpdemo.lab.exercises.judging import installed, most, over_seeds, worst

    naive_but_for_the_bound = Settings.unprotected(queue_capacity=CAPACITY)
    # The service looks for a place before it asks for one: here only the answer may say no.
    with (
        installed(BoundedQueue, "has_place", property(lambda _: True)),
        installed(BoundedQueue, "try_put", _as_method(try_put)),
    ):
        runs = over_seeds(naive_but_for_the_bound, times=2, seconds=8)
    sold, late = worst(runs), max(run.summary["late_per_s"] for run in runs)
    if sold < 0.85:
        raise NotYet(
            expected=f"at twice capacity, a room of {CAPACITY} keeps sales at capacity.",
            seen=f"in the worst of five sale days it sold {sold:.0%} of capacity; "
            f"{late:.0f} orders a second were taken and came too late.",
            why="a waiting room without an end makes everybody wait longer than they are willing "
            "to: the workers stay busy, with orders whose customers have gone.",
            look="When must try_put say no? Compare len(waiting) with capacity.",
        )
    turned_away = most(runs, "shed_per_s")
    return (
        f"twice the capacity came, on five sale days: your queue sold {min(sold, 1):.0%} of "
        f"capacity at least, and turned {turned_away:.0f} orders a second away at once."
    )


def _judge_by_hand(try_put: Any) -> None:
    waiting: list[str] = []
    for place in range(1, CAPACITY + 1):
        job = f"order {place}"
        _judge_one(try_put(waiting, job, CAPACITY), waiting, job, place)
    first, answer = waiting[0], try_put(waiting, "one too many", CAPACITY)
    if waiting[0] != first:
        raise NotYet(
            expected="who has a place keeps it.",
            seen=f"the room of {CAPACITY} was full; one more came, and the first in it was gone.",
            why="that customer was told yes, and now waits for ever. A no at once is kinder.",
            look="Refuse the newcomer; leave `waiting` as it is.",
        )
    if len(waiting) == CAPACITY + 1 and not _goes_on(try_put, waiting):
        raise NotYet(
            expected=f"at most {CAPACITY} wait.",
            seen=f"{CAPACITY} waited already, and one more was let in: {CAPACITY + 1}.",
            why="a bound that is off by one is off by one for each of a thousand queues; and with "
            "capacity 0 this room has a place that it must not have.",
            look="Full means len(waiting) == capacity. Try the comparison with capacity 0.",
        )
    if len(waiting) == CAPACITY and answer is not False:
        raise NotYet(
            expected="False when there is no place.",
            seen=f"the room was full, the job was not put in it, and the answer was {answer!r}.",
            why="who is told nothing cannot leave: the caller takes it for a yes, and waits.",
            look="Every way through the function must end in True or in False.",
        )


def _judge_one(answer: object, waiting: list[str], job: str, place: int) -> None:
    if job not in waiting and answer is True:
        raise NotYet(
            expected="True only when the job waits.",
            seen=f"{job} was told yes, but is not in `waiting`.",
            why="no worker will ever see it. Its customer waits, until patience ends.",
            look="Before `return True`, put the job into `waiting`.",
        )
    if job not in waiting:
        raise NotYet(
            expected=f"while fewer than {CAPACITY} wait, each job gets a place.",
            seen=f"{place - 1} waited, there was room for {CAPACITY}, and {job} was refused.",
            why="who refuses too early turns custom away that could have been served.",
            look="At the comparison: which side of it is the full room?",
        )
    if answer is not True:
        raise NotYet(
            expected="True when the job has got a place.",
            seen=f"{job} was put into `waiting`, and the answer was {answer!r}.",
            why="the caller takes this for a no, tells the customer so, and the job is done for "
            "nobody all the same.",
            look="What does the function return after it has put the job in?",
        )


def _goes_on(try_put: Any, waiting: list[str]) -> bool:
    """Whether still more are let in: then it has no bound at all."""
    try_put(waiting, "two too many", CAPACITY)
    return len(waiting) > CAPACITY + 1


def _as_method(try_put: Any) -> Any:
    from bpdemo.core.errors import Draining, QueueFull

    def method(queue: BoundedQueue[Any], job: Any, priority: int = 1) -> None:
        if queue._closed:
            raise Draining
        if not try_put(_Waiting(queue, priority), job, queue.capacity):
            raise QueueFull

    return method


class _Waiting:
    """The queue of the service, as the learner sees it."""

    def __init__(self, queue: BoundedQueue[Any], priority: int) -> None:
        self._queue = queue
        self._priority = priority

    def __len__(self) -> int:
        return self._queue.depth

    def append(self, job: Any) -> None:
        self._queue._append(job, self._priority)


EXERCISES: dict[str, Exercise] = {
    "01a": Exercise(
        title="A queue that can say no",
        answer="try_put",
        parameters=("waiting", "job", "capacity"),
        judge=judge_try_put,
        hints=(
            "Look at the moment before the job is put in: what do you know of `waiting` then?",
            "A bounded queue asks first and puts afterwards. It refuses when as many wait as there "
            "are places, and it leaves those who wait alone.",
            "A car park has 3 places. With 2 cars in it the next one gets in: True, and now 3. "
            "With 3 in it: False, and still 3. So it asks whether cars >= places.",
        ),
        wrong={
            "def try_put(waiting, job, capacity):\n"
            "    waiting.append(job)\n"
            "    return True\n": "without an end",
            "def try_put(waiting, job, capacity):\n"
            "    if len(waiting) > capacity:\n"
            "        return False\n"
            "    waiting.append(job)\n"
            "    return True\n": "one more was let in",
            "def try_put(waiting, job, capacity):\n"
            "    return len(waiting) < capacity\n": "not in `waiting`",
            "def try_put(waiting, job, capacity):\n"
            "    if len(waiting) < capacity:\n"
            "        waiting.append(job)\n": "the answer was None",
            "def try_put(waiting, job, capacity):\n"
            "    if len(waiting) >= capacity:\n"
            "        waiting.pop(0)\n"
            "    waiting.append(job)\n"
            "    return True\n": "the first in it was gone",
            "def try_put(waiting, job, capacity):\n"
            "    if len(waiting) < capacity:\n"
            "        return False\n"
            "    waiting.append(job)\n"
            "    return True\n": "was refused",
        },
    ),
}
