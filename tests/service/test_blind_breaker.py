"""Settings warn exactly where a dependency that hangs on every read never opens its breaker."""

import asyncio
from contextlib import suppress
from itertools import product

import pytest

from bpdemo.core.errors import BoxOfficeError, DependencyError
from bpdemo.core.events import BreakerMoved
from tests.service.stage import Stage, now, opened
from tests.support.virtual import virtual

TIMES_S = (0.0, 0.2, 0.5, 2.0)


async def _read(stage: Stage, item_id: int) -> None:
    with suppress(BoxOfficeError, TimeoutError):
        async with asyncio.timeout(60):  # in the end anybody leaves
            await stage.office.catalogue.find_item(item_id, stage.office.deadline(now()))


@pytest.mark.parametrize(("attempt_s", "request_s"), list(product(TIMES_S, TIMES_S)))
@virtual
async def test_a_warning_is_a_breaker_that_does_not_see_a_hang(
    attempt_s: float, request_s: float
) -> None:
    """The store hangs, a hundred customers look at items: its breaker opens, or there was a
    warning; never both."""
    knobs = {"attempt_timeout_s": attempt_s, "request_timeout_s": request_s}
    async with opened(store_latency_s=3600.0, **knobs) as stage:
        await asyncio.gather(*(_read(stage, item_id) for item_id in range(1, 101)))
        opens = [event for event in stage.heard(BreakerMoved) if event.to == "open"]
        assert bool(opens) is not bool(stage.assembly.settings.warnings)


@virtual
async def test_a_knob_that_is_turned_warns_once() -> None:
    """Said at the turn that makes it so, and not again at the next."""
    async with opened(request_timeout_s=2.0, attempt_timeout_s=0.5) as stage:
        assert stage.warned == []
        stage.turn(attempt_timeout_s=2.0)
        stage.turn(workers=2)
        assert len(stage.warned) == 1
        assert "never opens its breaker" in stage.warned[0]
        stage.turn(attempt_timeout_s=0.5)
        stage.turn(request_timeout_s=0.5)
        assert len(stage.warned) == 2


@virtual
async def test_where_there_is_no_breaker_there_is_nothing_to_warn_of() -> None:
    """The naive service has no timeouts on purpose."""
    async with opened(attempt_timeout_s=0.0, breaker_enabled=False) as stage:
        assert stage.warned == []


@pytest.mark.parametrize("attempt_s", [0.0, 2.0])
@pytest.mark.parametrize("fails_after_s", [1.0, 4.0, 6.0, 30.0])
@virtual
async def test_a_warning_is_a_breaker_that_late_failures_keep_half_open(
    attempt_s: float, fails_after_s: float
) -> None:
    """A payment whose errors come later than a probe may take, and no timeout that ends it: half
    open for most of the time, where it should be open; not so with a timeout, or with errors that
    come in time, however late that is."""
    knobs = {"attempt_timeout_s": attempt_s, "request_timeout_s": 5.0, "breaker_open_s": 5.0}
    async with opened(**knobs, retry_attempts=1, breaker_min_calls=3) as stage:
        guard = stage.office._payment_guard
        breaker = guard.breaker

        async def fail() -> None:
            await asyncio.sleep(fails_after_s)
            raise DependencyError

        async def call() -> None:
            with suppress(BoxOfficeError):
                await guard.call(fail)

        calls, half_open = [], 0
        for _ in range(1200):
            calls.append(asyncio.ensure_future(call()))
            await asyncio.sleep(0.1)
            half_open += breaker.state == "half_open"
        await asyncio.gather(*calls)
        stays_half_open = half_open > 600
        assert stays_half_open is (not attempt_s and fails_after_s > 5.0)
        told = any("keeps it half-open" in each for each in stage.assembly.settings.warnings)
        assert told is (attempt_s == 0)
