"""How large a trigger a service survives: its margin, load by load, found in virtual time.

    margin(Settings.unprotected(), loads=(0.5, 0.7), retries=3)

At each load the trigger, a dependency that is slow for a while, is made longer and shorter until it
is known, for each seed, from which length on the service stays stuck after it (`ordeal.py`). The
*edge* is the length at which half of the seeds stick, and between the lengths at which one in ten
and nine in ten do lies the *band* in which chance decides. A load at which no trigger sticks is
*stable*; one at which some do is *vulnerable*, however healthy the service looks there. At some the
service *collapses by itself*: it is stuck with no trigger at all, on half of the seeds or more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil, inf, isfinite, sqrt
from types import MappingProxyType
from typing import Any, Final, Protocol, Unpack

from bpdemo.core.members import NoSuchFigure
from bpdemo.core.settings import Settings
from bpdemo.plan.arguments import DEFAULTS, LoadArguments, takes_load
from bpdemo.plan.plan import require_range, require_whole
from bpdemo.plan.retry_policies import require_retries
from bpdemo.sim.askable import require_service, require_stock
from bpdemo.sim.ordeal import FROM_S, UNTIL_S, WARM_S, Ordeal, Trigger
from bpdemo.sim.play import prepare

#: Shares of the capacity.
LOADS: Final = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
MOST_S: Final = 60.0
LEAST_S: Final = 0.05
#: Two lengths of which one sticks and one does not lie this close in the end, as a ratio.
WITHIN: Final = 1.05
FIRST_GUESS_S: Final = 1.0
#: A window in which fewer orders come on average is too small to tell half from chance.
FEWEST_ORDERS: Final = 20
#: The load's own that each ordeal sets by itself.
TAKEN: Final = ("times", "rate", "seconds", "scenario", "changes")


@dataclass(frozen=True, slots=True)
class MarginAt:
    """What is survived at one load. `stuck_from_s`: for each seed, in order of length, from how
    long a trigger on it sticks; inf where none of up to `most_s` does, 0 where the service is stuck
    without one. `orders`: how many come in the window that is judged, on average."""

    load: float
    stuck_from_s: tuple[float, ...]
    orders: float = inf

    @property
    def edge_s(self) -> float:
        """The length at which half of the seeds stick; inf if no trigger that was tried is."""
        return self.quantile_s(0.5)

    @property
    def collapses(self) -> bool:
        """Whether the service is stuck without any trigger, on half of the seeds or more."""
        return self.edge_s == 0

    @property
    def band_s(self) -> tuple[float, float]:
        """The lengths at which 10% and at which 90% of the seeds stick: of nine, the first and the
        last."""
        return self.quantile_s(0.1), self.quantile_s(0.9)

    @property
    def is_survived(self) -> bool:
        """Whether no trigger that was tried sticks, on any of the seeds."""
        return self.stuck_from_s[0] == inf

    @property
    def doubt(self) -> str:
        """Why the verdicts at this load say little of triggers, in a few words; empty if they do
        not."""
        if self.load > 1:
            return "above the capacity"
        return "too few orders to judge" if self.orders < FEWEST_ORDERS else ""

    @property
    def exceptions(self) -> str:
        """In words, the runs that the edge does not tell of: those that stick where most never do,
        and those that are stuck without a trigger where most are not. Empty if there are none."""
        runs, alone = len(self.stuck_from_s), self.stuck_from_s.count(0.0)
        stuck = [from_s for from_s in self.stuck_from_s if isfinite(from_s)]
        if self.collapses or not stuck or (isfinite(self.edge_s) and not alone):
            return ""
        where = f"at {self.load:.0%} load"
        if isfinite(self.edge_s) or alone == len(stuck):
            is_stuck = "was" if alone == 1 else "were"
            return f"{where} {alone} of {runs} runs {is_stuck} stuck with no trigger at all"
        told = f"{where} {len(stuck)} of {runs} runs stayed stuck, "
        if alone:
            told += f"{alone} of them with no trigger at all and the rest "
        return f"{told}from {stuck[alone]:.2g} s on"

    def quantile_s(self, share: float) -> float:
        """The least length at which at least that share of the seeds sticks."""
        return self.stuck_from_s[max(0, ceil(share * len(self.stuck_from_s) - 1e-9) - 1)]

    def stuck_share(self, trigger_s: float) -> float:
        """The share of the seeds that stick after a trigger of that length."""
        stuck = sum(from_s <= trigger_s for from_s in self.stuck_from_s)
        return stuck / len(self.stuck_from_s)


@dataclass(frozen=True, slots=True)
class Margin:
    """What is survived at each load, in the order in which the loads were given."""

    at: tuple[MarginAt, ...]
    most_s: float
    retries: int
    trigger: Mapping[str, Any]

    @property
    def loads(self) -> tuple[float, ...]:
        return tuple(each.load for each in self.at)

    @property
    def edges_s(self) -> dict[float, float]:
        """Load → the length of trigger at which half of the seeds stick; inf for none."""
        return {each.load: each.edge_s for each in self.at}

    def __getitem__(self, load: float) -> MarginAt:
        """Of one of `loads`. KeyError for another."""
        for each in self.at:
            if each.load == load:
                return each
        told = ", ".join(f"{each:g}" for each in self.loads)
        raise NoSuchFigure(f"nothing was tried at a load of {load!r}; there are {told}")

    def map(self, lengths_s: Sequence[float]) -> dict[float, list[float]]:
        """Load → the share of seeds that stick after a trigger of each of those lengths."""
        return {each.load: [each.stuck_share(s) for s in lengths_s] for each in self.at}

    @property
    def sentence(self) -> str:
        """The result in words."""
        alone = [f"{each.load:.0%}" for each in self.at if each.collapses]
        told = [
            f"{each.edge_s:.2g} s at {each.load:.0%} load"
            for each in self.at
            if not each.collapses and isfinite(each.edge_s)
        ]
        exceptions = "; ".join(filter(None, (each.exceptions for each in self.at)))
        sentences = []
        if alone:
            sentences.append(f"The service collapses by itself at {', '.join(alone)} load.")
        if told:
            sentences.append(f"The service stays stuck after a trigger of {', '.join(told)}.")
        if exceptions:
            sentences.append(f"{exceptions[0].upper()}{exceptions[1:]}.")
        sure = [each.load for each in self.at if not each.doubt]
        if sure and all(each.is_survived for each in self.at):
            tried = f"each load that was tried, up to {max(sure):.0%} of capacity"
            sentences.append(f"A trigger of {self.most_s:g} s is survived at {tried}.")
        return " ".join([*sentences, *self._doubts()])

    def _doubts(self) -> Iterator[str]:
        if above := [
            f"{each.load:.0%}" for each in self.at if each.load > 1 and not each.collapses
        ]:
            yield (
                f"At {', '.join(above)} load the service is overloaded without any trigger, and "
                "its queue may only need longer than a run to show it."
            )
        if few := [f"{each.load:.0%}" for each in self.at if each.orders < FEWEST_ORDERS]:
            yield (
                f"At {', '.join(few)} load fewer than {FEWEST_ORDERS} orders come in the "
                f"{UNTIL_S - FROM_S:g} s that are judged, too few to tell anything but chance."
            )


@dataclass(frozen=True, slots=True)
class Asked:
    """What is tried: picklable, so that `each` may hand it to another process."""

    settings: Settings
    trigger: Trigger
    load: float
    capacity_per_s: float | None
    arguments: Mapping[str, Any]

    @property
    def rate_per_s(self) -> float:
        """ValueError if no capacity is known."""
        capacity = self.capacity_per_s
        if capacity is None:
            capacity = self.settings.nominal_capacity
        if capacity is None:
            raise ValueError("capacity_per_s must be given where an order takes no time")
        return self.load * capacity

    def ordeal(self, trigger_s: float, seed: int) -> Ordeal:
        """Not begun yet."""
        ready = prepare(
            self.settings,
            rate=self.rate_per_s,
            seconds=WARM_S + trigger_s + UNTIL_S,
            changes=self.trigger.changes(self.settings, trigger_s),
            **{**self.arguments, "seed": seed},
        )
        return Ordeal(ready, trigger_s)

    def is_stuck(self, trigger_s: float, seed: int) -> bool:
        """Of one ordeal. True after a trigger of length 0 is a service that collapses by itself."""
        return self.ordeal(trigger_s, seed).judge()


class Mapped(Protocol):
    """`map`, or that of a pool of processes."""

    def __call__(
        self, function: Callable[[int], float], seeds: Iterable[int], /
    ) -> Iterable[float]: ...


@takes_load(retries=3)
def margin(
    settings: Settings | Mapping[str, Any] = MappingProxyType({}),
    *,
    loads: Sequence[float] = LOADS,
    trigger: Trigger | None = None,
    most_s: float = MOST_S,
    seeds: int = 9,
    capacity_per_s: float | None = None,
    tell: Callable[[MarginAt], object] = lambda _: None,
    each: Mapped = map,
    **arguments: Unpack[LoadArguments],
) -> Margin:
    """The largest trigger that a service of those `settings` survives at each of `loads`.

    `loads` are shares of its capacity, or of `capacity_per_s` where something else than the workers
    limits it. `trigger` is what befalls it, payments that take five times as long unless given; it
    lasts up to `most_s`. `seeds` is how many runs decide about each length, from `seed` on; where
    the settings have a seed of their own, the service has that one in all of them, and only the
    clients differ. `tell` hears of each load when it is done. `each` does the seeds: `map`, or that
    of an executor.
    The other arguments are those of `simulate` (`retries`, 3 unless given, `client_timeout_s`,
    `backoff`, `retry_budget`, …), but for `times`, `rate`, `seconds`, `scenario` and `changes`,
    which each ordeal sets itself. Raises `SettingsInvalid`, and ValueError for an argument, or for
    a service that can serve nobody in time, or that may be sold out before the end.
    """
    made = settings if isinstance(settings, Settings) else Settings(**settings)
    for name in TAKEN:
        if arguments[name] != DEFAULTS[name]:
            raise ValueError(f"{name} is set by `margin` itself: leave it out")
    loads = _require_loads(loads)
    if capacity_per_s is not None:
        capacity_per_s = require_range("capacity_per_s", capacity_per_s, 0.001, 1_000_000)
    most_s = require_range("most_s", most_s, LEAST_S, 600)
    first = require_whole("seed", arguments["seed"])
    count = require_whole("seeds", seeds, 1, 1000)
    trigger = _require_trigger(trigger, made)
    given = {name: value for name, value in arguments.items() if name not in TAKEN}
    questions = [Asked(made, trigger, load, capacity_per_s, given) for load in loads]
    for asked in questions:
        ready = asked.ordeal(most_s, first)
        require_stock(made, ready.plan)
    # All of this so that what cannot be asked is told before anything is tried.
    require_retries(arguments["retry_policy"], arguments["retries"])
    require_service(made, given)
    found, guess_s = [], FIRST_GUESS_S
    for asked in questions:
        search = partial(stuck_from_s, asked, most_s=most_s, guess_s=guess_s)
        stuck = tuple(sorted(each(search, range(first, first + count))))
        here = MarginAt(asked.load, stuck, asked.rate_per_s * (UNTIL_S - FROM_S))
        guess_s = max(LEAST_S, min(here.edge_s, most_s))
        found.append(here)
        tell(here)
    return Margin(tuple(found), most_s, arguments["retries"], dict(trigger.knobs))


def _require_loads(loads: Any) -> list[float]:
    if isinstance(loads, str) or not isinstance(loads, Iterable):
        raise TypeError(f"loads must be shares of the capacity, such as (0.5, 0.8), not {loads!r}")
    if not (checked := [require_range("loads", load, 0.01, 10) for load in loads]):
        raise ValueError("loads must be one share of the capacity at least, not none")
    return checked


def _require_trigger(given: Any, settings: Settings) -> Trigger:
    trigger = Trigger.slow_payment(settings) if given is None else given
    if not isinstance(trigger, Trigger):
        like = 'Trigger({"payment_latency_s": 0.2})'
        raise TypeError(f"trigger must be a Trigger, such as {like}, not {trigger!r}")
    trigger.require_effect(settings)
    return trigger


def stuck_from_s(asked: Asked, seed: int, *, most_s: float, guess_s: float) -> float:
    """From which length of trigger on one seed sticks; inf if none of up to `most_s` does, 0 if the
    service is stuck without one.

    Doubling and halving from `guess_s` finds a length that sticks and one that does not; halving
    their ratio then brings them `WITHIN` one another. The answer lies in their middle.
    """
    if asked.is_stuck(0.0, seed):
        return 0.0
    recovers_s, sticks_s = 0.0, inf
    try_s, step = min(guess_s, most_s), 1.2
    while recovers_s == 0 or sticks_s == inf:
        if asked.is_stuck(try_s, seed):
            sticks_s = try_s
            if try_s <= LEAST_S:
                return LEAST_S
            try_s = max(LEAST_S, try_s / step) if recovers_s == 0 else try_s
        else:
            recovers_s = try_s
            if try_s >= most_s:
                return inf
            try_s = min(most_s, try_s * step) if sticks_s == inf else try_s
        step *= step
    while sticks_s > recovers_s * WITHIN:
        try_s = sqrt(sticks_s * recovers_s)
        if asked.is_stuck(try_s, seed):
            sticks_s = try_s
        else:
            recovers_s = try_s
    return sqrt(sticks_s * recovers_s)
