"""A package that takes a second to import, and of which nothing in the workshop asks anything."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

GRAMMAR: Final = "rfc3987_syntax"
"""Compiles, when it is imported, the grammar of the formats iri and iri-reference of JSON schemas.
Without it jsonschema has all formats but these two; schemas of notebooks and of Jupyter's events
have neither."""


@contextmanager
def spared_grammar() -> Iterator[None]:
    """What imports jsonschema in this block does so without that grammar; afterwards everybody may
    import it. Does nothing where it is there already."""
    if GRAMMAR in sys.modules:
        yield
        return
    sys.modules[GRAMMAR] = None  # type: ignore[assignment]  # how Python is told of no module
    try:
        yield
    finally:
        sys.modules.pop(GRAMMAR, None)
