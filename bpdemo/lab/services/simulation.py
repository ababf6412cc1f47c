"""`simulate`: the same load at the same code, under a virtual clock: hours pass in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Unpack

from bpdemo.core.ranges import require_text
from bpdemo.core.settings import Settings
from bpdemo.load.run import LoadRun
from bpdemo.plan.arguments import LoadArguments, takes_load
from bpdemo.plan.plan import require_choice
from bpdemo.results.frame import SPLITS
from bpdemo.results.records import Records, Samples

if TYPE_CHECKING:
    from bpdemo.sim.play import Play


@takes_load(seconds=30.0)
def simulate(
    settings: Settings | Mapping[str, Any] = MappingProxyType({}),
    *,
    by: str | None = None,
    name: str = "simulated",
    **arguments: Unpack[LoadArguments],
) -> LoadRun:
    """What `load` would measure, from virtual time: the same arguments, frame and picture.

    `settings` are those of the service, or just the knobs that differ from the defaults: without
    any it is the protected service.
    `changes` turn knobs on the way: `[(30, {"payment_latency_s": 0.16})]`. The same arguments
    give the same run to the last order. HTTP, sockets and the machine take no time here, so this
    is what the policies do by themselves. Raises `SettingsInvalid`, and ValueError for a load.
    """
    # The whole service comes with it: those who import this need not simulate at once.
    from bpdemo.sim.play import play

    require_text("name", name)
    if by is not None:
        require_choice("by", by, SPLITS)
    return run_of(play(settings, name=name, **arguments), by)


def run_of(played: Play, by: str | None = None) -> LoadRun:
    """A play that is over, as the run that a load would have given."""
    return LoadRun(_records(played), Samples.of(played.samples), played.meta(), by)


def _records(played: Play) -> Records:
    orders = sorted(played.orders, key=itemgetter(0))
    t_s, latency_s, fate, status, reason, attempts, client, priority = (
        zip(*orders, strict=True) if orders else ((),) * 8
    )
    return Records.of(
        t_s,
        latency_s,
        fate,
        status=status,
        reason=reason,
        attempts=attempts,
        client=client,
        priority=priority,
        attempt_t_s=sorted(played.attempts_s),
    )
