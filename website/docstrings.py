"""The project's docstrings as Sphinx reads them: indented code becomes a block of code."""

from __future__ import annotations

import re
from typing import Any, Final

CODE: Final = re.compile(r"^ {4,}\S")
ITEM: Final = re.compile(r"^\s*(?:[-*]|\d+\.)\s")


def as_rst(_app: Any, _what: str, _name: str, _obj: Any, _options: Any, lines: list[str]) -> None:
    """Change `lines` in place: a handler of Sphinx's event `autodoc-process-docstring`."""
    lines[:] = literal_blocks(lines)


def literal_blocks(lines: list[str]) -> list[str]:
    """Before each piece of indented code a line that says so.

    What is indented below a line of text without a gap is the rest of that line's sentence.
    """
    made: list[str] = []
    inside = False
    for line in lines:
        if line.strip() and not line.startswith("    "):
            inside = False
        elif not inside and CODE.match(line) and (not made or not made[-1].strip()):
            made += [".. code-block:: python", ""]
            inside = True
        made.append(line)
    return made
