"""What a person wrote can be read, whichever program they wrote it in."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpdemo.core.person_text import decoded

LETTERS = st.text(st.characters(exclude_categories=["Cs"]))
MARKED = {
    "utf-8": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
}


@given(LETTERS, st.sampled_from(sorted(MARKED)))
def test_a_mark_says_how_to_read_it_and_is_no_part_of_the_text(text, encoding):
    """Any text, in every encoding that has a mark."""
    if not (encoding == "utf-16-le" and text.startswith("\0")):  # these bytes are UTF-32's mark
        assert decoded(MARKED[encoding] + text.encode(encoding)) == text


@given(LETTERS.filter(lambda text: "\0" not in text and not text.startswith("\ufeff")))
def test_without_a_mark_it_is_utf_8(text):
    """As most programs write it."""
    assert decoded(text.encode()) == text


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_known_by_its_zeros(encoding):
    """Some programs leave the mark out."""
    text = "Ada plum-1234-ABCD-XY\r\nZoë plum-99-QR\r\n"
    assert decoded(text.encode(encoding)) == text


@given(st.binary())
def test_no_bytes_are_an_error(data):
    """Somebody gives a picture for a text: it holds no code, and that is all."""
    assert isinstance(decoded(data), str)
