"""The project's docstrings as Sphinx reads them: indented code becomes a block of code."""

from __future__ import annotations

import re
from typing import Any, Final

CODE: Final = re.compile(r"^ {4,}\S")
#: Code between single backticks, and whether a letter follows, before which Sphinx wants a gap.
MARKED: Final = re.compile(r"(?<![`:\w])`([^`\n]+)`(?!`)(?=(\w?))")


def as_rst(_app: Any, _what: str, _name: str, _obj: Any, _options: Any, lines: list[str]) -> None:
    """Change `lines` in place: a handler of Sphinx's event `autodoc-process-docstring`."""
    lines[:] = literal_blocks([told(line) for line in lines])


def told(line: str) -> str:
    """The line with its code marked in Sphinx's own way, also where a word goes on behind it."""
    return line if CODE.match(line) else MARKED.sub(_literal, line)


def _literal(found: re.Match[str]) -> str:
    return f"``{found[1]}``" + ("\\ " if found[2] else "")


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
