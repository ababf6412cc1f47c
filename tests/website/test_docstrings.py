"""Docstrings as Sphinx reads them."""

import pytest

from website.docstrings import as_rst


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("a `name` in it", "a ``name`` in it"),
        ("several `Name`s", "several ``Name``\\ s"),
        ("``both`` and `one`", "``both`` and ``one``"),
        (":doc:`page`", ":doc:`page`"),
        ("an open ` backtick", "an open ` backtick"),
    ],
)
def test_code_in_a_sentence_is_code(written, read):
    """Also where a letter follows, where there are two backticks, and where one is alone."""
    lines = [written]
    as_rst(None, "", "", None, None, lines)
    assert lines == [read]


def test_indented_code_is_a_block_and_a_continued_sentence_is_not():
    """What stands below a gap is code; backticks in it stay."""
    lines = ["First.", "", "    run(`x`)", "    run()", "", "More", "    of it."]
    as_rst(None, "", "", None, None, lines)
    assert lines == [
        *["First.", "", ".. code-block:: python", ""],
        *["    run(`x`)", "    run()", "", "More", "    of it."],
    ]
