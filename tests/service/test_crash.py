"""Work that raises what it should not: its own callers get a 500, and everybody else is served."""

import asyncio
import gc
from typing import Any

import pytest

from bpdemo.core.events import JobEnded, JobStarted
from bpdemo.service.order_job import OrderJob, Sale
from tests.service.stage import Stage, opened, settle
from tests.support.virtual import virtual


class Own(BaseException):
    """Neither an Exception nor one of Python's own."""


def breaks(stage: Stage, error: BaseException) -> None:
    """From now on the work raises."""

    async def sell(job: OrderJob) -> Sale:
        await asyncio.sleep(0.5)
        raise error

    stage.office.intake._work.sell = sell  # type: ignore[method-assign]


@pytest.mark.parametrize(
    "error",
    [
        ZeroDivisionError("a bug"),
        KeyError("another"),
        StopIteration(),
        TimeoutError(),
        asyncio.CancelledError(),
        KeyboardInterrupt(),
        SystemExit(1),
        GeneratorExit(),
        Own(),
    ],
    ids=lambda error: type(error).__name__,
)
@virtual
async def test_whatever_the_work_raises_is_a_500_and_the_worker_survives(
    error: BaseException,
) -> None:
    """A failure in the books; the next order is sold by the same worker, and the loop lives on."""
    async with opened() as stage:
        sell = stage.office.intake._work.sell
        breaks(stage, error)
        unlucky = stage.comes()
        await stage.everybody_answered()
        assert unlucky.fate == "internal_error"
        assert isinstance(unlucky.error, Exception)
        assert stage.column() == {"received": 1, "admitted": 1, "failure": 1}
        stage.office.intake._work.sell = sell  # type: ignore[method-assign]
        lucky = stage.comes()
        await stage.everybody_answered()
        assert lucky.fate == 201


@virtual
async def test_all_callers_of_a_crashed_job_are_told() -> None:
    """Duplicates share its fate; one that expired before it stays expired."""
    async with opened() as stage:
        breaks(stage, ZeroDivisionError())
        hasty = stage.comes(key="k", client_timeout_s=0.2)
        others = await stage.come(2, key="k")
        await stage.everybody_answered()
        assert hasty.fate == "deadline_exceeded"
        assert [c.fate for c in others] == ["internal_error"] * 2
        await settle()
        assert stage.column() == {"received": 3, "admitted": 3, "failure": 2, "expired": 1}


@virtual
async def test_a_crashed_job_ends_for_those_who_measure_too() -> None:
    """Each start has an end, so that gauges and histograms agree."""
    async with opened() as stage:
        breaks(stage, ZeroDivisionError())
        await stage.come(3)
        await stage.everybody_answered()
        assert len(stage.heard(JobStarted)) == 3
        assert stage.heard(JobEnded) == [JobEnded(pytest.approx(0.5))] * 3  # type: ignore[arg-type]


@virtual
async def test_money_taken_before_a_crash_is_given_back() -> None:
    """A bug in the store after the charge: a void tells, and the refund follows."""
    async with opened() as stage:
        store = stage.assembly.bare_store
        place = store.place
        store.place = _broken  # type: ignore[method-assign]
        unlucky = stage.comes()
        await stage.everybody_answered()
        store.place = place  # type: ignore[method-assign]
        assert unlucky.fate == "internal_error"
        assert (stage.charged, stage.refunded) == (1, 1)


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), Own()])
@virtual
async def test_a_debt_outlives_whatever_the_provider_raises(error: BaseException) -> None:
    """A refund that would end the process is tried again until it is made."""
    async with opened(payment_failure_rate=1.0, retry_attempts=1) as stage:
        provider = stage.assembly.provider
        refund, tries = provider.refund, 0

        async def reluctant(key: str) -> None:
            nonlocal tries
            tries += 1
            if tries < 4:
                raise error
            await refund(key)

        provider.refund = reluctant  # type: ignore[method-assign]
        await stage.come(4)
        await stage.everybody_answered()
        stage.assembly.turn({"payment_failure_rate": 0.0})
        await asyncio.sleep(60)
        assert tries >= 4
        assert stage.charged == stage.refunded


async def _broken(order: object) -> Any:
    raise ZeroDivisionError


@virtual
async def test_a_crash_that_nobody_listens_to_makes_no_noise() -> None:
    """The caller has left: asyncio has nothing to complain of an exception nobody looked at."""
    async with opened() as stage:
        noise: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: noise.append(context))
        breaks(stage, ZeroDivisionError())
        (leaver,) = await stage.come(1)
        leaver.hang_up()
        await asyncio.sleep(1.0)
        stage.customers.remove(leaver)
        del leaver
        gc.collect()
        await settle()
        assert not noise


@virtual
async def test_a_job_that_was_over_before_it_crashed_is_not_ended_again() -> None:
    """Abandoned between queue and worker, and then cut off by a stop: the drain still waits for
    the other job in flight."""
    async with opened(queue_capacity=2) as stage:
        intake = stage.office.intake
        _, leaver = await stage.come(2)
        assert leaver.caller is not None
        job = leaver.caller.job
        assert job is not None
        leaver.hang_up()
        intake.crash(job, asyncio.CancelledError())
        assert not intake.quiet.is_set()
        await stage.everybody_answered()
        await settle()
        assert intake.quiet.is_set()
        assert stage.column() == {"received": 2, "admitted": 2, "success": 1, "abandoned": 1}
