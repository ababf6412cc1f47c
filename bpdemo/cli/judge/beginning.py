"""Where to begin with what is to be changed: how large a first limit is, from what was measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

#: A probe that gets a 503 restarts what sheds load, and its load moves on to the others.
NEVER_LIMITED: Final = ("/healthz", "/readyz", "/metrics")
#: Bursts do not shrink with the number of slots: a few wait even where few are served.
QUEUE_MIN: Final = 4


@dataclass(frozen=True, slots=True)
class Beginning:
    """By Little's law, so many requests are in progress at its capacity."""

    per_s: float
    rest_s: float

    @property
    def concurrency(self) -> int:
        return max(1, round(self.per_s * self.rest_s))

    @property
    def queue_capacity(self) -> int:
        return max(QUEUE_MIN, self.concurrency)

    @property
    def sentence(self) -> str:
        return (
            f"Its capacity is {self.per_s:,.0f} requests a second, and one takes "
            f"{self.rest_s * 1000:,.0f} ms at rest: so about {self.concurrency} are in progress at "
            f"capacity. Begin with a limit of {self.concurrency}, and let {self.queue_capacity} "
            "wait. For an ASGI application, bpdemo.protect.AdmissionControl does both, and rejects "
            "what would be too late, with a spread Retry-After. Put these lines below the one that "
            "makes your app, with the paths of your own probes and metrics, which must answer "
            "during an overload; then judge again:"
        )

    @property
    def code(self) -> str:
        return (
            "from bpdemo.protect import AdmissionControl, Rule\n\n"
            "app.add_middleware(\n"
            "    AdmissionControl,\n"
            "    paths={\n"
            f'        "/": Rule(concurrency={self.concurrency}, '
            f"queue_capacity={self.queue_capacity}),\n"
            "        # Probes and metrics must answer during an overload. Name yours.\n"
            + "".join(f'        "{path}": None,\n' for path in NEVER_LIMITED)
            + "    },\n)"
        )
