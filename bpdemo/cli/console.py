"""Where the commands write, and what they may show there."""

from __future__ import annotations

import io
from contextlib import nullcontext, redirect_stdout
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from bpdemo.lab.services.machine import Calibration


def make_console() -> Console:
    """Where the commands write. Piped, it is wide and plain."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=110)


def measured(console: Console, *, force: bool = False, keeps: bool = True) -> Calibration:
    """What this machine can do, recalled or measured; its progress only where one can see it."""
    from bpdemo.lab.services.calibration import calibrate

    # Its one line of progress overwrites itself, which in a file is a mess.
    with nullcontext() if console.is_terminal else redirect_stdout(io.StringIO()):
        return calibrate(force, keeps=keeps)
