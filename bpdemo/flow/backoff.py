"""How long to wait before trying again, and why not all at once.

With b = `base_s`, c = `cap_s` and n the number of attempts that failed, let d = min(c, b × 2ⁿ⁻¹):

    none          d                              everybody comes back in step
    equal         d/2 + uniform(0, d/2)          never too soon, half as spread
    full          uniform(0, d)                  the flattest peak
    decorrelated  min(c, uniform(b, 3 × last))   grows by chance, forgets n; at first, last is b

With the defaults (0.05, 1.0) full jitter waits up to 0.05, then up to 0.1 seconds.
After M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
"""

from dataclasses import dataclass
from random import Random

from bpdemo.core.choices import JITTERS, Jitter
from bpdemo.core.ranges import require_choice, require_count, require_number


@dataclass(frozen=True, slots=True, kw_only=True)
class BackoffPolicy:
    """`attempts` in all, the first included; waits grow from `base_s` to at most `cap_s`."""

    attempts: int
    base_s: float
    cap_s: float
    jitter: Jitter

    def __post_init__(self) -> None:
        require_count("attempts", self.attempts, 1)
        require_number("base_s", self.base_s)
        require_number("cap_s", self.cap_s)
        require_choice("jitter", self.jitter, JITTERS)


def backoff_s(policy: BackoffPolicy, failed: int, last_s: float, rng: Random) -> float:
    """The wait after `failed` attempts (1 or more); `last_s` was the previous wait."""
    base_s, cap_s = policy.base_s, policy.cap_s
    # A float overflows at 2 ** 1024; long before that every backoff has reached its cap.
    grown_s = min(cap_s, base_s * 2.0 ** min(failed - 1, 64))
    match policy.jitter:
        case "none":
            return grown_s
        case "equal":
            return grown_s / 2 + rng.uniform(0, grown_s / 2)
        case "full":
            return rng.uniform(0, grown_s)
        case "decorrelated":
            return min(cap_s, rng.uniform(base_s, 3 * max(base_s, last_s)))
