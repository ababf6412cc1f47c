"""`bpdemo demo`: one spike at two services, a verdict, and a report that needs no network."""

from __future__ import annotations

import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

from bpdemo.cli.console import make_console, measured
from bpdemo.cli.demo.live_bar import chips
from bpdemo.cli.demo.outcome import SpikeOutcome
from bpdemo.cli.demo.report import write_demo_report
from bpdemo.cli.demo.spike import PEAK, play
from bpdemo.cli.demo.verdict import show, warnings
from bpdemo.core.choices import PROFILES
from bpdemo.lab.live.stopping import stop_all
from bpdemo.lab.services.machine import recalled
from bpdemo.plan.plan import require_range


def run_demo(seconds: float, out: Path) -> int:
    """Tell the whole story. The exit code: 0, or 1 if the machine was too busy to measure."""
    require_range("seconds", seconds, 3, 600)
    folder = _made(out)
    console = make_console()
    _introduce(console, seconds)
    try:
        _calibrate(console)
        unprotected, protected = (play(profile, seconds, console) for profile in PROFILES)
    finally:
        stop_all()
    show(unprotected, protected, console)
    path = _write(folder, unprotected, protected)
    console.print(f"\nThe report, with both pictures: {path.resolve()}", soft_wrap=True)
    return 1 if warnings(unprotected, protected) else 0


def _calibrate(console: Console) -> None:
    """Choose the workers for this machine, unless that has been done before."""
    if recalled() is None:
        console.print("\nGetting to know this machine: about eight seconds, once.")
        measured(console)


def _write(folder: Path, unprotected: SpikeOutcome, protected: SpikeOutcome) -> Path:
    """The report's path, the two runs beside it. ValueError if the disk is full by now."""
    try:
        path = write_demo_report(folder / "demo.html", unprotected, protected)
        for outcome in (unprotected, protected):
            outcome.run.save(folder / f"{outcome.run.meta.name}.json.gz")
    except OSError as error:
        why = error.strerror or error
        told = f"out: no report could be written into {folder} ({why}); the verdict stands above"
        raise ValueError(told) from None
    return path


def _made(out: Path) -> Path:
    try:
        out.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=out).close()
    except OSError as error:
        why = error.strerror or error
        raise ValueError(f"out: cannot write a report into {out}: {why}") from None
    return out


def _introduce(console: Console, seconds: float) -> None:
    console.print("[bold]The box office on sale day.[/bold] Two services with the same workers get")
    console.print(f"the same customers: {seconds / 3:.0f} s of calm, {seconds / 3:.0f} s in which")
    console.print(f"{PEAK:g} times as many come as it can serve, then calm again.")
    console.print(Text("An order is ").append_text(chips({})).append("."))
