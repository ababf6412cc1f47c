"""What to do once an exercise has passed: more of the same lesson, or the next lesson."""

from __future__ import annotations

from bpdemo.lab.exercises.catalogue import EXERCISES
from bpdemo.lab.lessons.shared.course import COURSE


def next_step(name: str) -> str:
    """A sentence or two; lessons and exercises in the order of the course."""
    names = sorted(EXERCISES)
    later = names[names.index(name) + 1 :]
    more = next((other for other in later if other[:2] == name[:2]), None)
    lessons = [lesson for lesson in COURSE if lesson.number > name[:2]]
    onward = f"go on with lesson {lessons[0].number}, {lessons[0].title}" if lessons else ""
    if more is None:
        return f"that was the last exercise of lesson {name[:2]}: {onward or 'well done'}."
    exercise = EXERCISES[more]
    told = f"{more}, {exercise.title}, takes about {exercise.minutes} minutes"
    return f"{told}; or {onward}." if onward else f"{told}."
