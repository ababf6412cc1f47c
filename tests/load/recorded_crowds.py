"""A program: lets the load generator's crowd carry out plans, and prints what each would send.

Run in a process of its own, which Locust patches. Plans come as JSON lines on standard input; of
each, a JSON line tells every attempt as [due_s, method, path, body, headers]. Nothing is sent.
"""

# Before all others, which it patches.
import locust  # noqa: F401  # isort: skip

import json
import sys
from types import SimpleNamespace
from typing import Any

import gevent

from bpdemo.load.generator.crowd import LocustCrowd
from bpdemo.plan.plan import Plan
from bpdemo.plan.request import Sent

ANSWER_S = 0.004


class Recording(LocustCrowd):
    """A crowd whose requests arrive nowhere, and are answered with 201 all the same."""

    def __init__(self, plan: Plan) -> None:
        self.sent: list[list[Any]] = []
        inner = SimpleNamespace(valid_response_codes=None, redirect_response_codes=None)
        client = SimpleNamespace(client=inner, get=self.record_look)
        line = SimpleNamespace(
            is_stopped=False,
            pace=1.0,
            wait_for_go=lambda: 0.0,
            say=lambda _: None,
            stopped_after_s=lambda _: float("inf"),
        )
        user: Any = SimpleNamespace(client=client, host="http://127.0.0.1:9")
        super().__init__(user, plan, line)

    def now_s(self) -> float:
        return gevent.get_hub().loop.now() - self.began_s

    def run(self) -> None:
        gevent.get_hub().loop.update_now()
        self.began_s = gevent.get_hub().loop.now()
        super().run()

    def send(self, sent: Sent, due_s: float) -> tuple[int, str, float | None]:
        body = sent.body.decode() if isinstance(sent.body, bytes) else sent.body
        self.sent.append([due_s, self.method, sent.path, body, sent.headers])
        gevent.sleep(ANSWER_S)
        return 201, "", None

    def look(self, due_s: float, item: int) -> None:
        self.due_s = due_s
        super().look(due_s, item)

    def record_look(self, path: str, name: str) -> SimpleNamespace:
        self.sent.append([self.due_s, "GET", path, "", {}])
        return SimpleNamespace(headers={}, status_code=200)


crowds = [Recording(Plan.from_json(line)) for line in sys.stdin]
gevent.joinall([gevent.spawn(crowd.run) for crowd in crowds], raise_error=True)
for crowd in crowds:
    print(json.dumps(crowd.sent))
