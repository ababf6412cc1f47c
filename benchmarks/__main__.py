"""Measure, tell how far it is, and write what was found.

python -m benchmarks                    every section, about 45 minutes on two cores
python -m benchmarks parts queue_lab    only these; the results of the others stay
python -m benchmarks --size full        longer loads, more rounds
"""

from __future__ import annotations

import importlib
import signal
import sys
import time
import traceback
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table as ScreenTable

from benchmarks.machine import BUSY, Stolen, this_machine
from benchmarks.measured import FULL, QUICK, TINY, Found, Say, Size
from benchmarks.results import Kept, Results, measured, verdict
from benchmarks.sections import SECTIONS, complaint

HERE = Path(__file__).parent
#: How often a line is printed where no line can be drawn over.
SAY_EVERY_S = 2.0
console = Console(highlight=False)


class SizeName(StrEnum):
    quick = "quick"
    full = "full"
    tiny = "tiny"


SIZES: dict[SizeName, Size] = {SizeName.quick: QUICK, SizeName.full: FULL, SizeName.tiny: TINY}


def main(
    sections: Annotated[list[str] | None, typer.Argument(help=", ".join(SECTIONS))] = None,
    size: Annotated[SizeName, typer.Option(help="How thorough.")] = SizeName.quick,
    out: Annotated[Path, typer.Option(help="Where the results go.")] = HERE,
) -> None:
    """Measure bpdemo beside its peers. Exit 1 if a section failed, 2 if there is none so named."""
    chosen = sections or list(SECTIONS)
    if told := complaint(chosen):
        console.print(told)
        raise typer.Exit(2)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # by way of what stops the servers
    out.mkdir(parents=True, exist_ok=True)
    results = Results.read(out)
    failed = []
    for number, name in enumerate(chosen, 1):
        kept = _run(name, SIZES[size], f"{number} of {len(chosen)}  {name}", out)
        if kept is None:
            failed.append(name)
        else:
            results.sections[name] = kept
            results.write(out, list(SECTIONS))
    _tell(results, chosen)
    console.print(f"Written: {out / 'RESULTS.md'}, {out / 'results.json'}")
    if failed:
        console.print(f"[red]failed, see above: {', '.join(failed)}[/]")
        raise typer.Exit(1)


def _run(name: str, size: Size, title: str, out: Path) -> Kept | None:
    """One section; None if it failed, which must not keep the others from running."""
    machine = this_machine()
    if machine.busy_share > BUSY:
        console.print(f"[yellow]{machine.busy_share:.0%} of the machine is busy with other things: "
                      "figures of speed will be off.[/]")  # fmt: skip
    began_s, stolen = time.monotonic(), Stolen()
    try:
        with console.status(title) as status:
            told_s = 0.0

            def say(what: str) -> None:
                nonlocal told_s
                now = time.monotonic()
                line = f"{title}  {now - began_s:4.0f} s  {what}"
                status.update(line)
                if not console.is_terminal and now >= told_s + SAY_EVERY_S:
                    print(line, flush=True)
                    told_s = now

            say("starts")
            found = importlib.import_module(f"benchmarks.sections.{name}").measure(size, say)
            _draw(found, out, say)
    except Exception:
        console.print(f"[red]{title}: failed[/]")
        console.print(traceback.format_exc(), markup=False)
        return None
    took_s = time.monotonic() - began_s
    console.print(f"{title}: {took_s:.0f} s")
    return Kept(
        size=size.name, took_s=took_s, machine=machine, report=found.report,
        stolen_share=stolen.share(),
    )  # fmt: skip


def _draw(found: Found, out: Path, say: Say) -> None:
    """Its pictures; a machine with no browser to draw them still gets its tables."""
    folder = out / "pictures"
    folder.mkdir(exist_ok=True)
    for name, figure in found.figures.items():
        say(f"drawing {name}")
        try:
            figure.write_image(folder / f"{name}.png", scale=2)
        except Exception as error:
            reason = str(error).strip().splitlines()[:1]
            found.report.notes.append(f"no picture: it could not be drawn ({''.join(reason)})")
            found.report.pictures.remove(name)


def _tell(results: Results, chosen: list[str]) -> None:
    table = ScreenTable("section", "aim", "measured", "")
    for name in chosen:
        if kept := results.sections.get(name):
            for aim in kept.report.aims:
                colour = "green" if aim.is_met else "red"
                mark = f"[{colour}]{verdict(aim).strip('*')}[/]"
                table.add_row(name, aim.text, measured(aim), mark)
    if table.row_count:
        console.print(table)


if __name__ == "__main__":
    typer.run(main)
