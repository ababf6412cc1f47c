"""The exercises of lesson 01: a bound, the number to watch, and a load test that hides it all."""

from __future__ import annotations

from collections.abc import MutableSequence
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from bpdemo.lab.exercises.exercise import Exercise, NotYet

if TYPE_CHECKING:
    from bpdemo.flow.queue import BoundedQueue
    from bpdemo.load.run import LoadRun

CAPACITY = 8


# -- 01a ------------------------------------------------------------------------------------


def judge_try_put(try_put: Any) -> str:
    """First by hand, one job after another; then as the queue of the service, on sale day."""
    _judge_by_hand(try_put)
    from bpdemo.core.settings import Settings
    from bpdemo.flow.queue import BoundedQueue
    from bpdemo.lab.exercises.judges.judging import most, over_seeds, worst

    naive_but_for_the_bound = Settings.unprotected(queue_capacity=CAPACITY)
    # The service looks for a place before it asks for one: here only the answer may say no.
    with (
        patch.object(BoundedQueue, "has_place", property(lambda _: True)),
        patch.object(BoundedQueue, "try_put", _as_method(try_put)),
    ):
        runs = over_seeds(naive_but_for_the_bound, times=2, seconds=8)
    sold, late = worst(runs), max(run.summary["late_per_s"] for run in runs)
    if sold < 0.85:
        raise NotYet(
            expected=f"at twice capacity, a queue of {CAPACITY} keeps goodput at capacity.",
            seen=f"in the worst of five sale days it served {sold:.0%} of capacity; "
            f"{late:.0f} orders a second were accepted and served too late.",
            why="in a queue without a bound everybody waits longer than the client timeout: the "
            "workers stay busy, with orders whose customers have gone.",
            look="When must try_put return False? Compare len(waiting) with capacity.",
        )
    _judge_small(try_put)
    turned_away = most(runs, "shed_per_s")
    return (
        f"at twice the capacity, on five sale days, your queue served at least "
        f"{min(sold, 1):.0%} of capacity, and rejected {turned_away:.0f} orders a second at once."
    )


def _judge_small(try_put: Any) -> None:
    """It has a bound: is it the one that it is told?"""
    waiting: list[str] = []
    for place in range(1, CAPACITY):
        try_put(waiting, f"order {place}", 3)
    if len(waiting) != 3:
        raise NotYet(
            expected="with a capacity of 3, three wait.",
            seen=f"{CAPACITY - 1} came one after another, and {len(waiting)} waited.",
            why="each room has a length of its own: the bound is told, not known.",
            look="Compare with `capacity`, not with a number of your own.",
        )


def _judge_by_hand(try_put: Any) -> None:
    waiting: list[str] = []
    for place in range(1, CAPACITY + 1):
        job = f"order {place}"
        _judge_one(try_put(waiting, job, CAPACITY), waiting, job, place)
    first, answer = waiting[0], try_put(waiting, "one too many", CAPACITY)
    if waiting[0] != first:
        raise NotYet(
            expected="a job that has a place keeps it.",
            seen=f"the queue of {CAPACITY} was full; one more came, and the first was gone.",
            why="that customer was told yes, and now waits for ever. A quick rejection is better.",
            look="Reject the newcomer; leave `waiting` as it is.",
        )
    if "one too many" in waiting and answer is False:
        raise NotYet(
            expected="a job that is rejected does not wait.",
            seen=f"the queue of {CAPACITY} was full; one more was rejected, and is in `waiting`.",
            why="a worker will take it up, for a customer who has been rejected.",
            look="Ask before you put: is there a place?",
        )
    if len(waiting) == CAPACITY + 1 and not _goes_on(try_put, waiting):
        raise NotYet(
            expected=f"at most {CAPACITY} wait.",
            seen=f"{CAPACITY} waited already, and one more was let in: {CAPACITY + 1}.",
            why="a bound that is off by one is off by one for each of a thousand queues; and with "
            "capacity 0 this queue has a place that it must not have.",
            look="Full means len(waiting) == capacity. Try the comparison with capacity 0.",
        )
    if len(waiting) == CAPACITY and answer is not False:
        raise NotYet(
            expected="False when there is no place.",
            seen=f"the queue was full, the job was not put in it, and the answer was {answer!r}.",
            why="a caller who is told nothing takes it for a yes, and waits.",
            look="Every way through the function must end in True or in False.",
        )


def _judge_one(answer: object, waiting: list[str], job: str, place: int) -> None:
    if job not in waiting and answer is True:
        raise NotYet(
            expected="True only when the job waits.",
            seen=f"{job} was told yes, but is not in `waiting`.",
            why="no worker will ever see it. Its customer waits until the client timeout.",
            look="Before `return True`, put the job into `waiting`.",
        )
    if job not in waiting:
        raise NotYet(
            expected=f"while fewer than {CAPACITY} wait, each job gets a place.",
            seen=f"{place - 1} waited, there was room for {CAPACITY}, and {job} was refused.",
            why="a queue that rejects too early loses orders that could have been served.",
            look="At the comparison: which side of it is the full queue?",
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


class _Waiting(MutableSequence[Any]):
    """The queue of the service, as the list that the learner sees: it grows at its end."""

    def __init__(self, queue: BoundedQueue[Any], priority: int) -> None:
        self._queue = queue
        self._priority = priority

    def __len__(self) -> int:
        return self._queue.depth

    def __getitem__(self, place: Any) -> Any:
        return [job for job, _, _ in self._queue._line][place]

    def __setitem__(self, place: Any, jobs: Any) -> None:
        for job in jobs if isinstance(place, slice) else [jobs]:
            self.insert(len(self), job)

    def __delitem__(self, place: Any) -> None:
        jobs = self[place]
        for job in jobs if isinstance(place, slice) else [jobs]:
            self._queue.remove(job)

    def insert(self, _: int, job: Any) -> None:
        self._queue._append(job, self._priority)


# -- 01b ------------------------------------------------------------------------------------


#: Three sold in time, two sold too late, four refused at once, one refused late.
BY_HAND = [(True, 0.2)] * 3 + [(True, 0.9)] * 2 + [(False, 0.001)] * 4 + [(False, 0.8)]


def judge_goodput(goodput_per_s: Any) -> str:
    """By hand first; then over both services on five days of overload."""
    _judge_number(goodput_per_s(BY_HAND, 0.5, 10), BY_HAND, 0.3)
    _judge_number(goodput_per_s(BY_HAND, 1.0, 10), [], 0.5)
    from bpdemo.lab.exercises.judges.judging import over_seeds

    seconds, told = 6.0, []
    for name, settings in _BOTH.items():
        for run in over_seeds(settings(), times=2, seconds=seconds):
            number = goodput_per_s(_as_answers(run), run.meta.client_timeout_s, seconds)
            _judge_number(number, [], run.summary["goodput_per_s"])
        told.append(f"{number:.0f} with the {name} service")
    return f"twice the capacity came; your number says {' and '.join(told)}. It tells them apart."


def _unprotected() -> Any:
    from bpdemo.core.settings import Settings

    return Settings.unprotected()


def _bounded() -> Any:
    from bpdemo.core.settings import Settings

    return Settings.unprotected(queue_capacity=CAPACITY)


_BOTH = {"unbounded": _unprotected, "bounded": _bounded}


def _as_answers(run: LoadRun) -> list[tuple[bool, float]]:
    """Who refuses answers at once; who is late has waited out the patience, and a little more."""
    from bpdemo.plan.fates import LATE, OK

    return [
        (fate in (OK, LATE), float(waited_s) + (0.01 if fate == LATE else 0.0))
        for fate, waited_s in zip(run.records.fate, run.records.latency_s, strict=True)
    ]


def _judge_number(number: object, answers: list[tuple[bool, float]], truth: float) -> None:
    if not isinstance(number, int | float):
        raise NotYet(
            expected="a number: orders a second.",
            seen=f"{number!r}.",
            why="a dashboard draws numbers.",
            look="Does the function return what it has calculated?",
        )
    if abs(number - truth) <= 0.001 + 0.01 * truth:
        return
    why, look = _mistaken(number, answers)
    raise NotYet(
        expected=f"{truth:g} orders a second were served in time.",
        seen=f"your number says {number:g}.",
        why=why,
        look=look,
    )


def _mistaken(number: float, answers: list[tuple[bool, float]]) -> tuple[str, str]:
    """Why it matters and where to look, by what was counted in the list by hand."""
    return {
        3.0: (
            "a longer test would look like a better one.",
            "Divide by the seconds it took.",
        ),
        1.0: (
            "a service that rejects everybody at once would have the best number of all.",
            "Leave out the orders that were rejected: `sold` is False there.",
        ),
        0.5: (
            "that is the work done for customers who have gone: the collapse is invisible.",
            "Leave out who had waited longer than `client_timeout_s`.",
        ),
        0.7: (
            "the quickest answer of all is a rejection.",
            "A rejection is quick as well. An order must be in time *and* sold.",
        ),
    }.get(
        round(number, 3) if answers else 0.0,
        (
            "you would steer a service by it.",
            "Count the pairs sold that waited at most `client_timeout_s`; then per second.",
        ),
    )


# -- 01c ------------------------------------------------------------------------------------

EVERY_S = 0.02


def judge_next_send(next_send_s: Any) -> str:
    """A tester sends to a service that gets slower and slower: do they keep their pace?"""
    from bpdemo.lab.exercises.judges.judging import over_seeds

    for run in over_seeds(_unprotected(), times=2, seconds=8, client_timeout_s=30):
        sent_s = _sent(next_send_s, run)
        halves = [sum(start <= at < start + 4 for at in sent_s) for start in (0, 4)]
        planned = round(4 / EVERY_S)
        if not all(abs(count - planned) <= 2 for count in halves):
            _uneven(halves, planned)
    return (
        f"the service took longer and longer, up to some seconds, and your tester went on sending "
        f"{1 / EVERY_S:.0f} orders a second."
    )


def _sent(next_send_s: Any, run: LoadRun) -> list[float]:
    """When the tester sends, by the waits that customers of that moment had in the run."""
    import numpy as np

    sent_s = [0.0]
    while sent_s[-1] < 8 and len(sent_s) < 2000:
        place = min(int(np.searchsorted(run.records.t_s, sent_s[-1])), len(run.records) - 1)
        answered_s = sent_s[-1] + float(run.records.latency_s[place])
        at_s = next_send_s(sent_s[-1], answered_s, EVERY_S)
        if not isinstance(at_s, int | float) or at_s <= sent_s[-1]:
            raise NotYet(
                expected="a moment after the last one, in seconds.",
                seen=f"the last order was sent at {sent_s[-1]:.2f}, the next one at {at_s!r}.",
                why="a test that does not move on never ends.",
                look="It is a moment that is returned, not a pause.",
            )
        sent_s.append(float(at_s))
    return sent_s


def _uneven(halves: list[int], planned: int) -> None:
    first, second = halves
    if first > planned + 2:
        why = "that is another load than the one you have planned."
        look = "From one order to the next it is `every_s`, no less."
    elif second < planned / 2:
        why = (
            "the worse the service gets, the gentler the test: just when it should push it waits. "
            "The bad moments are then hardly measured at all."
        )
        look = "Which of the arguments depends on the service? Do without it."
    else:
        why = "the offer must not depend on the service at all."
        look = "Calculate from `sent_s` alone."
    raise NotYet(
        expected=f"{planned} orders in the first four seconds, and as many in the next four.",
        seen=f"{first} and {second}.",
        why=why,
        look=look,
    )


EXERCISES: dict[str, Exercise] = {
    "01a": Exercise(
        title="A queue that can say no",
        answer="try_put",
        parameters=("waiting", "job", "capacity"),
        judge=judge_try_put,
        hints=(
            "Look at the moment before the job is put in: what do you know of `waiting` then?",
            "A bounded queue asks first and puts afterwards. It rejects a job when as many wait as "
            "there are places, and it leaves those that wait alone.",
            "A cloakroom has 3 hooks. With 2 coats on them the next one gets a hook: True, and now "
            "3. With 3 coats: False, and still 3. So it asks whether coats >= hooks.",
        ),
    ),
    "01b": Exercise(
        title="The number to watch",
        answer="goodput_per_s",
        parameters=("answers", "client_timeout_s", "seconds"),
        judge=judge_goodput,
        hints=(
            "Each pair is (sold, waited_s). Which pairs are worth something to the box office?",
            "Goodput counts what was sold *and* in time. A quick rejection is not sold; a late "
            "ticket is not in time.",
            "Timeout 2 s, in 10 s: (True, 1.5), (True, 3.0), (False, 0.1), (True, 0.4). Two of the "
            "four count: 0.2 a second.",
        ),
    ),
    "01c": Exercise(
        title="The polite load test",
        answer="next_send_s",
        parameters=("sent_s", "answered_s", "every_s"),
        judge=judge_next_send,
        hints=(
            "What happens to the faulty one when an answer takes ten seconds?",
            "Real customers do not wait for one another: when one comes depends on nothing that "
            "the service does. Such a load is *open*.",
            "A tour of the theatre starts every 600 s, the last one at 1200. It ends at 1500, or "
            "at 9000: in either case the next one starts at 1800.",
        ),
    ),
}
