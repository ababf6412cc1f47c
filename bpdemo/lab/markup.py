"""The two marks in sentences to a learner: code between backticks, stress between asterisks."""

import re
from html import escape
from typing import Final

STRESSED: Final = re.compile(r"(?<![\w*])\*(?=\S)([^*]+)(?<=\S)\*(?![\w*])")


def as_html(text: str) -> str:
    """Escaped, with `code` set as code and *this* as stressed. A stray mark stays what it is."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return _stressed(text)
    return "".join(
        f"<code>{escape(part)}</code>" if place % 2 else _stressed(part)
        for place, part in enumerate(parts)
    )


def _stressed(text: str) -> str:
    return STRESSED.sub(r"<em>\1</em>", escape(text))


def as_text(text: str) -> str:
    """For a terminal: `code` between quotation marks. A stray backtick stays what it is."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return text
    return "".join(f"“{part}”" if place % 2 else part for place, part in enumerate(parts))
