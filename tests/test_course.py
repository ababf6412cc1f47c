"""One table says how long everything takes; lessons, README and the instructor's page follow it."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from bpdemo.lab import show
from bpdemo.lab.exercises.catalogue import EXERCISES
from bpdemo.lab.lessons.shared.course import COURSE, HALF_DAY, HALF_DAY_MINUTES, CourseLesson
from bpdemo.lab.lessons.shop_file import STEPS
from bpdemo.lab.predictions.questions.catalogue import QUESTIONS
from tests.support.scripts import script

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
LESSONS = [one for one in COURSE if one.number]
TIME = re.compile(r"\*\*(\d+) minutes\*\*")
#: A number of minutes that somebody wrote by hand.
MINUTES = re.compile(r"\b(\d+|five|eight|ten|fifteen|twenty|forty)[ -]minutes?\b", re.IGNORECASE)

#: What one can watch somebody do: nobody sees another *understand*.
WATCHED = {
    *("accept", "answer", "buy", "calculate", "choose", "emit", "explain", "find", "follow"),
    *("give", "judge", "name", "query", "read", "recognise", "say", "see", "start", "tell"),
}

#: As wide as a line of source may be in JupyterLab, 1,280 pixels wide, with its file browser open.
SHOWN_COLUMNS = 91
#: Reading speed of technical prose in a second language; a line of code; to choose, to say how sure
#: one is and to explain the outcome in a sentence; to read a picture.
WORDS_PER_MIN, LINE_S, QUESTION_S, PICTURE_S = 200, 3, 45, 20
#: To vote, talk to a neighbour, and vote again, instead of answering alone.
VOTE_MIN = 3
#: Tuning until the score no longer rises; the steps of shop.py in an editor.
HANDS_MIN = {"08": 7, "09": 17}

each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda one: one.number)


@pytest.fixture(scope="module", name="script")
def course_pages() -> ModuleType:
    return script("course_pages")


def prose_cells(lesson: CourseLesson) -> list[str]:
    cells = json.loads((NOTEBOOKS / f"{lesson.file}.ipynb").read_text("utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]


def test_every_notebook_of_the_course_is_in_the_table_and_in_order():
    """A lesson that is added or renamed without its minutes is seen."""
    assert sorted(one.file for one in COURSE) == sorted(p.stem for p in NOTEBOOKS.glob("*.ipynb"))
    numbers = [one.number for one in LESSONS]
    assert numbers == sorted(numbers)


def test_no_two_notebooks_have_one_name():
    """A lesson, its exercises and their solutions may be open in three tabs, which show a name and
    no folder; a crowded row of tabs shows its beginning alone."""
    folders = ("notebooks", "exercises", "solutions")
    stems = [path.stem for folder in folders for path in (ROOT / folder).glob("*.ipynb")]
    assert len(stems) == len({stem[:6] for stem in stems})
    for one in COURSE:
        assert (f"{one.number}_solutions" in stems) == bool(one.exercises)
        assert (one.exercises_file in stems) == bool(one.exercises)


def test_every_exercise_is_in_the_table_and_there_are_no_others():
    """An exercise that is added belongs to a lesson, and takes its turn there."""
    assert [name for one in COURSE for name in one.exercises] == sorted(EXERCISES)
    for one in LESSONS:
        assert all(name.startswith(one.number) for name in one.exercises)


@each_lesson
def test_a_lesson_begins_with_its_title_and_its_minutes(lesson: CourseLesson):
    """One figure for each part, in bold; what is optional is named without a figure."""
    first = prose_cells(lesson)[0]
    assert first.splitlines()[0] == f"# {lesson.number} · {lesson.title}"
    assert tuple(map(int, TIME.findall(first))) == lesson.minutes


@each_lesson
def test_a_lesson_says_how_long_its_first_exercise_takes(lesson: CourseLesson):
    """Where it leads to the exercises, by the name of the first and the last."""
    last = prose_cells(lesson)[-1]
    if not lesson.exercises:
        assert "Exercises" not in last
        return
    [line] = [line for line in last.splitlines() if line.startswith("Exercise")]
    assert f"my-work/{lesson.exercises_file}.ipynb" in line
    assert lesson.exercises[0] in line
    assert lesson.exercises[-1] in line
    told = tuple(map(int, TIME.findall(line)))
    assert told == ((lesson.exercise_minutes,) if lesson.exercise_minutes else ())


@each_lesson
def test_no_lesson_has_a_second_time_of_its_own(lesson: CourseLesson):
    """Neither its header nor its end names minutes but those of the table, in figures or words."""
    first, *_, last = prose_cells(lesson)
    told = MINUTES.findall("\n".join([first, last]).replace("**", ""))
    assert len(told) == len(lesson.minutes) + bool(lesson.exercise_minutes)


def test_pages_are_as_the_table_and_the_questions_make_them(script: ModuleType):
    """After a change of either: make course."""
    for page, wanted in script.pages().items():
        assert page.read_text("utf-8") == wanted, f"{page.name} is not what `make course` writes"


def test_a_page_that_somebody_edited_by_hand_is_seen(script: ModuleType, tmp_path, monkeypatch):
    """`--check` changes nothing and fails; without it the page is made again."""
    page = tmp_path / "README.md"
    made = script.pages()[script.README]
    page.write_text(made.replace("| 18 |", "| 10 |"), "utf-8")
    monkeypatch.setattr(script, "README", page)
    assert script.main(["--check"]) == 1
    assert "| 10 |" in page.read_text("utf-8")
    assert script.main([]) == 0
    assert page.read_text("utf-8") == made
    assert script.main(["--check"]) == 0


@pytest.mark.parametrize("page", ["README.md", "notebooks/README.md"])
def test_each_page_has_its_tables(page: str):
    """Or the test above would prove nothing of it."""
    told = (ROOT / page).read_text("utf-8")
    names = ["lessons"] if page == "README.md" else ["minutes", "half_day"]
    assert re.findall(r"<!-- made: (\w+) -->", told) == names
    assert all(f" {one.title}](" in told or f"[{one.title}](" in told for one in COURSE)


def test_every_wrong_choice_of_every_question_is_among_the_misconceptions(script: ModuleType):
    """With its answer beside it, and no right choice among them."""
    rows = [line for line in script.misconceptions().splitlines() if line.startswith("| ")]
    for name, question in QUESTIONS.items():
        for choice, reply in question.replies.items():
            assert (f"| {choice} | {reply} |" in rows) == (choice != question.right), name


@each_lesson
def test_what_is_revealed_is_shown(lesson: CourseLesson):
    """`reveal` is displayed as the value of its cell; with a line after it, nobody would see it."""
    cells = json.loads((NOTEBOOKS / f"{lesson.file}.ipynb").read_text("utf-8"))["cells"]
    for cell in (cell for cell in cells if cell["cell_type"] == "code"):
        source = "".join(cell["source"])
        if re.search(r"^reveal\(", source, re.MULTILINE):
            assert ast.unparse(ast.parse(source).body[-1]).startswith("reveal("), source


@each_lesson
def test_a_lesson_begins_with_few_imports(lesson: CourseLesson):
    """At most four lines before its first heading, and no more in any other cell."""
    cells = json.loads((NOTEBOOKS / f"{lesson.file}.ipynb").read_text("utf-8"))["cells"]
    begins = next(i for i, cell in enumerate(cells) if "".join(cell["source"]).startswith("## "))
    lines = [import_lines(cell) if cell["cell_type"] == "code" else 0 for cell in cells]
    assert 0 < sum(lines[:begins]) <= 4
    assert max(lines[begins:]) <= 4


@each_lesson
def test_source_that_a_lesson_shows_fits_its_column(lesson: CourseLesson):
    """With the file browser open on a small laptop; a longer line would be broken inside a word."""
    for code in shown_in(lesson):
        assert [line for line in code.splitlines() if len(line) > SHOWN_COLUMNS] == []


def shown_in(lesson: CourseLesson) -> Iterator[str]:
    """What its cells give to `show`, and the steps whose differences `next_step` shows."""
    cells = json.loads((NOTEBOOKS / f"{lesson.file}.ipynb").read_text("utf-8"))["cells"]
    trees = [ast.parse("".join(c["source"])) for c in cells if c["cell_type"] == "code"]
    names: dict[str, object] = {}
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("bpdemo"):
            exec(compile(ast.Module([node], []), lesson.file, "exec"), names)
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
            continue
        if node.func.id == "show":
            yield show(eval(compile(ast.Expression(node.args[0]), lesson.file, "eval"), names)).code
        elif node.func.id == "next_step":  # each line has a sign before it
            step = ast.literal_eval(node.args[0])
            for name in (f"step_{step - 1}.py", f"step_{step}.py"):
                lines = (STEPS / name).read_text("utf-8").splitlines()
                yield "\n".join(f"+{line}" for line in lines)


def test_the_lessons_show_something():
    """Or the test above would prove nothing."""
    assert sum(len(list(shown_in(lesson))) for lesson in LESSONS) > 20


@each_lesson
def test_the_minutes_of_a_lesson_are_those_that_it_takes(lesson: CourseLesson):
    """Reading, code, questions, pictures, the machine, and what hands do. A room needs a little
    more than the sum; less, and the plan of the day would be a lie."""
    takes = [needed_min(part, HANDS_MIN.get(lesson.number, 0)) for part in parts_of(lesson)]
    assert len(takes) == len(lesson.minutes)
    machine_min = (lesson.machine_s or 0) / 60 / len(takes)
    for told, alone in zip(lesson.minutes, takes, strict=True):
        assert 0.9 <= told / (alone + machine_min) <= 1.4, (told, alone + machine_min)


@each_lesson
def test_lines_of_simulated_runs_say_so(lesson: CourseLesson):
    """What 02, 04, 11 and 12 draw with `line_figure` was simulated; what 06 draws was measured."""
    cells = json.loads((NOTEBOOKS / f"{lesson.file}.ipynb").read_text("utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    drawn = [text for text in code if re.search(r"(?<!\w)line_figure\(", text)]
    told = ["simulated=True" in text for text in drawn]
    assert all(told) if lesson.number in ("02", "04", "11", "12") else not any(told)


def parts_of(lesson: CourseLesson) -> list[list[dict[str, Any]]]:
    """Its cells, without those under *Deeper* and *Your turn*; lesson 02 has two parts."""
    cells = json.loads((NOTEBOOKS / f"{lesson.file}.ipynb").read_text("utf-8"))["cells"]
    parts: list[list[dict[str, Any]]] = [[]]
    is_core = True
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown" and source.startswith("## "):
            is_core = not source.startswith(("## Deeper", "## Your turn"))
            if source.startswith("## Part 2"):
                parts.append([])
        if is_core:
            parts[-1].append(cell)
    return parts


def needed_min(cells: list[dict[str, Any]], hands_min: float) -> float:
    """How long somebody takes who reads all of it once, makes each prediction and explains it."""
    told = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    asked = [QUESTIONS[name] for name in re.findall(r'predict\("(\w+)"\)', "\n".join(code))]
    for one in asked:
        told += [one.text, *one.choices, max(one.replies.values(), key=len)]
    words = sum(len(re.findall(r"[\w'’]+", re.sub(r"\]\([^)]*\)", "]", text))) for text in told)
    lines = sum(bool(line.strip()) for text in code for line in text.splitlines())
    pictures = len(re.findall(r"figure\(|side_by_side\(|bars\(|waterfall\(", "\n".join(code)))
    seconds = words * 60 / WORDS_PER_MIN + lines * LINE_S
    return (seconds + len(asked) * QUESTION_S + pictures * PICTURE_S) / 60 + hands_min


def import_lines(cell) -> int:
    """How many lines its import statements take."""
    tree = ast.parse("".join(cell["source"]))
    nodes = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    return sum((node.end_lineno or node.lineno) - node.lineno + 1 for node in nodes)


@each_lesson
def test_everything_is_stopped_before_the_next_lesson_is_offered(lesson: CourseLesson):
    """A learner who follows the link leaves nothing running behind."""
    cells = json.loads((NOTEBOOKS / f"{lesson.file}.ipynb").read_text("utf-8"))["cells"]
    *_, keys, stop, last = ["".join(cell["source"]) for cell in cells]
    assert keys.startswith("## Key points")
    assert stop == "stop_all()"
    assert any(word in last for word in ("Next: [", "For later: [", "This was the last lesson."))


@each_lesson
def test_a_lesson_says_for_whom_it_is_what_it_needs_and_what_one_can_do_then(lesson: CourseLesson):
    """Two to four objectives, each with a verb that one can watch somebody do."""
    first = prose_cells(lesson)[0]
    assert "for everyone" in first
    assert re.search(r"for everyone who has done|You need|lesson 00", first)
    objectives = re.findall(r"(?m)^- (\w+)", first)
    assert 2 <= len(objectives) <= 4
    assert set(objectives) <= WATCHED, set(objectives) - WATCHED


@each_lesson
def test_a_lesson_names_at_most_three_things_to_read_next(lesson: CourseLesson):
    """More is a list that nobody follows."""
    links = re.findall(r"\]\(https://", prose_cells(lesson)[-1])
    assert len(links) <= 3
    assert links or lesson.number == "00"


@each_lesson
def test_a_lesson_asks_its_questions_in_the_order_of_the_catalogue(lesson: CourseLesson):
    """All of them, and reveals each after it has asked."""
    cells = json.loads((NOTEBOOKS / f"{lesson.file}.ipynb").read_text("utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    asked = re.findall(r'^predict\("(\w+)"\)', code, re.MULTILINE)
    assert asked == [name for name in QUESTIONS if name.startswith(lesson.number)]
    for name in asked:
        assert code.index(f'predict("{name}")') < code.index(f'reveal("{name}"')


def test_the_guide_knows_a_usual_wrong_answer_to_every_exercise():
    """With what to ask then: the first exercise of each lesson in full, the others in a line."""
    rows = re.findall(r"^\| (\d\d[a-z]) \| (.+) \|$", (NOTEBOOKS / "README.md").read_text(), re.M)
    assert {name for name, _ in rows} == set(EXERCISES)
    for name, told in rows:
        assert told.rstrip().endswith('?"'), name
    first = {one.exercises[0] for one in COURSE if one.exercises}
    assert {name for name, told in rows if told.count(" | ") == 2} == first


def test_half_a_day_adds_up():
    """240 minutes, of which 20 are slack."""
    assert sum(slot.minutes for slot in HALF_DAY) == HALF_DAY_MINUTES - 20


@pytest.mark.parametrize(
    "slot", [slot for slot in HALF_DAY if slot.lesson], ids=lambda slot: slot.lesson
)
def test_a_lesson_fits_into_its_slot(slot):
    """Its first part, and its exercise where the plan has one."""
    [lesson] = [one for one in LESSONS if one.number == slot.lesson]
    needed = lesson.minutes[0] + (lesson.exercise_minutes if slot.with_exercise else 0)
    assert needed + len(slot.votes) * (VOTE_MIN - QUESTION_S / 60) <= slot.minutes


def test_a_room_votes_on_two_questions_of_a_lesson():
    """Of its first part, above *Deeper*; lesson 09 is worked in pairs, who talk anyway."""
    by_number = {one.number: one for one in LESSONS}
    for slot in HALF_DAY:
        if slot.lesson in ("", "00", "09"):
            assert slot.votes == ()
            continue
        first_part = "\n".join(
            "".join(cell["source"]) for cell in parts_of(by_number[slot.lesson])[0]
        )
        assert len(slot.votes) == 2
        assert all(f'predict("{name}")' in first_part for name in slot.votes)


def test_what_is_cut_when_late_stands_in_its_lesson():
    """The heading before which lesson 05 ends, and the step after which lesson 09 does."""
    by_number = {one.number: "\n".join(prose_cells(one)) for one in LESSONS}
    assert "## The breaker that does harm" in by_number["05"]
    assert "## Step 3 · A bound" in by_number["09"]
