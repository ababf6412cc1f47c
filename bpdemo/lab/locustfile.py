"""The one Locust user that stands for a crowd. Run only by `python -m locust -f` this file.

Never import it where a kernel lives: Locust patches the whole process.

As a child of ours the plan comes as JSON in BPDEMO_LOAD_PLAN. On stdin: `go` starts (or `go` and
a wall-clock time), `stop` ends early, and end of file means the owner is dead: exit at once. On
stdout, JSON lines: `ready`, then twice a second a `chunk` (finished orders and samples of the
server), then `end`; `failed` if it broke down. Times in a chunk are whole ticks of 0.1 ms, counted
from the start.
"""

from __future__ import annotations

import gc
import os

import gevent
from locust import FastHttpUser, task

from bpdemo.lab.crowd import CROWD_MAX, Crowd
from bpdemo.lab.gevent_line import open_line
from bpdemo.lab.plan import Plan


class BoxOfficeCrowd(FastHttpUser):
    """One Locust user that stands for the whole crowd."""

    concurrency = CROWD_MAX

    @task
    def run_plan(self) -> None:
        # What Locust has loaded stays: a collection that walks it holds up the orders.
        gc.collect()
        gc.freeze()
        line = open_line()
        try:
            Crowd(self, Plan.from_json(os.environ["BPDEMO_LOAD_PLAN"]), line).run()
        except Exception as error:
            # Locust would log it and run the plan once more.
            line.say({"kind": "failed", "why": f"{type(error).__name__}: {error}"})
        # The runner ends its users; from a user's own greenlet it would wait for itself.
        gevent.spawn(self.environment.runner.quit)
        gevent.sleep(60)
