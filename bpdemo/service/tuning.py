"""What can be turned while the service runs: one slice for each pattern."""

from dataclasses import dataclass

from bpdemo.core.ranges import require_count, require_number
from bpdemo.flow.breaker import BreakerPolicy
from bpdemo.flow.budget import BudgetPolicy
from bpdemo.flow.cache import CachePolicy
from bpdemo.flow.guard import GuardPolicy
from bpdemo.flow.queue import QueuePolicy
from bpdemo.service.gate import GatePolicy
from bpdemo.service.intake import IntakePolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """`guard`, `budget` and `breaker` hold for both dependencies, each of which has its own."""

    workers: int
    request_timeout_s: float
    expected_service_s: float
    gate: GatePolicy
    intake: IntakePolicy
    queue: QueuePolicy
    guard: GuardPolicy
    budget: BudgetPolicy
    breaker: BreakerPolicy
    cache: CachePolicy
    async_queue_capacity: int

    def __post_init__(self) -> None:
        require_count("workers", self.workers)
        require_number("request_timeout_s", self.request_timeout_s)
        require_number("expected_service_s", self.expected_service_s)
        require_count("async_queue_capacity", self.async_queue_capacity)
