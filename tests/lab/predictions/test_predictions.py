"""Predictions: asked, kept, and answered."""

import pytest

from bpdemo.lab import home
from bpdemo.lab.predictions.predictions import KEPT, predict, reveal
from bpdemo.lab.predictions.questions.catalogue import QUESTIONS


@pytest.fixture(autouse=True)
def own_home(monkeypatch, tmp_path):
    monkeypatch.setenv("BPDEMO_HOME", str(tmp_path))
    return tmp_path


def radio(form):
    return form.children[1]


@pytest.mark.parametrize("name", QUESTIONS)
def test_every_question_has_a_right_choice_and_a_reply_to_each(name):
    """Nobody's misconception goes unanswered."""
    question = QUESTIONS[name]
    assert question.right in question.replies
    assert len(question.choices) >= 3
    assert all(question.replies.values())


def test_a_choice_is_kept_and_shown_again():
    """The cell may be run twice, today or tomorrow."""
    radio(predict("01a")).value = QUESTIONS["01a"].choices[0]
    assert radio(predict("01a")).value == QUESTIONS["01a"].choices[0]


def test_a_wrong_choice_gets_its_own_reply_beside_the_outcome():
    """What was said, why it is not so, and what was measured."""
    wrong = next(c for c in QUESTIONS["01a"].choices if c != QUESTIONS["01a"].right)
    radio(predict("01a")).value = wrong
    told = reveal("01a", "it sold <3%").data
    assert "Not quite." in told
    assert "it sold &lt;3%" in told


def test_without_a_prediction_the_outcome_is_told_all_the_same():
    """It runs headless, and blames nobody."""
    predict("01b")
    told = reveal("01b", "it sold 99%").data
    assert "no prediction" in told
    assert QUESTIONS["01b"].right in told


def test_a_question_of_ones_own_is_answered_too():
    """With a reply to each choice."""
    form = predict("mine", "Which?", {"this": "Yes.", "that": "Because."}, right="this")
    radio(form).value = "that"
    assert "Because." in reveal("mine", "done").data


def test_an_unknown_question_names_those_there_are():
    """A typo is told in one line."""
    with pytest.raises(ValueError, match="00a, 01a"):
        predict("99z")


def test_a_broken_file_costs_only_the_memory(own_home):
    """What cannot be read is as if nothing had been kept."""
    (own_home / f"{KEPT}.json").write_text("{broken")
    assert radio(predict("01a")).value is None
    radio(predict("01a")).value = QUESTIONS["01a"].choices[0]
    assert home.recall(KEPT)["01a"]["choice"] == QUESTIONS["01a"].choices[0]


def test_a_question_of_the_lessons_keeps_its_name():
    """One's own under that name would be answered by the wrong replies."""
    with pytest.raises(ValueError, match="another name"):
        predict("01a", "Which?", ["this", "that"])


def test_a_choice_that_is_no_longer_offered_is_no_wrong_answer():
    """An earlier edition of the lesson asked differently."""
    home.keep(KEPT, {"01a": {"choice": "something else"}})
    assert "no prediction" in reveal("01a", "done").data


def test_an_entry_of_a_strange_kind_is_passed_over():
    """The file may have been edited by hand."""
    home.keep(KEPT, {"01a": "scribble"})
    assert radio(predict("01a")).value is None
    assert "no prediction" in reveal("01a", "done").data
