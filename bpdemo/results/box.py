"""A calm box of text, for what is no fault of the reader's code and needs no traceback."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Final

WIDTH: Final = 76


def boxed(title: str, details: Sequence[str] = ()) -> list[str]:
    """Lines that draw a frame around a title and, below it, one paragraph for each detail."""
    inside = textwrap.wrap(title, WIDTH)
    for detail in details:
        inside += ["", *textwrap.wrap(detail, WIDTH)]
    width = max(len(line) for line in inside)
    rule = "─" * (width + 2)
    return [f"╭{rule}╮", *(f"│ {line:<{width}} │" for line in inside), f"╰{rule}╯"]
