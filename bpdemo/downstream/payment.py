"""A payment provider in a few lines: slow in a chosen way, idempotent, and honest about money."""

import math
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import Random

from bpdemo.core.choices import DISTRIBUTIONS, Distribution
from bpdemo.core.errors import DependencyError
from bpdemo.core.model import PaymentBook
from bpdemo.core.ranges import require_choice, require_number
from bpdemo.downstream.pause import Pause

#: Spread of the lognormal latencies: the 99th percentile is ten times the median.
LOGNORMAL_SIGMA = 1.0
#: Nine of ten bimodal latencies are short, the tenth is long, in parts of the mean: 0.9 × 0.4 and
#: 0.1 × 6.4 are 1 together.
BIMODAL_SHORT, BIMODAL_LONG, BIMODAL_LONG_SHARE = 0.4, 6.4, 0.1
#: How long a key that was settled, refunded or barred keeps its meaning.
KEY_LIFETIME_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentPolicy:
    """How long a call takes: `latency_s` is the mean whatever the distribution."""

    latency_s: float
    distribution: Distribution

    def __post_init__(self) -> None:
        require_number("latency_s", self.latency_s)
        require_choice("distribution", self.distribution, DISTRIBUTIONS)

    def sampler(self, rng: Random) -> Callable[[], float]:
        """A function that draws one latency in seconds at each call."""
        mean = self.latency_s
        if self.distribution == "constant" or mean == 0:
            return lambda: mean
        if self.distribution == "exponential":
            return lambda: rng.expovariate(1 / mean)
        if self.distribution == "bimodal":
            short_s, long_s = BIMODAL_SHORT * mean, BIMODAL_LONG * mean
            return lambda: long_s if rng.random() < BIMODAL_LONG_SHARE else short_s
        # E[X] = exp(mu + sigma²/2) must be the mean asked for.
        mu = math.log(mean) - LOGNORMAL_SIGMA**2 / 2
        # The exponential function has another last digit in another C library; to the nanosecond
        # all agree, and the same seed is the same run.
        return lambda: round(rng.lognormvariate(mu, LOGNORMAL_SIGMA), 9)


class SimulatedPayment:
    """Takes and gives back money that does not exist, after a latency that does.

    Money moves when the request arrives, *before* the latency passes, as it does behind a real
    network: a charge that was cancelled or timed out has been taken. Repeat it under the same
    key, or refund it; both are safe. Assign `policy` to change the latency of later calls.

    What it holds it remembers until the key is refunded or settled: a refund may be owed for as
    long as an outage lasts. Settled and barred keys mean nothing any more after 60 s.
    """

    def __init__(self, policy: PaymentPolicy, rng: Random, clock: Callable[[], float]) -> None:
        self.book = PaymentBook()
        self._rng = rng
        self._clock = clock
        self._pause = Pause()
        self._held: set[str] = set()  # charged, and neither refunded nor settled yet
        # Key -> (does its charge stand?, since when), oldest first: settled, refunded or barred.
        self._over: OrderedDict[str, tuple[bool, float]] = OrderedDict()
        self._none_ends_before_s = 0.0  # so that few charges look who is the oldest
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

    def settle(self, key: str) -> None:
        """The sale stands; what was charged for it need not be remembered much longer."""
        if key in self._held:
            self._end(key, stands=True)

    def _take(self, key: str) -> bool:
        self._forget_old()
        if key in self._held:
            return True
        if key in self._over:
            return self._over[key][0]
        self.book.charged += 1
        self._held.add(key)
        return True

    def _give_back(self, key: str) -> None:
        self._forget_old()
        stands, _ = self._over.get(key, (False, 0.0))
        if key in self._held or stands:
            self.book.refunded += 1
        self._end(key, stands=False)

    def _end(self, key: str, *, stands: bool) -> None:
        self._held.discard(key)
        self._over[key] = (stands, self._clock())
        self._over.move_to_end(key)

    def _forget_old(self) -> None:
        now = self._clock()
        if now <= self._none_ends_before_s:
            return
        over, born_s = self._over, now
        while over and (born_s := over[next(iter(over))][1]) < now - KEY_LIFETIME_S:
            over.popitem(last=False)
        self._none_ends_before_s = (born_s if over else now) + KEY_LIFETIME_S

    def _pass_latency(self) -> Awaitable[None]:
        return self._pause.take(self._draw_latency())
