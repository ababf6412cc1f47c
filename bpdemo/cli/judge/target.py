"""What `bpdemo judge` is pointed at: an application to start, or an address to ask."""

from __future__ import annotations

import re
import sys
from contextlib import AbstractContextManager, nullcontext
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any, Final

from bpdemo.lab.services.service import serve
from bpdemo.load.target import ask_service

#: As uvicorn has it: a module, and what it holds.
APPLICATION: Final = re.compile(r"(?!\d)\w+(\.(?!\d)\w+)*:(?!\d)\w+(\.(?!\d)\w+)*")
ADDRESS: Final = re.compile(r"(?i)https?://")


def is_address(target: str) -> bool:
    return ADDRESS.match(target) is not None


def running(target: str, i_run_this_service: bool) -> AbstractContextManager[Any]:
    """The service at that address, or the application in a process of its own, which ends with the
    block. ValueError in one line for what is neither, `ServiceFailed` for what does not start."""
    if is_address(target):
        return nullcontext(ask_service(target, i_run_this_service))
    if not APPLICATION.fullmatch(target):
        raise ValueError(
            f"target: {target!r} is neither an application, such as shop:app, nor an address, such "
            "as http://127.0.0.1:8000"
        )
    _require_module(target.partition(":")[0].partition(".")[0])
    started: AbstractContextManager[Any] = serve(app=target, where="process", name=target)
    return started


def _require_module(name: str) -> None:
    """The application's process looks in this folder first. ValueError if it would find none."""
    here = Path.cwd()
    is_built_in = name in sys.builtin_module_names
    if not is_built_in and PathFinder.find_spec(name, [str(here), *sys.path]) is None:
        raise ValueError(
            f"target: there is no module {name!r} in {here}: run it in the folder where "
            f"{name}.py is"
        )
