"""Pages of the public names, in reStructuredText: what they say is in the docstrings."""

from __future__ import annotations

import inspect
from typing import Any, Final

LAB: Final = "bpdemo.lab"
#: The names of `bpdemo.lab`, in the order in which a reader needs them; others follow.
FIRST: Final = (
    "serve", "load", "simulate", "LoadRun", "claim", "NotMeasured", "ClaimFailed", "capacity_of",
    "Request", "calibrate", "cockpit", "show", "predict", "reveal", "check", "hint", "progress",
    "side_by_side", "size", "theory", "stop_all",
)  # fmt: skip
#: Pages: title, introduction, and what is on it as module and name.
PROTECT: Final = ("AdmissionControl", "Rule", "AdmissionBooks", "AdmissionObserver", "deadline_of")


def lab_page() -> str:
    """`bpdemo.lab`: what a notebook imports."""
    from bpdemo import lab

    names = [*FIRST, *(name for name in lab.__all__ if name not in FIRST)]
    parts = [_part(LAB, name, getattr(lab, name)) for name in names]
    intro = "What a notebook imports, as in ``from bpdemo.lab import serve, load``."
    return _page("bpdemo.lab", intro, parts)


def protect_page() -> str:
    """`bpdemo.protect`: what a learner takes home."""
    from bpdemo import protect

    parts = [_part("bpdemo.protect", name, getattr(protect, name)) for name in PROTECT]
    intro = (
        "Admission control for any ASGI application, as in ``from bpdemo.protect import "
        "AdmissionControl``. How it is set and sized is told in :doc:`/docs/protect`."
    )
    return _page("bpdemo.protect", intro, parts)


def _page(title: str, intro: str, parts: list[str]) -> str:
    return f"{title}\n{'=' * len(title)}\n\n{intro}\n\n" + "\n".join(parts)


def _part(module: str, name: str, thing: Any) -> str:
    if inspect.ismodule(thing):
        return f".. automodule:: {thing.__name__}\n   :members:\n"
    if inspect.isclass(thing):
        inherited = "\n   :inherited-members: object, BaseModel, Exception, BaseException"
        members = "" if name == "Settings" else f"\n   :members:{inherited}"
        return f".. autoclass:: {module}.{name}{members}\n"
    return f".. autofunction:: {module}.{name}\n"
