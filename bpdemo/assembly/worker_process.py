"""`bpdemo worker`: a durable worker as a process, from its first check to its exit code."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any

from bpdemo.assembly.collector import Sweeper, calm_collector
from bpdemo.assembly.ready_line import ReadyLine, readable_at_terminal
from bpdemo.assembly.worker import DurableWorker
from bpdemo.core.errors import SettingsInvalid
from bpdemo.core.settings import Settings
from bpdemo.telemetry.library_logs import take_library_logs

#: A worker whose owner is gone may finish for so long; what it has left falls to others.
ORPHAN_S = 2.0
LONGEST_NAME = 63


def run_worker(knobs: Mapping[str, Any], name: str, *, until_stdin_closes: bool = False) -> None:
    """Work until a signal, or until standard input closes: then drain, and exit 0.

    Raises `SettingsInvalid` for whatever keeps it from starting. The store is a PostgreSQL unless
    it was said to be another.
    """
    if "BPDEMO_STORE" not in os.environ:
        if not {"store", "database_url"} & {*knobs} and "BPDEMO_DATABASE_URL" not in os.environ:
            Settings(**knobs)  # of what was said, whatever is wrong is told first
            raise SettingsInvalid(
                "database_url",
                "a worker needs the address of the database that the service uses: "
                "--set database_url=postgresql://..., or BPDEMO_DATABASE_URL",
            )
        knobs = {"store": "postgres"} | dict(knobs)
    name = name or f"worker-{os.getpid()}"
    if not name.isprintable() or len(name) > LONGEST_NAME:
        raise SettingsInvalid("name", f"is not 1 to {LONGEST_NAME} printable characters")
    worker = DurableWorker(readable_at_terminal(Settings(**knobs)), name)
    take_library_logs(worker.log)
    calm_collector()
    asyncio.run(_work(worker, name, until_stdin_closes=until_stdin_closes))


async def _work(worker: DurableWorker, name: str, *, until_stdin_closes: bool) -> None:
    loop = asyncio.get_running_loop()
    Sweeper(lambda: 0).start()  # a handful of jobs is all that it ever holds

    def stop() -> None:
        loop.call_soon_threadsafe(worker.stop)

    signalled = False

    def on_signal(number: int, _: FrameType | None) -> None:
        nonlocal signalled
        if signalled:
            os._exit(128 + number)
        signalled = True
        stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    if until_stdin_closes:
        threading.Thread(target=_stop_at_end_of_stdin, args=(stop,), daemon=True).start()
    ready = ReadyLine(worker.stop)
    await worker.run(lambda: ready.say(f"ready {name}"))
    ready.require_heard()


def _stop_at_end_of_stdin(stop: Callable[[], None]) -> None:
    # Not by sys.stdin: its lock, held by this thread, would upset the interpreter's end.
    while os.read(0, 4096):
        pass
    stop()
    time.sleep(ORPHAN_S)
    os._exit(0)
