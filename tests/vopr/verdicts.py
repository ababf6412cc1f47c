"""What was wrong in one world, and what was heard there."""

import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

MOST = 40
DETAIL = 700


class Wrong(NamedTuple):
    """Something that must not be. `kind` says which rule was broken; it is how seeds are told
    apart, and what shrinking holds on to."""

    kind: str
    at_s: float
    detail: str


class Verdicts:
    """Collects what is wrong, the first few of it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.wrongs: list[Wrong] = []
        self._clock = clock

    def fail(self, kind: str, detail: object = "") -> None:
        if len(self.wrongs) < MOST:
            self.wrongs.append(Wrong(kind, self._clock(), str(detail)[:DETAIL]))

    def expect(self, truth: object, kind: str, detail: object = "") -> None:
        if not truth:
            self.fail(kind, detail)

    @property
    def kinds(self) -> list[str]:
        return list(dict.fromkeys(wrong.kind for wrong in self.wrongs))


class Diary:
    """Everything that happened, in order: as a checksum, which is the same for the same history,
    and in full where a person is to read it."""

    def __init__(self, clock: Callable[[], float], *, sums: bool, full: bool) -> None:
        self.checksum = 0
        self.lines: list[tuple[float, tuple[Any, ...]]] = []
        self._clock = clock
        self._sums = sums
        self._full = full

    def note(self, *what: Any) -> None:
        if self._sums:
            told = repr((round(self._clock(), 9), what))
            self.checksum = zlib.crc32(told.encode(), self.checksum)
        if self._full:
            self.lines.append((self._clock(), what))
