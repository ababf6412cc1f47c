"""How pictures follow a dark theme, wherever they are shown."""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def rules_of(name: str) -> str:
    """A style sheet that lies beside this file."""
    return files("bpdemo.lab").joinpath(f"{name}.css").read_text(encoding="utf-8")


def dark_rules() -> str:
    """For widgets to bring along: Voilà, or a Jupyter that the workshop did not start, has no
    style sheet of ours."""
    return f"<style>{rules_of('dark')}</style>"
