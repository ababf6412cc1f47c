"""Predictions: asked, kept, and answered."""

from html import escape
from typing import Any

import pytest

from bpdemo.lab import home
from bpdemo.lab.predictions.predictions import KEPT, predict, reveal
from bpdemo.lab.predictions.printed import PRINTED
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


def is_extreme(name, of):
    question = QUESTIONS[name]
    return len(question.right) == of(map(len, question.choices))


def by_chance():
    """How many right choices would be the longest if length said nothing."""
    return sum(1 / len(question.choices) for question in QUESTIONS.values())


@pytest.mark.parametrize("of", [max, min], ids=["longest", "shortest"])
def test_the_length_of_a_choice_gives_nothing_away(of):
    """The right one is the longest, or the shortest, no more often than chance would have it."""
    assert sum(is_extreme(name, of) for name in QUESTIONS) <= by_chance()


def test_the_worst_is_no_safe_guess():
    """In some questions of several lessons nothing bad happens."""
    harmless = [name for name, question in QUESTIONS.items() if question.is_harmless]
    assert len(harmless) >= 4
    assert len({name[:2] for name in harmless}) >= 4


def test_each_learner_has_an_order_of_their_own(monkeypatch, tmp_path):
    """Kept with their other things, so that a cell that is run again shows the same."""
    orders = set()
    for learner in range(12):
        monkeypatch.setenv("BPDEMO_HOME", str(tmp_path / str(learner)))
        home.keep("learner", {"seed": str(learner)})
        options = radio(predict("01a")).options
        assert sorted(options) == sorted(QUESTIONS["01a"].choices)
        assert radio(predict("01a")).options == options
        orders.add(options)
    assert len(orders) > 4


def test_no_place_is_the_right_one(monkeypatch, tmp_path):
    """Over all questions of a learner the right choice stands first about as often as by chance."""
    home.keep("learner", {"seed": "anyone"})
    first = sum(radio(predict(name)).options[0] == QUESTIONS[name].right for name in QUESTIONS)
    assert 0.4 * by_chance() < first < 1.6 * by_chance()


def test_the_order_is_kept_for_the_next_kernel(own_home):
    """A seed is drawn once, and written down."""
    predict("01a")
    kept = home.recall("learner")["seed"]
    predict("01b")
    assert kept
    assert home.recall("learner")["seed"] == kept


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


def test_without_a_prediction_the_outcome_is_folded():
    """Nobody reads it by accident, and one click shows it; it runs headless, and blames nobody."""
    predict("01b")
    told = reveal("01b", "it served 99%").data
    before, folded = told.split("<details>")
    assert "no prediction" in before
    assert "99%" not in before
    assert "it served 99%" in folded
    assert QUESTIONS["01b"].right in folded


def test_with_a_prediction_nothing_is_folded():
    """Choice, reply and outcome are read at once."""
    radio(predict("01b")).value = QUESTIONS["01b"].right
    assert "<details>" not in reveal("01b", "it served 99%").data


def test_an_explanation_of_ones_own_is_asked_for_and_kept():
    """Below the outcome, before the lesson explains; a cell that is run again shows it."""
    line = reveal("01b", "it served 99%").line()
    assert "one sentence" in line.placeholder
    line.value = "  The queue is <short>. "
    assert home.recall(KEPT)["01b"]["explanation"] == "The queue is <short>."
    assert reveal("01b", "it served 97%").line().value == "The queue is <short>."


def test_a_notebook_shows_the_outcome_and_the_line_below_it(monkeypatch):
    """In this order, and as HTML that needs no kernel when the notebook is read later."""
    shown: list[Any] = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    reveal("01b", "it served 99%")._ipython_display_()
    outcome, line = shown
    assert "it served 99%" in outcome.data
    assert line.children[0].value == ""


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


def test_a_page_that_nothing_runs_behind_has_question_and_outcome():
    """Folded, with every choice and reply; a notebook that runs shows neither in place of its own:
    the widget comes first there, and it does not know the other form."""
    from IPython.core.formatters import DisplayFormatter

    formatter = DisplayFormatter()
    asked, _ = formatter.format(predict("01b"))
    assert "application/vnd.jupyter.widget-view+json" in asked
    question = QUESTIONS["01b"]
    assert all(escape(choice) in asked["text/html"] for choice in question.choices)
    shown: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("IPython.display.display", shown.append)
        reveal("01b", "it served 99%")._ipython_display_()
    told, _ = formatter.format(shown[0])
    assert told["text/html"] == reveal("01b", "it served 99%").data
    printed = told[PRINTED]
    assert "it served 99%" in printed
    assert "<details" in printed
    assert "run this cell" not in printed
