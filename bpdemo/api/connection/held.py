"""Bytes that wait behind the request in hand: unparsed, and each known by when it came."""

from collections import deque

#: No more is read behind a request; what one read brings beyond it is kept, too.
MAX_HELD_BYTES = 65_536
#: Bytes that came within so short a time share the time of the first; a request's own time may
#: begin so much too early.
_GRAIN_S = 0.005
_MAX_MARKS = 1000


class Held:
    """A queue of bytes. Its length is what is in it."""

    __slots__ = ("_data", "_marks", "_start", "_taken")

    def __init__(self) -> None:
        self._data = bytearray()
        self._start = 0  # of what is still in it
        self._taken = 0  # since the beginning of time
        self._marks: deque[list[float]] = deque()  # up to which byte of all: when these came

    def __len__(self) -> int:
        return len(self._data) - self._start

    @property
    def is_full(self) -> bool:
        return len(self) >= MAX_HELD_BYTES

    def put(self, data: bytes, now: float) -> None:
        self._data += data
        end = self._taken + len(self)
        marks = self._marks
        if marks and (now - marks[-1][1] < _GRAIN_S or len(marks) >= _MAX_MARKS):
            marks[-1][0] = end
        else:
            marks.append([end, now])

    def find(self, mark: bytes, within_bytes: int) -> int:
        """How many bytes there are before that mark; -1 if it is not among so many."""
        found = self._data.find(mark, self._start, self._start + within_bytes)
        return found - self._start if found >= 0 else -1

    def peek(self, count: int) -> bytes:
        return bytes(self._data[self._start : self._start + count])

    def take(self, count: int) -> tuple[bytes, float]:
        """So many bytes, and when the last of them came."""
        piece = self.peek(count)
        self._start += len(piece)
        self._taken += len(piece)
        while self._marks[0][0] < self._taken:
            self._marks.popleft()
        came_s = self._marks[0][1]
        if self._start >= MAX_HELD_BYTES or self._start == len(self._data):
            del self._data[: self._start]
            self._start = 0
        return piece, came_s

    def clear(self) -> None:
        self.__init__()  # type: ignore[misc]
