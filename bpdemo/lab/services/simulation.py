"""`simulate`: the same load at the same code, under a virtual clock: hours pass in seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bpdemo.core.settings import Settings
from bpdemo.load.run import LoadRun
from bpdemo.plan.changes import Change
from bpdemo.results.records import Records, Samples
from bpdemo.sim.play import Play, play


def simulate(
    settings: Settings | Mapping[str, Any],
    *,
    times: float | None = None,
    rate: float | None = None,
    seconds: float = 30.0,
    scenario: str = "steady",
    seed: int = 0,
    client_timeout_s: float = 0.5,
    send_deadline: bool = False,
    send_keys: bool = False,
    retries: int = 0,
    backoff: str = "none",
    jitter: str = "full",
    retry_budget: float | None = None,
    browse_per_s: float = 0,
    bin_s: float = 0.5,
    clients: Mapping[str, float] | None = None,
    priorities: Mapping[int, float] | None = None,
    item_id: int | None = None,
    by: str | None = None,
    changes: Sequence[Change] = (),
    name: str = "simulated",
) -> LoadRun:
    """What `load` would measure, from virtual time: the same arguments, frame and picture.

    `settings` are those of the service, or just the knobs that differ from the defaults.
    `changes` turn knobs on the way: `[(30, {"payment_latency_s": 0.16})]`. The same arguments
    give the same run to the last order. HTTP, sockets and the machine take no time here, so this
    is what the policies do by themselves. Raises `SettingsInvalid`, and ValueError for a load.
    """
    played = play(
        settings,
        times=times,
        rate=rate,
        seconds=seconds,
        scenario=scenario,
        seed=seed,
        client_timeout_s=client_timeout_s,
        send_deadline=send_deadline,
        send_keys=send_keys,
        retries=retries,
        backoff=backoff,
        jitter=jitter,
        retry_budget=retry_budget,
        browse_per_s=browse_per_s,
        bin_s=bin_s,
        clients=clients,
        priorities=priorities,
        item_id=item_id,
        changes=changes,
        name=name,
    )
    samples = Samples.of(played.samples)
    return LoadRun.from_records(_records(played), samples, played.meta(), by)


def _records(played: Play) -> Records:
    orders = sorted(played.orders, key=lambda order: order.t_s)
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
