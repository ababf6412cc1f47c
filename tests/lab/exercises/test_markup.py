"""Code between backticks is set as code, whatever else stands in the sentence."""

import pytest

from bpdemo.lab.exercises.desk import Hint
from bpdemo.lab.exercises.markup import as_html
from bpdemo.lab.exercises.verdict import Verdict


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("call `try_put` once", "call <code>try_put</code> once"),
        ("`a` and `b < c`", "<code>a</code> and <code>b &lt; c</code>"),
        ("<b>not bold</b>", "&lt;b&gt;not bold&lt;/b&gt;"),
        ("a stray ` stays", "a stray ` stays"),
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
