"""What a person wrote can be read, whichever program they wrote it in."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpdemo.core.person_text import decoded, python_source, unusual_encoding

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


@given(LETTERS.filter(lambda text: "\0" not in text), st.sampled_from(sorted(MARKED)))
def test_a_program_is_told_of_every_mark(text, encoding):
    """By the name that an editor has for it."""
    told = unusual_encoding(MARKED[encoding] + text.encode(encoding))
    assert told is not None
    assert told.startswith(encoding[:6].upper().removesuffix("-"))


@given(st.text(st.characters(codec="latin-1", exclude_categories=["Cc", "Cs"])))
def test_python_source_is_what_python_would_run(text):
    """UTF-8 with and without its mark, and a named encoding; of the others it says what to do."""
    line = f"x = {text!r}\n"
    cookie = "# coding: latin-1\n" + line
    assert python_source("a.py", line.encode()) == line
    assert python_source("a.py", codecs.BOM_UTF8 + line.encode()) == line
    assert python_source("a.py", cookie.encode("latin-1")) == cookie


@pytest.mark.parametrize(
    "data",
    [
        *(mark + "x = 'é'\n".encode(name) for name, mark in MARKED.items() if name != "utf-8"),
        *("x = 'é'\n".encode(name) for name in ("utf-16-le", "utf-16-be", "latin-1")),
        b"# coding: nonsense\n",
    ],
)
def test_what_python_cannot_run_is_told_in_one_line(data):
    """With its cure, and no word of a codec's."""
    with pytest.raises(ValueError, match=r"a\.py is .*: save it as UTF-8$") as told:
        python_source("a.py", data)
    assert not isinstance(told.value, UnicodeError)
