"""Codes of the challenge: they hold what they say, and no slip of a pen makes another valid one."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpdemo.lab.contest.board import Board, ranks
from bpdemo.lab.contest.code import BadCode, Result, code_of, read_code

CODE = code_of("Anna Maria", "tide", 874)
KEYS = string.ascii_uppercase + string.digits + "-.É_"

names = st.text(st.sampled_from("aBzé9 ñ'.-"), min_size=1).filter(
    lambda t: any(map(str.isalnum, t))
)


@given(name=names, word=names, points=st.integers(0, 1000))
def test_a_code_holds_name_word_and_points(name: str, word: str, points: int) -> None:
    """Read back, also in small letters, it says the same; names and words in their plain form."""
    code = code_of(name, word, points)
    result = read_code(code)
    assert result.points == points
    assert code_of(result.name, result.word, points) == code
    assert read_code(f" {code.lower()} ") == result


def test_its_form_can_be_read_out() -> None:
    assert read_code(CODE) == Result("ANNA.MARIA", "TIDE", 874)
    assert CODE.startswith("ANNA.MARIA-TIDE-0874-")
    assert len(CODE.rsplit("-", 1)[1]) == 7


def test_one_wrong_character_anywhere_is_found() -> None:
    """Every character replaced by every other, and every one left out: none is taken for valid,
    but for O, I and L in the checksum, which mean 0 and 1."""
    right = read_code(CODE)
    for at in range(len(CODE)):
        for key in [*KEYS, ""]:
            mistyped = CODE[:at] + key + CODE[at + 1 :]
            if mistyped != CODE and not is_misreading(CODE[at], key, at):
                with pytest.raises(BadCode):
                    read_code(mistyped)
    assert read_code(CODE) == right


def is_misreading(was: str, key: str, at: int) -> bool:
    return at >= len(CODE) - 7 and key in "OIL" and was in "01"


def test_two_swapped_neighbours_are_found() -> None:
    for at in range(len(CODE) - 1):
        swapped = CODE[:at] + CODE[at + 1] + CODE[at] + CODE[at + 2 :]
        if swapped != CODE:
            with pytest.raises(BadCode):
                read_code(swapped)


def test_points_cannot_be_raised_by_hand() -> None:
    """The temptation is to change the number, and to leave the rest."""
    for points in range(1001):
        if points != 874:
            with pytest.raises(BadCode, match="checksum"):
                read_code(CODE.replace("0874", f"{points:04}"))


@pytest.mark.parametrize("text", ["", "hello", "A-B-C-D", "ANNA-TIDE-874", "💥-💥-0001-XXXXXXX"])
def test_what_is_no_code_is_told_so(text: str) -> None:
    with pytest.raises(BadCode, match="does not look like"):
        read_code(text)


@pytest.mark.parametrize(
    ("name", "word", "points"), [("…", "tide", 1), ("a", "", 1), ("a", "b", 1001)]
)
def test_no_code_is_made_of_nothing(name: str, word: str, points: int) -> None:
    with pytest.raises(ValueError, match=r"letter|points"):
        code_of(name, word, points)


def test_a_board_ranks_each_word_and_keeps_the_best_of_each() -> None:
    """Out of the lines of a chat, with repetitions and a mistyped code."""
    anna, anna_later, ben, carl, other = (
        code_of(*each)
        for each in (
            ("Anna", "tide", 700),
            ("anna", "Tide", 900),
            ("Ben", "tide", 900),
            ("Carl", "tide", 300),
            ("Anna", "ember", 500),
        )
    )
    board = Board.of(
        [f"Anna: {anna}", f"{ben}, {carl} and again {ben}", f"better: `{anna_later}`", other,
         "well-known and state-of-the-art", ben.replace("0900", "0990")]
    )  # fmt: skip
    assert board.words["TIDE"] == [
        Result("ANNA", "TIDE", 900), Result("BEN", "TIDE", 900), Result("CARL", "TIDE", 300)
    ]  # fmt: skip
    assert board.words["EMBER"] == [Result("ANNA", "EMBER", 500)]
    assert ranks(board.words["TIDE"]) == [1, 1, 3]
    refused = [code for code, _ in board.refused]
    assert ben.replace("0900", "0990") in refused
    assert "checksum" in dict(board.refused)[ben.replace("0900", "0990")]
