"""When to come back: what each refusal is told, from how the service is doing right now."""

from bpdemo.core.errors import Refused
from bpdemo.flow.retry_after import RetryAfter
from bpdemo.service.line import Line


class Advice:
    """Turns a refusal into the whole seconds of its Retry-After."""

    __slots__ = ("_line", "_retry_after")

    def __init__(self, line: Line, retry_after: RetryAfter) -> None:
        self._line = line
        self._retry_after = retry_after

    def retry_after_s(self, refused: Refused) -> int:
        """Counts the refusal too: the many who were refused lately will all come back."""
        line = self._line
        return self._retry_after.for_refusal(
            line.depth, line.seconds_each, refused.retry_after_s or 0.0
        )
