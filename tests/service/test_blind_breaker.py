"""Settings warn exactly where a dependency that hangs on every read never opens its breaker."""

import asyncio
from contextlib import suppress
from itertools import product

import pytest

from bpdemo.core.errors import BoxOfficeError
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
