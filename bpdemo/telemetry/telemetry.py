"""All telemetry of one service, put together."""

import asyncio
from collections.abc import Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from bpdemo.core.settings import Settings
from bpdemo.telemetry.fanout import Fanout
from bpdemo.telemetry.identity import identified
from bpdemo.telemetry.lag import LoopLagMeter
from bpdemo.telemetry.logs import TextTarget, make_logger
from bpdemo.telemetry.metrics import Metrics
from bpdemo.telemetry.order_log import OrderLog
from bpdemo.telemetry.standard_error import standard_error
from bpdemo.telemetry.tracer import make_tracer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

FLUSH_S = 1.0


class Telemetry:
    """Metrics, logs and traces; `observer` feeds the first two."""

    def __init__(
        self, settings: Settings, clock: Callable[[], float], stream: TextTarget | None = None
    ) -> None:
        log = make_logger(settings.log_format, settings.log_level, stream or standard_error())
        self.log = identified(log, settings.log_format)
        self.tracer = make_tracer(settings.traces, clock, stream=stream, log=self.log)
        self.metrics = Metrics(self.tracer.recorded_trace_id if self.tracer.is_on else None)
        self.metrics.describe_process()
        self._orders = OrderLog(self.log, self.tracer.ids)
        self.observer = Fanout(self.metrics, self._orders, log=self.log)
        self._lag = LoopLagMeter(self.observer)
        self._clock = clock

    @asynccontextmanager
    async def running(self) -> "AsyncIterator[None]":
        """Measure the loop's lag and write what is summarised, until the end of the block."""
        chores = [asyncio.create_task(self._lag.run()), asyncio.create_task(self._flush())]
        try:
            yield
        finally:
            for chore in chores:
                chore.cancel()
                with suppress(asyncio.CancelledError):
                    await chore
            self._orders.flush(self._clock())
            await asyncio.to_thread(self.tracer.shutdown)

    async def _flush(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_S)
            self._orders.flush(self._clock())
