"""The files of the course in the learner's folder: what is missing comes, nothing else changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from bpdemo.cli.workshop.course import course_home, hand_out_exercises, lay_out
from bpdemo.lab.lessons.shared.course import COURSE, CourseLesson


def quiet(_: object) -> None:
    """For what a terminal would be told."""


def test_the_whole_course_is_laid_out(tmp_path: Path) -> None:
    """Each lesson, and each exercise under the name of the learner's own folder."""
    lay_out(tmp_path / "course", quiet)
    for name, own_name in (("notebooks", "notebooks"), ("exercises", "my-work")):
        wanted = {path.name for path in (course_home() / name).glob("*.ipynb")}
        assert wanted
        assert {path.name for path in (tmp_path / "course" / own_name).glob("*.ipynb")} == wanted
    assert not list(tmp_path.rglob("*.part"))


def test_what_is_there_is_never_touched(tmp_path: Path) -> None:
    """A second time only what is missing comes."""
    lay_out(tmp_path, quiet)
    mine, gone = sorted((tmp_path / "my-work").glob("*.ipynb"))[:2]
    mine.write_text("mine", "utf-8")
    gone.unlink()
    lay_out(tmp_path, quiet)
    assert mine.read_text("utf-8") == "mine"
    assert gone.stat().st_size > 100


def test_exercises_are_handed_out_once(tmp_path: Path) -> None:
    """An answer survives every later edition; an exercise that is new comes."""
    source, work = tmp_path / "exercises", tmp_path / "my-work"
    (source / ".ipynb_checkpoints").mkdir(parents=True)
    (source / ".ipynb_checkpoints" / "01.ipynb").write_text("a leftover")
    (source / "01.ipynb").write_text("task")
    hand_out_exercises(source, work, quiet)
    (work / "01.ipynb").write_text("answer")
    (source / "01.ipynb").write_text("a later edition")
    (source / "02.ipynb").write_text("another task")
    hand_out_exercises(source, work, quiet)
    assert (work / "01.ipynb").read_text() == "answer"
    assert (work / "02.ipynb").read_text() == "another task"
    assert sorted(path.name for path in work.iterdir()) == ["01.ipynb", "02.ipynb"]


WITH_EXERCISES = [one for one in COURSE if one.exercises]


@pytest.mark.parametrize("lesson", WITH_EXERCISES, ids=lambda one: one.number)
def test_what_a_learner_has_under_a_former_name_is_theirs_under_both(
    lesson: CourseLesson, tmp_path: Path
) -> None:
    """Exercises once had their lesson's name. The file stays as it is, the new name leads to the
    same answers, and from then on each is as its learner leaves it."""
    work = tmp_path / "my-work"
    lay_out(tmp_path, quiet)
    today, former = (work / f"{name}.ipynb" for name in (lesson.exercises_file, lesson.file))
    answered = today.read_text("utf-8").replace("NotImplementedError", "mine", 1)
    former.write_text(answered, "utf-8")
    today.unlink()
    told: list[str] = []
    lay_out(tmp_path, lambda line: told.append(str(line)))
    assert former.read_text("utf-8") == today.read_text("utf-8") == answered
    assert [(former.name in line, today.name in line) for line in told] == [(True, True)]

    today.write_text(further := answered + "\n", "utf-8")
    lay_out(tmp_path, lambda line: told.append(str(line)))
    assert (former.read_text("utf-8"), today.read_text("utf-8")) == (answered, further)
    assert len(told) == 1


def test_a_former_file_that_cannot_be_read_hides_no_exercise(tmp_path: Path) -> None:
    """Half saved, it stays what it is, and the exercise comes as it is handed out."""
    work = tmp_path / "my-work"
    work.mkdir()
    former = work / f"{WITH_EXERCISES[0].file}.ipynb"
    former.write_text("{ half", "utf-8")
    lay_out(tmp_path, quiet)
    name = f"{WITH_EXERCISES[0].exercises_file}.ipynb"
    assert former.read_text("utf-8") == "{ half"
    assert (work / name).read_bytes() == (course_home() / "exercises" / name).read_bytes()


@pytest.mark.parametrize("lesson", WITH_EXERCISES, ids=lambda one: one.number)
def test_a_copy_of_the_lesson_is_not_taken_for_answers(
    lesson: CourseLesson, tmp_path: Path
) -> None:
    """Lessons have the name that exercises once had. A lesson that a learner took into their folder
    is left there, and the exercises come as they are handed out, without a word of answers."""
    home, work = course_home(), tmp_path / "my-work"
    work.mkdir()
    copy = work / f"{lesson.file}.ipynb"
    copy.write_bytes(whole := (home / "notebooks" / copy.name).read_bytes())
    told: list[str] = []
    lay_out(tmp_path, lambda line: told.append(str(line)))
    name = f"{lesson.exercises_file}.ipynb"
    assert (work / name).read_bytes() == (home / "exercises" / name).read_bytes()
    assert copy.read_bytes() == whole
    assert told == []
    wanted = {path.name for path in (home / "exercises").glob("*.ipynb")}
    assert {path.name for path in work.iterdir()} == wanted | {copy.name}


def test_a_link_that_leads_nowhere_is_there(tmp_path: Path) -> None:
    """A learner whose answers lie on a drive finds their links as they were, mounted or not: those
    of today, those under a former name, and those of exercises laid beside."""
    work = tmp_path / "my-work"
    work.mkdir()
    names = [each for one in WITH_EXERCISES for each in (one.exercises_file, one.file)]
    for name in names:
        (work / f"{name}.ipynb").symlink_to(tmp_path / "unmounted" / f"{name}.ipynb")
    told: list[str] = []
    lay_out(tmp_path, lambda line: told.append(str(line)))
    links = {path.name for path in work.glob("*.ipynb") if path.is_symlink()}
    assert links == {f"{name}.ipynb" for name in names}
    assert not (tmp_path / "unmounted").exists()
    assert told == []


def test_a_folder_without_exercises_stays_as_it_is(tmp_path: Path) -> None:
    """A course that `bpdemo lab` laid out has them in my-work/ alone."""
    hand_out_exercises(tmp_path / "exercises", tmp_path / "my-work", quiet)
    assert not list(tmp_path.iterdir())


def test_half_a_copy_of_an_exercise_is_no_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that fills up in the middle must not leave a stump that passes for the learner's."""
    source, work = tmp_path / "exercises", tmp_path / "my-work"
    source.mkdir()
    (source / "01.ipynb").write_text("the whole task", "utf-8")
    write = Path.write_bytes

    def fill_up(path: Path, content: bytes) -> int:
        write(path, content[:7])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(Path, "write_bytes", fill_up)
        with pytest.raises(OSError, match="No space"):
            hand_out_exercises(source, work, quiet)
    assert not (work / "01.ipynb").exists()
    hand_out_exercises(source, work, quiet)
    assert (work / "01.ipynb").read_text("utf-8") == "the whole task"
