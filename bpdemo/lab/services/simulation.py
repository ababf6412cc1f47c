"""`simulate`: the same load at the same code, under a virtual clock: hours pass in seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from bpdemo.assembly.office import Assembly
from bpdemo.core.errors import SettingsInvalid
from bpdemo.core.settings import Settings
from bpdemo.load.loads import PICTURED, mix_of
from bpdemo.load.run import LoadRun
from bpdemo.load.watcher import BREAKER_CODES
from bpdemo.plan.capacity import capacity_of, rate_of
from bpdemo.plan.changes import Change, require_changes, told
from bpdemo.plan.plan import Plan, require_range
from bpdemo.results.records import Meta, Records, Samples, told_of_looks
from bpdemo.sim import virtual_time
from bpdemo.sim.crowd import Crowd

SAMPLE_S: Final = 0.1
#: When virtual time begins. Any moment will do, as long as it is always the same.
SALE_DAY: Final = datetime(2030, 1, 1, tzinfo=UTC)


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
    settings = _simulated(settings, seed)
    capacity_per_s = capacity_of(settings)
    plan = Plan(
        rate_per_s=rate_of(times, rate, capacity_per_s, scenario),
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
        clients=mix_of(clients),
        priorities=mix_of(priorities),
        item_id=item_id,
    )
    turned, turns = settings, []
    for at_s, knobs in require_changes(changes, seconds):
        turned = turned.changed(knobs)  # now: on the loop nobody would hear of it
        if (now_per_s := capacity_of(turned)) is not None:
            turns.append((at_s, now_per_s))
    require_range("bin_s", bin_s, 0.05, seconds)
    crowd, rows = virtual_time.run(_play(settings, plan, changes))
    meta = Meta(
        name=name,
        scenario=scenario,
        seconds=seconds,
        bin_s=bin_s,
        rate_per_s=plan.rate_per_s,
        capacity_per_s=capacity_per_s,
        client_timeout_s=client_timeout_s,
        seed=seed,
        planned=len(crowd.orders),
        sent=len(crowd.orders),
        virtual=True,
        marks=tuple((at_s, told(knobs)) for at_s, knobs in changes),
        turns=tuple(turns),
        browse=told_of_looks(crowd.looks_s),
        settings={knob: getattr(settings, knob) for knob in PICTURED},
    )
    return LoadRun.from_records(_records(crowd), Samples.of(rows), meta, by)


async def _play(
    settings: Settings, plan: Plan, changes: Sequence[Change]
) -> tuple[Crowd, list[tuple[float, ...]]]:
    loop = asyncio.get_running_loop()
    start_s = loop.time()
    assembly = Assembly(
        settings, clock=loop.time, today=lambda: SALE_DAY + timedelta(seconds=loop.time())
    )
    await assembly.office.start()
    for at_s, knobs in changes:
        loop.call_at(start_s + at_s, assembly.turn, knobs)
    crowd, rows = Crowd(plan, assembly), []  # type: tuple[Crowd, list[tuple[float, ...]]]
    sampler = asyncio.create_task(_sample(assembly, crowd, rows))
    await crowd.run()
    sampler.cancel()
    await assembly.office.stop()
    return crowd, rows


async def _sample(assembly: Assembly, crowd: Crowd, rows: list[tuple[float, ...]]) -> None:
    office = assembly.office
    while True:
        states = office.breaker_states()
        rows.append(
            (
                crowd.now_s,
                office.queue_depth,
                office.queue_capacity,
                office.workers,
                office.workers_busy,
                BREAKER_CODES[states["payment"]],
                BREAKER_CODES[states["store"]],
                office.in_flight,
            )
        )
        await asyncio.sleep(SAMPLE_S)


def _simulated(settings: Settings | Mapping[str, Any], seed: int) -> Settings:
    made = settings if isinstance(settings, Settings) else Settings(**settings)
    if made.store != "memory":
        raise SettingsInvalid("store", f"{made.store!r} needs real time; simulate with memory")
    return made if made.seed is not None else made.model_copy(update={"seed": seed})


def _records(crowd: Crowd) -> Records:
    orders = sorted(crowd.orders, key=lambda order: order.t_s)
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
        attempt_t_s=sorted(crowd.attempts_s),
    )
