"""What `bpdemo doctor` looks at: plain functions, each with one finding.

What can be foreseen is a finding of its own; `looked_at` makes one of everything else.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import platform
import shutil
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import psutil

from bpdemo.lab.home import home

Grade = Literal["ok", "warn", "FAIL"]

PACKAGES: Final = (
    *("fastapi", "fastapi_offline", "uvicorn", "httptools", "asyncpg", "cachetools", "tenacity"),
    *("pydantic_settings", "prometheus_client", "structlog", "opentelemetry.sdk", "jupyterlab"),
    *("ipykernel", "ipywidgets", "anywidget", "plotly", "kaleido", "pandas", "numpy", "nbclient"),
    *("nbformat", "typer", "rich", "httpx", "psutil", "platformdirs"),
)
"""All but Locust and PostgreSQL: Locust must not be imported here, and both have lines of
their own."""

PROXY_VARIABLES: Final = ("http_proxy", "https_proxy", "all_proxy")
OPEN_FILES: Final = 10_000
"""Eight thousand customers may be connected at once; the rest is for everything else."""

TICK_MAX_S: Final = 0.005
LAG_MAX_S: Final = 0.020
LOCUST_WITHIN_S: Final = 15.0
POSTGRES_WITHIN_S: Final = 10.0
DISK_WARN_BYTES: Final = 1_000_000_000
DISK_FAIL_BYTES: Final = 200_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor: how it stands, what was seen, and how to mend it."""

    name: str
    grade: Grade
    seen: str
    mend: str = ""


Check = Callable[[], Finding]


def looked_at(check: Check) -> Finding:
    """The finding of a check; an error that nobody foresaw is a warning, not an end."""
    try:
        return check()
    except Exception as error:
        name = check.__name__.replace("_", " ")
        return Finding(name, "warn", f"could not be looked at: {_told(error)}", "please report it")


# -- Python and its packages -----------------------------------------------------------------


def python() -> Finding:
    bits = 64 if sys.maxsize > 2**32 else 32
    seen = f"{platform.python_version()}, {bits} bits, {platform.system()} {platform.machine()}"
    if sys.version_info < (3, 11) or bits == 32:
        return Finding("Python", "FAIL", seen, "install Python 3.11 or newer, the 64-bit build")
    return Finding("Python", "ok", seen)


def packages() -> Finding:
    broken = [f"{name} ({_told(error)})" for name, error in _imported(PACKAGES) if error]
    if broken:
        mend = "make install, or: python lab.py --setup-only"
        return Finding("packages", "FAIL", f"cannot be imported: {'; '.join(broken)}", mend)
    return Finding("packages", "ok", f"all {len(PACKAGES)} can be imported")


def _imported(names: Iterable[str]) -> Iterable[tuple[str, Exception | None]]:
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:  # a damaged package fails in any way there is
            yield name, error
        else:
            yield name, None


# -- the folders -----------------------------------------------------------------------------


def write_access() -> Finding:
    refused = [f"{folder} ({why})" for folder in _folders() if (why := _cannot_write(folder))]
    if refused:
        mend = "work in a folder of your own, and set BPDEMO_HOME to one you may write to"
        return Finding("write access", "FAIL", f"none to {'; '.join(refused)}", mend)
    return Finding("write access", "ok", " and ".join(map(str, _folders())))


def _folders() -> tuple[Path, Path]:
    return Path.cwd(), home()


def _cannot_write(folder: Path) -> str:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"written")
    except OSError as error:
        return error.strerror or str(error)
    return ""


def disk_space() -> Finding:
    free = min(shutil.disk_usage(place).free for place in (Path.cwd(), tempfile.gettempdir()))
    seen = f"{free / 1e9:,.1f} GB free"
    mend = "make room: PostgreSQL and the reports need some hundred MB"
    if free < DISK_FAIL_BYTES:
        return Finding("disk space", "FAIL", seen, mend)
    if free < DISK_WARN_BYTES:
        return Finding("disk space", "warn", seen, mend)
    return Finding("disk space", "ok", seen)


# -- the network of this machine -------------------------------------------------------------


def proxy_variables() -> Finding:
    known = {name.lower(): value for name, value in os.environ.items()}
    found = [name for name in PROXY_VARIABLES if known.get(name)]
    if not found:
        return Finding("proxy variables", "ok", "none")
    spared = {part.strip() for part in known.get("no_proxy", "").split(",")}
    seen = f"{', '.join(found)} set; bpdemo ignores them on this machine"
    if spared & {"*", "127.0.0.1", "127.0.0.0/8"}:
        return Finding("proxy variables", "ok", f"{seen}, and no_proxy spares 127.0.0.1")
    mend = "set no_proxy=127.0.0.1,localhost, or the browser may ask the proxy for JupyterLab"
    return Finding("proxy variables", "warn", seen, mend)


def loopback() -> Finding:
    mend = "allow Python to listen on and connect to 127.0.0.1 in your firewall or security tool"
    try:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(2)
            with socket.create_connection(listener.getsockname(), timeout=2) as caller:
                answerer, _ = listener.accept()
                with answerer:
                    answerer.sendall(b"!")
                    heard = caller.recv(1)
    except OSError as error:
        return Finding("loopback", "FAIL", f"127.0.0.1 does not work: {_told(error)}", mend)
    if heard != b"!":
        return Finding("loopback", "FAIL", "something swallows what is sent on 127.0.0.1", mend)
    return Finding("loopback", "ok", "127.0.0.1 listens and answers")


def open_files() -> Finding:
    """Raises the soft limit of this process; what it starts inherits that."""
    if sys.platform == "win32":
        return Finding("open files", "ok", "no limit that matters on Windows")
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    wanted = OPEN_FILES if hard == unlimited else min(OPEN_FILES, hard)
    seen = f"{'no limit' if soft == unlimited else soft}"
    if soft != unlimited and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        seen = f"{wanted} (raised from {soft} for this run)"
        if wanted == OPEN_FILES:
            mend = f"for the lessons: ulimit -n {OPEN_FILES}, in the terminal that starts them"
            return Finding("open files", "warn", seen, mend)
    if wanted < OPEN_FILES:
        mend = f"ask for a hard limit of {OPEN_FILES}; until then stay below 5 times capacity"
        return Finding("open files", "warn", seen, mend)
    return Finding("open files", "ok", seen)


# -- the machine -----------------------------------------------------------------------------


def processors() -> Finding:
    if hasattr(os, "sched_getaffinity"):
        count = len(os.sched_getaffinity(0))
    else:
        count = os.cpu_count() or 1
    if count < 2:
        mend = "two are needed for honest figures: one for the service, one for the load"
        return Finding("processors", "warn", "1", mend)
    return Finding("processors", "ok", str(count))


def mains_power() -> Finding:
    battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
    if battery is None:
        return Finding("mains power", "ok", "no battery")
    if battery.power_plugged is False:
        mend = "plug it in: a machine that saves power measures something else every minute"
        return Finding("mains power", "warn", f"on battery, {battery.percent:.0f}%", mend)
    return Finding("mains power", "ok", "plugged in")


def timer_tick() -> Finding:
    tick_s = statistics.median(_slept_s(0.001) for _ in range(25))
    seen = f"a sleep of 1 ms takes {tick_s * 1000:.1f} ms"
    if tick_s > TICK_MAX_S:
        mend = "close what keeps the machine busy; short latencies will look longer than they are"
        return Finding("timer tick", "warn", seen, mend)
    return Finding("timer tick", "ok", seen)


def _slept_s(seconds: float) -> float:
    began_s = time.perf_counter()
    time.sleep(seconds)
    return time.perf_counter() - began_s


def event_loop_lag() -> Finding:
    lag_s = max(sorted(asyncio.run(_lags_s()))[:-1])
    seen = f"p98 of {lag_s * 1000:.1f} ms"
    if lag_s > LAG_MAX_S:
        mend = "close what keeps the machine busy: runs with a lag over 20 ms do not count"
        return Finding("event-loop lag", "warn", seen, mend)
    return Finding("event-loop lag", "ok", seen)


async def _lags_s() -> list[float]:
    loop, lags_s = asyncio.get_running_loop(), []
    for _ in range(60):
        due_s = loop.time() + 0.01
        await asyncio.sleep(0.01)
        lags_s.append(loop.time() - due_s)
    return lags_s


# -- what is started -------------------------------------------------------------------------


def locust() -> Finding:
    """Starts it as the lessons do, against a port where nobody is."""
    from bpdemo.lab.driver import Driver, LoadFailed
    from bpdemo.lab.plan import Plan

    began_s = time.perf_counter()
    mend = "make install; if a security tool ends Python's children, allow them"
    driver = Driver("http://127.0.0.1:9", Plan(20, seconds=0.3, watch=False))
    try:
        started = driver.wait(LOCUST_WITHIN_S)
    except LoadFailed as error:
        return Finding("Locust", "FAIL", str(error), mend)
    finally:
        driver.kill()
    if not started:
        return Finding("Locust", "FAIL", f"did not start within {LOCUST_WITHIN_S:.0f} s", mend)
    return Finding("Locust", "ok", f"started and ended in {_since(began_s)}")


def postgres() -> Finding:
    """Starts the embedded PostgreSQL, and stops it."""
    began_s = time.perf_counter()
    try:
        asyncio.run(_start_and_stop_postgres())
    except Exception as error:
        mend = "lesson 06 falls back to memory; or name a server of yours in BPDEMO_DATABASE_URL"
        return Finding("PostgreSQL", "warn", f"does not start: {_told(error)}", mend)
    return Finding("PostgreSQL", "ok", f"started and stopped in {_since(began_s)}")


async def _start_and_stop_postgres() -> None:
    from bpdemo.downstream.embedded import EmbeddedPostgres

    server = EmbeddedPostgres()
    try:
        async with asyncio.timeout(POSTGRES_WITHIN_S):
            await server.start()
    finally:
        await server.stop()


def chromium() -> Finding:
    from choreographer.browsers.chromium import Chromium  # what kaleido draws pictures with

    if found := Chromium.find_browser(skip_local=False):
        return Finding("Chromium", "ok", str(found))
    mend = "only `make pictures` needs it: install Chromium or Chrome, or run kaleido_get_chrome"
    return Finding("Chromium", "warn", "not found", mend)


def _since(began_s: float) -> str:
    return f"{time.perf_counter() - began_s:.1f} s"


def _told(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]


CHECKS: Final[tuple[Check, ...]] = (
    *(python, packages, write_access, disk_space, proxy_variables, loopback, open_files),
    *(processors, mains_power, timer_tick, event_loop_lag, locust, postgres, chromium),
)
