"""`bpdemo demo`: one spike at two services, a verdict, and a report that needs no network."""

from __future__ import annotations

import math
import platform
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from bpdemo.core.settings import Settings, describe
from bpdemo.lab.calibration import recalled
from bpdemo.lab.commands import make_console, measured
from bpdemo.lab.driver import Progress
from bpdemo.lab.fates import FATES, OK, SHED, WORDS
from bpdemo.lab.loads import RunningLoad, load
from bpdemo.lab.palette import FATE_COLOURS, INK_ON
from bpdemo.lab.plan import require_range
from bpdemo.lab.run import LoadRun
from bpdemo.lab.service import Profile, Service, serve
from bpdemo.lab.stopping import stop_all
from bpdemo.lab.summary import percent
from bpdemo.lab.verdict import SENTENCE, causes_of

PROFILES: Final[tuple[Profile, Profile]] = ("unprotected", "protected")
PEAK: Final = 5.0
"""The spike, in multiples of capacity. Before and after it a tenth of that is offered."""

SEED: Final = 7
CALM_SHARE: Final = 0.95
CALM_BIN_S: Final = 0.25
MARKS: Final = {"ok": "=", "late": "/", "shed": ".", "failed": "x"}
"""What fills the live bar: a second cue beside the colour, in plain ASCII."""

BAR_WIDTH: Final = 50
Rows = list[tuple[str, str, str]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One service under the spike, in the numbers of the verdict.

    `recovered_s` counts from the end of the spike until, from then on, 95 % of what was offered
    was sold; None if that was not seen. `charged_in_vain` were charged and not answered in time.
    """

    run: LoadRun
    charged_in_vain: int
    queued_at_end: int

    @property
    def spike(self) -> tuple[float, float]:
        return self.run.meta.seconds / 3, self.run.meta.seconds * 2 / 3

    @property
    def spike_share(self) -> float:
        """Goodput as a share of capacity while the spike lasts."""
        return min(1.0, self.run.between(*self.spike)["goodput_share"])

    @property
    def spike_p99(self) -> str:
        """p99 of those let in during the spike; who hung up gives only a lower bound."""
        p99_ms = self.run.between(*self.spike)["p99_ms"]
        if math.isnan(p99_ms):
            return "nobody was let in"
        patience_ms = self.run.meta.patience_s * 1000
        return f"{p99_ms:,.0f} ms" if p99_ms < patience_ms else f"beyond {patience_ms:,.0f} ms"

    @property
    def recovered_s(self) -> float | None:
        return recovery_s(self.run, self.spike[1])

    @property
    def watched_s(self) -> float:
        """How long it was watched after the spike."""
        return self.run.meta.seconds - self.spike[1]

    @property
    def work_left_s(self) -> float:
        """How long what is still in the queue will keep the workers busy."""
        return self.queued_at_end / (self.run.meta.capacity_per_s or math.inf)

    def count(self, fate: int) -> int:
        return int((self.run.records.fate == fate).sum())


def recovery_s(run: LoadRun, end_s: float) -> float | None:
    """Seconds from `end_s` to the end of the last quarter second that sold too little."""
    after = run.records.where(run.records.t_s >= end_s)
    bins: dict[int, list[bool]] = {}
    for t_s, fate in zip(after.t_s, after.fate, strict=True):
        bins.setdefault(int((t_s - end_s) / CALM_BIN_S), []).append(bool(fate == OK))
    if not bins:
        return None
    bad = [place for place, sold in bins.items() if sum(sold) < CALM_SHARE * len(sold)]
    last = max(bad, default=-1)
    return None if last == max(bins) else (last + 1) * CALM_BIN_S


def run_demo(seconds: float, out: Path) -> int:
    """Tell the whole story. The exit code: 0, or 1 if the machine was too busy to measure."""
    require_range("seconds", seconds, 3, 600)
    folder = _made(out)
    console = make_console()
    _introduce(console, seconds)
    try:
        _calibrate(console)
        unprotected, protected = (_play(profile, seconds, console) for profile in PROFILES)
    finally:
        stop_all()
    _show(unprotected, protected, console)
    path = _report(folder / "demo.html", unprotected, protected)
    for outcome in (unprotected, protected):
        outcome.run.save(folder / f"{outcome.run.meta.name}.json.gz")
    console.print(f"\nThe report, with both pictures: {path.resolve()}", soft_wrap=True)
    return 1 if _busy(unprotected, protected) else 0


def _calibrate(console: Console) -> None:
    """Choose the workers for this machine, unless that has been done before."""
    if recalled() is None:
        console.print("\nGetting to know this machine: about eight seconds, once.")
        measured(console)


def _made(out: Path) -> Path:
    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "demo.html").touch()
    except OSError as error:
        why = error.strerror or error
        raise ValueError(f"out: cannot write a report into {out}: {why}") from None
    return out


# -- while it runs ---------------------------------------------------------------------------


def _introduce(console: Console, seconds: float) -> None:
    console.print("[bold]The box office on sale day.[/bold] Two services with the same workers get")
    console.print(f"the same customers: {seconds / 3:.0f} s of calm, {seconds / 3:.0f} s in which")
    console.print(f"{PEAK:g} times as many come as it can serve, then calm again.")
    console.print(Text("An order is ").append_text(_chips({})).append("."))


def _play(profile: Profile, seconds: float, console: Console) -> Outcome:
    """The spike at one service; once more if the machine was busy the first time."""
    outcome = _attempt(profile, seconds, console)
    if causes_of(outcome.run.records, outcome.run.meta):
        console.print("The machine was busy meanwhile; once more.")
        outcome = _attempt(profile, seconds, console)
    return outcome


def _attempt(profile: Profile, seconds: float, console: Console) -> Outcome:
    # A process of its own: the load generator and the service have a core each.
    with serve(profile, where="process", name=f"demo {profile}") as service:
        console.print(
            f"\n[bold]{profile}[/bold]: {service.settings.workers} workers, "
            f"{service.capacity_per_s or 0:,.0f} orders a second at most"
        )
        running = load(
            service,
            times=PEAK,
            seconds=seconds,
            scenario="spike",
            seed=SEED,
            background=True,
        )
        try:
            run = _watched(running, console)
        finally:
            running.kill()
        return _outcome(run, service)


def _outcome(run: LoadRun, service: Service) -> Outcome:
    stats = service.stats()
    paid, sold = stats["payments"], int((run.records.fate == OK).sum())
    start_s, end_s = run.meta.seconds / 3, run.meta.seconds * 2 / 3
    return Outcome(
        run.marked((start_s, "spike"), (end_s, "over")),
        max(0, paid["charged"] - paid["refunded"] - sold),
        stats["queue"]["depth"],
    )


def _watched(running: RunningLoad, console: Console) -> LoadRun:
    """Wait for the load and show how it goes: live on a terminal, else a line a second."""
    live = Live(console=console, auto_refresh=False) if console.is_terminal else None
    recent: deque[Progress] = deque(maxlen=3)
    with live or nullcontext():
        while not running.done:
            with suppress(TimeoutError):
                running.wait(0.5)
            progress = running.progress
            if progress is None or (recent and progress.t_s == recent[-1].t_s):
                continue
            recent.append(progress)
            if live:
                live.update(_scene(recent, _depth(running)), refresh=True)
            elif progress.t_s <= progress.seconds and int(progress.t_s * 2) % 2 == 0:
                console.print(f"{progress.line()}; {_depth(running):,} in queue")
    return running.wait()


def _depth(running: RunningLoad) -> int:
    samples = running.snapshot().samples
    return int(samples.queue_depth[-1]) if len(samples) else 0


def _scene(recent: Sequence[Progress], depth: int) -> Group:
    latest = recent[-1]
    progress = min(1.0, latest.t_s / latest.seconds)
    phase = ("calm", "the spike", "after it")[min(2, int(3 * progress))]
    shares = _shares(recent)
    bar = Text("  ")
    for fate, width in zip(FATES, _widths(list(shares.values())), strict=True):
        bar.append(MARKS[fate] * width, style=f"{INK_ON[fate]} on {FATE_COLOURS[fate]}")
    done = int(progress * BAR_WIDTH)
    clock = Text(f"  {'-' * done}{' ' * (BAR_WIDTH - done)} ")
    clock.append(f"{min(latest.t_s, latest.seconds):.1f} of {latest.seconds:g} s, {phase}")
    words = Text("  ").append_text(_chips(shares)).append(f"  queue {depth:,}")
    return Group(clock, bar, words)


def _shares(recent: Sequence[Progress]) -> dict[str, float]:
    """What became of the orders that ended in the last second."""
    first, last = (recent[0], recent[-1]) if len(recent) > 1 else (None, recent[-1])
    counts = [getattr(last, fate) - (getattr(first, fate) if first else 0) for fate in FATES]
    total = sum(counts)
    return {fate: n / total if total else 0.0 for fate, n in zip(FATES, counts, strict=True)}


def _widths(shares: Sequence[float]) -> list[int]:
    """Whole characters that add up to the bar, when there is anything to show."""
    edges = [round(sum(shares[: n + 1]) * BAR_WIDTH) for n in range(len(shares))]
    return [edge - before for before, edge in zip([0, *edges], edges, strict=False)]


def _chips(shares: dict[str, float]) -> Text:
    """The four words in their colours, with their shares if there are any."""
    chips = Text()
    for fate, word in WORDS.items():
        share = f" {shares[fate]:4.0%}" if fate in shares else ""
        chips.append(f" {word}{share} ", style=f"{INK_ON[fate]} on {FATE_COLOURS[fate]}")
        chips.append(" ")
    chips.right_crop(1)
    return chips


# -- the verdict -----------------------------------------------------------------------------


def _numbers(*outcomes: Outcome) -> Rows:
    """The rows of the verdict: what is measured, and the figure of each service."""
    table: dict[str, Iterable[str]] = {
        "orders offered": (f"{len(o.run.records):,}" for o in outcomes),
        "sold in time": (f"{o.count(OK):,}" for o in outcomes),
        "goodput in the spike, of capacity": (percent(o.spike_share) for o in outcomes),
        "p99 in the spike, of those let in": (o.spike_p99 for o in outcomes),
        "back to normal after the spike": (_told_recovery(o) for o in outcomes),
        "turned away at once": (f"{o.count(SHED):,}" for o in outcomes),
        "charged, but not answered in time": (f"{o.charged_in_vain:,}" for o in outcomes),
        "still in the queue at the end": (f"{o.queued_at_end:,}" for o in outcomes),
    }
    return [(name, *cells) for name, cells in table.items()]  # type: ignore[misc]


def _told_recovery(outcome: Outcome) -> str:
    if outcome.recovered_s is None:
        return f"not within {outcome.watched_s:.1f} s"
    return f"in {outcome.recovered_s:.2f} s" if outcome.recovered_s else "at once"


def _words(naive: Outcome, safe: Outcome) -> list[str]:
    """The verdict in sentences; each says what was measured, whichever way it went."""
    more = safe.count(OK) / naive.count(OK) if naive.count(OK) else math.inf
    ratio = f", {more:.1f} times as many" if math.isfinite(more) else ""
    told = [
        f"In the spike, at {PEAK:g} times capacity, the unprotected service sold "
        f"{percent(naive.spike_share)} of its capacity in time, the protected one "
        f"{percent(safe.spike_share)}.",
        f"Orders sold in all: {naive.count(OK):,} unprotected, "
        f"{safe.count(OK):,} protected{ratio}.",
    ]
    if turned := safe.count(SHED):
        told.append(
            f"The protected one turned {turned:,} away at once and told each when to come back; "
            f"99 of 100 of those it let in during the spike had their answer in {safe.spike_p99}."
        )
    for outcome in (naive, safe):
        told.append(f"The {outcome.run.meta.name} one {_recovery(outcome)}.")
    if naive.charged_in_vain:
        told.append(
            f"Meanwhile the unprotected one charged {naive.charged_in_vain:,} customers "
            f"too late for their patience; the protected one {safe.charged_in_vain:,}."
        )
    return told


def _recovery(outcome: Outcome) -> str:
    if outcome.recovered_s is None:
        return (
            f"was still down {outcome.watched_s:.1f} s after the spike, with "
            f"{outcome.queued_at_end:,} orders in its queue: {outcome.work_left_s:.0f} s of work"
        )
    if not outcome.recovered_s:
        return "was back to normal as soon as the spike was over"
    return f"was back to normal {outcome.recovered_s:.2f} s after the spike"


def _busy(*outcomes: Outcome) -> list[str]:
    """A sentence for each run that proves nothing."""
    return [
        f"{o.run.meta.name}: {SENTENCE} ({'; '.join(causes)})"
        for o in outcomes
        if (causes := causes_of(o.run.records, o.run.meta))
    ]


def _show(naive: Outcome, safe: Outcome, console: Console) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("The verdict")
    for name in PROFILES:
        table.add_column(name, justify="right")
    for row in _numbers(naive, safe):
        table.add_row(*row)
    console.print()
    console.print(table)
    console.print()
    for words in _words(naive, safe):
        console.print(f"- {words}", markup=False)
    for warning in _busy(naive, safe):
        console.print(f"\n{warning}", style="bold", markup=False)


# -- the report ------------------------------------------------------------------------------

READING = (
    "Time runs to the right, both services share their axes. Top: what became of the orders, in "
    "orders a second; the dashed line is capacity, the arrow an offer beyond the panel, and the "
    "ribbon above it the shares of all orders. Middle: how long those let in waited, half of them "
    "(p50) and all but one in a hundred (p99), on a scale where each step is ten times as long. "
    "Bottom: orders in the queue, the room there is for them, and busy workers."
    "\n\nBoth services work just as hard. The difference is for whom: a queue without a bound "
    "grows until all who reach its head have left already. A bounded one says no early, while no "
    "is still of use, and keeps its workers for orders somebody waits for."
)

NEXT = (
    ("what it shows", "file"),
    ("your machine, the first order, the picture panel by panel", "notebooks/00_start_here.ipynb"),
    ("this story step by step, and figures that hide it", "notebooks/01_when_queues_explode.ipynb"),
    ("the bounded queue, in code", "bpdemo/flow/queue.py"),
)


def _report(path: Path, naive: Outcome, safe: Outcome) -> Path:
    # Plotly takes a second to load: not before the story is told.
    from bpdemo.lab.picture import comparison, side_by_side
    from bpdemo.lab.report import Section, write_report

    runs = (naive.run, safe.run)
    words = [*_busy(naive, safe), *_words(naive, safe)]
    alt = f"{comparison(*runs)} {naive.run.sentence} {safe.run.sentence}"
    return write_report(
        path,
        "The box office on sale day: one spike, two services",
        [
            Section("The verdict", "\n\n".join(words), [("", *PROFILES), *_numbers(naive, safe)]),
            Section("The same spike, twice", figure=side_by_side(*runs), alt=alt),
            Section("How to read it", READING),
            Section("What made the difference", rows=_differing_knobs()),
            Section("How it was measured", rows=_facts(naive, safe)),
            Section(
                "What to read next", "Open the lessons with make lab (or python lab.py).", NEXT
            ),
        ],
    )


def _differing_knobs() -> list[tuple[str, ...]]:
    """The settings in which the two services differ, and what each means."""
    naive, safe = describe(Settings.unprotected()), describe(Settings())
    rows: list[tuple[str, ...]] = [("setting", *PROFILES)]
    rows += [
        (f"{name}: {safe[name]['description']}", _value(naive[name]), _value(safe[name]))
        for name in safe
        if naive[name]["value"] != safe[name]["value"]
    ]
    return rows


def _value(knob: dict[str, Any]) -> str:
    value = knob["value"]
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value} {knob['unit']}".strip()


def _facts(*outcomes: Outcome) -> list[tuple[str, ...]]:
    runs = [outcome.run for outcome in outcomes]
    table = {
        "workers": [str(run.meta.settings.get("workers", "-")) for run in runs],
        "capacity, orders a second": [f"{run.meta.capacity_per_s or 0:,.0f}" for run in runs],
        "peak of the spike, orders a second": [f"{run.meta.rate_per_s:,.0f}" for run in runs],
        "a customer's patience": [f"{run.meta.patience_s * 1000:,.0f} ms" for run in runs],
        "seed": [str(run.meta.seed) for run in runs],
        "sent as planned": [percent(run.meta.sent / max(run.meta.planned, 1)) for run in runs],
        "p99 of send lag (at most 50 ms)": [f"{run.send_lag_p99_ms:.1f} ms" for run in runs],
        "p99 of event-loop lag (at most 20 ms)": [
            f"{(run.meta.loop_lag_p99_s or 0) * 1000:.1f} ms" for run in runs
        ],
        "Python": [platform.python_version()] * len(runs),
    }
    return [("", *PROFILES), *((name, *cells) for name, cells in table.items())]
