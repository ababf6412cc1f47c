"""Make the tables of README, the instructor's page and the page of misconceptions.

python scripts/course_pages.py            write them: what `make course` calls
python scripts/course_pages.py --check    write nothing; exit 1 if one differs

Lessons, minutes and the half day come from `bpdemo.lab.lessons.shared.course`, the
misconceptions from the questions of the lessons. On a page they stand between two comments,
`made: NAME` and `end`.
"""

import re
import sys
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

from bpdemo.lab.lessons.shared.course import COURSE, HALF_DAY, HALF_DAY_MINUTES, CourseLesson
from bpdemo.lab.predictions.questions.catalogue import QUESTIONS

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
GUIDE = ROOT / "notebooks" / "README.md"
MISCONCEPTIONS = ROOT / "notebooks" / "MISCONCEPTIONS.md"
MADE = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- end -->\n)", re.DOTALL)
MISCONCEPTIONS_HEAD = """\
# The misconceptions of the course

Before each run a lesson asks for a prediction, and each wrong choice is a misconception that people
really have. They all stand here, with the answer that the lesson gives, for instructors who want
to know beforehand what a room will say. **It gives the answers away**: read it after the lesson.

This page is made from the lessons' questions by `make course`; a test holds it to that.
"""


def pages() -> dict[Path, str]:
    """Each page as it should be. Raises ValueError for a table that nobody makes."""
    told = {page: MADE.sub(_made, page.read_text("utf-8")) for page in (README, GUIDE)}
    return told | {MISCONCEPTIONS: misconceptions()}


def _made(found: re.Match[str]) -> str:
    first, name, end = found.groups()
    if name not in TABLES:
        raise ValueError(f"no table is called {name!r}; there are {', '.join(TABLES)}")
    return f"{first}\n{TABLES[name]()}\n{end}"


def lessons_of_readme() -> str:
    """What each lesson shows, and its minutes."""
    return _table(
        ("lesson", "minutes", "what it shows"),
        ((_link(one, "notebooks/"), one.minutes_told, one.shows) for one in COURSE),
    )


def lessons_of_guide() -> str:
    """Minutes, what of them the machine takes, and exercises; the first is the one for a room."""
    return _table(
        ("lesson", "minutes", "of these the machine is at work, s", "exercises"),
        ((_link(one), one.minutes_told, _machine(one), _exercises(one)) for one in COURSE),
    )


def half_day() -> str:
    """The plan, with its slack as the last row."""
    rows = [
        (str(one.minutes), one.what, " and ".join(one.votes), one.when_late) for one in HALF_DAY
    ]
    slack = HALF_DAY_MINUTES - sum(one.minutes for one in HALF_DAY)
    rows.append((str(slack), "slack: you will need it", "", ""))
    rows.append((f"**{HALF_DAY_MINUTES}**", "", "", ""))
    return _table(("minutes", "what", "vote on", "when late"), rows)


TABLES: dict[str, Callable[[], str]] = {
    "lessons": lessons_of_readme,
    "minutes": lessons_of_guide,
    "half_day": half_day,
}


def misconceptions() -> str:
    """The whole page: a section for each lesson, a row for each wrong choice."""
    return MISCONCEPTIONS_HEAD + "".join(_sections())


def _sections() -> Iterator[str]:
    titles = {one.number: one.title for one in COURSE}
    for number, names in groupby(QUESTIONS, key=lambda name: name[:2]):
        yield f"\n## {number} · {titles[number]}\n"
        for name in names:
            question = QUESTIONS[name]
            wrong = ((one, question.replies[one]) for one in question.choices)
            rows = [(one, reply) for one, reply in wrong if one != question.right]
            yield f"\n**{name}** {question.text} *{question.right}.*\n\n"
            yield _table(("what people say", "what to answer"), rows)


def _link(one: CourseLesson, folder: str = "") -> str:
    return f"[{one.number} {one.title}]({folder}{one.file}.ipynb)".replace("[ ", "[")


def _machine(one: CourseLesson) -> str:
    return "–" if one.machine_s is None else str(one.machine_s)


def _exercises(one: CourseLesson) -> str:
    if not one.exercises:
        return ""
    first, *rest = one.exercises
    within = f"{one.exercise_minutes} minutes" if one.exercise_minutes else "within the lesson"
    return ", ".join((f"**{first}** ({within})", *rest))


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]] | list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def main(arguments: list[str]) -> int:
    differ = False
    for page, wanted in pages().items():
        if page.is_file() and page.read_text("utf-8") == wanted:
            continue
        differ = True
        if "--check" not in arguments:
            page.write_text(wanted, "utf-8")
    return int(differ and "--check" in arguments)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
