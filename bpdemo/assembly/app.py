"""The composition root: the whole service behind HTTP, built in one place."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI

from bpdemo.api.admission import DoorPolicy
from bpdemo.api.application import make_application
from bpdemo.assembly.office import Assembly, chance
from bpdemo.assembly.storage import storage_for
from bpdemo.core.settings import Settings
from bpdemo.telemetry.logs import TextTarget
from bpdemo.telemetry.telemetry import Telemetry


def create_app(
    settings: Settings | None = None, *, log_stream: TextTarget | None = None
) -> FastAPI:
    """The service; it opens with the application's lifespan, and drains and stops with it.

    Logs go to `log_stream`, or to standard error. `app.state.assembly` leads to the parts,
    `app.state.telemetry` to what they tell; `app.state.startup_error` is why it did not start.
    """
    settings = settings or Settings()
    clock = time.monotonic  # what asyncio's loops go by
    telemetry = Telemetry(settings, clock, log_stream)
    assembly = Assembly(
        settings,
        clock=clock,
        observer=telemetry.observer,
        tracer=telemetry.tracer,
        warn=lambda warning: telemetry.log.warning("settings_doubtful", warning=warning),
        make_storage=storage_for,
    )
    telemetry.metrics.watch(assembly.office.snapshot)
    app = make_application(
        assembly.office,
        assembly,
        door_policy(settings),
        render_metrics=telemetry.metrics.render,
        observer=telemetry.observer,
        tracer=telemetry.tracer,
        log=telemetry.log,
        clock=clock,
        rng=chance(None)("request ids"),
        lifespan=_life_of(assembly, telemetry),
    )
    app.state.assembly = assembly
    app.state.telemetry = telemetry
    app.state.startup_error = None
    return app


def door_policy(s: Settings) -> DoorPolicy:
    """The slice of what stands before the application."""
    return DoorPolicy(read_timeout_s=s.read_timeout_s, max_body_bytes=s.max_body_bytes)


def _life_of(
    assembly: Assembly, telemetry: Telemetry
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def live(app: FastAPI) -> AsyncIterator[None]:
        try:
            await assembly.office.start()
        except Exception as error:
            app.state.startup_error = error  # all that the server tells is that it failed
            raise
        async with telemetry.running():
            try:
                yield
            finally:
                # Where the server has drained already, this does nothing.
                await assembly.office.drain(assembly.settings.drain_timeout_s)
                if owed := await assembly.office.stop():
                    telemetry.log.error("refunds_owed_at_exit", count=owed)

    return live
