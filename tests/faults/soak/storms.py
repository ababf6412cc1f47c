"""Faults drawn by a seed: which, how long, how bad, and how long it is calm after each."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

KINDS = (
    "payment fails",
    "payment slow",
    "payment endless",
    "payment down",
    "payment flaps",
    "store down",
    "store fails",
    "backends cut",
    "postgres killed",
    "knobs turned",
    "callers hang up",
    "idle connections",
    "endless bodies",
)
#: For circuits to half-open and close, and for what was owed to be settled beside the load.
RECOVERY_S = 5.0


@dataclass(frozen=True)
class Storm:
    kind: str
    fault_s: float
    calm_s: float
    chance: Random

    @property
    def whole_s(self) -> float:
        return self.fault_s + RECOVERY_S + self.calm_s


def storms(seed: int, seconds: float) -> Iterator[Storm]:
    """Without end. Every kind comes before one comes again; short soaks have short storms."""
    chance = Random(f"{seed} storms")
    scale = min(1.0, max(0.3, seconds / 120))
    while True:
        for kind in chance.sample(KINDS, len(KINDS)):
            fault_s, calm_s = chance.uniform(3, 8) * scale, chance.uniform(7, 12) * scale
            yield Storm(kind, fault_s, calm_s, Random(chance.random()))
