"""What a witness tells of each request agrees with what the run itself recorded."""

import json
import math
from collections import Counter
from typing import Any

import pytest

from bpdemo.core.settings import Settings
from bpdemo.sim import virtual_time
from bpdemo.sim.animation import ATTEMPTS_MAX, animation, workers_of
from bpdemo.sim.page import fingerprint
from bpdemo.sim.play import Play, play, prepare
from bpdemo.sim.witness import Journey, Witness

Steps = tuple[Play, list[Journey]]

#: Every way through the service: (settings, load).
RUNS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "calm": ({}, {"times": 0.5}),
    "bounded": ({"queue_capacity": 8}, {"times": 2}),
    "no queue": ({"queue_capacity": 0}, {"times": 2}),
    "dropped on hang-up": ({"queue_capacity": -1}, {"times": 3, "client_timeout_s": 0.2}),
    "worked for nobody": (
        {"queue_capacity": -1, "drop_on_disconnect": False, "request_timeout_s": 0},
        {"times": 2, "client_timeout_s": 0.2},
    ),
    "told deadlines": ({}, {"times": 3, "send_deadline": True, "client_timeout_s": 0.3}),
    "expired": ({"queue_capacity": -1, "request_timeout_s": 0.2}, {"times": 2}),
    "waiting for a place": (
        {"queue_capacity": 4, "queue_policy": "block", "queue_block_timeout_s": 0.1},
        {"times": 2},
    ),
    "newest first": ({"queue_discipline": "adaptive_lifo"}, {"times": 2}),
    "shed in the queue": ({"queue_capacity": -1, "queue_discipline": "codel"}, {"times": 2}),
    "by priority": (
        {"queue_discipline": "priority"}, {"times": 2, "priorities": {0: 1, 2: 1}},
    ),
    "failing": ({"payment_failure_rate": 0.5, "retry_attempts": 1}, {"times": 1}),
    "hanging": ({"payment_hang_rate": 0.2, "attempt_timeout_s": 0.1}, {"times": 1}),
    "retried": ({"queue_capacity": 8}, {"times": 2, "retries": 2}),
    "joined by key": (
        {"drop_on_disconnect": False},
        {"times": 2, "retries": 2, "send_keys": True, "client_timeout_s": 0.1},
    ),
    "kept from calling": ({"queue_capacity": 2}, {"times": 3, "retry_policy": "sre_throttling"}),
    "limited": ({"max_in_flight": 6, "limit_algorithm": "aimd"}, {"times": 2}),
    "fair shares": ({"client_max_in_flight": 4}, {"times": 2, "clients": {"a": 9, "b": 1}}),
    "closed": ({"queue_capacity": 4}, {"scenario": "closed", "rate": 16}),
    "turned": (
        {"queue_capacity": 32}, {"times": 2, "changes": [(0.7, {"queue_capacity": 2})]},
    ),
    "fewer workers": ({}, {"times": 1, "changes": [(0.7, {"workers": 2})]}),
    "browsed": ({"store_latency_s": 0.01}, {"times": 1, "browse_per_s": 50}),
    "scattered": ({"payment_latency_distribution": "lognormal"}, {"times": 1.2}),
}  # fmt: skip
LOAD: dict[str, Any] = {"seconds": 1.2, "seed": 4}


@pytest.fixture(scope="module", params=RUNS)
def steps(request: pytest.FixtureRequest) -> Steps:
    settings, load = RUNS[request.param]
    return witnessed(settings, load)


def witnessed(settings: dict[str, Any], load: dict[str, Any]) -> Steps:
    played = prepare(settings, **(LOAD | load))
    played.witness = Witness()
    virtual_time.run(played.run())
    return played, played.witness.journeys()


def inside(journeys: list[Journey], at_s: float, *, begun: bool) -> tuple[int, int]:
    """How many stand in the queue, or at a worker, at that time: fewest and most, since of what
    happens in the very moment of a look nobody can say whether it was before or after."""
    few = many = 0
    for journey in journeys:
        if begun:
            start_s, end_s = journey.began_s, journey.left_s
        else:
            start_s = journey.placed_s
            end_s = journey.left_s if journey.began_s is None else journey.began_s
        if start_s is not None:
            end_s = math.inf if end_s is None else end_s
            few += start_s < at_s - 1e-9 and at_s + 1e-9 < end_s
            many += start_s <= at_s + 1e-9 and at_s - 1e-9 <= end_s and start_s < end_s
    return few, many


def test_every_fate_is_counted_as_in_the_records(steps: Steps) -> None:
    """Order by order: when it arrived, how it ended, how many attempts it took."""
    played, journeys = steps
    last = [journey for journey in journeys if not journey.is_retried]
    assert Counter(j.fate for j in last) == Counter(order.fate for order in played.orders)
    attempts = Counter(journey.order for journey in journeys)
    assert Counter(attempts.values()) == Counter(order.attempts for order in played.orders)
    assert sorted(j.heard_s for j in last) == pytest.approx(
        sorted(order.t_s + order.latency_s for order in played.orders)
    )


def test_the_queue_is_as_long_as_the_samples_say(steps: Steps) -> None:
    """At each look at the service, and so are the workers as busy; nearly all looks see neither
    in the middle of a change."""
    played, journeys = steps
    sharp = 0
    for at_s, depth, _, _, busy, *_ in played.samples:
        waiting, working = (inside(journeys, at_s, begun=begun) for begun in (False, True))
        assert waiting[0] <= depth <= waiting[1], at_s
        assert working[0] <= busy <= working[1], at_s
        sharp += waiting[0] == waiting[1] and working[0] == working[1]
    assert sharp >= 0.8 * len(played.samples)


def test_no_worker_serves_two(steps: Steps) -> None:
    """At any time no more are in service than there are workers, and each has one of its own."""
    played, journeys = steps
    most = max(int(sample[3]) for sample in played.samples)
    given = workers_of(journeys)
    assert {number for number, j in enumerate(journeys) if j.began_s is not None} == set(given)
    assert max(given.values()) < most
    until = dict.fromkeys(range(most), 0.0)
    for number in sorted(given, key=lambda number: (journeys[number].began_s, number)):
        assert until[given[number]] <= journeys[number].began_s
        until[given[number]] = journeys[number].left_s or math.inf


def test_each_step_follows_the_one_before(steps: Steps) -> None:
    """Arrived, placed, begun, left; heard at once or later, never before the arrival."""
    _, journeys = steps
    for journey in journeys:
        ways = (journey.arrived_s, journey.placed_s, journey.began_s, journey.left_s)
        times = [each for each in ways if each is not None]
        assert times == sorted(times)
        assert journey.heard_s >= journey.arrived_s
        assert journey.placed_s is not None or (journey.began_s, journey.left_s) == (None, None)


def test_the_runs_take_every_way() -> None:
    """Or the tests above prove less than they say."""
    taken = {
        "waiting for a place": lambda j: j.placed_s and j.placed_s > j.arrived_s,
        "worked for nobody": lambda j: j.left_s and j.left_s > j.heard_s,
        "dropped on hang-up": lambda j: j.placed_s is not None and j.began_s is None,
        "joined by key": lambda j: j.fate == 0 and j.placed_s is None,
    }
    for name, is_so in taken.items():
        assert any(is_so(journey) for journey in witnessed(*RUNS[name])[1]), name


def test_a_witness_changes_nothing(steps: Steps) -> None:
    """The same run without one, to the last order, attempt and look."""
    played, _ = steps
    again = Play(played.settings, played.plan, played._changes, played._turns)
    virtual_time.run(again.run())
    assert fingerprint(again) == fingerprint(played)


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_an_animation_is_the_run_in_milliseconds(name: str) -> None:
    """Rounded to a hundredth, in JSON without NaN; the sentence has the counts of the records."""
    settings, load = RUNS[name]
    data = animation(settings, **(LOAD | load))
    assert json.loads(json.dumps(data, allow_nan=False))["told"] == data["told"]
    played, journeys = witnessed(settings, load)
    if len(journeys) >= ATTEMPTS_MAX:
        journeys = journeys[: len(data["requests"])]
    else:
        assert len(data["requests"]) == len(journeys)
        assert data["told"].startswith(f"Of {len(played.orders)} requests")
    for row, journey in zip(data["requests"], journeys, strict=True):
        for ms, at_s in zip(row[:5], journey[1:6], strict=True):
            known = ms is not None
            assert not known or ms / 1000 == pytest.approx(at_s, abs=1e-5)
        assert row[5] in {journey.fate, None}


def test_a_crowd_without_end_is_cut_off() -> None:
    """Users who are rejected at once send again at once: what is sent to a page stays small."""
    data = animation({"queue_capacity": 0}, scenario="closed", rate=60, seconds=60)
    assert ATTEMPTS_MAX <= len(data["requests"]) < 2 * ATTEMPTS_MAX
    assert data["end"] < 10_000
    assert len(json.dumps(data)) < 300_000


def test_what_changed_on_the_way_is_told() -> None:
    """Workers and the bound of the queue, from the moment of the change on."""
    data = animation({"workers": 3}, times=1, seconds=1, changes=[(0.35, {"queue_capacity": 5})])
    assert [room[1:] for room in data["rooms"]] == [[3, 32], [3, 5]]
    assert data["rooms"][1][0] == pytest.approx(400)


def test_the_unprotected_service_works_for_nobody() -> None:
    """What the animation of lesson 01 is for: most of what it works on nobody waits for."""
    data = animation(Settings.unprotected(), times=2, seed=1)
    idle = [row for row in data["requests"] if row[2] is not None and row[4] < row[2]]
    begun = [row for row in data["requests"] if row[2] is not None]
    assert len(idle) > len(begun) / 2
    still_there = sum(row[1] is not None and row[3] is None for row in data["requests"])
    assert still_there > len(data["requests"]) / 4  # when the last customer has left
    assert play(Settings.unprotected(), times=2, seconds=2, seed=1).summary()["late_per_s"] > 0
