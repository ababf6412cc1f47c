"""`bpdemo margin`: how large a trigger is survived, as a table, and as a map in characters."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from math import isfinite
from multiprocessing import active_children, get_context
from pathlib import Path
from signal import SIG_IGN, SIGINT, signal
from typing import Any, Final, cast

from rich.console import Console

from bpdemo.cli.console import make_console
from bpdemo.core.choices import RetryPolicyName
from bpdemo.core.settings import Settings
from bpdemo.core.whole_file import write_whole
from bpdemo.plan.plan import require_range
from bpdemo.results.document import require_folder_of
from bpdemo.sim.margin import LOADS, Mapped, Margin, MarginAt, margin
from bpdemo.sim.ordeal import Trigger

#: Lengths of trigger that the map shows, from the longest down.
LENGTHS_S: Final = (60, 40, 25, 15, 10, 6, 4, 2.5, 1.5, 1, 0.6, 0.4, 0.25, 0.15)
STUCK: Final = "#"
CHANCE: Final = "+"
RECOVERED: Final = "."
LEGEND: Final = f"{STUCK} stays stuck   {CHANCE} chance decides   {RECOVERED} recovers"
#: Of the columns of table and map.
WIDTH: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class MarginAsked:
    """What was typed."""

    knobs: Mapping[str, Any]
    unprotected: bool
    retries: int
    retry_policy: str | None
    slow_times: float
    loads: Sequence[float]
    most_seconds: float
    seeds: int
    seed: int
    processes: int
    json_file: Path | None
    html_file: Path | None


def run_margin(asked: MarginAsked) -> None:
    """ValueError or `SettingsInvalid` for what the user got wrong."""
    require_folder_of(asked.json_file)
    require_folder_of(asked.html_file, "html")
    times = asked.slow_times
    if not 1 < times <= 1000:
        raise ValueError(f"slow_times must be a number above 1 and up to 1000, not {times:g}")
    loads = sorted({require_range("loads", load, 0.01, 10) for load in asked.loads or LOADS})
    policy = cast("RetryPolicyName | None", asked.retry_policy)  # the plan looks at it
    settings = (Settings.unprotected if asked.unprotected else Settings)(**asked.knobs)
    console = make_console()
    with _mapped(asked.processes) as each, _progress(console, loads) as tell:
        found = margin(
            settings, loads=loads, trigger=Trigger.slow_payment(settings, times),
            most_s=asked.most_seconds, seeds=asked.seeds, seed=asked.seed, retries=asked.retries,
            retry_policy=policy, tell=tell, each=each,
        )  # fmt: skip
    told = f"Trigger: a payment {times:g} times as slow. Clients retry {asked.retries} times"
    told += f", as {policy} lets them." if policy else "."
    if settings.seed is not None:
        told += f" The service has seed {settings.seed} in every run."
    for line in ("", *text_map(found), "", told, found.sentence):
        _say(console, line)
    _write(found, asked)


def text_map(found: Margin) -> list[str]:
    """Stuck or recovered, over load and length of the trigger."""
    lengths_s = [length_s for length_s in LENGTHS_S if length_s <= found.most_s]
    shares = found.map(lengths_s)
    lines = ["Does the service stay stuck after a trigger of that length, at that load?", ""]
    for row, length_s in enumerate(lengths_s):
        cells = "".join(_cell(shares[load][row]) for load in found.loads)
        lines.append(f"{length_s:>6g} s {cells}")
    lines.append(" " * 8 + "".join(f"{load:>{WIDTH}.0%}" for load in found.loads))
    return [*lines, "", LEGEND]


def _cell(stuck_share: float) -> str:
    sign = STUCK if stuck_share > 0.9 else RECOVERED if stuck_share < 0.1 else CHANCE
    return f"{sign * 4:>{WIDTH}}"


@contextmanager
def _progress(console: Console, loads: Sequence[float]) -> Iterator[Callable[[MarginAt], None]]:
    """A row for each load as it is found, and on a terminal which one is being searched. The head
    stands above the first of them, so that a wrong argument is told alone."""
    head = [
        "Length of the trigger, in seconds, at which the service stays stuck:",
        _row("load", "10%", "half", "90%", "of the seeds"),
    ]
    to_come = iter(loads)

    def next_one() -> str:
        return f"searching at {next(to_come):.0%} of capacity"

    with console.status(next_one()) if console.is_terminal else nullcontext() as status:

        def tell(at: MarginAt) -> None:
            while head:
                _say(console, head.pop(0))
            low_s, high_s = at.band_s
            cells = map(_told_s, (low_s, at.edge_s, high_s))
            notes = ("collapses by itself" if at.collapses else "", at.doubt)
            told = ", ".join(filter(None, notes))
            _say(console, _row(f"{at.load:.0%}", *cells) + (told and f"  {told}"))
            console.file.flush()  # a file has each row, too, should the rest be broken off
            if status is not None:
                with suppress(StopIteration):
                    status.update(next_one())

        yield tell


def _row(load: str, *cells: str) -> str:
    return f"{load:>6}" + "".join(f"  {cell:>8}" for cell in cells)


def _told_s(seconds: float) -> str:
    return f"{seconds:.2f}" if isfinite(seconds) else "never"


def _say(console: Console, line: str) -> None:
    console.print(line, markup=False, soft_wrap=True)


@contextmanager
def _mapped(processes: int) -> Iterator[Mapped]:
    """Does the seeds side by side in so many processes; in this one if it is 1."""
    if processes == 1:
        yield map
        return
    # Ctrl-C reaches every process of a terminal: this one hears it, and ends the others.
    pool = ProcessPoolExecutor(
        processes, mp_context=get_context("spawn"), initializer=signal, initargs=(SIGINT, SIG_IGN)
    )
    others = set(active_children())
    try:
        yield pool.map
    except BaseException:
        for child in set(active_children()) - others:
            child.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def document(found: Margin, slow_times: float, retry_policy: str | None = None) -> dict[str, Any]:
    """What `--json` writes: for each load the edge, the band and the seeds; null for never."""
    return {
        "sentence": found.sentence,
        "retries": found.retries,
        "retry_policy": retry_policy,
        "slow_times": slow_times,
        "most_s": found.most_s,
        "loads": [
            {
                "load": at.load,
                "collapses_by_itself": at.collapses,
                "edge_s": _known(at.edge_s),
                "band_s": [_known(length_s) for length_s in at.band_s],
                "doubt": at.doubt or None,
                "stuck_from_s": [_known(length_s) for length_s in at.stuck_from_s],
            }
            for at in found.at
        ],
    }


def _known(seconds: float) -> float | None:
    return round(seconds, 4) if isfinite(seconds) else None


def _write(found: Margin, asked: MarginAsked) -> None:
    """ValueError if a file cannot be written: the result has been shown by then."""
    name, path = "json", asked.json_file
    try:
        if path:
            written = (
                json.dumps(document(found, asked.slow_times, asked.retry_policy), indent=1) + "\n"
            )
            write_whole(path, written.encode())
        name, path = "html", asked.html_file
        if path:
            from bpdemo.picture.report import Section, write_report
            from bpdemo.picture.stuck_map import stuck_map

            figure = stuck_map(
                {at.load: at.edge_s for at in found.at},
                {at.load: at.band_s for at in found.at},
                title=found.sentence,
                most_s=found.most_s,
            )
            section = Section("The map", found.sentence, figure=figure)
            write_report(path, "How large a trigger is survived", [section])
    except OSError as error:
        why = error.strerror or str(error)
        told = f"{name}: {path} cannot be written ({why}); the result stands above"
        raise ValueError(told) from None
