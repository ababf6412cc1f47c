"""The orders of a load are the same orders, however many processes send them."""

import random

import pytest

from bpdemo.plan.arrivals import SHAPES
from bpdemo.plan.plan import Plan
from bpdemo.plan.visits import Visit, any_item, looks, regulars, visits

CLIENTS = (("fair", 9.0), ("greedy", 1.0))
PRIORITIES = (("0", 1.0), ("3", 1.0))


@pytest.mark.parametrize("scenario", SHAPES)
@pytest.mark.parametrize("count", [2, 3, 7])
def test_the_parts_put_together_are_the_whole(scenario: str, count: int) -> None:
    """To the time, the item, the labels and the key; and no part is much larger than another."""
    plan = Plan(80, 20, scenario, 5, clients=CLIENTS, priorities=PRIORITIES, send_keys=True)
    whole = list(visits(plan))
    parts = [list(visits(plan.share(index, count))) for index in range(count)]
    assert sorted(visit for part in parts for visit in part) == whole
    assert len({visit.key for visit in whole}) == len(whole) > 100
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize("count", [2, 3, 7])
def test_the_users_of_the_parts_are_those_of_the_whole(count: int) -> None:
    """In a closed load, too: whichever process has a user, they want the same, time after time."""

    def wants(plan: Plan) -> list[list[Visit]]:
        return [[user.visit(float(turn)) for turn in range(20)] for user in regulars(plan)]

    plan = Plan(10, 20, "closed", 5, clients=CLIENTS, priorities=PRIORITIES, send_keys=True)
    whole = wants(plan)
    parts = [wants(plan.share(index, count)) for index in range(count)]
    assert sorted(user for part in parts for user in part) == sorted(whole)
    assert len({visit.key for user in whole for visit in user}) == 200


def test_what_a_user_wants_does_not_depend_on_when_the_others_come() -> None:
    """Answers come in another order in each run; what is asked for must not."""
    plan = Plan(2, scenario="closed", seed=1)
    first, second = regulars(plan)
    by_turns = [first.visit(0), second.visit(0), first.visit(1), second.visit(1)]
    first, second = regulars(plan)
    assert by_turns[::2] == [first.visit(0), first.visit(1)]
    assert by_turns[1::2] == [second.visit(0), second.visit(1)]


@pytest.mark.parametrize("seed", range(10))
def test_an_item_is_drawn_as_the_standard_library_draws_it(seed: int) -> None:
    """The same numbers from the same stream, which goes on at the same place."""
    ours, theirs = random.Random(seed), random.Random(seed)
    for _ in range(1_000):
        assert any_item(ours) == theirs.randint(1, 100)
    assert ours.getstate() == theirs.getstate()


def test_the_looks_too() -> None:
    """When, and at which item."""
    plan = Plan(10, 20, browse_per_s=50, seed=3)
    whole = list(looks(plan))
    parts = [look for index in range(3) for look in looks(plan.share(index, 3))]
    assert sorted(parts) == whole
    assert len(whole) > 500


def test_another_seed_is_another_load() -> None:
    """No order of the one is in the other."""
    first, second = (set(visits(Plan(50, 10, seed=seed))) for seed in (1, 2))
    assert first
    assert not first & second
