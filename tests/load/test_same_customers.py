"""The load generator and the crowd in virtual time send the same customers: who, when, for what."""

import asyncio
import json
import subprocess
import sys
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bpdemo.assembly.office import Assembly
from bpdemo.core.choices import SCENARIOS
from bpdemo.core.environment import own_environment
from bpdemo.core.settings import Settings
from bpdemo.plan.plan import Plan
from bpdemo.plan.visits import Visit, looks, regulars, visits
from bpdemo.sim import virtual_time
from bpdemo.sim.crowd import Crowd
from bpdemo.sim.visit import Answer

PROGRAM = Path(__file__).with_name("recorded_crowds.py")
SEEDS = (0, 1, 7, 4711)
ANSWER_S = 0.004

Mixed = dict[str, Any]
MIXES: tuple[Mixed, ...] = (
    {},
    {"send_keys": True, "send_deadline": True, "clients": (("fair", 9.0), ("greedy", 1.0)),
     "priorities": (("0", 1.0), ("3", 1.0)), "browse_per_s": 100},
    {"item_id": 5, "send_keys": True, "browse_per_s": 100, "part": (1, 3)},
)  # fmt: skip


class Wish(NamedTuple):
    """What a service hears of a customer."""

    due_s: float
    item: int
    client: str = ""
    priority: str = ""
    key: str = ""
    is_look: bool = False


def plan_of(scenario: str, seed: int, mix: Mixed) -> Plan:
    rate = 9 if scenario == "closed" else 300
    return Plan(rate, seconds=0.3, scenario=scenario, seed=seed, watch=False, **mix)


PLANS = [plan_of(*one) for one in product(SCENARIOS, SEEDS, MIXES)]


@pytest.fixture(scope="module")
def live() -> dict[Plan, list[Wish]]:
    """What the load generator's own crowd sends, for every plan."""
    ran = subprocess.run(
        [sys.executable, str(PROGRAM)], input="\n".join(plan.to_json() for plan in PLANS),
        capture_output=True, text=True, check=False, timeout=60, env=own_environment(),
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    sent = [json.loads(line) for line in ran.stdout.splitlines()]
    return dict(zip(PLANS, [[wish_of(*one) for one in some] for some in sent], strict=True))


def wish_of(due_s: float, method: str, path: str, body: str, headers: dict[str, str]) -> Wish:
    if method == "GET":
        return Wish(due_s, int(path.removeprefix("/items/")), is_look=True)
    client, priority, key = (
        headers.get(name, "") for name in ("X-Client-Id", "X-Priority", "Idempotency-Key")
    )
    return Wish(due_s, json.loads(body)["item_id"], client, priority, key)


class Service:
    """Answers everybody after a while, and remembers what they wanted."""

    def __init__(self) -> None:
        self.heard: list[Wish] = []

    async def order(self, visit: Visit, _: Plan, __: float) -> Answer:
        self.heard.append(wish(visit))
        await asyncio.sleep(ANSWER_S)
        return Answer(201)

    async def look(self, item_id: int, gives_up_s: float) -> Answer:
        due_s = gives_up_s - 0.5
        self.heard.append(Wish(due_s, item_id, is_look=True))
        return Answer(200)


def wish(visit: Visit) -> Wish:
    return Wish(visit.due_s, visit.item, visit.client, visit.priority, visit.key)


def virtual(plan: Plan) -> list[Wish]:
    service = Service()

    async def main() -> None:
        assembly = Assembly(Settings(), clock=asyncio.get_running_loop().time)
        await Crowd(plan, assembly, service).run()

    virtual_time.run(main())
    return service.heard


@pytest.mark.parametrize("plan", PLANS, ids=lambda p: f"{p.scenario}-{p.seed}-{p.part}")
def test_live_and_virtual_customers_are_the_same(plan: Plan, live: dict[Plan, list[Wish]]) -> None:
    """To the moment, the item, the labels and the key. Of a closed load the answers say when, so
    there each user wants the same things in the same order, as often as they come."""
    in_life, in_virtual = live[plan], virtual(plan)
    looked = [one for one in in_life if one.is_look]
    assert sorted((one.due_s, one.item) for one in looked) == list(looks(plan))
    told = sorted((round(one.due_s, 9), one.item) for one in in_virtual if one.is_look)
    assert told == [(round(due_s, 9), item) for due_s, item in looks(plan)]
    assert bool(looked) == bool(plan.browse_per_s)
    if plan.is_closed:
        assert_of_users(plan, [one for one in in_life if not one.is_look])
        assert_of_users(plan, [one for one in in_virtual if not one.is_look])
        return
    expected = [wish(visit) for visit in visits(plan)]
    assert expected
    assert sorted(one for one in in_life if not one.is_look) == expected
    assert sorted(one for one in in_virtual if not one.is_look) == expected


def assert_of_users(plan: Plan, heard: list[Wish]) -> None:
    """Each came for what their own stream says, in its order; nobody came for anything else."""
    streams = [iter(partial(user.visit, 0.0), None) for user in regulars(plan)]
    coming = [next(stream) for stream in streams]
    turns = [0] * len(streams)
    for one in sorted(heard):
        wanted = one._replace(due_s=0.0)
        fits = [
            place for place, visit in enumerate(coming) if wish(visit)._replace(due_s=0.0) == wanted
        ]
        assert fits, f"nobody wanted {one}"
        user = min(fits, key=turns.__getitem__)
        coming[user], turns[user] = next(streams[user]), turns[user] + 1
    assert all(turns), "every user came"
    assert len(heard) > 2 * len(streams)


def test_another_seed_sends_others() -> None:
    """Or equal streams would prove little."""
    plan = plan_of("steady", 1, MIXES[1])
    assert not {one.key for one in virtual(plan) if one.key} & {
        one.key for one in virtual(replace(plan, seed=2))
    }
