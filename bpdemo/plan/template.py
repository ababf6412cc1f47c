"""`{name}` in a text, or in the strings of a JSON document, and what takes its place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

NAME: Final = re.compile(r"\{\{([A-Za-z_]\w*)\}\}|\{([A-Za-z_]\w*)\}", re.ASCII)
"""`{{name}}`, which stands for the text in single braces, or `{name}`."""

IN_REQUEST_LINE: Final = "/:@!$&'()*+,;=?~-._%[]"
"""What may stand in a request's target as it is; a percent sign too, so that what was encoded
already is not encoded again."""


def names_in(text: str) -> Iterator[str]:
    """The names that the text asks for."""
    return (match[2] for match in NAME.finditer(text) if match[2])


def names_in_json(document: Any) -> Iterator[str]:
    for text in _strings(document):
        yield from names_in(text)


def filled(text: str, texts: Mapping[str, str]) -> str:
    """The text with each name replaced. What a value holds in braces is not looked at again."""
    if "{" not in text:
        return text
    return NAME.sub(lambda match: texts[match[2]] if match[2] else f"{{{match[1]}}}", text)


def filled_json(document: Any, values: Mapping[str, Any], texts: Mapping[str, str]) -> Any:
    """The document with each name replaced; a string that is only a name takes its value."""
    match document:
        case str():
            whole = NAME.fullmatch(document)
            return values[whole[2]] if whole and whole[2] else filled(document, texts)
        case list():
            return [filled_json(part, values, texts) for part in document]
        case dict():
            return {
                filled(key, texts): filled_json(part, values, texts)
                for key, part in document.items()
            }
        case _:
            return document


def path_text(text: str) -> str:
    """A value as it can stand in a path or query."""
    return quote(text, safe=IN_REQUEST_LINE)


def _strings(document: Any) -> Iterator[str]:
    match document:
        case str():
            yield document
        case list():
            for part in document:
                yield from _strings(part)
        case dict():
            for key, part in document.items():
                yield key
                yield from _strings(part)
