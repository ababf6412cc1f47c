"""Text from a file that a person wrote, in whatever program."""

from __future__ import annotations

import codecs
import io
import tokenize
from typing import Final

#: Longer ones first: the mark of UTF-32 begins with that of UTF-16.
MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def decoded(data: bytes) -> str:
    """The text without its byte-order mark. UTF-8 unless a mark, or the zeros of UTF-16, say
    otherwise; what cannot be read becomes a replacement character."""
    for mark, encoding in MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    return data.decode(_unmarked(data), "replace")


def unusual_encoding(data: bytes) -> str | None:
    """What a program should be told that takes UTF-8 alone; None if it is that, with no mark."""
    if data.startswith(codecs.BOM_UTF8):
        return "UTF-8 with a byte-order mark"
    marked = (encoding for mark, encoding in MARKS if data.startswith(mark))
    encoding = next(marked, None) or _unmarked(data)
    return None if encoding == "utf-8" else encoding[:6].upper()


def python_source(name: str, data: bytes) -> str:
    """The text of a file that Python can run: it takes a mark of UTF-8, or a line that names
    another encoding. ValueError, which says what to do, for one that it cannot read."""
    encoding = unusual_encoding(data)
    if encoding in ("UTF-16", "UTF-32"):
        raise ValueError(f"{name} is {encoding}, which Python cannot run: save it as UTF-8")
    try:
        declared, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return data.decode(declared)
    except (SyntaxError, UnicodeDecodeError):
        raise ValueError(f"{name} is not UTF-8, as Python wants it: save it as UTF-8") from None


def _unmarked(data: bytes) -> str:
    # Names, numbers and code are mostly ASCII, of which UTF-16 makes every other byte a zero.
    sample = data[:1000]
    for encoding, zeros in (("utf-16-le", sample[1::2]), ("utf-16-be", sample[::2])):
        if len(zeros) > 1 and zeros.count(0) > 0.6 * len(zeros):
            return encoding
    return "utf-8"
