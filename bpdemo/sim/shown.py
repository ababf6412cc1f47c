"""A played crowd as a picture shows it, without numpy: what `bpdemo.picture.picture.shown` makes of
the run that `simulate` gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING

from bpdemo.picture.shown import Shown
from bpdemo.results.marks import marks_of

if TYPE_CHECKING:
    from bpdemo.sim.play import Play, Sample


def shown(played: Play, seconds: float | None = None) -> Shown:
    """All of it, or its first `seconds`."""
    meta = played.meta(seconds)
    looks = [sample for sample in played.samples if sample[0] < meta.seconds]
    return Shown(
        meta=meta,
        summary=played.summary(seconds),
        columns=played.frame(seconds),
        marks=marks_of(_Looks.of(looks), meta),
    )


@dataclass(frozen=True, slots=True)
class _Looks:
    """The samples, column by column, as far as marks need them."""

    t_s: Sequence[float]
    queue_capacity: Sequence[float]
    workers: Sequence[float]
    breaker_payment: Sequence[float]
    breaker_store: Sequence[float]

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> _Looks:
        return cls(*(list(map(itemgetter(place), samples)) for place in (0, 2, 3, 5, 6)))
