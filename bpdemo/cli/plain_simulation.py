"""`bpdemo simulate --json` where neither numpy nor pandas is: the same play, its books in plain
Python, and the same file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bpdemo.cli.long_queue import tell_long_queue
from bpdemo.core.settings import Settings
from bpdemo.plan.arguments import asked_for
from bpdemo.plan.plan import Plan
from bpdemo.results.document import require_folder_of, write_document
from bpdemo.sim.play import Play, play


def run_plain_simulation(
    knobs: Mapping[str, Any],
    unprotected: bool,
    plan: Plan,
    json_file: Path,
) -> None:
    """ValueError or `SettingsInvalid` for what the user got wrong. Prints the run in words."""
    require_folder_of(json_file)
    settings = Settings.unprotected(**knobs) if unprotected else Settings(**knobs)
    played = play(settings, **asked_for(plan))
    tell_long_queue(settings, played.meta().client_timeout_s)
    print(played.sentence)
    write_play(played, json_file)


def write_play(played: Play, path: Path) -> None:
    """Raises OSError."""
    columns = played.frame()
    reasons = Counter(order.reason for order in _in_order(played) if order.reason)
    write_document(
        path,
        sentence=played.sentence,
        causes=(),  # virtual time is never busy
        summary=played.summary(),
        reasons=dict(reasons.most_common()),
        rows=[dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)],
        meta=played.meta(),
    )


def _in_order(played: Play) -> list[Any]:
    """As the records of a run have them: by the time at which each was due."""
    return sorted(played.orders, key=lambda order: order.t_s)
