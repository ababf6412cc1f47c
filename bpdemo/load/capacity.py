"""`capacity_of`: measure what a service can do in a second, with steps of open load."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import httpx
import numpy as np

from bpdemo.core.members import forgiving_class
from bpdemo.load.capacity_search import Rest, Search, Step, search
from bpdemo.load.destination import destination_of
from bpdemo.load.loads import Target, load, service_at
from bpdemo.load.progress_line import QUIET_S, ProgressText
from bpdemo.load.run import LoadRun
from bpdemo.load.target import client_to
from bpdemo.plan.fates import FAILED, NO_CONNECTION, OK
from bpdemo.plan.plan import RANGES, require_range, require_whole
from bpdemo.plan.request import Request
from bpdemo.results.validity import causes_of

if TYPE_CHECKING:
    import plotly.graph_objects as go

SINGLES: Final = 12
#: Where so many get no answer, no more are sent.
FIRST_SINGLES: Final = 3
SETTLE_S: Final = 30.0
TIMEOUTS_S: Final = RANGES["client_timeout_s"]
PAUSE_S: Final = 0.05
#: So many single requests in a row must be as fast as at rest.
CALM: Final = 3
#: As fast as at rest: 1.5× as slow, and a timer's tick.
SLOWER: Final = 1.5
TICK_S: Final = 0.005

ORDER: Final = Request(
    "POST",
    "/orders",
    json={"item_id": "{item}", "quantity": 1},
    vary={"item": range(1, 101)},
    expect=(200, 201, 409),
)
"""What a box office takes."""


@forgiving_class
@dataclass(frozen=True, slots=True)
class Capacity:
    """What was found: `per_s` requests a second, or None and `why_not`.

    `at_least_per_s` is the most that was served in time, whether it is the capacity or not. `steps`
    are the loads that were offered, and what came of each.
    """

    name: str
    client_timeout_s: float
    per_s: float | None
    at_least_per_s: float | None
    why_not: str
    steps: tuple[Step, ...]

    @classmethod
    def of(cls, name: str, client_timeout_s: float, found: Search) -> Capacity:
        per_s, at_least_per_s = found.per_s, found.at_least_per_s
        return cls(name, client_timeout_s, per_s, at_least_per_s, found.why_not, found.steps)

    @property
    def found(self) -> bool:
        return self.per_s is not None

    @property
    def sentence(self) -> str:
        """The result in words."""
        if self.per_s is not None:
            within = f"{self.client_timeout_s * 1000:g} ms"
            return f"Capacity: {self.per_s:,.0f} requests a second, each answered within {within}."
        return f"Capacity was not found: {self.why_not}."

    def figure(self) -> go.Figure:
        """Goodput over load, a point for each step. ValueError if no step was made."""
        from bpdemo.picture.lines import OFFERED, SERVED, line_figure

        if not self.steps:
            raise ValueError(f"there is no step to draw: {self.why_not}")
        steps = sorted(self.steps, key=lambda step: step.offered_per_s)
        return line_figure(
            {
                "offered": {step.offered_per_s: step.offered_per_s for step in steps},
                "served": {step.offered_per_s: step.goodput_per_s for step in steps},
            },
            title=f"{self.name}. {self.sentence}",
            x="offered, requests per second",
            y="requests per second",
            styles=(OFFERED, SERVED),
        )

    def __repr__(self) -> str:
        return f"<Capacity of {self.name}: {self.sentence}>"

    def _repr_html_(self) -> str:
        return f"<span style='font-size:16px'>{escape(self.sentence)}</span>"


def capacity_of(
    target: Target | str,
    request: Request | None = None,
    *,
    client_timeout_s: float = 0.5,
    seed: int = 0,
    processes: int = 1,
    i_run_this_service: bool = False,
    say: Callable[[str], object] | None = None,
) -> Capacity:
    """Offer `target`, a service or its address, more and more until it cannot serve it in time.

    Steps grow by 1.4, each of at least 3 s, 200 requests and ten times `client_timeout_s` (for
    that at most 20 s); before each the service is given up to 30 s to be as fast as at rest. It
    takes a minute or two, a few with a long timeout, and tells what it does, to `say` if given.
    Without `request` it sends orders, as to a box office. To another machine it sends only with
    `i_run_this_service`. ValueError if nothing is there, or for an argument out of range.
    """
    client_timeout_s = require_range("client_timeout_s", client_timeout_s, *TIMEOUTS_S)
    seed, processes = require_whole("seed", seed), require_whole("processes", processes, 1, 64)
    service = service_at(target, i_run_this_service)
    if require_running := getattr(service, "require_running", None):
        require_running()
    with ProgressText(say) as progress:
        trial = ProbedService(
            service, request, client_timeout_s, seed, processes, i_run_this_service, progress.show
        )
        try:
            found = search(trial, progress.show)
        finally:
            trial.close()
    return Capacity.of(str(getattr(service, "name", service.url)), client_timeout_s, found)


class ProbedService:
    """Measures a real service with the load generator, and with single requests of its own.

    `say` hears of waits that last.
    """

    def __init__(
        self,
        service: Target,
        request: Request | None,
        client_timeout_s: float,
        seed: int = 0,
        processes: int = 1,
        i_run_this_service: bool = False,
        say: Callable[[str], object] = lambda _: None,
    ) -> None:
        self.client_timeout_s = client_timeout_s
        self._say = say
        self._service = service
        self._request = request
        self._options: dict[str, Any] = {
            "client_timeout_s": client_timeout_s,
            "processes": processes,
            "i_run_this_service": i_run_this_service,
        }
        self._single = request or ORDER
        self._chance = random.Random(f"single requests {seed}")
        self._seed = seed
        self.rest_s = 0.0
        to = destination_of(service.url, i_run_this_service)
        # Longer than a load's callers wait: how slow it is shall be seen.
        self._client = client_to(to, max(5.0, 2 * client_timeout_s))

    def close(self) -> None:
        self._client.close()

    def rest(self) -> Rest:
        """The median of a dozen; where the first few get no answer, of those."""
        self._ask()  # the first one opens the connection
        asked = [self._ask() for _ in range(FIRST_SINGLES)]
        if any(status != NO_CONNECTION for _, status in asked):
            asked += [self._ask() for _ in range(SINGLES - FIRST_SINGLES)]
        statuses = [status for _, status in asked]
        self.rest_s = median(took_s for took_s, _ in asked)
        return Rest(
            latency_s=self.rest_s,
            answered=sum(status != NO_CONNECTION for status in statuses),
            expected=sum(map(self._single.is_expected, statuses)),
            sent=len(asked),
            most_often=told_status(statuses),
        )

    def settle(self) -> bool:
        began_s = time.monotonic()
        calm, has_told = 0, False
        while calm < CALM and (waited_s := time.monotonic() - began_s) < SETTLE_S:
            if waited_s > QUIET_S and not has_told:
                self._say(f"It is not as fast as at rest yet; waiting, at most {SETTLE_S:.0f} s")
                has_told = True
            took_s, status = self._ask()
            is_calm = took_s <= self.rest_s * SLOWER + TICK_S and self._single.is_expected(status)
            calm = calm + 1 if is_calm else 0
            time.sleep(0 if is_calm else PAUSE_S)
        return calm >= CALM

    def offer(self, rate_per_s: float, seconds: float) -> Step:
        self._seed += 1  # other arrivals each time, the repeat's too
        run: LoadRun = load(
            self._service, rate=rate_per_s, seconds=seconds, request=self._request,
            seed=self._seed, **self._options,
        )  # fmt: skip
        return step_of(run)

    def _ask(self) -> tuple[float, int]:
        """A single request: how long it took, and how it was answered."""
        drawn = [self._chance.randrange(len(c)) for c in self._single.vary.values()]
        sent = self._single.filled(drawn)
        began_s = time.perf_counter()
        try:
            answer = self._client.request(
                self._single.method, sent.path, content=sent.body, headers=sent.headers
            )
            status = answer.status_code
        except httpx.HTTPError:
            status = NO_CONNECTION
        return time.perf_counter() - began_s, status


def step_of(run: LoadRun) -> Step:
    """A step as its run shows it, without its beginning, when queues are still filling."""
    meta = run.meta
    settled = run.between(min(1.0, meta.seconds / 3), meta.seconds)
    failed = run.records.fate == FAILED
    return Step(
        rate_per_s=meta.rate_per_s,
        seconds=meta.seconds,
        offered_per_s=settled["offered_per_s"],
        goodput_per_s=settled["goodput_per_s"],
        failed_share=float(failed.mean()) if len(failed) else 0.0,
        most_often=told_status(run.records.status[failed].tolist()),
        problem="; ".join(causes_of(run.records, meta)),
        grew_s=growth_s(run),
    )


def growth_s(run: LoadRun) -> float:
    """By how much the median latency of what was served grew from the first third to the last."""
    records, seconds = run.records, run.meta.seconds
    served = records.fate == OK
    first = records.latency_s[served & (records.t_s < seconds / 3)]
    last = records.latency_s[served & (records.t_s >= seconds * 2 / 3)]
    return float(np.median(last) - np.median(first)) if len(first) and len(last) else 0.0


def told_status(statuses: list[int]) -> str:
    """The most frequent one in words; empty if there is none."""
    if not statuses:
        return ""
    ((status, _),) = Counter(statuses).most_common(1)
    return "no connection" if status == NO_CONNECTION else f"status {status}"
