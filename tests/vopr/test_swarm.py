"""A short run of the swarm, and the proof that it can fail: `make vopr` is the long one."""

from datetime import UTC, datetime

import pytest

from tests.vopr import record
from tests.vopr.dice import draw_script
from tests.vopr.planting import Plant, planted
from tests.vopr.plants import PLANTS
from tests.vopr.playing import examine, play
from tests.vopr.proving import seek
from tests.vopr.script import PLAIN, Act, Script
from tests.vopr.shrinking import shrink
from tests.vopr.story import tell
from tests.vopr.swarm import Extent, Stop, Sum, run

#: In `make test`: what takes some seconds. Run more of them when the service has changed.
SEEDS = range(40)
BY_NAME = {plant.name: plant for plant in PLANTS}
#: A fault, and the first seed that finds it: one of each kind, found by a quick world.
QUICKLY_FOUND = {
    "a job wakes no worker": 0,
    "a place too many": 13,
    "a job taken out is still counted": 0,
}


@pytest.mark.parametrize("part", range(4))
def test_the_service_keeps_the_contract_in_random_worlds(part: int) -> None:
    """Books, money, keys, deadlines, wake-ups, recovery: fixed seeds, none of which may fail."""
    for seed in SEEDS[part::4]:
        script = draw_script(seed)
        wrongs = examine(script).wrongs
        assert not wrongs, f'make vopr ARGS="--seed {seed} --shrink": {wrongs[0]}'


@pytest.mark.parametrize("name", QUICKLY_FOUND)
def test_a_planted_fault_is_found(name: str) -> None:
    """A swarm that cannot fail proves nothing."""
    assert seek(BY_NAME[name], [QUICKLY_FOUND[name]])


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_every_plant_has_its_place_in_the_code(plant: Plant) -> None:
    """What it changes stands there, once; where the code has moved on, the plant must too."""
    with planted(plant):
        pass


def test_a_plant_is_gone_afterwards() -> None:
    """The code is as it was, so that the next test has a sound service."""
    script = draw_script(0)
    with planted(BY_NAME["a job wakes no worker"]):
        assert play(script).verdicts.wrongs
    assert not play(script).verdicts.wrongs


def test_a_fault_that_is_over_holds_nobody() -> None:
    """A call that hangs in one fault and then goes on does not hang in another that has ended
    meanwhile: nothing would ever end that."""
    hang = {"dependency": "store", "call": "any", "how": "hang", "rate": 1.0, "after": False}
    hang |= {"slow_s": 0.0, "error": "failed", "late_s": None}
    acts = [Act(0.0, "break", {"name": name, **hang}) for name in ("one", "other")]
    acts += [Act(0.5, "order", dict(PLAIN))]
    acts += [Act(at_s, "mend", {"name": name}) for at_s, name in ((1.0, "other"), (2.0, "one"))]
    knobs = {"seed": 1, "attempt_timeout_s": 0.0, "request_timeout_s": 0.0}
    for seed in range(8):  # of the calls that hang, some go on and some fail
        assert not play(Script(seed, knobs=knobs, acts=tuple(acts))).verdicts.wrongs


def test_a_stop_that_cuts_a_write_short_may_leave_its_outcome_unknown() -> None:
    """The cancellation is the stop's own; a cancellation without one is a fault."""
    acts = [Act(0.5, "order", dict(PLAIN)), Act(1.125, "stop", {})]
    knobs = {"seed": 1, "payment_latency_s": 0.0, "store_latency_s": 0.5, "attempt_timeout_s": 8.0}
    world = play(Script(1, knobs=knobs | {"request_timeout_s": 0.0}, acts=tuple(acts)))
    assert [one.reason for one in world.doorway.customers] == ["outcome_unknown"]
    assert not world.verdicts.wrongs


def test_a_failure_is_shrunk_to_a_story() -> None:
    """Of eight customers two are left, the one at work and the one who leaves; in words."""
    orders = [Act(n / 16, "order", dict(PLAIN, client=f"c{n}", priority=n % 4)) for n in range(8)]
    orders[5].what["hang_up_s"] = 0.03125
    knobs = {"seed": 1, "workers": 1, "payment_latency_s": 0.125, "retry_cap_s": 2.0}
    script = Script(1, knobs=knobs, acts=tuple(orders))
    with planted(BY_NAME["a job taken out is still counted"]):
        small = shrink(script, "a wrong depth")
        story = tell(small)
    assert [act.what["hang_up_s"] for act in small.acts] == [None, 0.03125]
    assert "retry_cap_s" not in small.knobs
    assert "r1 orders 1 × item 1 (hang_up_s=0.03125)." in story
    assert "✗ a wrong depth" in story


def test_a_script_survives_its_file() -> None:
    """What `--shrink` writes, `--replay` plays: the same acts, the same history."""
    script = draw_script(3)
    again = Script.from_json(script.to_json())
    assert again == script
    sums = [play(each, sums=True).diary.checksum for each in (script, again)]
    assert sums[0] == sums[1] != 0


def test_the_history_tells_worlds_apart() -> None:
    """One customer more is another history: the checksum sees what happens."""
    order = Act(1.0, "order", dict(PLAIN))
    one = play(Script(1, knobs={"seed": 1}, acts=(order,)), sums=True)
    two = play(Script(1, knobs={"seed": 1}, acts=(order, order)), sums=True)
    assert one.diary.checksum != two.diary.checksum


def test_a_run_ends_where_it_is_told_to() -> None:
    """After so many worlds, after so many hours, and cleanly when it is stopped."""
    stop = Stop()
    assert run(Extent(start=2, seeds=3), stop).seeds == 3
    assert run(Extent(hours=0.001), stop).hours >= 0.001

    def stop_at_second(total: Sum, *_: object) -> None:
        stop.asked = total.seeds == 2

    assert run(Extent(), stop, hear=stop_at_second).seeds == 2


def test_the_page_says_what_was_seen() -> None:
    """Hours, customers, what went wrong, what was lost: as they were counted."""
    total = run(Extent(seeds=2), Stop())
    page = record.render(total, datetime(2030, 1, 1, tzinfo=UTC))
    assert f"| customers | {total.customers:,} |" in page
    assert "**none**" in page
    total.failures["an order is gone"] = [7]
    assert "| an order is gone | 1 | 7 |" in record.render(total, datetime(2030, 1, 1, tzinfo=UTC))


def test_every_kind_of_act_and_fault_is_drawn() -> None:
    """Within a hundred seeds or so: nothing that could go wrong is left out of all worlds."""
    scripts = [draw_script(seed) for seed in range(150)]
    acts = {act.kind for script in scripts for act in script.acts}
    assert acts == {
        "order", "look", "read", "turn", "yield", "break", "crash", "mend", "calm", "stall", "wall",
        "drain", "stop", "kill", "freeze", "when",
    }  # fmt: skip
    errors = {a.what["error"] for s in scripts for a in s.acts if a.kind == "break"}
    assert errors >= {"failed", "pool", "cancelled", "generator", "exit", "interrupt", "own"}
