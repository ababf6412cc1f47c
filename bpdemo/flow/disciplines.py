"""Whose turn it is. Each keeps jobs with the moment they came; every operation takes constant time.

Jobs stand in ordered dictionaries, not in a deque or heap, so that one whose caller left can be
taken out of the middle as cheaply as the next one is taken from the end.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from typing import Generic, Protocol, TypeVar

from bpdemo.core.choices import QueueDiscipline

LEVELS = 4

J = TypeVar("J", bound=Hashable)


class Discipline(Protocol[J]):
    def push(self, job: J, came_s: float, priority: int) -> None:
        """Put a job in turn. Raises ValueError, with nothing changed, if it is here already."""
        ...

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
        """Job, when it came, priority; in the order in which they came."""
        ...

    def __contains__(self, job: J, /) -> bool: ...

    def __len__(self) -> int: ...


class ArrivalDiscipline(Generic[J]):
    """Oldest first, or newest first: the first is fair, the second still sells in overload."""

    def __init__(self, *, newest_first: bool = False) -> None:
        self._newest_first = newest_first
        self._jobs: OrderedDict[J, tuple[float, int]] = OrderedDict()

    def push(self, job: J, came_s: float, priority: int) -> None:
        if job in self._jobs:
            raise twice(job)
        self._jobs[job] = (came_s, priority)

    def pop(self) -> tuple[J, float]:
        job, entry = self._jobs.popitem(self._newest_first)
        return job, entry[0]

    def remove(self, job: J) -> bool:
        return self._jobs.pop(job, None) is not None

    def ahead_of(self, priority: int) -> int:
        return 0 if self._newest_first else len(self._jobs)

    def __iter__(self) -> Iterator[tuple[J, float, int]]:
        return ((job, came_s, priority) for job, (came_s, priority) in self._jobs.items())

    def __contains__(self, job: J) -> bool:
        return job in self._jobs

    def __len__(self) -> int:
        return len(self._jobs)


class AdaptiveDiscipline(ArrivalDiscipline[J]):
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
        was_empty = not self._jobs
        super().push(job, came_s, priority)
        if was_empty:
            self._not_empty_since_s = came_s
        self._newest_first = came_s - self._not_empty_since_s > self._standing_s


class PriorityDiscipline(Generic[J]):
    """The highest of `LEVELS` priorities first (3 is critical), oldest first within one."""

    def __init__(self) -> None:
        # All of them in the order they came, which is the order that another discipline takes over.
        self._jobs: dict[J, tuple[float, int]] = {}
        self._lines: list[OrderedDict[J, None]] = [OrderedDict() for _ in range(LEVELS)]

    def push(self, job: J, came_s: float, priority: int) -> None:
        if job in self._jobs:
            raise twice(job)
        self._lines[priority][job] = None
        self._jobs[job] = (came_s, priority)

    def pop(self) -> tuple[J, float]:
        for line in reversed(self._lines):
            if line:
                job, _ = line.popitem(last=False)
                return job, self._jobs.pop(job)[0]
        raise KeyError("no job waits")

    def remove(self, job: J) -> bool:
        if (entry := self._jobs.pop(job, None)) is None:
            return False
        del self._lines[entry[1]][job]
        return True

    def ahead_of(self, priority: int) -> int:
        return sum(map(len, self._lines[priority:]))

    def __iter__(self) -> Iterator[tuple[J, float, int]]:
        return ((job, came_s, priority) for job, (came_s, priority) in self._jobs.items())

    def __contains__(self, job: J) -> bool:
        return job in self._jobs

    def __len__(self) -> int:
        return len(self._jobs)


def twice(job: object) -> ValueError:
    """What is raised for a job that is in the line already."""
    return ValueError(f"{job!r} waits already; a job has one place in the queue")


def make_discipline(name: QueueDiscipline, standing_s: float = 0.2) -> Discipline[J]:
    """An empty line of that name. `standing_s` is for adaptive LIFO; CoDel is oldest first, and its
    shedding is the queue's work."""
    if name == "priority":
        return PriorityDiscipline()
    if name == "adaptive_lifo":
        return AdaptiveDiscipline(standing_s)
    return ArrivalDiscipline(newest_first=name == "lifo")
