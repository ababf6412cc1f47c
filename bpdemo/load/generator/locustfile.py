"""The one Locust user that stands for a crowd. Run only by `python -m locust -f` this file.

Never import it where a kernel lives: Locust patches the whole process.

As a child of ours it is handed the plan as JSON (`handed_plan`). On stdin: `go` starts (or `go` and
a wall-clock time), `stop` ends early, and end of file means the owner is dead: exit at once. On
stdout, JSON lines: `ready`, then twice a second a `chunk` (finished orders and samples of the
server), then `end`; `failed` if it broke down. Times in a chunk are whole ticks of 0.1 ms, counted
from the start.

As a Locust worker (`--worker`) it gets plan, `go` and `stop` from the master of its load, and
tells that what it would tell its owner.
"""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Any

import gevent
from gevent.event import Event
from locust import FastHttpUser, events, task
from locust.runners import WorkerRunner

from bpdemo.load.destination import USER_AGENT
from bpdemo.load.generator.childline import ToOwner
from bpdemo.load.generator.crowd import CROWD_MAX, LocustCrowd
from bpdemo.load.generator.gevent_line import open_line
from bpdemo.load.generator.pinned import pin_from_environment
from bpdemo.load.generator.worker_line import WorkerLine
from bpdemo.load.handed_plan import taken
from bpdemo.plan.plan import Plan


class BoxOfficeCrowd(FastHttpUser):
    """One Locust user that stands for the whole crowd."""

    concurrency = CROWD_MAX
    default_headers = {"User-Agent": USER_AGENT}  # noqa: RUF012 - an instance's, says Locust

    @task
    def run_plan(self) -> None:
        # What Locust has loaded stays: a collection that walks it holds up the orders.
        gc.collect()
        gc.freeze()
        far: WorkerLine | None = getattr(self.environment, "bpdemo_line", None)
        line: ToOwner = far or open_line()
        plan = (far and far.plan) or taken()
        try:
            self.crowd(plan, line).run()
        except Exception as error:
            # Locust would log it and run the plan once more.
            line.say({"kind": "failed", "why": f"{type(error).__name__}: {error}"})
        if not far:
            # The runner ends its users; from a user's own greenlet it would wait for itself.
            gevent.spawn(self.environment.runner.quit)
        Event().wait()  # to be ended, by the runner or by the master

    def crowd(self, plan: Plan, line: ToOwner) -> LocustCrowd:
        path = os.environ.get("BPDEMO_LOAD_USER")
        if not path:
            return LocustCrowd(self, plan, line)
        from bpdemo.load.generator.user_crowd import UserCrowd
        from bpdemo.load.generator.user_file import users_in

        os.chdir(os.environ["BPDEMO_LOAD_FOLDER"])  # files that it reads lie where it was started
        return UserCrowd(self, plan, line, users_in(Path(path)))


@events.init.add_listener  # type: ignore[untyped-decorator]
def join(environment: Any, runner: Any, **_: Any) -> None:
    """The destination is where its owner found it. A worker tells the master that it is there; not
    before, since then it could not hear."""
    pin_from_environment()
    if isinstance(runner, WorkerRunner):
        environment.bpdemo_line = WorkerLine(runner, BoxOfficeCrowd.__name__)
        environment.bpdemo_line.join()
