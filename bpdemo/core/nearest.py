"""What somebody meant who wrote a name that is not there: the nearest one that is."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: object, known: Iterable[str], cutoff: float = 0.55) -> str | None:
    """The one most like it, capitals aside; None if none is. `cutoff` is how alike, from 0 to 1."""
    spelt = {each.lower(): each for each in known}
    written = str(name).lower()
    near = difflib.get_close_matches(written, spelt, n=len(spelt) or 1, cutoff=cutoff)
    alike = difflib.SequenceMatcher(b=written)

    def likeness(each: str) -> float:
        alike.set_seq1(each)
        return alike.ratio()

    # Of some that are equally like it the one that stands first: 01a before 11a for "1a".
    return spelt[max(spelt, key=likeness)] if near else None


def meant(name: object, known: Iterable[object]) -> str:
    """The sentence that asks whether the nearest was meant, to be put behind another; empty if none
    is near, and where no name was written."""
    near = nearest(name, map(str, known)) if isinstance(name, str) else None
    return f". Did you mean {near}?" if near else ""


def one_of(name: object, known: Iterable[object]) -> str:
    """The end of a sentence about a word that is none of some: all of them, and the nearest."""
    words = [str(each) for each in known]
    return f"one of {', '.join(words)}{meant(name, words)}"


def or_meant(name: object, known: Iterable[str], has: str = "it has") -> str:
    """The end of a sentence about a name that is not there: the nearest, or all that are."""
    names = list(known)
    return meant(str(name), names) or f"; {has} {', '.join(names) or 'nothing'}"
