"""What the command line finds wrong itself, in words: the option, the value, and what it may be."""

from __future__ import annotations

import re
from collections.abc import Collection
from contextlib import suppress
from typing import Any, Final

#: What a check of ours names first, and what the option is called where that differs.
NAMED: Final = re.compile(r"[a-z][a-z_-]*(?=:| must | of a closed load)")
OTHERWISE: Final = {
    "rate_per_s": "--rate",
    "headers": "--header",
    "loads": "--at",
    "most_s": "--most-seconds",
}

KINDS: Final = {int: "a whole number", float: "a number"}


def told_usage(error: Any) -> str:
    """A usage error as one sentence that ends with where the help is."""
    command = error.ctx.command_path if error.ctx else "bpdemo"
    told = _told_number(error) or error.format_message().rstrip(".")
    end = "" if told.endswith("?") else "."
    return f"{told}{end} Try: {command} --help"


def by_option(told: str, options: Collection[str]) -> str:
    """`seconds must be …` as `--seconds must be …` where that is an option of the command: what is
    checked knows nothing of the command line."""
    named = NAMED.match(told)
    option = named and OTHERWISE.get(named[0], f"--{named[0].replace('_', '-')}")
    return f"{option}{told[named.end() :]}" if named and option in options else told


def _told_number(error: Any) -> str | None:
    """None for what is no number out of its range, or of a typer that keeps that elsewhere."""
    with suppress(AttributeError, LookupError, TypeError):
        value = error.__cause__.errors()[0]["input"]
        asked = error.param.get_runtime_param()
        kind, info = KINDS[asked.annotation], asked.parameter_info
        return f"{error.param.opts[-1]}: {value!r} is not {kind}{_span(info.min, info.max)}"
    return None


def _span(low: float | None, high: float | None) -> str:
    if low is None and high is None:
        return ""
    if high is None:
        return f" of at least {low:g}"
    return f" from {low:g} to {high:g}" if low is not None else f" of at most {high:g}"
