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
    served, late = worst(runs), most(runs, "late_per_s")
    if served < 0.85:
        raise NotYet(
            expected=f"at twice the capacity, a queue of {CAPACITY} keeps goodput at capacity.",
            seen=f"in the worst of five sale days it served {served:.0%} of capacity in time; "
            f"{late:.0f} orders a second were accepted and came too late.",
            why="in a queue without a bound everybody waits longer than the client timeout. The "
            "workers stay busy, but with orders whose customers have left.",
            look="When must `try_put` return False? Compare `len(waiting)` with `capacity`.",
        )
    _judge_small(try_put)
    shed = most(runs, "shed_per_s")
    return (
        f"at twice the capacity, on five sale days, your queue served at least "
        f"{min(served, 1):.0%} of capacity in time, and rejected up to {shed:.0f} orders a second "
        "at once."
    )


def _judge_small(try_put: Any) -> None:
    """It has a bound: is it the one that it is told?"""
    waiting: list[str] = []
    for place in range(1, CAPACITY):
        try_put(waiting, f"order {place}", 3)
    if len(waiting) != 3:
        raise NotYet(
            expected="with a capacity of 3, three jobs wait.",
            seen=f"{CAPACITY - 1} jobs came one after another, and {len(waiting)} of them waited.",
            why="each queue has a capacity of its own, and your function is given it.",
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
            expected="a job that waits keeps its place.",
            seen=f"the queue of {CAPACITY} was full; one more job came, and the first was gone.",
            why="the first customer was accepted, and now waits for an answer that never comes. A "
            "quick rejection of the newcomer would have been kinder to both.",
            look="Reject the newcomer, and leave `waiting` as it is.",
        )
    if "one too many" in waiting and answer is False:
        raise NotYet(
            expected="a job that is rejected is not in the queue.",
            seen=f"the queue of {CAPACITY} was full; one more job was rejected, and is in "
            "`waiting` all the same.",
            why="a worker will process it, for a customer who was told that it was rejected.",
            look="Compare first, and append only when there is a place.",
        )
    if len(waiting) == CAPACITY + 1 and not _goes_on(try_put, waiting):
        raise NotYet(
            expected=f"with a capacity of {CAPACITY}, at most {CAPACITY} jobs wait.",
            seen=f"{CAPACITY} waited already, and one more was let in, so that {CAPACITY + 1} "
            "wait.",
            why="a bound that is off by one has a place to give away even with capacity 0, where "
            "nobody may wait at all.",
            look="The queue is full as soon as `len(waiting) == capacity`. Try your comparison "
            "with capacity 0.",
        )
    if len(waiting) == CAPACITY and answer is not False:
        raise NotYet(
            expected="when the queue is full, the function returns False.",
            seen=f"the queue was full, the job was left out, and the answer was {answer!r}.",
            why="the service goes by the answer: without a clear False it cannot tell its caller.",
            look="Every path through the function must end in `return True` or `return False`.",
        )


def _judge_one(answer: object, waiting: list[str], job: str, place: int) -> None:
    if job not in waiting and answer is True:
        raise NotYet(
            expected="the function returns True only when the job is in the queue.",
            seen=f"{job} was accepted, but is not in `waiting`.",
            why="no worker will ever see it, and its customer waits until the client timeout.",
            look="Append the job to `waiting` before you return True.",
        )
    if job not in waiting:
        raise NotYet(
            expected=f"while fewer than {CAPACITY} jobs wait, each newcomer gets a place.",
            seen=f"{place - 1} of {CAPACITY} places were taken, and {job} was rejected.",
            why="a queue that rejects too early loses orders that could have been served in time.",
            look="Look at your comparison: on which of its two sides is the full queue?",
        )
    if answer is not True:
        raise NotYet(
            expected="the function returns True when the job has a place.",
            seen=f"{job} was put into `waiting`, and the answer was {answer!r}.",
            why="the service takes that for a rejection and tells the customer so; a worker then "
            "spends its time on an order that nobody waits for.",
            look="What does the function return after it has appended the job?",
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


#: Three sold in time, two sold too late, four rejected at once, one rejected late.
BY_HAND = [(True, 0.2)] * 3 + [(True, 0.9)] * 2 + [(False, 0.001)] * 4 + [(False, 0.8)]
TOLD_BY_HAND = "[(True, 0.2)] * 3 + [(True, 0.9)] * 2 + [(False, 0.001)] * 4 + [(False, 0.8)]"


def judge_goodput(goodput_per_s: Any) -> str:
    """By hand first; then over both services on five days of overload."""
    _judge_number(goodput_per_s(BY_HAND, 0.5, 10), BY_HAND, 0.3, _case(TOLD_BY_HAND, 0.5, 10))
    _judge_number(goodput_per_s(BY_HAND, 1.0, 10), [], 0.5, _case(TOLD_BY_HAND, 1.0, 10))
    from bpdemo.lab.exercises.judges.judging import seed_by_seed

    seconds, told = 6.0, []
    for name, settings in _BOTH.items():
        for run in seed_by_seed(settings(), times=2, seconds=seconds):
            answers, timeout_s = _as_answers(run), run.meta.client_timeout_s
            number = goodput_per_s(answers, timeout_s, seconds)
            case = _case(f"the {len(answers):,} of a simulated run", timeout_s, seconds)
            _judge_number(number, [], run.summary["goodput_per_s"], case)
        told.append(f"{number:.0f} a second for the {name} queue")
    return f"at twice the capacity, your number was {' and '.join(told)}: it tells the two apart."


def _unprotected() -> Any:
    from bpdemo.core.settings import Settings

    return Settings.unprotected()


def _bounded() -> Any:
    from bpdemo.core.settings import Settings

    return Settings.unprotected(queue_capacity=CAPACITY)


_BOTH = {"unbounded": _unprotected, "bounded": _bounded}


def _as_answers(run: LoadRun) -> list[tuple[bool, float]]:
    """A rejection comes at once; a late answer comes a little after the client timeout."""
    from bpdemo.plan.fates import LATE, OK

    return [
        (fate in (OK, LATE), float(waited_s) + (0.01 if fate == LATE else 0.0))
        for fate, waited_s in zip(run.records.fate, run.records.latency_s, strict=True)
    ]


def _case(answers: str, client_timeout_s: float, seconds: float) -> str:
    """What the function was given."""
    return (
        f"with `answers` {answers}, `client_timeout_s` {client_timeout_s:g} and `seconds` "
        f"{seconds:g}"
    )


def _judge_number(
    number: object, answers: list[tuple[bool, float]], truth: float, case: str
) -> None:
    if not isinstance(number, int | float):
        raise NotYet(
            expected="the function returns a number: orders a second.",
            seen=f"{case}, it returned {number!r}.",
            why="a dashboard can only draw numbers.",
            look="Does the function return what it has calculated, or does it only print it?",
        )
    if abs(number - truth) <= 0.001 + 0.01 * truth:
        return
    why, look = _mistaken(number, answers)
    raise NotYet(
        expected=f"{truth:g} orders a second: that is how many were served in time.",
        seen=f"{case}, your function says {number:g} a second.",
        why=why,
        look=look,
    )


def _mistaken(number: float, answers: list[tuple[bool, float]]) -> tuple[str, str]:
    """Why it matters and where to look, by what was counted in the list by hand."""
    return {
        3.0: (
            "that is the number of orders in the whole test: a test that runs for longer would "
            "make any service look better.",
            "Divide by the `seconds` that the test took.",
        ),
        1.0: (
            "rejections count here as well, so a service that rejects everybody would have the "
            "best number of all.",
            "Leave out the orders that were rejected: there, `sold` is False.",
        ),
        0.5: (
            "that counts the work done for customers who had left, and so it hides the collapse: "
            "this is throughput, not goodput.",
            "Leave out those who waited longer than `client_timeout_s`.",
        ),
        0.7: (
            "the quickest answer of all is a rejection, and yours counts it as a success.",
            "An order counts when it was sold *and* came in time.",
        ),
    }.get(
        round(number, 3) if answers else 0.0,
        (
            "somebody will tune a service by this number, so it has to hold for every timeout and "
            "every length of test.",
            "Count the orders that were sold and waited at most `client_timeout_s`, whatever that "
            "is; then divide by `seconds`.",
        ),
    )


# -- 01c ------------------------------------------------------------------------------------

EVERY_S = 0.02


def judge_next_send(next_send_s: Any) -> str:
    """By hand first; then a tester sends to a service that gets slower and slower."""
    _judge_moment(next_send_s(10.0, 10.5, EVERY_S), 10.0)
    from bpdemo.lab.exercises.judges.judging import seed_by_seed

    for run in seed_by_seed(_unprotected(), times=2, seconds=8, client_timeout_s=30):
        sent_s = _sent(next_send_s, run)
        halves = [sum(start <= at < start + 4 for at in sent_s) for start in (0, 4)]
        planned = round(4 / EVERY_S)
        if not all(abs(count - planned) <= 2 for count in halves):
            _uneven(halves, planned)
    return (
        f"the service became slower and slower, until an answer took seconds, and your load test "
        f"went on sending {1 / EVERY_S:.0f} orders a second."
    )


def _sent(next_send_s: Any, run: LoadRun) -> list[float]:
    """When the tester sends, by the waits that customers of that moment had in the run."""
    import numpy as np

    sent_s = [0.0]
    while sent_s[-1] < 8 and len(sent_s) < 2000:
        place = min(int(np.searchsorted(run.records.t_s, sent_s[-1])), len(run.records) - 1)
        answered_s = sent_s[-1] + float(run.records.latency_s[place])
        at_s = next_send_s(sent_s[-1], answered_s, EVERY_S)
        _judge_moment(at_s, sent_s[-1])
        sent_s.append(float(at_s))
    return sent_s


def _judge_moment(at_s: Any, last_s: float) -> None:
    if not isinstance(at_s, int | float) or not at_s > last_s:
        raise NotYet(
            expected="the function returns a moment, in seconds, after the last order was sent.",
            seen=f"the last order was sent at {last_s:.2f} s, and the next one is to be sent at "
            f"{at_s!r}.",
            why="time moves forward: a test that plans into the past never ends.",
            look="Return the moment itself, not a pause: it is later than `sent_s`.",
        )


def _uneven(halves: list[int], planned: int) -> None:
    first, second = halves
    if first > planned + 2:
        why = "you would measure the service under another load than the one you planned."
        look = "From one order to the next it is `every_s`, no less."
    elif second < planned / 2:
        why = (
            "the slower the service, the gentler the test. It waits just when it should go on "
            "sending, so the bad moments are hardly measured: *coordinated omission*."
        )
        look = "Which of the three arguments depends on the service? Do without it."
    else:
        why = "in an open-loop load, the rate does not depend on the service at all."
        look = "Calculate from `sent_s` alone."
    raise NotYet(
        expected=f"{planned} orders are sent in the first four seconds, and {planned} in the next "
        "four.",
        seen=f"it sent {first} in the first four seconds, and {second} in the next four.",
        why=why,
        look=look,
    )


EXERCISES: dict[str, Exercise] = {
    "01a": Exercise(
        title="A queue that can reject",
        answer="try_put",
        parameters=("waiting", "job", "capacity"),
        judge=judge_try_put,
        hints=(
            "Look at the moment before the job is appended: what do you know of `waiting` then?",
            "A bounded queue compares first and appends afterwards. It rejects a job when as many "
            "wait as there are places, and it leaves those that wait alone.",
            "A cloakroom has 3 hooks. With 2 coats there, the next one gets a hook: True, and now "
            "3 hang there. With 3 coats: False, and still 3. The test is coats >= hooks.",
        ),
    ),
    "01b": Exercise(
        title="The number to watch",
        answer="goodput_per_s",
        parameters=("answers", "client_timeout_s", "seconds"),
        judge=judge_goodput,
        hints=(
            "Each pair is `(sold, waited_s)`. Which pairs are worth something to the box office?",
            "Goodput counts what was sold *and* came in time. A quick rejection was not sold; a "
            "late ticket did not come in time.",
            "With a timeout of 2 s, within 10 s: `(True, 1.5), (True, 3.0), (False, 0.1), "
            "(True, 0.4)`. Two of the four count, which makes 0.2 a second.",
        ),
    ),
    "01c": Exercise(
        title="The polite load test",
        answer="next_send_s",
        parameters=("sent_s", "answered_s", "every_s"),
        judge=judge_next_send,
        hints=(
            "When does the faulty one send its next order if an answer takes ten seconds?",
            "Real customers do not wait for one another: when the next one comes does not depend "
            "on the service. Such a load is *open-loop*.",
            "A tour of the theatre starts every 600 s; the last one started at 1200 s. Whether it "
            "ends at 1500 s or at 9000 s, the next one starts at 1800 s.",
        ),
    ),
}
