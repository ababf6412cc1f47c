"""Runs the crowd: starts the child processes, sends them off together, gathers what they say."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from math import inf
from pathlib import Path
from typing import Any, Final

from bpdemo.core.box import SaysItself
from bpdemo.load.child import Child
from bpdemo.load.destination import Destination, destination_of
from bpdemo.load.gathered import TICK_S, Gathered
from bpdemo.load.handed_plan import handed
from bpdemo.load.interrupts import LOOK_S, interrupts_noted
from bpdemo.load.spare import Spare, Spares
from bpdemo.plan.fates import CALLER_LEFT, NO_CONNECTION, WORDS
from bpdemo.plan.plan import Plan

SILENCE_S: Final = 15.0
#: A service on another machine that answers nothing for so long is left alone.
NO_ANSWER_S: Final = 5.0
#: Locust's command line, deaf to the configuration of other loads.
LOCUST: Final = "bpdemo.load.generator.locust_alone"
LOCUSTFILE: Final = Path(__file__).with_name("generator") / "locustfile.py"


class LoadFailed(SaysItself, RuntimeError):
    """The load generator itself failed: it did not start, or it died."""


class LoadSilent(LoadFailed):
    """It said nothing for too long, and was ended."""


@dataclass(frozen=True, slots=True)
class LoadProgress:
    """How a load is doing: counts so far, by fate, and orders still waiting for an answer."""

    t_s: float
    seconds: float
    offered: int
    ok: int
    late: int
    shed: int
    failed: int
    waiting: int

    def line(self) -> str:
        fates = ", ".join(f"{getattr(self, fate):,} {word}" for fate, word in WORDS.items())
        clock = f"{min(self.t_s, self.seconds):5.1f} of {self.seconds:g} s"
        return f"{clock}: {self.offered:,} offered, {fates}"


OnProgress = Callable[[LoadProgress], None]


def command_for(url: str) -> list[str]:
    """The child's command line. Interpreter and module, so the same environment runs it."""
    return [
        *(sys.executable, "-m", LOCUST, "-f", str(LOCUSTFILE), "--host", url.rstrip("/")),
        *("--headless", "-u", "1", "-r", "1", "--only-summary", "--skip-log-setup"),
        *("--exit-code-on-error", "0"),
    ]


class Driver:
    """A load under way, in `processes` child processes. Thread-safe.

    With `user`, a Locust file, its tasks are run instead of what the plan would send. Of `spares`
    it takes a process that waits already, if there is one.
    ValueError if `url` is not on this machine, unless `i_run_this_service`.
    """

    #: From the moment all are ready to the start: each must have heard of it by then.
    head_start_s = 0.05
    #: What a child gets to end by itself.
    grace_s = 1.0

    def __init__(
        self,
        url: str,
        plan: Plan,
        processes: int = 1,
        on_progress: OnProgress | None = None,
        *,
        user: Path | None = None,
        i_run_this_service: bool = False,
        spares: Spares | None = None,
    ) -> None:
        self._user = user
        to = destination_of(url, i_run_this_service)
        if plan.is_closed:
            processes = min(processes, int(plan.rate_per_s))
        shares = [plan.share(index, processes) for index in range(processes)]
        self._prepare(to, plan, processes, on_progress)
        spare = spares.take() if spares else None
        try:
            self._start([(command_for(to.url), share) for share in shares], spare)
        except BaseException:
            if spare:
                spare.stop(self.grace_s)  # nobody else knows of it now
            self.kill()
            raise

    def _prepare(
        self, to: Destination, plan: Plan, senders: int, on_progress: OnProgress | None
    ) -> None:
        self._to = to
        self._answered_s: float | None = None
        self.plan = plan
        self.gathered = Gathered()
        self._on_progress = on_progress
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._ready = 0
        self._to_replace: Callable[[], Child] | None = None
        self._ended: set[int] = set()
        self._error: Exception | None = None
        self._heard_s = time.monotonic()
        self._latest: dict[int, tuple[float, int]] = {}
        self._senders = senders
        self._children: list[Child] = []
        self._plan_files: list[Path] = []

    def _start(
        self, commands: Sequence[tuple[Sequence[str], Plan]], spare: Spare | None = None
    ) -> None:
        # Locked, so that none is ready before all are there.
        with self._lock:
            for index, (command, share) in enumerate(commands):
                start = partial(self._child, command, share, index)
                if spare and index == 0 and self._is_handed(spare, command, share):
                    self._to_replace = start
                    self._children.append(spare)
                else:
                    self._children.append(start())

    def _is_handed(self, spare: Spare, command: Sequence[str], share: Plan) -> bool:
        return spare.hand(command, self._environment(share), *self._ears(0))

    def _child(self, command: Sequence[str], share: Plan, index: int) -> Child:
        on_line, on_exit = self._ears(index)
        return Child(command, env=self._environment(share), on_line=on_line, on_exit=on_exit)

    def _ears(self, index: int) -> tuple[Callable[[str], None], Callable[[int], None]]:
        return partial(self._hear, index), partial(self._exited, index)

    def _environment(self, share: Plan) -> dict[str, str]:
        user = {"BPDEMO_LOAD_USER": str(self._user.resolve())} if self._user else {}
        plan, file = handed(share)
        if file:
            self._plan_files.append(file)
        return user | {
            "BPDEMO_LOAD_FOLDER": str(Path.cwd()),
            **plan,
            "BPDEMO_LOAD_DESTINATION": json.dumps(asdict(self._to)),
            # A proxy would send the load on from another machine.
            "NO_PROXY": "*",
            "no_proxy": "*",
        }

    @property
    def is_done(self) -> bool:
        return self._done.is_set()

    @property
    def heard_until_s(self) -> float:
        """The time of the run up to which every child has reported."""
        with self._lock:
            return min((t for t, _ in self._latest.values()), default=0) * TICK_S

    def wait(self, timeout_s: float | None = None) -> bool:
        """Until the load is over; False if it is not after `timeout_s`. Raises `LoadFailed`."""
        give_up_s = time.monotonic() + (inf if timeout_s is None else timeout_s)
        while not self._done.wait(max(0.0, min(1.0, give_up_s - time.monotonic()))):
            self._give_up_if_silent()
            if time.monotonic() >= give_up_s and not self._done.is_set():
                return False
        if self._error:
            self.kill()
            raise self._error
        return True

    def _give_up_if_silent(self) -> None:
        # A child tells something twice a second. One that can neither go on nor end [seen: its
        # main thread gone, the others alive] would be waited for without end.
        silent_s = time.monotonic() - self._heard_s
        if silent_s > SILENCE_S:
            told = f"the load generator said nothing for {silent_s:.0f} s; run it again"
            self._fail(LoadSilent(told))

    def stop(self) -> None:
        """Send no more orders; those under way are still waited for."""
        for child in self._children:
            child.say("stop")

    def pace(self, pace: float) -> None:
        """From now on the orders come so many times as fast as planned."""
        for child in self._children:
            child.say(f"pace {pace:.6f}")

    def kill(self) -> None:
        """End the children at once."""
        with self._lock:
            self._to_replace = None
            children = list(self._children)
        for child in children:
            child.stop(self.grace_s)
        for file in self._plan_files:
            file.unlink(missing_ok=True)
        self._done.set()

    # -- in the reader threads ----------------------------------------------------------

    def _hear(self, index: int, line: str) -> None:
        self._heard_s = time.monotonic()
        if not line.startswith("{"):
            return
        try:
            message: dict[str, Any] = json.loads(line)
            self._heed(message.get("from", index), message)
        except Exception as error:  # or this thread would end, and nothing be heard any more
            told = "the load generator said something that cannot be read"
            self._fail(LoadFailed(f"{told}: {error!r}"))

    def _heed(self, sender: int, message: dict[str, Any]) -> None:
        kind = message["kind"]
        if kind == "ready":
            self._one_is_ready()
        elif kind == "chunk":
            self._take(sender, message)
        elif kind == "end":
            self._one_has_ended(sender, message)
        elif kind == "failed":
            self._fail(LoadFailed(f"the load generator broke down: {message['why']}"))

    def _one_is_ready(self) -> None:
        with self._lock:
            self._ready += 1
            self._to_replace = None
            if self._ready < len(self._children):
                return
            self.gathered.started_at_s = time.time() + self.head_start_s
            for child in self._children:
                child.say(f"go {self.gathered.started_at_s:.6f}")

    def _take(self, sender: int, chunk: dict[str, Any]) -> None:
        with self._lock:
            self.gathered.add(chunk)
            self._latest[sender] = (chunk["t"], chunk["waiting"])
            progress = self._progress()
        self._give_up_if_unanswered(chunk["orders"]["status"])
        if self._on_progress:
            # A picture that fails to draw must not end the load.
            with contextlib.suppress(Exception):
                self._on_progress(progress)

    def _give_up_if_unanswered(self, statuses: Iterable[int]) -> None:
        """A host that is not ours and does not answer may be down already, or another's."""
        now_s = time.monotonic()
        if self._answered_s is None or any(s not in (NO_CONNECTION, CALLER_LEFT) for s in statuses):
            self._answered_s = now_s
        elif self._to.is_foreign and now_s - self._answered_s > NO_ANSWER_S:
            told = f"{self._to.host} has answered nothing for {NO_ANSWER_S:g} s: the load was ended"
            self._fail(LoadFailed(told))
            self.stop()

    def _progress(self) -> LoadProgress:
        latest = self._latest.values()
        counts = self.gathered.counts
        return LoadProgress(
            t_s=min(t for t, _ in latest) * TICK_S,
            seconds=self.plan.seconds,
            offered=sum(counts) + sum(waiting for _, waiting in latest),
            ok=counts[0],
            late=counts[1],
            shed=counts[2],
            failed=counts[3],
            waiting=sum(waiting for _, waiting in latest),
        )

    def _one_has_ended(self, sender: int, ending: dict[str, Any]) -> None:
        with self._lock:
            self.gathered.end(ending)
            self._ended.add(sender)
            if len(self._ended) == self._senders:
                self._done.set()

    def _exited(self, index: int, code: int) -> None:
        with self._lock:  # which also waits until it is in the list
            start, self._to_replace = self._to_replace, None
            if start:  # it had died before it could begin, of what befell it while it waited
                try:
                    self._children[index] = start()
                    return
                except OSError as error:
                    told = [str(error)]
            else:
                told = self._children[index].stderr_tail.strip().splitlines()
        if self._is_missed(index):
            why = f"the load generator ended early (exit code {code})"
            self._fail(LoadFailed(f"{why}: {told[-1]}" if told else why))

    def _is_missed(self, index: int) -> bool:
        """Whether something was still to come from that child."""
        return index not in self._ended

    def _fail(self, error: Exception) -> None:
        """The load is over and was none; anyone who waits for it is told, and ends the children."""
        with self._lock:
            if not self._done.is_set():
                self._error = error
                self._done.set()


def drive(
    url: str,
    plan: Plan,
    on_progress: OnProgress | None = None,
    *,
    processes: int = 1,
    i_run_this_service: bool = False,
) -> Gathered:
    """Drive `plan` at `url` and wait for it. What it gathered; raises `LoadFailed`.

    Interrupted, it ends the children before it passes the interrupt on.
    """
    with interrupts_noted() as raise_if_interrupted:
        driver = Driver(url, plan, processes, on_progress, i_run_this_service=i_run_this_service)
        try:
            while not driver.wait(LOOK_S):
                raise_if_interrupted()
        finally:
            driver.kill()
    return driver.gathered
