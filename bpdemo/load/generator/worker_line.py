"""A worker's line to the master of its load, over Locust's messages, and to its owner by a pipe.

Runs in Locust's process only.
"""

from __future__ import annotations

import os
import socket
import time
from typing import Any, Final

import gevent
from locust.rpc.protocol import Message
from locust.runners import WorkerRunner

from bpdemo import __version__
from bpdemo.load.addresses import Address, is_reachable
from bpdemo.load.destination import OWN_SERVICE, destination_of
from bpdemo.load.generator.childline import Stoppable
from bpdemo.load.generator.gevent_line import open_line
from bpdemo.load.generator.members import TOPIC
from bpdemo.load.generator.pinned import pin
from bpdemo.plan.plan import Plan

MASTER_SILENT_S: Final = 10.0


class WorkerLine(Stoppable):
    """What a crowd needs of its line, where the owner of the load is on another machine."""

    def __init__(self, runner: WorkerRunner, user_class: str) -> None:
        self.plan: Plan | None = None
        self._runner = runner
        self._user_class = user_class
        self._owner = open_line(runner.quit)
        self._go_at_s: float | None = None
        self._master_heard_s = time.monotonic()
        runner.register_message(TOPIC, self._hear)
        events: Any = runner.environment.events  # its listeners carry no types
        events.heartbeat_received.add_listener(self._note_heartbeat)
        gevent.spawn(self._watch_master)

    def join(self) -> None:
        self._owner.say({"kind": "joined"})
        self._send({"kind": "hello", "host": socket.gethostname(), "version": __version__})

    # -- for the crowd ------------------------------------------------------------------

    def wait_for_go(self) -> float:
        """The moment to start at: the master's, on this machine's clock."""
        while self._go_at_s is None:
            gevent.sleep(0.005)
        return self._go_at_s

    def say(self, message: dict[str, Any]) -> None:
        """To the master; and to the owner, what is of interest here."""
        self._send(message)
        told = ("kind", "t", "planned", "unsent", "why")
        self._owner.say({name: fact for name, fact in message.items() if name in told})

    # -- the master ---------------------------------------------------------------------

    def _send(self, message: dict[str, Any]) -> None:
        self._runner.send_message(TOPIC, message)

    def _hear(self, msg: Message, **_: Any) -> None:
        kind, message = msg.data["kind"], msg.data
        if kind == "tick":
            self._send({"kind": "tock", "asked_s": message["asked_s"], "mine_s": time.monotonic()})
        elif kind == "plan":
            gevent.spawn(self._begin, Plan.from_json(message["plan"]), message["url"])
        elif kind == "go":
            self._go_at_s = message["at_s"]
        elif kind == "stop":
            self._note_stop()
        elif kind == "refused":
            self._leave("refused", message["why"])

    def _begin(self, plan: Plan, url: str) -> None:
        """Start the one Locust user that is the crowd, if there is somebody to send to.

        A master may name any address: what this machine may send to is decided here.
        """
        try:
            to = destination_of(url, os.environ.get(OWN_SERVICE) == "1")
        except ValueError as error:
            self.say({"kind": "failed", "why": f"that worker will not send: {error}"})
            return
        pin(to)
        if not is_reachable("url", Address(to.host, to.port)):
            self.say({"kind": "failed", "why": f"cannot reach the service at {url} from there"})
            return
        self.plan = plan
        index, count = plan.part
        self._owner.say(
            {"kind": "plan", "url": url, "seconds": plan.seconds, "index": index, "count": count}
        )
        self._runner.environment.host = url
        self._runner.start_worker({self._user_class: 1})

    def _note_heartbeat(self, **_: Any) -> None:
        self._master_heard_s = time.monotonic()

    def _watch_master(self) -> None:
        # Locust itself would go on for a minute, and a load that nobody counts is only a burden.
        while time.monotonic() - self._master_heard_s < MASTER_SILENT_S:
            gevent.sleep(0.5)
        self._leave("abandoned", f"the master has said nothing for {MASTER_SILENT_S:g} s")

    def _leave(self, kind: str, why: str) -> None:
        self._owner.say({"kind": kind, "why": why})
        # From a greenlet that is not the runner's: it would wait for itself.
        gevent.spawn(self._runner.quit)
