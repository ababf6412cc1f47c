"""The claims of lesson 04 rest on deadline, bound, budget and jitter: break one, and they fail."""

import random

import pytest

from bpdemo.core.errors import QueueFull
from bpdemo.flow.deadline import Deadline
from bpdemo.flow.queue import BoundedQueue
from bpdemo.plan import retries
from bpdemo.plan.retries import ClientRetryBudget
from bpdemo.service.intake import Intake
from bpdemo.service.order_job import OrderJob
from bpdemo.sim import crowd as sim_crowd
from tests.support.claims import BOTH_WAYS, play, refute

LESSON = "04_timeouts_retries_jitter"


@pytest.fixture
def never_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """A queue that always has one more place."""
    monkeypatch.setattr(BoundedQueue, "has_place", property(lambda self: True))


@pytest.fixture
def always_granted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A budget that pays for every retry."""
    monkeypatch.setattr(ClientRetryBudget, "try_spend", lambda self: True)


@BOTH_WAYS
def test_the_work_is_for_nobody_since_the_service_is_not_told(
    monkeypatch: pytest.MonkeyPatch, where: str
):
    """A service that knew when its callers leave would not begin what is too old, and would
    sell."""
    run = Intake.run

    async def run_what_is_young(self: Intake, job: OrderJob, waited_s: float) -> None:
        if waited_s < 0.4:
            await run(self, job, waited_s)

    monkeypatch.setattr(Intake, "run", run_what_is_young)
    assert "hardly any of it is in time" in refute(LESSON, "timeouts", where)


def test_either_is_enough_until_the_payment_slows_down():
    """As the lesson stands, four arms at two speeds."""
    play(LESSON, "deadline")


@pytest.mark.usefixtures("never_full")
def test_a_bound_that_does_not_bind_sells_nothing_alone():
    """At the usual speed it is the bound that sells in the arm that has no deadline."""
    assert "the bound alone is enough as usual" in refute(LESSON, "deadline")


def test_a_deadline_that_admission_control_ignores_is_no_help(monkeypatch: pytest.MonkeyPatch):
    """Workers that skip what is overdue do not make up for it: what they begin ends late."""
    monkeypatch.setattr(Intake, "_check_time", lambda self, deadline, priority: None)
    assert "the deadline alone is enough as usual" in refute(LESSON, "deadline")


def test_a_count_that_knew_the_speed_of_the_payment_would_not_be_wrong(
    monkeypatch: pytest.MonkeyPatch,
):
    """With places for a tenth of a second of work at any speed, the bound sells when it is slow."""
    look = Intake._look

    def look_at_time(self: Intake, deadline: Deadline, priority: int) -> None:
        look(self, deadline, priority)
        if self._estimate.estimated_wait_s(priority) > 0.1 and self._queue.capacity > 0:
            raise QueueFull

    monkeypatch.setattr(Intake, "_look", look_at_time)
    assert "twice as slow, the bound alone is not enough" in refute(LESSON, "deadline")


def test_bound_and_budget_end_the_storm():
    """As the lesson stands."""
    play(LESSON, "retries")


@pytest.mark.usefixtures("never_full")
def test_a_queue_that_is_never_full_keeps_the_backlog():
    """With the budget alone it does not sell again in time."""
    assert "with bound and budget it serves again" in refute(LESSON, "retries")


@pytest.mark.usefixtures("always_granted")
def test_a_budget_that_always_grants_lets_the_storm_begin():
    """With the bound alone the door is run over."""
    assert "the budget keeps the attempts few" in refute(LESSON, "retries")


def test_the_polite_crowd_is_too_many():
    """As the lesson stands."""
    play(LESSON, "jitter")


def test_it_is_the_number_of_retries(monkeypatch: pytest.MonkeyPatch):
    """Callers who have no more than a tenth of retries are served, budget asked for or not."""
    init = ClientRetryBudget.__init__
    monkeypatch.setattr(ClientRetryBudget, "__init__", lambda self, ratio: init(self, 0.1))
    assert "backoff and jitter alone do not end it" in refute(LESSON, "jitter")


def test_jitter_takes_the_crowd_apart():
    """As the lesson stands."""
    play(LESSON, "peak")


def test_a_jitter_that_draws_nothing_leaves_the_crowd_in_step(monkeypatch: pytest.MonkeyPatch):
    """Backoff whose random wait is always the whole wait has the peaks of backoff without."""

    def unspread(
        backoff: str, jitter: str, retry: int, told_s: float | None, rng: random.Random
    ) -> float:
        return retries.retry_delay_s(backoff, "none", retry, told_s, rng)

    monkeypatch.setattr(sim_crowd, "retry_delay_s", unspread)
    assert "jitter takes the peaks away" in refute(LESSON, "peak")


def test_bound_and_budget_each_do_their_part():
    """As the lesson stands."""
    play(LESSON, "both")


@pytest.mark.usefixtures("never_full")
def test_the_bound_is_what_leaves_no_backlog():
    """Both settings, and a queue that is never full: it does not sell at once."""
    assert "with both it serves again at once" in refute(LESSON, "both")


@pytest.mark.usefixtures("always_granted")
def test_the_budget_is_what_keeps_them_from_the_door():
    """Both settings, and a budget that always grants: as many attempts as with the bound alone."""
    assert "the budget keeps attempts away" in refute(LESSON, "both")


@pytest.mark.slow
def test_to_obey_is_another_queue():
    """As the lesson stands."""
    play(LESSON, "retry-after")


@pytest.mark.slow
def test_a_time_to_come_back_that_is_none_changes_nothing(monkeypatch: pytest.MonkeyPatch):
    """Callers who are told to come back at once are those who ignore it."""

    def at_once(*asked: object) -> float:
        return 0.0

    monkeypatch.setattr(sim_crowd, "retry_delay_s", at_once)
    assert "obeying it lowers the peak" in refute(LESSON, "retry-after")
