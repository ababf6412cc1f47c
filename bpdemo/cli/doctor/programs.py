"""What the doctor starts or looks for: the programs that are not Python of ours."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from bpdemo.cli.doctor.finding import BUSY, Finding
from bpdemo.core.one_line import in_one_line

LOCUST_WITHIN_S: Final = 15.0
POSTGRES_WITHIN_S: Final = 10.0


def locust() -> Finding:
    """Starts it as the lessons do, against a port where nobody is."""
    from bpdemo.load.driver import Driver, LoadFailed, LoadSilent
    from bpdemo.plan.plan import Plan

    began_s = time.perf_counter()
    mend = "make install; if a security tool ends Python's children, allow them"
    driver = Driver("http://127.0.0.1:9", Plan(20, seconds=0.3, watch=False))
    try:
        started = driver.wait(LOCUST_WITHIN_S)
    except LoadSilent as error:
        return Finding("Locust", "warn", str(error), BUSY)
    except LoadFailed as error:
        return Finding("Locust", "FAIL", str(error), mend)
    finally:
        driver.kill()
    if not started:
        return Finding("Locust", "FAIL", f"did not start within {LOCUST_WITHIN_S:.0f} s", mend)
    return Finding("Locust", "ok", f"started and ended in {_since(began_s)}")


def postgres() -> Finding:
    """Starts the embedded PostgreSQL, uses it, and stops it."""
    began_s = time.perf_counter()
    try:
        asyncio.run(_start_and_stop_postgres())
    except ModuleNotFoundError:
        raise  # it is not installed, which is no fault
    except TimeoutError:
        seen = f"did not start and answer within {POSTGRES_WITHIN_S:.0f} s"
        return Finding("PostgreSQL", "warn", seen, BUSY)
    except Exception as error:
        mend = "lesson 06 falls back to memory; or name a server of yours in BPDEMO_DATABASE_URL"
        return Finding("PostgreSQL", "warn", f"does not start: {in_one_line(error)}", mend)
    return Finding("PostgreSQL", "ok", f"started and stopped in {_since(began_s)}")


async def _start_and_stop_postgres() -> None:
    """And use it between, as the service does: a server that nobody can reach is of no use."""
    from bpdemo.assembly.storage import pool_policy
    from bpdemo.core.ports import SilentObserver
    from bpdemo.core.settings import Settings
    from bpdemo.downstream.embedded_store import EmbeddedStore

    store = EmbeddedStore(
        pool_policy(Settings(store="embedded")), initial_stock=1, observer=SilentObserver()
    )
    async with asyncio.timeout(POSTGRES_WITHIN_S):
        await store.start()
    try:
        if not await store.list_items(1, 0):
            raise RuntimeError("it has lost its tables")
    finally:
        await store.stop()


def chromium() -> Finding:
    try:
        from choreographer.browsers.chromium import Chromium  # what kaleido draws pictures with
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError("No module named 'kaleido'", name="kaleido") from error
    if found := Chromium.find_browser(skip_local=False):
        return Finding("Chromium", "ok", str(found))
    mend = "only `make pictures` needs it: install Chromium or Chrome, or run kaleido_get_chrome"
    return Finding("Chromium", "warn", "not found", mend)


def _since(began_s: float) -> str:
    return f"{time.perf_counter() - began_s:.1f} s"
