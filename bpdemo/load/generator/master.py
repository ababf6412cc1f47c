"""The master of a load that several machines drive. Run only as a child, by `python -m`.

Never import it where a kernel lives: Locust patches the whole process.

    python -m bpdemo.load.generator.master HOST PORT WORKERS JOIN_WITHIN_S URL

with the plan handed over as `handed_plan` says. Its line to the owner is that of locustfile.py,
where each `chunk` and `end` says by `from` which worker it comes from. It says besides:
`listening`, `joined`, `waiting`, `clocks`, `lost`, and `refused` when the load cannot begin.

Connections, heartbeats and messages are Locust's own (MasterRunner over ZeroMQ). Its dispatcher is
not used: that gives the users of a lost worker to those who are left, and a crowd that moved in
mid-load would be another load. Here a lost worker ends it.
"""

from __future__ import annotations

# Before all others, which it patches.
import locust  # noqa: F401  # isort: skip

import os
import sys
import time
from collections.abc import Callable
from typing import Any, Final

import gevent
from gevent.queue import JoinableQueue
from locust.env import Environment
from locust.rpc.protocol import Message
from locust.runners import STATE_MISSING, MasterRunner

from bpdemo import __version__
from bpdemo.core.counted import counted
from bpdemo.load.generator.childline import OwnerPipe
from bpdemo.load.generator.clocks import Offset, apart_s, surest
from bpdemo.load.generator.gevent_line import open_line
from bpdemo.load.generator.members import TOPIC, Member
from bpdemo.load.handed_plan import taken
from bpdemo.plan.plan import Plan

LOOK_EVERY_S: Final = 0.02
READY_WITHIN_S: Final = 30.0
SILENT_S: Final = 10.0
READINGS: Final = 10


class CannotBegin(Exception):
    """Why there will be no load."""


class Master:
    """Gathers its workers, sends them off at one moment, and passes on what they tell."""

    def __init__(self, runner: MasterRunner, line: OwnerPipe, plan: Plan, workers: int) -> None:
        self.runner = runner
        self.line = line
        self.plan = plan
        self.workers = workers
        self.members: dict[str, Member] = {}
        self.is_full = False
        self.stop_told = False
        # An owner that reads slowly must not hold up the heartbeats.
        self.told: JoinableQueue = JoinableQueue()
        gevent.spawn(self.tell_on)
        runner.register_message(TOPIC, self.hear)

    # -- the load, told in order --------------------------------------------------------

    def run(self, url: str, join_within_s: float) -> None:
        self.tell("listening", port=self.runner.server.port)
        try:
            self.gather(join_within_s)
            self.hand_out(url)
            self.set_clocks()
        except CannotBegin as why:
            self.send_all("refused", why=str(why))
            self.tell("refused", why=str(why))
        else:
            self.tell("ready")
            start_s = self.line.wait_for_go()
            for member in self.members.values():
                member.heard_s = start_s  # its clock may have been read long before the last one's
                self.send(member, "go", at_s=offset_of(member).theirs(start_s))
            self.see_through(start_s + self.plan.seconds + self.plan.grace_s + SILENT_S)
            self.tell("clocks", apart_s=self.look_at_clocks())
            for member in self.members.values():
                if member.ending:
                    self.tell("end", **member.ending, **{"from": member.index})
        self.told.join()
        self.runner.quit()

    def gather(self, join_within_s: float) -> None:
        """Wait until there are as many workers as were asked for."""
        joined, patient_until_s = 0, time.monotonic() + join_within_s
        while not self.is_full:
            for gone in [m for m in self.members.values() if self.loss_of(m)]:
                del self.members[gone.node_id]
            if len(self.members) != joined:
                joined, patient_until_s = len(self.members), time.monotonic() + join_within_s
                hosts = [member.host for member in self.members.values()]
                self.tell("joined", count=joined, workers=self.workers, hosts=hosts)
            self.is_full = joined >= self.workers
            if time.monotonic() > patient_until_s:
                raise CannotBegin(
                    f"{joined} of {counted(self.workers, 'worker')} "
                    f"{'was' if self.workers == 1 else 'were'} there, and "
                    f"nobody joined for {join_within_s:g} s"
                )
            gevent.sleep(LOOK_EVERY_S)

    def hand_out(self, url: str) -> None:
        """Give each its part of the plan, and wait until all are ready."""
        for index, member in enumerate(self.members.values()):
            member.index = index
            member.heard_s = time.monotonic()  # nobody asked it while it waited for the others
            share = self.plan.share(index, self.workers)
            self.send(member, "plan", plan=share.to_json(), url=url)
        self.until(lambda: all(member.is_ready for member in self.members.values()))

    def set_clocks(self) -> None:
        for member in self.members.values():
            if not self.read_clock(member):
                raise CannotBegin(f"the worker on {member.host} does not answer")
            member.offset = surest(member.readings)

    def see_through(self, give_up_s: float) -> None:
        """Until each has ended, or is lost; from the first that is lost on, all are to end."""
        while any(not member.is_over for member in self.members.values()):
            for member in [m for m in self.members.values() if not m.is_over]:
                late = "did not come to an end" if time.monotonic() > give_up_s else ""
                if why := self.loss_of(member) or late:
                    member.lost = why
                    self.tell("lost", host=member.host, why=why, **{"from": member.index})
            is_broken = any(member.lost for member in self.members.values())
            if not self.stop_told and (self.line.is_stopped or is_broken):
                self.stop_told = True
                self.send_all("stop")
            gevent.sleep(LOOK_EVERY_S)

    # -- clocks -------------------------------------------------------------------------

    def read_clock(self, member: Member) -> bool:
        """Ask a worker a few times what its clock shows; False if there was no answer."""
        member.readings = []
        for wanted in range(1, READINGS + 1):
            self.send(member, "tick", asked_s=time.monotonic())
            give_up_s = time.monotonic() + 1.0
            while len(member.readings) < wanted and time.monotonic() < give_up_s:
                gevent.sleep(0.001)
        return bool(member.readings)

    def look_at_clocks(self) -> float:
        """How far apart the workers' times may be from ours by now, at the most."""
        apart = [0.0]
        for member in self.members.values():
            if not member.lost and self.read_clock(member):
                apart.append(apart_s(offset_of(member), surest(member.readings)))
        return max(apart)

    # -- workers ------------------------------------------------------------------------

    def loss_of(self, member: Member) -> str:
        """Why this worker is lost; empty while it is not."""
        client = self.runner.clients.get(member.node_id)
        if member.failed:
            return member.failed
        if client is None:
            return "left"
        if client.state == STATE_MISSING:
            return "fell silent"
        if self.is_full and time.monotonic() - member.heard_s > SILENT_S:
            return f"reported nothing for {SILENT_S:g} s"
        return ""

    def until(self, holds: Callable[[], bool]) -> None:
        give_up_s = time.monotonic() + READY_WITHIN_S
        while not holds():
            for member in self.members.values():
                if why := self.loss_of(member):
                    raise CannotBegin(f"the worker on {member.host}: {why}")
            if time.monotonic() > give_up_s:
                raise CannotBegin(f"the workers were not ready after {READY_WITHIN_S:g} s")
            gevent.sleep(LOOK_EVERY_S)

    def hear(self, msg: Message, **_: Any) -> None:
        """A message from a worker. Locust logs what this raises, and goes on."""
        kind, message = msg.data["kind"], msg.data
        if kind == "hello":
            self.greet(msg.node_id, message)
        member = self.members.get(msg.node_id)
        if member is None:
            return
        member.heard_s = time.monotonic()
        if kind == "ready":
            member.is_ready = True
        elif kind == "tock":
            reading = Offset.of(message["asked_s"], message["mine_s"], member.heard_s)
            member.readings.append(reading)
        elif kind == "chunk" and not member.is_over:
            self.told.put(message | {"from": member.index})
        elif kind == "end" and not member.is_over:
            member.ending = {name: fact for name, fact in message.items() if name != "kind"}
        elif kind == "failed":
            member.failed = str(message["why"])

    def greet(self, node_id: str, hello: dict[str, Any]) -> None:
        newcomer = Member(node_id, str(hello["host"]), time.monotonic())
        if hello["version"] != __version__:
            why = f"it runs bpdemo {__version__}, and this is {hello['version']}"
            self.send(newcomer, "refused", why=why)
        elif self.is_full or len(self.members) >= self.workers:
            self.send(
                newcomer, "refused", why=f"it has its {counted(self.workers, 'worker')} already"
            )
        else:
            self.members[node_id] = newcomer

    def send(self, member: Member, kind: str, **more: Any) -> None:
        self.runner.send_message(TOPIC, {"kind": kind} | more, client_id=member.node_id)

    def send_all(self, kind: str, **more: Any) -> None:
        for member in self.members.values():
            self.send(member, kind, **more)

    # -- the owner ----------------------------------------------------------------------

    def tell(self, kind: str, **more: Any) -> None:
        self.told.put({"kind": kind} | more)

    def tell_on(self) -> None:
        waited_s = 0.0
        while True:
            try:
                self.line.say(self.told.get(timeout=1.0))
                self.told.task_done()
            except gevent.queue.Empty:
                # Silence would be taken for an end.
                waited_s += 1.0
                self.line.say({"kind": "waiting", "s": waited_s})


def offset_of(member: Member) -> Offset:
    assert member.offset is not None
    return member.offset


def main(host: str, port: str, workers: str, join_within_s: str, url: str) -> None:
    plan = taken()
    runner = Environment(host=url).create_master_runner(host, int(port))

    def leave() -> None:
        runner.quit()
        os._exit(3)

    Master(runner, open_line(leave), plan, int(workers)).run(url, float(join_within_s))


if __name__ == "__main__":
    main(*sys.argv[1:])
