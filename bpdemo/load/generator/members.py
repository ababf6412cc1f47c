"""A worker of a load on several machines, as its master knows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from bpdemo.load.generator.clocks import Offset

TOPIC: Final = "bpdemo"
"""The one kind of message of ours among Locust's own; each says by `kind` what it is.

To the worker: `plan`, `tick`, `go`, `stop`, `refused`. To the master: `hello`, `ready`, `tock`,
`chunk`, `end`, `failed`.
"""


@dataclass(slots=True)
class Member:
    """`index` is its part of the plan; times are on the master's clock."""

    node_id: str
    host: str
    heard_s: float
    index: int = -1
    is_ready: bool = False
    failed: str = ""
    ending: dict[str, Any] | None = None
    lost: str = ""
    readings: list[Offset] = field(default_factory=list)
    offset: Offset | None = None

    @property
    def is_over(self) -> bool:
        return self.ending is not None or bool(self.lost)
