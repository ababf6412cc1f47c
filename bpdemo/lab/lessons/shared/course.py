"""The course as a table: lessons, minutes, exercises, and how they fill half a day.

Nothing else in the project says how long a lesson takes: lessons, README and the instructor's page
are held to this table by `tests/test_course.py`, and the pages' tables are made of it by
`scripts/course_pages.py`. Minutes are for one person alone, without what stands under *Deeper*.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

__all__ = ["COURSE", "HALF_DAY", "HALF_DAY_MINUTES", "CourseLesson", "PlannedSlot"]


@dataclass(frozen=True, slots=True)
class CourseLesson:
    """`minutes` has one figure for each part of the lesson. `exercise_minutes` are the first
    exercise's, the one for a room; 0 where that time is within the lesson's own. `machine_s`: for
    how many seconds of them the machine is at work (all cells, at full length, on two cores)."""

    file: str
    title: str
    minutes: tuple[int, ...]
    shows: str
    exercises: tuple[str, ...] = ()
    exercise_minutes: int = 0
    machine_s: int | None = field(kw_only=True)

    @property
    def number(self) -> str:
        """ "02", or "" of what is no lesson."""
        return self.file[:2] if self.file[:2].isdigit() else ""

    @property
    def exercises_file(self) -> str:
        """Of its exercises, and not the lesson's own: a tab shows a name and no folder."""
        return f"{self.number}_exercises"

    @property
    def minutes_told(self) -> str:
        """ "20 + 15": part by part."""
        return " + ".join(map(str, self.minutes))


@dataclass(frozen=True, slots=True)
class PlannedSlot:
    """A line of the half day: what is done, and what to do when the room is late."""

    minutes: int
    what: str
    when_late: str = ""
    lesson: str = ""
    #: Whether the exercise for a room is done within these minutes.
    with_exercise: bool = False
    #: Questions on which the room votes; the others are answered alone.
    votes: tuple[str, ...] = ()


COURSE: Final = (
    CourseLesson(
        "00_start_here",
        "Start here",
        (8,),
        "whether this machine is ready; a first order; the picture, panel by panel",
        machine_s=30,
    ),
    CourseLesson(
        "01_when_queues_explode",
        "When queues explode",
        (18,),
        "a service that accepts every order, at twice its capacity; the one setting that changes "
        "that; two figures that hide it",
        ("01a", "01b", "01c"),
        8,
        machine_s=68,
    ),
    CourseLesson(
        "02_bounded_queue_and_workers",
        "A bounded queue and its workers",
        (20, 15),
        "how long a queue may be; wait, reject or drop; then why backpressure is not a rate limit",
        ("02a", "02b", "02c"),
        8,
        machine_s=60,
    ),
    CourseLesson(
        "03_load_shedding",
        "Load shedding",
        (20,),
        "why rejecting serves more; oldest first, newest first, CoDel; priority and fair shares",
        ("03a", "03b", "03c"),
        10,
        machine_s=40,
    ),
    CourseLesson(
        "04_timeouts_retries_jitter",
        "Timeouts, retries, jitter",
        (25,),
        "whom a timeout protects; a retry storm that outlives its cause, and what ends it",
        ("04a", "04b", "04c"),
        8,
        machine_s=35,
    ),
    CourseLesson(
        "05_circuit_breaker",
        "The circuit breaker",
        (18,),
        "closed, open, half-open; what a breaker spares; the breaker that does harm",
        ("05a", "05b", "05c", "05d"),
        10,
        machine_s=58,
    ),
    CourseLesson(
        "06_database_and_cache",
        "The database and the cache",
        (18,),
        "a real PostgreSQL: why more workers do not help; one load for a crowd; stale while down",
        ("06a", "06b", "06c"),
        20,
        machine_s=50,
    ),
    CourseLesson(
        "07_seeing_it",
        "Seeing it",
        (20,),
        "CPU or queue wait; one order followed by its trace and its log; metrics in pandas",
        ("07a", "07b", "07c", "07d", "07e"),
        8,
        machine_s=60,
    ),
    CourseLesson(
        "08_tuning_challenge",
        "The tuning challenge",
        (20,),
        "bad settings, a load nobody has seen, a score that laptops can compare",
        ("08a",),
        20,
        machine_s=25,
    ),
    CourseLesson(
        "09_your_own_service",
        "Your own service",
        (40,),
        "where queues hide; one file in five steps, from collapse to admission control; the judge",
        ("09a",),
        machine_s=110,
    ),
    CourseLesson(
        "10_beyond_one_process",
        "Beyond one process",
        (15,),
        "work that is accepted now and done later; one of two workers is killed, and nothing is "
        "lost or paid twice",
        machine_s=42,
    ),
    CourseLesson(
        "11_limits_that_find_themselves",
        "Limits that find themselves",
        (25,),
        "a limit that learns, in six lines; a fixed one as its rival; a drift that no "
        "demonstration is long enough to show; what exploring costs",
        ("11a", "11b"),
        12,
        machine_s=50,
    ),
    CourseLesson(
        "12_the_point_of_no_return",
        "The point of no return",
        (20,),
        "how large a trigger a service survives; what raises that margin and what only seems to; "
        "how to get a stuck service back",
        ("12a", "12b"),
        10,
        machine_s=40,
    ),
    CourseLesson(
        "live_demo",
        "Live demo",
        (5,),
        "for a speaker: five acts on the keys 1 to 5",
        machine_s=None,
    ),
)

HALF_DAY_MINUTES: Final = 240

#: Twenty minutes less than the half day: the slack.
HALF_DAY: Final = (
    PlannedSlot(15, "arrival, `bpdemo doctor`, lesson 00", lesson="00"),
    PlannedSlot(24, "lesson 01 with a debrief", lesson="01", votes=("01a", "01c")),
    PlannedSlot(
        33,
        "lesson 02, part 1, with exercise 02a",
        "15 minutes late: drop the exercise",
        lesson="02",
        with_exercise=True,
        votes=("02a", "02b"),
    ),
    PlannedSlot(10, "*break*"),
    PlannedSlot(
        25,
        "lesson 03",
        "15 minutes late: vote on one question",
        lesson="03",
        votes=("03a", "03b"),
    ),
    PlannedSlot(30, "lesson 04", lesson="04", votes=("04b", "04c")),
    PlannedSlot(10, "*break*"),
    PlannedSlot(
        23,
        "lesson 05",
        "30 minutes late: end before *The breaker that does harm*",
        lesson="05",
        votes=("05a", "05d"),
    ),
    PlannedSlot(
        40, "lesson 09 in pairs", "30 minutes late: end after the bound (step 3)", lesson="09"
    ),
    PlannedSlot(10, "what to do next, and feedback"),
)
