"""`bpdemo load-worker`: lend this machine to a load that is driven from another one."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from typing import Any, Final

from bpdemo.load.addresses import Address, is_reachable
from bpdemo.load.child import Child
from bpdemo.load.destination import OWN_SERVICE
from bpdemo.load.driver import LOCUST, LOCUSTFILE, LoadFailed
from bpdemo.load.gathered import TICK_S

GREETED_WITHIN_S: Final = 30.0
LOOK_EVERY_S: Final = 0.1
TELL_EVERY_S: Final = 1.0


def run_load_worker(
    join: str, processes: int, join_within_s: float, i_run_this_service: bool = False
) -> None:
    """Join, send what the master asks for, end with it. ValueError for what the user got wrong.

    To another machine it sends only with `i_run_this_service`.
    """
    master = Address.parse("join", join)
    wait_for_master(master, join_within_s)
    crews = [Crew(master, i_run_this_service) for _ in range(processes)]
    try:
        see_through(crews, master)
    finally:
        for crew in crews:
            crew.child.stop()


def wait_for_master(master: Address, within_s: float) -> None:
    """A worker may well be started first."""
    give_up_s = time.monotonic() + within_s
    if is_reachable("join", master):
        return
    tell(f"nobody listens on {master} yet; waiting for up to {within_s:g} s")
    while not is_reachable("join", master):
        if time.monotonic() > give_up_s:
            raise ValueError(f"join: nobody listens on {master}; is bpdemo load --listen running?")
        time.sleep(LOOK_EVERY_S)


class Crew:
    """One Locust worker process here, and what it has said so far."""

    def __init__(self, master: Address, i_run_this_service: bool = False) -> None:
        self.heard: dict[str, dict[str, Any]] = {}
        self.code: int | None = None
        # Always set: what a shell has exported is not what was said here.
        own = "1" if i_run_this_service else ""
        env = {"NO_PROXY": "*", "no_proxy": "*", OWN_SERVICE: own}
        self.child = Child(
            worker_command(master), env=env, on_line=self._hear, on_exit=self._exited
        )

    def _hear(self, line: str) -> None:
        if line.startswith("{"):
            message = json.loads(line)
            self.heard[message["kind"]] = message

    def _exited(self, code: int) -> None:
        self.code = code

    @property
    def has_exited(self) -> bool:
        return self.code is not None

    @property
    def sent(self) -> int:
        chunk = self.heard.get("end") or self.heard.get("chunk") or {"planned": 0, "unsent": 0}
        return int(chunk["planned"] - chunk["unsent"])


def see_through(crews: Sequence[Crew], master: Address) -> None:
    """Tell how it goes until all have ended; raise what went wrong with the first that did."""
    greeted_by_s = time.monotonic() + GREETED_WITHIN_S
    is_joined = is_told = False
    told_s = 0.0
    while not all(crew.has_exited for crew in crews):
        time.sleep(LOOK_EVERY_S)
        for crew in crews:
            require_well(crew, master)
        if not is_joined and all("joined" in crew.heard for crew in crews):
            is_joined = True
            tell(f"joined {master}; waiting for the load to begin")
        if not is_joined and time.monotonic() > greeted_by_s:
            raise ValueError(f"join: what listens on {master} is not the master of a load")
        if not is_told and all("plan" in crew.heard for crew in crews):
            is_told = True
            tell(parts_of(crews))
        if time.monotonic() - told_s > TELL_EVERY_S and all("chunk" in c.heard for c in crews):
            told_s = time.monotonic()
            tell(progress_of(crews))
    for crew in crews:
        require_well(crew, master)
    tell(f"done: {sum(crew.sent for crew in crews):,} orders sent")


def require_well(crew: Crew, master: Address) -> None:
    if refused := crew.heard.get("refused"):
        raise ValueError(f"join: {master} will not have this worker: {refused['why']}")
    for trouble in ("failed", "abandoned"):
        if trouble in crew.heard:
            raise LoadFailed(crew.heard[trouble]["why"])
    if crew.has_exited and "end" not in crew.heard:
        if crew.code == 0:
            raise LoadFailed("the load was ended by its master before its time")
        said = crew.child.stderr_tail.strip().splitlines()[-1:]
        early = f"the load generator ended early (exit code {crew.code})"
        raise LoadFailed(": ".join([early, *said]))


def parts_of(crews: Sequence[Crew]) -> str:
    plan = crews[0].heard["plan"]
    parts = ", ".join(str(crew.heard["plan"]["index"] + 1) for crew in crews)
    return f"part {parts} of {plan['count']} of a load of {plan['seconds']:g} s at {plan['url']}"


def progress_of(crews: Sequence[Crew]) -> str:
    seconds = crews[0].heard["plan"]["seconds"]
    t_s = min(seconds, *(crew.heard["chunk"]["t"] * TICK_S for crew in crews))
    return f"{t_s:5.1f} of {seconds:g} s: {sum(crew.sent for crew in crews):,} orders sent"


def tell(text: str) -> None:
    print(text, flush=True)


def worker_command(master: Address) -> list[str]:
    host = f"[{master.host}]" if ":" in master.host else master.host
    return [
        *(sys.executable, "-m", LOCUST, "-f", str(LOCUSTFILE), "--worker", "--headless"),
        *("--master-host", host, "--master-port", str(master.port)),
        *("--only-summary", "--skip-log-setup", "--exit-code-on-error", "0"),
    ]
