"""When to come back: what each refusal is told, from how the service is doing right now."""

from bpdemo.core.errors import Refused
from bpdemo.flow.retry_after import RetryAfter
from bpdemo.service.wait_estimate import WaitEstimate


class Advice:
    """Turns a refusal into the whole seconds of its Retry-After."""

    __slots__ = ("_estimate", "_retry_after")

    def __init__(self, estimate: WaitEstimate, retry_after: RetryAfter) -> None:
        self._estimate = estimate
        self._retry_after = retry_after

    def retry_after_s(self, refused: Refused) -> int:
        """Counts the refusal too: the many who were refused lately will all come back."""
        estimate = self._estimate
        return self._retry_after.for_refusal(
            estimate.depth, estimate.seconds_each, refused.retry_after_s or 0.0
        )
