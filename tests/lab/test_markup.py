"""Code between backticks is set as code and *stress* as stress, whatever else is in a sentence."""

import pytest

from bpdemo.lab.exercises.beside import Beside
from bpdemo.lab.exercises.desk import Hint
from bpdemo.lab.exercises.production import PRODUCTION
from bpdemo.lab.exercises.verdict import Verdict
from bpdemo.lab.home import keep
from bpdemo.lab.lessons.shared.source import Source
from bpdemo.lab.markup import as_html, as_text
from bpdemo.lab.predictions.predictions import KEPT, reveal
from bpdemo.lab.predictions.questions.catalogue import QUESTIONS


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("call `try_put` once", "call <code>try_put</code> once"),
        ("`a` and `b < c`", "<code>a</code> and <code>b &lt; c</code>"),
        ("<b>not bold</b>", "&lt;b&gt;not bold&lt;/b&gt;"),
        ("a stray ` stays", "a stray ` stays"),
        ("begun, not *done*", "begun, not <em>done</em>"),
        ("*two words* and `2 ** n`", "<em>two words</em> and <code>2 ** n</code>"),
        ("2 * 3 * 4 and a*b*c", "2 * 3 * 4 and a*b*c"),
        ("*<b>*", "<em>&lt;b&gt;</em>"),
        ("", ""),
    ],
)
def test_code_is_set_as_code(text, html):
    """And nothing of the sentence becomes mark-up by accident."""
    assert as_html(text) == html


def test_no_backtick_is_seen_in_the_notebook():
    """In a verdict and in a hint."""
    verdict = Verdict("01a", "The `try_put`", "not yet", (("Seen", "`depth` was 9."),))
    for shown in (verdict._repr_html_(), Hint("Look at `depth`.")._repr_html_()):
        assert "`" not in shown
        assert "<code>depth</code>" in shown


def test_no_backtick_is_seen_in_a_terminal():
    """Code stands between quotation marks there; a stray backtick is a backtick."""
    verdict = Verdict("01a", "The `try_put`", "not yet", (("Seen", "`depth` was 9."),))
    for shown in (str(verdict), repr(verdict), repr(Hint("Look at `depth`."))):
        assert "`" not in shown
        assert "“depth”" in shown
    assert as_text("a stray ` stays") == "a stray ` stays"


@pytest.mark.parametrize("name", PRODUCTION)
def test_no_backtick_is_seen_in_how_production_differs(name):
    """After a pass, below both versions; their code may have some."""
    theirs = Source("code", "somewhere.py", 1, 1, "pass")
    beside = Beside("", (theirs,), PRODUCTION[name].differs)
    assert "`" not in beside.html() + str(beside)


@pytest.mark.parametrize("name", QUESTIONS)
def test_no_backtick_is_seen_in_what_a_prediction_is_told(name, monkeypatch, tmp_path):
    """Whatever was chosen; and question and choices, which stand as they are, have none."""
    monkeypatch.setenv("BPDEMO_HOME", str(tmp_path))
    asked = QUESTIONS[name]
    assert "`" not in asked.text + "".join(asked.choices)
    for choice in [None, *asked.choices]:
        keep(KEPT, {name: {"choice": choice}})
        assert "`" not in reveal(name, "measured").data
