"""`start_workers`: durable workers beside a service, as processes of their own, to be killed."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from queue import Empty, Queue
from typing import TYPE_CHECKING, Any, Final, Protocol

from bpdemo.core.slips import forgiving
from bpdemo.lab.services.host import START_S, ServiceFailed, as_environment
from bpdemo.load.child import Child

if TYPE_CHECKING:
    import pandas as pd

    from bpdemo.core.settings import Settings

#: A line for each order and some more: none of a lesson's is lost.
LOG_LINES: Final = 10_000

#: Those of this kernel by their service's name and their own.
_workers: dict[tuple[str, str], WorkerProcess] = {}


class Promising(Protocol):
    """A service whose orders outlive it, if it has a `database_url`."""

    name: str
    settings: Settings

    @property
    def database_url(self) -> str | None: ...


class WorkerProcess:
    """`bpdemo worker` as a child; nobody at all if `environment` is None, for want of a database.

    It has no other end than `kill`: what it has in hand is never its own alone.
    """

    def __init__(self, name: str, environment: dict[str, str] | None) -> None:
        self.name = name
        self.database_url = environment and environment["BPDEMO_DATABASE_URL"]
        self._said: Queue[str | None] = Queue()
        self._child = environment and Child(
            [sys.executable, "-m", "bpdemo", "worker", "--name", name, "--until-stdin-closes"],
            env=environment,
            on_line=self._said.put,
            on_exit=lambda _: self._said.put(None),
            stderr_lines=LOG_LINES,
        )

    @property
    def is_alive(self) -> bool:
        return bool(self._child and self._child.is_alive)

    def await_ready(self) -> None:
        """Raises `ServiceFailed` if it does not start."""
        if not self._child:
            return
        try:
            if self._said.get(timeout=START_S):
                return
            why = [*self._child.stderr_tail.splitlines(), "it ended before it was ready"][0]
        except Empty:
            why = f"it was not ready within {START_S:.0f} s"
        self.kill()
        raise ServiceFailed(f"{self.name}: {why}")

    def kill(self) -> float:
        """End it hard, as a power cut would, and give the moment. Safe to call twice."""
        moment_s = time.time()
        if self._child:
            self._child.kill()
        return moment_s

    def done(self) -> pd.DataFrame:
        """What it brought to an end, by its own log: a row each, `at_s` (of the clock), `outcome`
        and `order_id`."""
        import pandas as pd

        from bpdemo.results.table import Table

        told = self._child.stderr_tail.splitlines() if self._child else []
        lines = [json.loads(line) for line in told if '"durable_order"' in line]
        rows = [
            {
                "at_s": pd.Timestamp(line["timestamp"]).timestamp(),
                "outcome": line["outcome"],
                "order_id": line["order_id"],
            }
            for line in lines
            if line["outcome"] != "given_back"
        ]
        return Table(rows, columns=["at_s", "outcome", "order_id"])


@forgiving
def start_workers(service: Promising, *names: str, **knobs: Any) -> list[WorkerProcess]:
    """A durable worker of each name, on the service's database and with its settings but `knobs`.

    Waits until all are ready. Running a cell again replaces what it started: anyone who had such a
    name there before is killed first, and anyone who worked for the service that this one replaced.
    Where there is no database, they are nobody. Raises `SettingsInvalid`, `ServiceFailed`.
    """
    environment = None
    if url := service.database_url:
        own: dict[str, Any] = {"store": "postgres", "database_url": url, "log_format": "json"}
        settings = type(service.settings)(**{**service.settings.model_dump(), **own, **knobs})
        environment = as_environment(settings)
    for (employer, name), earlier in list(_workers.items()):
        if employer == service.name and (name in names or earlier.database_url != url):
            _workers.pop((employer, name)).kill()
    crew = [WorkerProcess(name, environment) for name in names]
    _workers.update({(service.name, worker.name): worker for worker in crew})
    for worker in crew:
        worker.await_ready()
    return crew


@forgiving
def kept_by(crew: Sequence[WorkerProcess]) -> dict[str, pd.DataFrame]:
    """What each of them brought to an end, each order with anyone who was first.

    A second one may find an order ended: by a worker that died before it could tell the queue.
    """
    import pandas as pd

    told = {worker.name: worker.done() for worker in crew}
    every = pd.concat(told, names=["worker"]).sort_values("at_s", kind="stable")
    first = every.drop_duplicates("order_id")
    return {name: first[first.index.get_level_values("worker") == name] for name in told}


def stop_workers() -> None:
    """Kill every durable worker of this kernel."""
    while _workers:
        _workers.popitem()[1].kill()
