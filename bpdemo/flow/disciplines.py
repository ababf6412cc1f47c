"""Whose turn it is. Each keeps jobs with the moment they came; every operation takes constant time.

Jobs stand in ordered dictionaries, not in a deque or heap, so that one whose caller left can be
taken out of the middle as cheaply as the next one is taken from the end.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from typing import Generic, Literal, Protocol, TypeVar

DisciplineName = Literal["fifo", "lifo", "adaptive_lifo", "priority", "codel"]
LEVELS = 4

J = TypeVar("J", bound=Hashable)


class Discipline(Protocol[J]):
    def push(self, job: J, came_s: float, priority: int) -> None: ...

    def pop(self) -> tuple[J, float]:
        """The next job and when it came. Raises KeyError when empty."""
        ...

    def remove(self, job: J) -> bool:
        """Take a job out of turn; False if it is not here."""
        ...

    def ahead_of(self, priority: int) -> int:
        """How many would be served before a newcomer of that priority."""
        ...

    def __iter__(self) -> Iterator[tuple[J, float, int]]:
        """Job, when it came, priority."""
        ...

    def __len__(self) -> int: ...


class Line(Generic[J]):
    """Oldest first, or newest first: the first is fair, the second still sells in overload."""

    def __init__(self, *, newest_first: bool = False) -> None:
        self._newest_first = newest_first
        self._jobs: OrderedDict[J, tuple[float, int]] = OrderedDict()

    def push(self, job: J, came_s: float, priority: int) -> None:
        self._jobs[job] = (came_s, priority)

    def pop(self) -> tuple[J, float]:
        job, (came_s, _) = self._jobs.popitem(last=self._newest_first)
        return job, came_s

    def remove(self, job: J) -> bool:
        return self._jobs.pop(job, None) is not None

    def ahead_of(self, priority: int) -> int:
        return 0 if self._newest_first else len(self._jobs)

    def __iter__(self) -> Iterator[tuple[J, float, int]]:
        return ((job, came_s, priority) for job, (came_s, priority) in self._jobs.items())

    def __len__(self) -> int:
        return len(self._jobs)


class AdaptiveLine(Line[J]):
    """Oldest first, but newest first as long as the line is *standing*: fair while it can be.

    Standing: not empty since `standing_s`, as CoDel has it. From B. Maurer, "Fail at Scale", ACM
    Queue 13(8), 2015. The next arrival decides, so that nobody's turn changes while none come;
    the one that turns the order round has been told the longer wait by `ahead_of`.
    """

    def __init__(self, standing_s: float) -> None:
        super().__init__()
        self._standing_s = standing_s
        self._not_empty_since_s = 0.0

    def push(self, job: J, came_s: float, priority: int) -> None:
        if not self._jobs:
            self._not_empty_since_s = came_s
        self._newest_first = came_s - self._not_empty_since_s > self._standing_s
        super().push(job, came_s, priority)


class PriorityLines(Generic[J]):
    """The highest of `LEVELS` priorities first (3 is critical), oldest first within one."""

    def __init__(self) -> None:
        self._lines: list[Line[J]] = [Line() for _ in range(LEVELS)]

    def push(self, job: J, came_s: float, priority: int) -> None:
        self._lines[priority].push(job, came_s, priority)

    def pop(self) -> tuple[J, float]:
        for line in reversed(self._lines):
            if line:
                return line.pop()
        raise KeyError("no job waits")

    def remove(self, job: J) -> bool:
        return any(line.remove(job) for line in self._lines)

    def ahead_of(self, priority: int) -> int:
        return sum(map(len, self._lines[priority:]))

    def __iter__(self) -> Iterator[tuple[J, float, int]]:
        return (entry for line in self._lines for entry in line)

    def __len__(self) -> int:
        return sum(map(len, self._lines))


def make_discipline(name: DisciplineName, standing_s: float = 0.2) -> Discipline[J]:
    """An empty line of that name. `standing_s` is for adaptive LIFO; CoDel is oldest first, and its
    shedding is the queue's work."""
    if name == "priority":
        return PriorityLines()
    if name == "adaptive_lifo":
        return AdaptiveLine(standing_s)
    return Line(newest_first=name == "lifo")
