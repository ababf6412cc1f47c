"""A payment provider in a few lines: slow in a chosen way, idempotent, and honest about money."""

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Literal

from bpdemo.core.errors import DependencyError
from bpdemo.core.model import PaymentBook
from bpdemo.downstream.pause import Pause

Distribution = Literal["constant", "exponential", "lognormal"]

#: Spread of the lognormal latencies: the 99th percentile is ten times the median.
LOGNORMAL_SIGMA = 1.0
#: How long a key keeps its meaning after its last use.
KEY_LIFETIME_S = 60.0
#: Older keys than that are still refunded while no more than this many are held.
KEYS_HELD = 20_000


@dataclass(frozen=True, slots=True)
class PaymentPolicy:
    """How long a call takes: `latency_s` is the mean whatever the distribution."""

    latency_s: float = 0.04
    distribution: Distribution = "constant"

    def __post_init__(self) -> None:
        if not 0 <= self.latency_s < math.inf:
            raise ValueError(f"latency_s: {self.latency_s} is not a time")

    def sampler(self, rng: Random) -> Callable[[], float]:
        """A function that draws one latency in seconds at each call."""
        mean = self.latency_s
        if self.distribution == "constant" or mean == 0:
            return lambda: mean
        if self.distribution == "exponential":
            return lambda: rng.expovariate(1 / mean)
        # E[X] = exp(mu + sigma²/2) must be the mean asked for.
        mu = math.log(mean) - LOGNORMAL_SIGMA**2 / 2
        return lambda: rng.lognormvariate(mu, LOGNORMAL_SIGMA)


class SimulatedPayment:
    """Takes and gives back money that does not exist, after a latency that does.

    Money moves when the request arrives, *before* the latency passes, as it does behind a real
    network: a charge that was cancelled or timed out has been taken. Repeat it under the same
    key, or refund it; both are safe. Assign `policy` to change the latency of later calls.

    A key means nothing any more 60 s after its last use (a charge would be a new one), but what
    it took can still be refunded for as long as few keys are held: an outage of the provider may
    keep a refund waiting for longer than that.
    """

    def __init__(self, policy: PaymentPolicy, rng: Random, clock: Callable[[], float]) -> None:
        self.book = PaymentBook()
        self._rng = rng
        self._clock = clock
        self._pause = Pause()
        # Key -> (do we hold its money?, last use), least recently used first.
        self._ledger: OrderedDict[str, tuple[bool, float]] = OrderedDict()
        self.policy = policy

    @property
    def policy(self) -> PaymentPolicy:
        return self._policy

    @policy.setter
    def policy(self, policy: PaymentPolicy) -> None:
        self._policy = policy
        self._draw_latency = policy.sampler(self._rng)

    async def charge(self, key: str, amount_cents: int) -> None:
        """Charge once per key. Raises `DependencyError` for a key that was refunded or barred."""
        taken = self._take(key)
        await self._pass_latency()
        if not taken:
            raise DependencyError("The payment was refunded or barred before.")

    async def refund(self, key: str) -> None:
        """Give back what `key` took, once; a key that took nothing is barred from charging."""
        self._give_back(key)
        await self._pass_latency()

    def _take(self, key: str) -> bool:
        held, used_s = self._ledger.get(key, (True, -math.inf))
        if self._clock() - used_s > KEY_LIFETIME_S:
            held = True
            self.book.charged += 1
        self._note(key, held)
        return held

    def _give_back(self, key: str) -> None:
        held, _ = self._ledger.get(key, (False, 0.0))
        if held:
            self.book.refunded += 1
        self._note(key, False)

    def _note(self, key: str, held: bool) -> None:
        now = self._clock()
        self._ledger[key] = (held, now)
        self._ledger.move_to_end(key)
        while len(self._ledger) > KEYS_HELD and self._oldest_use() < now - KEY_LIFETIME_S:
            self._ledger.popitem(last=False)

    def _oldest_use(self) -> float:
        return self._ledger[next(iter(self._ledger))][1]

    async def _pass_latency(self) -> None:
        await self._pause.take(self._draw_latency())
