"""The loads that a service is judged by, and what is seen of it meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf
from typing import Any, Final

import httpx
import numpy as np
import psutil

from bpdemo.cli.judge import grading
from bpdemo.cli.judge.grading import Judgement, Refusals
from bpdemo.load.capacity import Capacity, ProbedService, capacity_of
from bpdemo.load.destination import destination_of
from bpdemo.load.loads import RunningLoad, Target, load
from bpdemo.load.run import LoadRun
from bpdemo.load.target import TargetFacts, client_to
from bpdemo.plan.fates import OK, SHED
from bpdemo.plan.request import Request
from bpdemo.results.validity import causes_of

LOAD_S: Final = 8.0
SPIKE_S: Final = 15.0
TRIES: Final = 3
LEAVE_S: Final = 0.010
#: Of the answers of half a second: served again.
SERVED_AGAIN: Final = 0.9
LOOK_EVERY_S: Final = 0.05

Say = Callable[[str], object]


@dataclass
class Trials:
    """One service under every load; `runs` are what came of them, by name."""

    target: Target
    request: Request
    client_timeout_s: float
    say: Say
    pid: int | None = None
    i_run_this_service: bool = False
    runs: dict[str, LoadRun] = field(default_factory=dict)
    capacity: Capacity | None = None

    def run(self) -> list[Judgement]:
        """All findings; none if the capacity was not found."""
        self.say("What can it do? Steps of load until it cannot keep up")
        self.capacity = capacity_of(
            self.target, self.request, client_timeout_s=self.client_timeout_s,
            i_run_this_service=self.i_run_this_service,
            say=lambda text: self.say(f"  {text}"),
        )  # fmt: skip
        self.say(self.capacity.sentence)
        if self.capacity.per_s is None:
            return []
        # The pictures have a line at what was found.
        self.target = TargetFacts(self.target.url, self.capacity.per_s)
        return self._judged(self.capacity.per_s)

    def _judged(self, per_s: float) -> list[Judgement]:
        with self._probe() as probe:
            half, half_cpu_s = self._offered("0.5× capacity", 0.5 * per_s, probe)
            twice, _ = self._offered("2× capacity", 2 * per_s, probe)
            with self._looked_at() as retry_after_s:
                five, five_cpu_s = self._offered("5× capacity", 5 * per_s, probe)
            spike, _ = self._offered("a spike", 5 * per_s, probe, SPIKE_S, scenario="spike")
            stayers = self._beside_leavers(per_s, probe)
        seen = Refusals(
            share=_share(five, SHED),
            cost=refusal_cost_of(half, half_cpu_s, five, five_cpu_s),
            p99_s=_p99_s(five, SHED),
            retry_after_s=retry_after_s,
        )
        return [
            _if_valid(twice, "goodput at 2×", lambda: grading.goodput_kept(2, kept(twice, per_s))),
            _if_valid(five, "goodput at 5×", lambda: grading.goodput_kept(5, kept(five, per_s))),
            _if_valid(
                spike, "recovery after a spike", lambda: grading.recovery(recovered_s(spike))
            ),
            _if_valid(
                stayers, "work for those who left",
                lambda: grading.work_for_leavers(stayers.summary["served_share"]),
            ),
            _if_valid(
                five, "cost of a refusal", lambda: grading.refusal_cost(seen, self.client_timeout_s)
            ),
            _if_valid(five, "Retry-After", lambda: grading.retry_after(seen)),
        ]  # fmt: skip

    # -- loads --------------------------------------------------------------------------

    def _offered(
        self, name: str, rate: float, probe: ProbedService, seconds: float = LOAD_S, **more: Any
    ) -> tuple[LoadRun, float | None]:
        """What came of a load, and the processor time that the service took for it.

        What this machine could not send honestly is sent again, a few times.
        """
        for _ in range(TRIES):
            self.say(f"{name}: {rate:,.0f} requests a second, for {seconds:g} s")
            before_s = self._cpu_s()
            run: LoadRun = self._load(rate, seconds, **more)
            after_s = self._cpu_s()
            probe.settle()
            if not causes_of(run.records, run.meta):
                break
        self.runs[name] = run.named(name)
        took_s = None if before_s is None or after_s is None else after_s - before_s
        return run, took_s

    def _beside_leavers(self, per_s: float, probe: ProbedService) -> LoadRun:
        """Half of its capacity that stays, beside its whole capacity that leaves after 10 ms."""
        self.say("Clients that hang up after 10 ms, beside some that stay")
        leavers: RunningLoad = self._load(
            per_s, LOAD_S + 1, client_timeout_s=LEAVE_S, background=True
        )
        try:
            run: LoadRun = self._load(0.5 * per_s, LOAD_S)
        finally:
            leavers.kill()
        self.runs["beside leavers"] = run.named("those who stay, beside leavers")
        probe.settle()
        return run

    def _load(self, rate: float, seconds: float, **more: Any) -> Any:
        arguments = {"client_timeout_s": self.client_timeout_s} | more
        return load(
            self.target, rate=rate, seconds=seconds, request=self.request,
            i_run_this_service=self.i_run_this_service, **arguments,
        )  # fmt: skip

    # -- besides loads ------------------------------------------------------------------

    @contextmanager
    def _probe(self) -> Iterator[ProbedService]:
        probe = ProbedService(
            self.target, self.request, self.client_timeout_s,
            i_run_this_service=self.i_run_this_service,
        )  # fmt: skip
        try:
            probe.rest()
            yield probe
        finally:
            probe.close()

    @contextmanager
    def _looked_at(self) -> Iterator[list[float | None]]:
        """The Retry-After of the refusals that single requests get meanwhile."""
        seen: list[float | None] = []
        over = threading.Event()
        thread = threading.Thread(target=self._look, args=(seen, over), daemon=True)
        thread.start()
        try:
            yield seen
        finally:
            over.set()
            thread.join(self.client_timeout_s + 2)

    def _look(self, seen: list[float | None], over: threading.Event) -> None:
        to = destination_of(self.target.url, self.i_run_this_service)
        sent = self.request.filled([0] * len(self.request.vary))
        with client_to(to, self.client_timeout_s) as client:
            while not over.wait(LOOK_EVERY_S):
                try:
                    answer = client.request(
                        self.request.method, sent.path, content=sent.body, headers=sent.headers
                    )
                except httpx.HTTPError:
                    continue
                if answer.status_code in (429, 503):
                    seen.append(_seconds(answer.headers.get("Retry-After")))

    def _cpu_s(self) -> float | None:
        """Processor time of the service and all its children, where we started it."""
        if self.pid is None:
            return None
        try:
            top = psutil.Process(self.pid)
            times = [p.cpu_times() for p in (top, *top.children(recursive=True))]
        except psutil.Error:
            return None
        return float(sum(t.user + t.system for t in times))


def kept(run: LoadRun, capacity_per_s: float) -> float:
    """Goodput as a share of capacity, without the first second, in which queues fill."""
    return run.between(1, run.meta.seconds)["goodput_per_s"] / capacity_per_s


def recovered_s(run: LoadRun) -> float:
    """How long after the spike nearly everything was served in time again, and stayed so."""
    frame, ends_s = run.frame, run.meta.seconds * 2 / 3
    after = frame[(frame["t_s"] >= ends_s) & (frame["offered_per_s"] > 0)]
    served = (after["ok_per_s"] / after["offered_per_s"]).to_numpy() >= SERVED_AGAIN
    if not len(served) or not served[-1]:
        return inf
    lost = np.flatnonzero(~served)
    return float(after["t_s"].to_numpy()[lost[-1] + 1] - ends_s) if len(lost) else 0.0


def refusal_cost_of(
    half: LoadRun, half_cpu_s: float | None, five: LoadRun, five_cpu_s: float | None
) -> float | None:
    """Processor time of a refusal, as a share of a served request's: what the service took at 5×,
    less what its served requests cost at half load, over the refusals."""
    served, refused = _count(half, OK), _count(five, SHED)
    if half_cpu_s is None or five_cpu_s is None or not served or not refused:
        return None
    each_s = half_cpu_s / served
    if each_s <= 0:
        return None
    return (five_cpu_s - _count(five, OK) * each_s) / refused / each_s


def _if_valid(run: LoadRun, name: str, judged: Callable[[], Judgement]) -> Judgement:
    if causes := causes_of(run.records, run.meta):
        return grading.not_judged(
            name, f"this machine could not send that load honestly ({'; '.join(causes)})"
        )
    return judged()


def _count(run: LoadRun, fate: int) -> int:
    return int((run.records.fate == fate).sum())


def _share(run: LoadRun, fate: int) -> float:
    return _count(run, fate) / max(1, len(run.records))


def _p99_s(run: LoadRun, fate: int) -> float:
    latencies = run.records.latency_s[run.records.fate == fate]
    return float(np.percentile(latencies, 99)) if len(latencies) else 0.0


def _seconds(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None
