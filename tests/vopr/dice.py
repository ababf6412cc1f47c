"""Draws a script from a seed: what kind of day it is, who comes, and what goes wrong.

Each world is given some of the features and not others, and those at a strength of its own: the
rare combinations come up more often so than if every world had a little of everything
(A. Groce et al., "Swarm Testing", ISSTA 2012).
"""

from collections.abc import Iterator
from random import Random
from typing import Any

from bpdemo.core.choices import DISTRIBUTIONS
from bpdemo.core.settings import Settings
from tests.vopr import knobs
from tests.vopr.script import PLAIN, Act, Script

#: Sums of such times are exact in floats, so that much happens at the same moment.
TICK_S = 1 / 64
LONGEST_S = 40_000.0
#: What is owed is tried every second or so: longer outages cost much and show no more.
LONGEST_FAULT_S = 600.0
ANY = "any"
CALLS = {
    "payment": ["charge", "refund", ANY, ANY],
    "store": [
        "place",
        "place",
        "place",
        "void",
        "void",
        "take_back",
        "find_item",
        "find_item",
        "find_order_by_key",
        ANY,
        ANY,
    ],
    "backlog": ["accept", "accept", "confirm", "fail", "settle", ANY],
}
#: What a dependency may raise; `chaos` has the classes.
RAISED = (
    "failed", "failed", "failed", "failed", "unasked", "timeout", "bug", "pool", "cancelled",
    "exit", "generator", "interrupt", "own",
)  # fmt: skip
#: The service tells of these in the step before something that takes one turn of the loop.
EVENTS = (
    "JobEnded", "JobEnded", "JobStarted", "OrderAdmitted", "OrderEnded", "AttemptEnded",
    "AttemptEnded", "CacheAsked", "BreakerMoved", "OrderRejected",
)  # fmt: skip
#: A write is tried again after its answer was lost, and nothing stands before the second try.
UNHEARD = {
    "retry_attempts": 2,
    "breaker_enabled": False,
    "retry_budget_min_per_s": 10.0,
    "initial_stock": 1000,
}
CRASHES = ("bug", "timeout", "cancelled", "exit", "generator", "interrupt", "own")


def draw_script(seed: int) -> Script:
    return _Dice(seed).script()


class _Dice:
    """The chance of one seed, and what was drawn so far."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.rng = Random(f"swarm {seed}")
        self.ticks = self.chance(0.35)
        self.kind = self.rng.choices(["office", "promises", "twin"], [75, 17, 8])[0]
        self.faults_begun = 0
        self.is_lossy = self.is_tripping = self.is_scarce = False

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def grid(self, at_s: float) -> float:
        return round(at_s / TICK_S) * TICK_S if self.ticks else at_s

    def script(self) -> Script:
        rng = self.rng
        days = [_any_day, _breaker_day, _still_day, _edge_day, _lossy_day, _ticket_day]
        day = rng.choices(days, [5, 3, 1, 2, 2, 1])[0]
        chosen = day(self)
        self.is_lossy, self.is_tripping = day is _lossy_day, day is _breaker_day
        self.is_scarce = day is _ticket_day
        chosen |= {"seed": self.seed, "store": "memory"}
        chosen.setdefault("initial_stock", rng.choice([1, 3, 40, 1000, 10**6, 10**6, 10**6]))
        base = knobs.WorldSettings(**chosen)
        few = day in (_breaker_day, _lossy_day, _ticket_day)
        many = 40 if few else rng.choice([4, 25, 60, 60, 200, 200, 500])
        span_s = self.span_s(base, many, slow=day is _still_day)
        acts = [*self.customers(many, span_s), *self.readers(many // 5, span_s)]
        acts += self.troubles(base, span_s, rng.choice([0, 2, 4, 8]) + 4 * few)
        if self.is_scarce:
            acts += self.lagging(base, 0.0, span_s)
        acts += self.turns(span_s, [act.at_s for act in acts])
        acts += self.end(span_s)
        if self.is_lossy and self.chance(0.4):
            chosen |= UNHEARD
            acts += self.unheard(span_s)
        acts.sort(key=lambda act: act.at_s)
        return Script(self.seed, self.kind, chosen, tuple(acts))

    def span_s(self, base: Settings, many: int, *, slow: bool) -> float:
        """So that the load is light, just right, or far too much; or nearly nobody, for hours."""
        order_s = max(base.payment_latency_s + 3 * base.store_latency_s, 0.002)
        load = self.rng.choice([0.2, 0.8, 1.2, 3.0, 10.0])
        span_s = max(many * order_s / base.workers / load, self.rng.choice([0.05, 0.5, 10.0]))
        if slow or self.chance(0.15):
            span_s = max(span_s, 10 ** self.rng.uniform(3, 4.6))
        return min(span_s, LONGEST_S)

    def customers(self, many: int, span_s: float) -> Iterator[Act]:
        rng, pick = self.rng, self.rng.choice
        crowd = {
            "clients": pick([1, 3, 40]), "items": pick([1, 2, 100]), "keyed": pick([0, 0.4, 0.9]),
            "keys": max(1, many // pick([2, 6, 20])), "hasty": pick([0, 0, 0.3, 0.9]),
            "leaving": pick([0, 0.1, 0.5]), "cancelled": pick([0, 0, 0.15]),
            "slow": pick([0, 0, 0.3]), "fleeing": pick([0, 0, 0.3, 0.8]),
            "watched": pick([0, 0.2, 0.7]), "later": pick([0.2, 0.6, 1.0]), "odd": pick([0, 0.02]),
        }  # fmt: skip
        if self.is_scarce:
            crowd |= {"items": 100, "watched": 1.0, "clients": 40}
        together = pick([[1], [1, 1, 1, 1, 1, 1, 6], [1, 2, 3]])
        for _ in range(many):
            at_s = self.grid(rng.uniform(0, span_s))
            for _ in range(pick(together)):
                one = self.customer(crowd)
                yield Act(at_s, "order", one)
                if self.chance(crowd["watched"]):  # somebody looks at it meanwhile
                    look = {"n": one["item"] - 1, "timeout_s": None, "cancel_s": None, "turns": 0}
                    later_s = rng.uniform(0, 0.6 if self.is_scarce else 0.1)
                    yield Act(self.grid(at_s + later_s), "look", look)

    def customer(self, crowd: dict[str, Any]) -> dict[str, Any]:
        rng = self.rng
        one = dict(PLAIN, client=f"c{rng.randrange(crowd['clients'])}")
        one |= {"item": rng.randint(1, crowd["items"]), "priority": rng.randrange(4)}
        one |= {"quantity": rng.choice([1, 1, 1, 5]), "turns": rng.choice([0, 0, 1, 2, 4])}
        if self.chance(crowd["keyed"]) or (self.kind == "promises" and self.chance(0.6)):
            number = rng.randrange(crowd["keys"])
            one |= {"key": f"k{number}", "item": 1 + number % crowd["items"]}
            one["quantity"] = 2 if self.chance(0.08) else 1  # now and then another body
            one["later"] = self.kind == "promises" and self.chance(crowd["later"])
        if self.chance(crowd["hasty"]):
            one["timeout_s"] = max(0.001, self.grid(10 ** rng.uniform(-2.5, 1.5)))
        shares = {"hang_up_s": "leaving", "cancel_s": "cancelled", "body_s": "slow"}
        for name, share in shares.items():
            if self.chance(crowd[share]):
                one[name] = self.grid(10 ** rng.uniform(-3, rng.choice([-1, 0.7])))
        if self.chance(crowd["fleeing"]):
            one["flees"] = self.event() | {"how": rng.choice(["hang_up_s", "cancel_s"])}
        if self.chance(crowd["odd"]):
            one |= rng.choice([{"item": 999}, {"unreadable": True}])
        if self.kind == "twin":  # where all want one ticket and send their body at once
            one |= {"quantity": 1, "body_s": 0.0, "unreadable": False}
        return one

    def event(self) -> dict[str, Any]:
        """A moment that no clock tells: so many turns after the nth event of a name."""
        pick = self.rng.choice
        return {"event": pick(EVENTS), "nth": pick([1, 1, 1, 2, 5]), "turns": pick([0, 1, 1, 2, 3])}

    def at_some_event(self, at_s: float, kind: str, what: dict[str, Any]) -> Act:
        """The act, by the clock or, of some, just as something happens."""
        if self.chance(0.65):
            return Act(at_s, kind, what)
        return Act(at_s, "when", self.event() | {"kind": kind, "what": what})

    def readers(self, many: int, span_s: float) -> Iterator[Act]:
        rng, items = self.rng, self.rng.choice([1, 3, 1000])
        for _ in range(many):
            kind, at_s = rng.choice(["look", "look", "read"]), rng.uniform(0, span_s * 1.1)
            timeout_s = rng.choice([None, None, 0.01, 1.0])
            what = {"n": rng.randrange(items), "timeout_s": timeout_s, "cancel_s": None, "turns": 0}
            if self.chance(0.3):  # who leaves, and who asks for the same at that moment
                leaves_s = TICK_S * rng.randrange(1, 5) if self.ticks else rng.uniform(0, 0.1)
                other = what | {"turns": rng.randrange(6)}
                yield Act(self.grid(at_s) + leaves_s, kind, other)
                what |= {"cancel_s": leaves_s, "turns": rng.randrange(3)}
            yield Act(self.grid(at_s), kind, what)

    def troubles(self, base: Settings, span_s: float, many: int) -> Iterator[Act]:
        for _ in range(many):
            at_s = self.rng.uniform(0, span_s)
            yield from self.trouble(base, at_s, span_s * 10 ** self.rng.uniform(-1.5, 0))

    def trouble(self, base: Settings, at_s: float, lasting_s: float) -> Iterator[Act]:
        """One that begins, and ends again."""
        rng, begins_s = self.rng, self.grid(at_s)
        ends_s = self.grid(at_s + min(lasting_s, LONGEST_FAULT_S))
        kinds = ["knob", "latency", "break", "break", "break", "break", "crash", "stall", "wall"]
        kinds += (["break"] * 12 + ["lag"] * 4) * self.is_lossy + ["pair"] * 6 * self.is_tripping
        kind = rng.choice(kinds + ["kill", "kill", "freeze"] * (self.kind == "promises"))
        if kind == "lag":
            yield from self.lagging(base, begins_s, ends_s)
        elif kind == "pair":
            yield from self.pair(begins_s, max(base.payment_latency_s, TICK_S))
        elif kind == "knob":
            name = rng.choice(knobs.FAULTY)
            value = True if name.endswith("outage") else rng.choice([0.05, 0.4, 1.0])
            yield Act(begins_s, "turn", {name: value})
            yield Act(ends_s, "turn", {name: knobs.LIVE[name]["value"]})
        elif kind == "latency":
            name = rng.choice(knobs.LATENCIES)
            usual = getattr(base, name)
            slow = min(3600.0, max(usual, 0.002) * 10 ** rng.uniform(0, 2.5))
            yield Act(begins_s, "turn", {name: self.grid(slow)})
            yield Act(ends_s, "turn", {name: usual})
        elif kind in ("break", "crash"):
            self.faults_begun += 1
            name = f"f{self.faults_begun}"
            what = self.crash() if kind == "crash" else self.fault()
            yield Act(begins_s, kind, {"name": name, **what})
            yield Act(ends_s, "mend", {"name": name})
        elif kind == "wall":
            yield Act(begins_s, kind, {"s": rng.uniform(-1e6, 1e6)})
        elif kind == "stall":
            yield self.at_some_event(begins_s, kind, {"s": self.grid(10 ** rng.uniform(-2.5, 0.8))})
        else:
            yield Act(begins_s, kind, {"n": rng.randrange(8)})

    def pair(self, begins_s: float, call_s: float) -> Iterator[Act]:
        """Some calls hang, and others fail, one after the other; those after that are well: the
        breaker moves, and moves again, before those that hang report."""
        hang = self.fault() | {"how": "hang", "rate": 0.5, "call": ANY, "after": False}
        fail = hang | {"how": "raise", "error": "failed", "rate": 0.9, "late_s": None}
        one, other = f"f{self.faults_begun + 1}", f"f{self.faults_begun + 2}"
        self.faults_begun += 2
        hangs, fails = self.rng.choice([((0, 2), (2, 8)), ((2, 8), (0, 2)), ((0, 8), (0, 2))])
        reports = self.rng.choice([10, 20, 60])

        def at_s(calls: int) -> float:
            return begins_s + self.grid(call_s * calls)

        yield Act(at_s(hangs[0]), "break", {"name": one, **hang})
        yield Act(at_s(hangs[1]), "calm", {"name": one})
        yield Act(at_s(reports), "mend", {"name": one})
        yield Act(at_s(fails[0]), "break", {"name": other, **fail})
        yield Act(at_s(fails[1]), "mend", {"name": other})

    def unheard(self, span_s: float) -> Iterator[Act]:
        """Of one order's attempts to be stored, one loses its answer and the next never arrives."""
        lost = {"dependency": "store", "call": "place", "rate": 0.5, "how": "raise"}
        lost |= {"slow_s": 0.0, "error": "failed", "after": True, "late_s": None}
        for fault in (lost, lost | {"error": "unasked", "after": False}):
            self.faults_begun += 1
            name = f"f{self.faults_begun}"
            yield Act(0.0, "break", {"name": name, **fault})
            yield Act(self.grid(span_s), "mend", {"name": name})

    def lagging(self, base: Settings, begins_s: float, ends_s: float) -> Iterator[Act]:
        """What was read of an item is old by the time that it arrives."""
        slow_s = self.grid(base.payment_latency_s * self.rng.choice([1.0, 4.0]))
        slow = {"dependency": "store", "call": "find_item", "how": "slow", "after": True}
        slow |= {"slow_s": max(slow_s, TICK_S), "rate": self.rng.choice([0.3, 1.0])}
        self.faults_begun += 1
        name = f"f{self.faults_begun}"
        yield Act(begins_s, "break", {"name": name, **self.fault(), **slow, "late_s": None})
        yield Act(ends_s, "mend", {"name": name})

    def fault(self) -> dict[str, Any]:
        rng = self.rng
        deps = ["payment"] + ["store"] * (6 if self.is_lossy else 1)
        deps += ["backlog"] * 2 * (self.kind == "promises")
        dependency = rng.choice(deps)
        return {
            "dependency": dependency,
            "call": rng.choice(CALLS[dependency]),
            # Where breakers trip, calls that hang outlive the era that they began in.
            "rate": rng.choice([0.3, 0.3, 0.9] if self.is_tripping else [0.05, 0.3, 0.9, 1.0]),
            "how": self.how(),
            "slow_s": self.grid(10 ** rng.uniform(-2, 0.7)),
            "error": ANY if self.chance(0.25) else rng.choice(RAISED),
            "after": rng.choice([True, False, "either"]),
            # Given up by the caller, and yet on its way: it arrives so much later.
            "late_s": self.grid(rng.uniform(0, 30)) if self.chance(0.4) else None,
        }

    def how(self) -> str:
        """Answers that are slow overtake one another, where they do not lapse."""
        weights = [50, 5, 45] if self.is_tripping else [30, 20, 50]
        return self.rng.choices(["hang", "slow", "raise"], weights)[0]

    def crash(self) -> dict[str, Any]:
        rate, after = self.rng.choice([0.05, 0.5]), self.chance(0.5)
        return {"rate": rate, "error": self.rng.choice(CRASHES), "after": after}

    def turns(self, span_s: float, moments: list[float]) -> Iterator[Act]:
        rng = self.rng
        for _ in range(rng.choice([0, 0, 3, 9])):
            turned = knobs.draw(rng, rng.choice([0.04, 0.25]), self.grid)
            turned = {name: turned[name] for name in turned if name not in knobs.LATENCIES}
            if self.chance(0.4):
                turned["workers"] = rng.choice([1, 1, 2, 8])
            if turned:
                at_s = rng.choice(moments) if self.chance(0.5) else rng.uniform(0, span_s)
                yield Act(self.grid(at_s), "yield", {"n": rng.randrange(5)})
                yield self.at_some_event(self.grid(at_s), "turn", turned)

    def end(self, span_s: float) -> Iterator[Act]:
        """Some days are cut short: by a drain, or without one."""
        rng = self.rng
        if self.chance(0.25):
            at_s = self.grid(rng.uniform(0.1, 1.1) * span_s)
            what = {"timeout_s": rng.choice([0, 0.05, 1, 10, 100])}
            yield self.at_some_event(at_s, "drain", what)
        elif self.chance(0.1):
            yield self.at_some_event(self.grid(rng.uniform(0.1, 1.1) * span_s), "stop", {})


def _any_day(dice: _Dice) -> dict[str, Any]:
    return knobs.draw(dice.rng, dice.rng.choice([0, 0.1, 0.3, 0.6]), dice.grid)


def _still_day(dice: _Dice) -> dict[str, Any]:
    """Nearly nobody comes."""
    return knobs.draw(dice.rng, 0.1, dice.grid)


def _edge_day(dice: _Dice) -> dict[str, Any]:
    """Few places, few workers, and callers who wait for one."""
    pick = dice.rng.choice
    chosen = knobs.draw(dice.rng, 0.1, dice.grid)
    chosen |= {"workers": pick([1, 1, 2, 4]), "queue_capacity": pick([0, 1, 1, 8])}
    chosen |= {"queue_policy": pick(["block", "reject"]), "queue_block_waiters": pick([1, 8, 64])}
    return chosen | {"queue_block_timeout_s": dice.grid(10 ** dice.rng.uniform(-2, 1))}


def _breaker_day(dice: _Dice) -> dict[str, Any]:
    """Breakers that judge a few calls, open briefly, and dependencies slower than that."""
    pick, rng = dice.rng.choice, dice.rng
    chosen = knobs.draw(rng, 0.08, dice.grid)
    latency_s = dice.grid(10 ** rng.uniform(-1.7, 0.3))
    chosen |= {
        "breaker_enabled": True,
        "breaker_min_calls": pick([1, 1, 2, 5]),
        "breaker_failure_ratio": pick([0.1, 0.5, 1.0]),
        "breaker_open_s": dice.grid(latency_s * pick([0.1, 0.5, 2.0])),
        "breaker_half_open_calls": pick([1, 2, 3]),
        "breaker_window_s": pick([1.0, 10.0]),
        "attempt_timeout_s": pick([0.0, 0.0, 30.0, latency_s * 1.5, 0.5]),
        "payment_latency_s": latency_s,
        "store_latency_s": pick([0.0, 0.002, latency_s]),
        "payment_latency_distribution": pick(["constant", *DISTRIBUTIONS]),
        "retry_attempts": pick([1, 1, 3]),
        "workers": pick([1, 2, 4, 8]),
        "request_timeout_s": pick([0.0, 60.0, 2.0]),
    }
    return chosen


def _lossy_day(dice: _Dice) -> dict[str, Any]:
    """Few tickets, few attempts, no breaker in the way, and a store that loses its answers."""
    pick, rng = dice.rng.choice, dice.rng
    chosen = knobs.draw(rng, 0.06, dice.grid)
    return chosen | {
        "initial_stock": pick([1, 1, 3, 12, 1000]),  # of one ticket, nobody asks after the last
        "breaker_enabled": pick([True, False, False]),
        "retry_attempts": pick([1, 1, 2, 8]),
        "retry_budget_ratio": pick([0.0, 0.1, 0.2]),
        "retry_budget_min_per_s": pick([0.0, 0.1, 10.0]),
        "attempt_timeout_s": pick([0.5, 0.5, 0.1, 0.0]),
        "request_timeout_s": pick([0.0, 2.0, 30.0]),
        "cache_ttl_s": pick([0.0, 5.0, 600.0, 600.0]),
        "cache_capacity": pick([1, 1, 1024]),
        "payment_latency_s": pick([0.04, 0.04, 0.5]),
        "workers": pick([1, 2, 8]),
    }


def _ticket_day(dice: _Dice) -> dict[str, Any]:
    """One ticket of each item, a cache that keeps hardly anything, and those who look meanwhile."""
    pick, rng = dice.rng.choice, dice.rng
    chosen = knobs.draw(rng, 0.04, dice.grid)
    return chosen | {
        "initial_stock": 1,
        "cache_capacity": pick([1, 1, 3]),
        "cache_ttl_s": 600.0,
        "payment_latency_s": pick([0.04, 0.125]),
        "attempt_timeout_s": pick([0.0, 2.0]),
        "breaker_enabled": False,
        "workers": pick([2, 4, 8]),
    }
