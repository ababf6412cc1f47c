"""Moments to mark in the picture: a breaker that moved, a knob that was turned."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Final, Protocol

from bpdemo.results.meta import Meta

Mark = tuple[float, str]


class Watched(Protocol):
    """What was seen of the server, look by look, as far as marks need it: see `Samples`."""

    @property
    def t_s(self) -> Iterable[float]: ...
    @property
    def queue_capacity(self) -> Iterable[float]: ...
    @property
    def workers(self) -> Iterable[float]: ...
    @property
    def breaker_payment(self) -> Iterable[float]: ...
    @property
    def breaker_store(self) -> Iterable[float]: ...


STATES: Final = ("closed", "half-open", "open")
SAME_MOMENT_S: Final = 0.5
#: A slider that is pulled is marked once, when it comes to rest.
PULLING_S: Final = 2.0


def marks_of(samples: Watched, meta: Meta) -> list[Mark]:
    """All marks of a run in order of time.

    A knob marked by hand also shows in the samples a moment later; it is drawn once.
    """
    by_hand = list(meta.marks)
    seen = [
        (t_s, text)
        for t_s, text in _knobs(samples)
        if not any(_is_part_of(t_s, text, turn) for turn in by_hand)
    ]
    return sorted(by_hand + seen + _breakers(samples))


def _is_part_of(t_s: float, text: str, turn: Mark) -> bool:
    hand_s, told = turn
    same_knob = told.startswith(text.split(" ", maxsplit=1)[0])
    return -(PULLING_S if same_knob else SAME_MOMENT_S) <= t_s - hand_s <= SAME_MOMENT_S


def _breakers(samples: Watched) -> list[Mark]:
    return [
        (t_s, f"{name} breaker {STATES[int(to)]}")
        for name, states in (
            ("payment", samples.breaker_payment),
            ("store", samples.breaker_store),
        )
        for t_s, _, to in _changes(samples.t_s, states)
    ]


def _knobs(samples: Watched) -> list[Mark]:
    return [
        (t_s, f"{name} {_told(before)} → {_told(after)}")
        for name, values in (("queue", samples.queue_capacity), ("workers", samples.workers))
        for t_s, before, after in _changes(samples.t_s, values)
    ]


def _changes(t_s: Iterable[float], values: Iterable[float]) -> list[tuple[float, float, float]]:
    looks = pairwise(zip(map(float, t_s), map(float, values), strict=True))
    return [(at_s, before, after) for (_, before), (at_s, after) in looks if before != after]


def _told(value: float) -> str:
    return "unbounded" if value < 0 else f"{value:.0f}"
