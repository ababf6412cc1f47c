"""The loads that a service is judged by, and what is seen of it meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
import psutil

from bpdemo.cli.judge import grading, measures
from bpdemo.cli.judge.beginning import Beginning
from bpdemo.cli.judge.grading import Judgement, Refusals
from bpdemo.cli.judge.lengths import LEAVING, OVERLOAD, STAYING, Lengths
from bpdemo.load.capacity import Capacity, ProbedService, capacity_of
from bpdemo.load.destination import destination_of
from bpdemo.load.loads import RunningLoad, Target, load
from bpdemo.load.run import LoadRun
from bpdemo.load.target import TargetFacts, client_to
from bpdemo.plan.fates import FAILED, SHED
from bpdemo.plan.request import Request
from bpdemo.results.validity import causes_of

TRIES: Final = 3
#: Of half a minute each, for the service to come to rest.
WAITS: Final = 2
LOOK_EVERY_S: Final = 0.05
#: Clients that hang up early come before the patient ones, and outlast them.
OUTLAST_S: Final = 2.0

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
    beginning: Beginning | None = None

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
        with self._probe() as probe:
            self.beginning = Beginning(self.capacity.per_s, probe.rest_s)
            lengths = Lengths.of(self.client_timeout_s, probe.rest_s)
            self.say(f"Five loads follow, {lengths.all_s:.0f} s in all; a rest after each")
            return self._judged(self.capacity.per_s, probe, lengths)

    def _judged(self, per_s: float, probe: ProbedService, lengths: Lengths) -> list[Judgement]:
        load_s, five_times = lengths.load_s, OVERLOAD * per_s
        half, half_cpu_s = self._offered("0.5× capacity", 0.5 * per_s, load_s, probe)
        twice, _ = self._offered("2× capacity", 2 * per_s, load_s, probe)
        with self._looked_at() as retry_after_s:
            five, five_cpu_s = self._offered("5× capacity", five_times, load_s, probe)
        spike, _ = self._offered("a spike", five_times, lengths.spike_s, probe, scenario="spike")
        seen = Refusals(
            share=measures.share(five, SHED),
            cost=measures.refusal_cost_of(half, half_cpu_s, five, five_cpu_s),
            p99_s=measures.p99_s(five, SHED),
            retry_after_s=retry_after_s,
            failed_share=measures.share(five, FAILED),
        )

        def kept(times: float, run: LoadRun) -> Judgement:
            def judged() -> Judgement:
                share = measures.kept(run, per_s, lengths.fill_s)
                cause = measures.lost_to(run, per_s, lengths.fill_s)
                return grading.goodput_kept(times, share, cause)

            return _if_valid(run, f"goodput at {times:g}×", judged)

        return [
            kept(2, twice),
            kept(5, five),
            _if_valid(
                spike, "recovery after a spike",
                lambda: grading.recovery(measures.recovered_s(spike)),
            ),
            self._leavers(per_s, probe, lengths),
            _if_valid(
                five, "cost of a rejection",
                lambda: grading.refusal_cost(seen, self.client_timeout_s),
            ),
            _if_valid(five, "Retry-After", lambda: grading.retry_after(seen)),
        ]  # fmt: skip

    def _leavers(self, per_s: float, probe: ProbedService, lengths: Lengths) -> Judgement:
        if lengths.leave_s is None:
            return grading.not_judged(
                grading.LEAVERS,
                f"it answers within {probe.rest_s * 1000:.1f} ms, before a client could leave",
            )
        leave_s = lengths.leave_s
        stayers = self._beside_leavers(per_s, probe, lengths, leave_s)

        def judged() -> Judgement:
            share = measures.stayed_share(stayers, lengths.beside_fill_s)
            failed = measures.failed_share(stayers, lengths.beside_fill_s)
            return grading.work_for_leavers(share, leave_s, failed)

        return _if_valid(stayers, grading.LEAVERS, judged)

    # -- loads --------------------------------------------------------------------------

    def _offered(
        self, name: str, rate: float, seconds: float, probe: ProbedService, **more: Any
    ) -> tuple[LoadRun, float | None]:
        """What came of a load, and the CPU time that the service took for it.

        What this machine could not send honestly is sent again, a few times.
        """
        for _ in range(TRIES):
            self.say(f"{name}: {rate:,.0f} requests a second, for {seconds:g} s")
            before_s = self._cpu_s()
            run: LoadRun = self._load(rate, seconds, **more)
            after_s = self._cpu_s()
            self._rest(probe)
            if not causes_of(run.records, run.meta):
                break
        self.runs[name] = run.named(name)
        took_s = None if before_s is None or after_s is None else after_s - before_s
        return run, took_s

    def _beside_leavers(
        self, per_s: float, probe: ProbedService, lengths: Lengths, leave_s: float
    ) -> LoadRun:
        """Patient clients at half of its capacity, beside its whole capacity that hangs up."""
        for _ in range(TRIES):
            self.say(
                f"Clients that hang up after {leave_s * 1000:g} ms, beside patient ones, for "
                f"{lengths.beside_s:g} s"
            )
            leavers: RunningLoad = self._load(
                LEAVING * per_s, lengths.beside_s + OUTLAST_S, client_timeout_s=leave_s,
                background=True,
            )  # fmt: skip
            try:
                run: LoadRun = self._load(STAYING * per_s, lengths.beside_s)
            finally:
                leavers.kill()
            self._rest(probe)
            if not causes_of(run.records, run.meta):
                break
        self.runs["beside leavers"] = run.named("patient clients, beside some that hang up")
        return run

    def _load(self, rate: float, seconds: float, **more: Any) -> Any:
        arguments = {"client_timeout_s": self.client_timeout_s} | more
        return load(
            self.target, rate=rate, seconds=seconds, request=self.request,
            i_run_this_service=self.i_run_this_service, **arguments,
        )  # fmt: skip

    def _rest(self, probe: ProbedService) -> None:
        """What a queue without a bound took at 5× takes longer than one wait to come out of it."""
        for _ in range(WAITS):
            if probe.settle():
                return

    # -- besides loads ------------------------------------------------------------------

    @contextmanager
    def _probe(self) -> Iterator[ProbedService]:
        probe = ProbedService(
            self.target, self.request, self.client_timeout_s,
            i_run_this_service=self.i_run_this_service, say=lambda text: self.say(f"  {text}"),
        )  # fmt: skip
        try:
            probe.rest()
            yield probe
        finally:
            probe.close()

    @contextmanager
    def _looked_at(self) -> Iterator[list[float | None]]:
        """The Retry-After of the rejections that single requests get meanwhile."""
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
        """CPU time of the service and all its children, where we started it."""
        if self.pid is None:
            return None
        try:
            top = psutil.Process(self.pid)
            times = [p.cpu_times() for p in (top, *top.children(recursive=True))]
        except psutil.Error:
            return None
        return float(sum(t.user + t.system for t in times))


def _if_valid(run: LoadRun, name: str, judged: Callable[[], Judgement]) -> Judgement:
    if causes := causes_of(run.records, run.meta):
        return grading.not_judged(
            name, f"this machine could not send that load honestly ({'; '.join(causes)})"
        )
    return judged()


def _seconds(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None
