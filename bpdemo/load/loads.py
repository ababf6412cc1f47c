"""`load`: drive a real load at a service and get a `LoadRun`."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Protocol, Unpack, runtime_checkable

from bpdemo.core.box import shell_here
from bpdemo.core.kinds import wrong_kind
from bpdemo.core.members import forgiving_class
from bpdemo.core.settings import Settings
from bpdemo.load.company import senders_beside
from bpdemo.load.driver import Driver, LoadProgress, LoadSilent, OnProgress, drive
from bpdemo.load.gathered import Gathered
from bpdemo.load.interrupts import LOOK_S, interrupts_noted
from bpdemo.load.progress_line import ProgressLine
from bpdemo.load.run import LoadRun
from bpdemo.load.spare import SPARES, renew_in_notebook
from bpdemo.load.told_capacity import has_capacity_for
from bpdemo.load.turns import turn_in_time
from bpdemo.load.under_way import RUNNING
from bpdemo.load.user_file import rate_in
from bpdemo.plan.arguments import DEFAULTS, LoadArguments, plan_of, takes_load
from bpdemo.plan.changes import Change, require_changes, settings_after
from bpdemo.plan.plan import (
    Plan,
    require_choice,
    require_range,
    require_whole,
    require_yes_or_no,
)
from bpdemo.plan.request import Request
from bpdemo.results.frame import SPLITS
from bpdemo.results.meta import PICTURED, Meta

__all__ = ["LoadProgress", "RunningLoad", "drive", "load", "stop_loads"]

BEHIND_S: Final = 4.0
"""A load under way is shown at most so much behind time, however long its orders may take."""


#: What stands in quotes by mistake: a service's name, and no address of one.
NAME: Final = re.compile(r"(?!localhost)[\w -]+")


@runtime_checkable
class Target(Protocol):
    """What `load` needs to know of a service; `name`, `profile` and `settings` help too."""

    @property
    def url(self) -> str: ...

    @property
    def capacity_per_s(self) -> float | None: ...


@forgiving_class
class RunningLoad:
    """A load under way. `snapshot()` may be called at any time, from any thread."""

    def __init__(
        self,
        service: Target,
        plan: Plan,
        bin_s: float = 0.5,
        by: str | None = None,
        on_progress: OnProgress | None = None,
        processes: int = 1,
        changes: Sequence[Change] = (),
        user: Path | None = None,
        i_run_this_service: bool = False,
    ) -> None:
        self.plan = plan
        self.progress: LoadProgress | None = None
        self._on_progress = on_progress
        self._marks: list[tuple[float, str]] = []
        self._turns: list[tuple[float, float]] = []
        self._by = by
        self._beside = len(senders_beside())
        self._was_killed = False
        self._has_capacity = has_capacity_for(service, plan.request, user)
        self._meta = Meta(
            name=str(getattr(service, "profile", None) or getattr(service, "name", "service")),
            scenario=plan.scenario,
            seconds=plan.seconds,
            bin_s=bin_s,
            rate_per_s=plan.rate_per_s,
            capacity_per_s=service.capacity_per_s if self._has_capacity else None,
            client_timeout_s=plan.client_timeout_s,
            seed=plan.seed,
            cell=_this_cell(),
            settings=_pictured(service),
        )
        self._driver = Driver(
            service.url,
            plan,
            on_progress=self._note,
            processes=processes,
            user=user,
            i_run_this_service=i_run_this_service,
            # A Locust file must find the folder, and the modules, that its own process starts with.
            spares=SPARES if user is None and processes == 1 else None,
        )
        RUNNING.add(self)
        if changes:
            turn_in_time(service, self, changes)

    @property
    def done(self) -> bool:
        return self._driver.is_done

    @property
    def now_s(self) -> float:
        """Seconds since the first order could be sent; 0 before that."""
        started_at_s = self._driver.gathered.started_at_s
        return max(0.0, time.time() - started_at_s) if started_at_s else 0.0

    def mark(self, text: str, instead_of: str | None = None) -> None:
        """Draw a vertical mark at this moment, such as "payment latency 40 → 400 ms".

        The mark `instead_of` goes: a knob that is turned on and on is one turn, not twenty.
        """
        kept = [(t_s, told) for t_s, told in self._marks if told != instead_of]
        self._marks = [*kept, (round(self.now_s, 2), text)]

    def note_capacity(self, capacity_per_s: float | None) -> None:
        """The capacity from now on, if a knob has changed it, and if it is one for what is sent."""
        if not self._has_capacity:
            return
        before = self._turns[-1][1] if self._turns else self._meta.capacity_per_s
        if capacity_per_s is not None and capacity_per_s != before:
            self._turns = [*self._turns, (round(self.now_s, 2), capacity_per_s)]

    def snapshot(self) -> LoadRun:
        """The run so far, up to where every order has had its time, and that of its retries."""
        settled_s = self._driver.heard_until_s - min(self.plan.visit_s, BEHIND_S)
        # A bin that is still filling would look like a fall in every series.
        whole_bins_s = settled_s // self._meta.bin_s * self._meta.bin_s
        return self._run(min(self.plan.seconds, max(whole_bins_s, self._meta.bin_s)))

    def wait(self, timeout_s: float | None = None) -> LoadRun:
        """The finished run. TimeoutError after `timeout_s`; `LoadFailed` if the child died."""
        if not self._driver.wait(timeout_s):
            raise TimeoutError(f"the load still runs after {timeout_s:g} s")
        self._driver.kill()
        self._beside = max(self._beside, len(senders_beside()))
        if not self._was_killed:  # or `stop_all` would leave a generator behind
            renew_in_notebook()
        return self._run(self._driver.gathered.seconds(self.plan.seconds))

    def offer(self, rate_per_s: float) -> None:
        """Change the rate of a steady load on the way. ValueError for a load of another shape, or
        one that is not sent by this machine's own processes."""
        if self.plan.scenario != "steady" or self.plan.is_closed:
            raise ValueError(f"rate: a {self.plan.scenario} load has a shape of its own")
        require_range("rate", rate_per_s, self.plan.rate_per_s / 1000, self.plan.rate_per_s * 1000)
        self._driver.pace(rate_per_s / self.plan.rate_per_s)

    def stop_sending(self) -> None:
        """Send no more orders; those under way are still waited for, but not here."""
        self._driver.stop()

    def stop(self) -> LoadRun:
        """Send no more orders, wait for those under way, and give the run as far as it came."""
        self.stop_sending()
        return self.wait(self.plan.grace_s + 10)

    def kill(self) -> None:
        """End it at once; nothing more is learned."""
        self._was_killed = True
        self._driver.kill()

    def _note(self, progress: LoadProgress) -> None:
        self.progress = progress
        if self._on_progress:
            self._on_progress(progress)

    def _run(self, seconds: float) -> LoadRun:
        gathered = self._driver.gathered
        meta = _with_facts(self._meta, gathered, max(seconds, 0.1), tuple(self._marks))
        meta = replace(meta, turns=tuple(self._turns), beside=self._beside)
        return LoadRun(gathered.records, gathered.samples, meta, self._by)

    def __repr__(self) -> str:
        told = self.progress.line() if self.progress else "starting"
        return f"<RunningLoad {self.plan.scenario}: {told}>"


#: What a plan says of orders, or of the request that it sends; the tasks of a Locust file decide
#: it themselves.
OF_ORDERS: Final = (
    "retries", "backoff", "jitter", "retry_budget", "retry_policy", "browse_per_s", "send_keys",
    "send_deadline", "clients", "priorities", "item_id",
)  # fmt: skip


@takes_load()
def load(
    target: Target | str,
    *,
    request: Request | None = None,
    user: str | Path | None = None,
    by: str | None = None,
    background: bool = False,
    on_progress: OnProgress | None = None,
    processes: int = 1,
    i_run_this_service: bool = False,
    **arguments: Unpack[LoadArguments],
) -> Any:
    """Drive a load at `target`, a service or its address, with Locust, in a process of its own.

    It sends orders, as to a box office, with `request` whatever any other service takes, and with
    `user`, a Locust file, it runs the tasks of its `OpenLoopUser`s: then the rate is theirs unless
    one is given, and a task counts as one request, ok if every request in it was. To another
    machine it sends only with `i_run_this_service`.
    `times` is a multiple of the service's capacity (2 unless `rate` is given; a box office's is for
    orders, so that nothing else is measured by it), `rate` is absolute: the peak in requests a
    second, or users if `scenario` is closed. `client_timeout_s`:
    each attempt is hung up after that long, counted from when it was meant to be sent.
    `retry_budget` keeps retries to that share of requests, `retry_policy` is what a well-known
    client library does about failures. `clients` and `priorities` mix labels by weight, `by`
    splits the frame along one of them. `processes` share the sending
    where one cannot keep up. `changes` turn the service's knobs on the way, as in
    `[(4, {"payment_latency_s": 0.16})]`. The answer is the finished `LoadRun`, or with
    `background=True`, at once, a `RunningLoad`. ValueError names an argument that is out of
    range, TypeError one that does not exist.
    """
    service = service_at(target, i_run_this_service)
    file = _user_file(user, request, arguments)
    known = has_capacity_for(service, request, file)
    plan = plan_of(arguments, service.capacity_per_s if known else None, request)
    bin_s = arguments["bin_s"]
    bin_s = require_range("bin_s", bin_s, 0.05, plan.seconds)
    if by is not None:
        require_choice("by", by, SPLITS)
    processes = require_whole("processes", processes, 1, 64)
    background = require_yes_or_no("background", background)
    turns = require_changes(arguments["changes"], plan.seconds)
    if isinstance(settings := getattr(service, "settings", None), Settings):
        settings_after(settings, turns)
    if on_progress is not None and not callable(on_progress):
        raise TypeError(wrong_kind("on_progress", "a function", on_progress))

    if require_running := getattr(service, "require_running", None):
        require_running()  # or all would be broken, and no picture would say why

    def start() -> RunningLoad:
        return RunningLoad(
            service, plan, bin_s, by, on_progress, processes, turns, file, i_run_this_service
        )

    if background:
        return start()
    with interrupts_noted() as raise_if_interrupted:
        try:
            return _watched(start(), raise_if_interrupted)
        except LoadSilent:
            raise_if_interrupted()
            # The generator's trouble, not the service's: once more.
            return _watched(start(), raise_if_interrupted)


def service_at(target: Any, i_run_this_service: bool = False) -> Target:
    """The service that was given, or the one that answers at the address. TypeError for what is
    neither, ValueError if nobody answers."""
    if isinstance(target, str):
        if NAME.fullmatch(target):
            raise ValueError(
                f"target: {target!r} is a text, and no address such as http://127.0.0.1:8000. "
                "A service stands there without quotes, as in box = serve(), then load(box)"
            )
        # It asks by a library that takes its time to load, and a service of serve() is not asked.
        from bpdemo.load.target import ask_service

        return ask_service(target, i_run_this_service)
    if not isinstance(target, Target):
        wanted = "a service, as serve() gives it, or an address"
        raise TypeError(wrong_kind("target", wanted, target))
    return target


def stop_loads() -> None:
    """End every load of this kernel at once, and the generator that waits for the next."""
    for running in list(RUNNING):
        running.kill()
    SPARES.stop()


def _this_cell() -> int | None:
    """The number that stands beside the cell which runs now; None outside of a notebook."""
    shell = shell_here()
    if not hasattr(shell, "kernel"):
        return None
    # Some versions of IPython count a cell before it runs, others after it. This is always the
    # number that its output gets.
    return getattr(getattr(shell, "displayhook", None), "prompt_count", None)


def _watched(running: RunningLoad, raise_if_interrupted: Callable[[], None]) -> LoadRun:
    """Wait in the foreground with a line of progress; an interrupt ends the load."""
    try:
        with ProgressLine(running.plan.seconds) as shown:
            while not running.done:
                with contextlib.suppress(TimeoutError):
                    running.wait(LOOK_S)
                raise_if_interrupted()
                shown.update(running.progress)
        return running.wait()
    finally:
        running.kill()


def _user_file(
    user: str | Path | None, request: Request | None, arguments: LoadArguments
) -> Path | None:
    """The Locust file of a load, if it has one; the rate of its users is the load's unless one is
    given. ValueError for what goes with no such file."""
    if user is None:
        return None
    if request is not None:
        raise ValueError("give request or user, not both")
    given: Mapping[str, Any] = {**arguments}
    usual: Mapping[str, Any] = {**DEFAULTS}
    for name in OF_ORDERS:
        if given.get(name, usual[name]) != usual[name]:
            raise ValueError(f"{name}: a Locust file says itself what it sends; leave it out")
    rate_per_s = rate_in(Path(user))
    if arguments.get("rate") is None and arguments.get("times") is None:
        arguments["rate"] = rate_per_s
    return Path(user)


def _pictured(service: Target) -> dict[str, Any]:
    """The settings that the picture may want to tell, if the service shows them."""
    settings = getattr(service, "settings", None)
    found = {name: getattr(settings, name, None) for name in PICTURED}
    return {name: value for name, value in found.items() if value is not None}


def _with_facts(
    meta: Meta, gathered: Gathered, seconds: float, marks: tuple[tuple[float, str], ...]
) -> Meta:
    return replace(meta, seconds=seconds, marks=marks, **gathered.facts())
