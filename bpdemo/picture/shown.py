"""What a picture shows of a run: plain columns, so that a page without numpy can draw it, too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bpdemo.results.marks import Mark
from bpdemo.results.meta import Meta, Summary
from bpdemo.results.sentence import sentence_of

Heights = Sequence[float]
"""A column: one figure a bin, NaN where nothing is known."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A run to be drawn. `columns` are those of its frame; `is_void`: it proves nothing. `retries`:
    whether anybody has tried again; of a run under way more attempts are known than orders."""

    meta: Meta
    summary: Summary
    columns: Mapping[str, Heights]
    marks: Sequence[Mark] = ()
    is_void: bool = False
    retries: bool = True

    @property
    def sentence(self) -> str:
        """The run in words."""
        return sentence_of(self.summary, self.meta)

    def named(self, name: str) -> Shown:
        """The same under another name, as it will stand above the picture."""
        return replace(self, meta=replace(self.meta, name=name))
