"""Did the machine keep up? A run on a busy machine proves nothing about the service."""

from __future__ import annotations

from typing import Final

import numpy as np

from bpdemo.core.box import boxed
from bpdemo.core.slips import forgiving
from bpdemo.results.meta import Meta
from bpdemo.results.records import Records

SENT_MIN: Final = 0.98
SEND_LAG_MAX_S: Final = 0.050
LOOP_LAG_MAX_S: Final = 0.020
CLOCK_JUMP_MAX_S: Final = 0.1
"""A clock that is steered moves by at most 0.5 ms a second; more was a jump or a sleep."""
CLOCKS_APART_MAX_S: Final = 0.050
"""As for the send lag: that far off may the time of an order be."""

SENTENCE: Final = "Your machine was busy; this run proves nothing. Run it again."
LOST_SENTENCE: Final = "A load generator was lost; this run proves nothing. Run it again."


BESIDE: Final = (
    "another notebook or terminal was driving a load on this machine: let it end, then repeat"
)


class NotMeasured(Exception):
    """The run cannot be judged. `causes` says what was out of bounds, `run` which run it was
    and what to repeat."""

    @forgiving
    def __init__(self, causes: list[str], sentence: str = SENTENCE, run: str = "") -> None:
        told = f"{sentence} {run}".rstrip()
        super().__init__(f"{told} ({'; '.join(causes)})")
        self.sentence = sentence
        self.causes = causes
        self.run = run

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows in place of a traceback: nobody's code is at fault.

        IPython asks for these lines and prints them; the cell stops all the same.
        """
        causes = [f"{cause[:1].upper()}{cause[1:]}." for cause in self.causes]
        return boxed(self.sentence, [*([self.run] if self.run else []), *causes])


def causes_of(records: Records, meta: Meta) -> list[str]:
    """What was out of bounds; empty when the run counts. Virtual time is never busy."""
    if meta.virtual:
        return []
    causes = list(meta.lost)
    sent_share = meta.sent / meta.planned if meta.planned else 0.0
    if sent_share < SENT_MIN:
        causes.append(f"only {sent_share:.1%} of the load was sent, at least 98% is needed")
    lag_s = send_lag_p99_s(records)
    if lag_s > SEND_LAG_MAX_S:
        causes.append(f"p99 of send lag was {lag_s * 1000:.0f} ms, at most 50 is allowed")
    if (meta.loop_lag_p99_s or 0) > LOOP_LAG_MAX_S:
        lag_ms = (meta.loop_lag_p99_s or 0) * 1000
        causes.append(f"p99 of event-loop lag was {lag_ms:.0f} ms, at most 20 is allowed")
    if meta.clock_jump_s > CLOCK_JUMP_MAX_S:
        causes.append(f"the clock jumped by {meta.clock_jump_s:.1f} s")
    if meta.clocks_apart_s > CLOCKS_APART_MAX_S:
        apart_ms = meta.clocks_apart_s * 1000
        causes.append(f"the machines' clocks ran {apart_ms:.0f} ms apart, at most 50 are allowed")
    return [*causes, BESIDE] if causes and meta.beside else causes


def sentence_for(meta: Meta) -> str:
    """What to say of a run that does not count."""
    return LOST_SENTENCE if meta.lost else SENTENCE


def told_run(meta: Meta) -> str:
    """Which run it was, and the cell to repeat, if a cell made it."""
    load = f"{meta.scenario} load of {meta.rate_per_s:,.0f}/s for {meta.seconds:g} s"
    if meta.scenario == "closed":
        load = f"{meta.rate_per_s:,.0f} users for {meta.seconds:g} s"
    told = f"The run: {meta.name}, {load}."
    if not meta.cell:
        return told
    return f"{told} Repeat the cell [{meta.cell}], then those below it that use its run."


def send_lag_p99_s(records: Records) -> float:
    return float(np.percentile(records.send_lag_s, 99)) if len(records) else 0.0
