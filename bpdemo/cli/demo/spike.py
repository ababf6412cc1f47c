"""The spike of the demo, played at one service while the terminal shows how it goes."""

from __future__ import annotations

from collections import deque
from contextlib import nullcontext, suppress
from typing import Final

from rich.console import Console
from rich.live import Live

from bpdemo.cli.demo.live_bar import scene
from bpdemo.cli.demo.outcome import SpikeOutcome, outcome_of
from bpdemo.core.choices import Profile
from bpdemo.core.counted import counted
from bpdemo.lab.services.service import serve
from bpdemo.load.driver import LoadProgress
from bpdemo.load.loads import RunningLoad, load
from bpdemo.load.run import LoadRun
from bpdemo.results.validity import causes_of

PEAK: Final = 5.0
"""The spike, in multiples of capacity. Before and after it a tenth of that is offered."""

SEED: Final = 7


def play(profile: Profile, seconds: float, console: Console) -> SpikeOutcome:
    """The spike at one service; once more if the machine was busy the first time."""
    outcome = _attempt(profile, seconds, console)
    if causes_of(outcome.run.records, outcome.run.meta):
        console.print("The machine was busy meanwhile; once more.")
        outcome = _attempt(profile, seconds, console)
    return outcome


def _attempt(profile: Profile, seconds: float, console: Console) -> SpikeOutcome:
    # A process of its own: the load generator and the service have a core each.
    with serve(profile, where="process", name=f"demo {profile}") as service:
        console.print(
            f"\n[bold]{profile}[/bold]: {counted(service.settings.workers, 'worker')}, "
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
        return outcome_of(run, service)


def _watched(running: RunningLoad, console: Console) -> LoadRun:
    """Wait for the load and show how it goes: live on a terminal, else a line a second."""
    live = Live(console=console, auto_refresh=False) if console.is_terminal else None
    recent: deque[LoadProgress] = deque(maxlen=3)
    with live or nullcontext():
        while not running.done:
            with suppress(TimeoutError):
                running.wait(0.5)
            progress = running.progress
            if progress is None or (recent and progress.t_s == recent[-1].t_s):
                continue
            recent.append(progress)
            if live:
                live.update(scene(recent, _depth(running)), refresh=True)
            elif progress.t_s <= progress.seconds and int(progress.t_s * 2) % 2 == 0:
                console.print(f"{progress.line()}; {_depth(running):,} in queue")
    return running.wait()


def _depth(running: RunningLoad) -> int:
    samples = running.snapshot().samples
    return int(samples.queue_depth[-1]) if len(samples) else 0
