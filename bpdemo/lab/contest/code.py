"""A score as a code to be read out: `ANNA-TIDE-0874-2K7QX9B`.

Name, word, points, and a checksum over them (CRC-32, in Crockford's base 32). It finds every
mistake that stays within four letters that stand together, such as one wrong letter or two
swapped ones, and of the others all but one in four thousand million.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from dataclasses import dataclass
from typing import Final

from bpdemo.lab.contest.word import plain_word

DIGITS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CHECK_LENGTH: Final = 7  # of 5 bits each: room for 32
FORM: Final = "it does not look like NAME-WORD-0000-XXXXXXX"
POINTS_MAX: Final = 1000
_MISREAD: Final = str.maketrans("OIL", "011")
_FORM: Final = re.compile(r"([^\W_]+(?:\.[^\W_]+)*)-([^\W_]+)-(\d{4})-(\w{7})")


class BadCode(ValueError):
    """It is no code, or not as it was given out."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a code holds."""

    name: str
    word: str
    points: int


def code_of(name: str, word: str, points: int) -> str:
    """The code. ValueError if the name has no letter, or the points cannot be."""
    if not 0 <= points <= POINTS_MAX:
        raise ValueError(f"points: {points} is not from 0 to {POINTS_MAX}")
    told = f"{plain_name(name)}-{plain_word(word)}-{points:04}"
    return f"{told}-{_check(told)}"


def read_code(code: str) -> Result:
    """What the code holds, in small letters or capitals. Raises `BadCode`."""
    plain = unicodedata.normalize("NFKC", code).strip().upper()
    parts = _FORM.fullmatch(plain)
    if parts is None:
        raise BadCode(FORM)
    name, word, points, check = parts.groups()
    if check.translate(_MISREAD) != _check(f"{name}-{word}-{points}"):
        raise BadCode("its checksum does not fit: a letter or digit differs from what was printed")
    if int(points) > POINTS_MAX:
        raise BadCode(f"nobody has {int(points)} points")
    return Result(name, word, int(points))


def plain_name(name: str) -> str:
    """As it stands in the code: capitals and digits, with a point between words."""
    words = re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", name))
    plain = ".".join(words).upper()[:20].strip(".")
    if not plain:
        raise ValueError(f"name: {name!r} has no letter")
    return plain


def _check(told: str) -> str:
    rest, digits = zlib.crc32(told.encode()), ""
    for _ in range(CHECK_LENGTH):
        rest, digit = divmod(rest, len(DIGITS))
        digits = DIGITS[digit] + digits
    return digits
