"""A real Locust child against a real server: what was asked for is sent, judged and told."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from bpdemo.core.environment import PACKAGE_PARENT
from bpdemo.load.driver import Driver, LoadFailed, LoadProgress, drive
from bpdemo.load.loads import RunningLoad, load, stop_loads
from bpdemo.plan.plan import Plan
from bpdemo.plan.request import Request
from bpdemo.plan.visits import visits
from tests.load.stub import Answer, StubServer

pytestmark = [pytest.mark.load, pytest.mark.light]


def wait_until(true: Callable[[], bool], within_s: float) -> bool:
    """Look often, for at most `within_s`."""
    end_s = time.monotonic() + within_s
    while not true():
        if time.monotonic() > end_s:
            return False
        time.sleep(0.02)
    return True


def test_what_was_asked_for_is_offered() -> None:
    """Within 3 % of the rate, all of it sent, sold by a server that sells; watched meanwhile."""
    with StubServer() as server:
        run = load(server, rate=600, seconds=2, seed=2, client_timeout_s=5)
    assert run.summary["offered_per_s"] == pytest.approx(600, rel=0.03)
    assert run.summary["served_share"] == 1
    assert len(run.records) == run.meta.sent == run.meta.planned == server.orders
    assert run.frame["queue_depth"].tolist() == [3.0] * 4
    assert run.frame["breaker_store"].tolist() == [2.0] * 4
    assert run.meta.loop_lag_p99_s == pytest.approx(0.001, rel=0.1)


def test_fates_come_out_as_the_server_answered() -> None:
    """Six kinds of answer in turn, each in its bin, with its reason."""
    answers = [
        Answer(201),
        Answer(409, "sold_out"),
        Answer(503, "queue_full", retry_after_s=1),
        Answer(503, "downstream_failed", retry_after_s=1),
        Answer(504, "deadline_exceeded"),
        Answer(201, after_s=30),
    ]
    with StubServer(lambda n: answers[n % 6]) as server:
        run = load(server, rate=300, seconds=1, client_timeout_s=3)
    sixth = len(run.records) / 6
    counts = {name: (run.records.fate == code).sum() for code, name in enumerate("okls")}
    assert list(counts.values()) == pytest.approx([2 * sixth, 2 * sixth, sixth, sixth], abs=1.5)
    assert set(run.reasons) == {
        *("sold_out", "queue_full", "downstream_failed", "deadline_exceeded", "caller_left")
    } - {"sold_out"}
    assert server.hung_up == run.reasons["caller_left"]


def test_a_closed_load_is_as_slow_as_its_server() -> None:
    """Ten users and a server of 100 ms make at most 100 orders a second: overload is hidden."""
    with StubServer(lambda n: Answer(after_s=0.1)) as server:
        run = load(server, rate=10, seconds=2, scenario="closed")
    assert 80 <= run.summary["offered_per_s"] <= 100


def test_a_retry_storm_sends_four_times_the_load() -> None:
    """Each order is tried four times at once, and counts once. There are five seconds for the tries
    of the last one: with a longer timeout none would be left after the load's end."""
    with StubServer(lambda n: Answer(503, "queue_full", retry_after_s=1)) as server:
        run = load(server, rate=100, seconds=1, scenario="retry_storm", client_timeout_s=5)
    assert set(run.records.attempts) == {4}
    assert server.orders == 4 * len(run.records)
    assert len(run.records.attempt_t_s) == server.orders
    assert run.summary["shed_per_s"] == run.summary["offered_per_s"]


def test_a_retry_budget_tames_the_storm() -> None:
    """A tenth of the orders is tried again."""
    with StubServer(lambda n: Answer(503, "queue_full", retry_after_s=1)) as server:
        run = load(
            server,
            rate=400,
            seconds=1,
            scenario="retry_storm",
            retry_budget=0.1,
            client_timeout_s=25,
        )
    assert server.orders / len(run.records) == pytest.approx(1.1, abs=0.01)


def test_a_retry_that_succeeds_makes_the_order_sold() -> None:
    """The last attempt decides; the key is the same on each; latency counts from the first."""
    with StubServer(lambda n: Answer(503, "queue_full") if n == 1 else Answer()) as server:
        run = load(
            server,
            rate=2,
            seconds=1,
            seed=1,
            retries=1,
            backoff="exponential",
            jitter="none",
            send_keys=True,
        )
    assert run.summary["served_share"] == 1
    assert run.records.attempts[0] == 2
    # The pause of 50 ms is in it; a timer of gevent's may be early by a turn of its loop.
    assert run.records.latency_s[0] > 0.045
    keys = [headers["idempotency-key"] for headers in server.seen]
    assert keys[0] == keys[1]
    assert len(set(keys)) == len(run.records)


def test_headers_carry_deadline_client_and_priority_and_browsing_comes_on_top() -> None:
    """Mixes are drawn by weight, and split the frame; GETs are told apart from orders. They are
    patient: one who leaves before the server has read their order has sent none."""
    with StubServer() as server:
        run = load(
            server,
            rate=300,
            seconds=1,
            browse_per_s=100,
            send_deadline=True,
            client_timeout_s=25,
            clients={"fair": 3, "greedy": 1},
            priorities={0: 1, 3: 1},
            by="client",
        )
    assert {headers["x-request-timeout-ms"] for headers in server.seen} == {"25000"}
    greedy = sum(headers["x-client-id"] == "greedy" for headers in server.seen)
    assert greedy / len(server.seen) == pytest.approx(0.25, abs=0.1)
    assert {headers["x-priority"] for headers in server.seen} == {"0", "3"}
    assert set(run.frame["client"]) == {"fair", "greedy"}
    assert len(run.records) == server.orders
    assert sum(run.meta.browse["answers"].values()) == pytest.approx(100, abs=40)


def test_a_server_that_is_not_there_breaks_every_order() -> None:
    """No connection is a broken order, not a broken load."""
    with StubServer() as server:
        pass
    run = load(server, rate=50, seconds=1)
    assert run.summary["failed_per_s"] == run.summary["offered_per_s"]
    assert run.reasons == {"no_connection": len(run.records)}


def test_a_load_in_the_background_can_be_looked_at_marked_and_stopped() -> None:
    """It returns at once, shows what it has so far, and ends early when told."""
    with StubServer() as server:
        started = time.monotonic()
        running = load(server, rate=100, seconds=60, background=True)
        assert isinstance(running, RunningLoad)
        assert time.monotonic() - started < 1
        assert wait_until(lambda: running.progress is not None and running.now_s > 1.5, 10)
        running.mark("a knob")
        assert len(running.snapshot().frame) >= 1
        run = running.stop()
    assert running.done
    assert 1.5 <= run.meta.seconds < 5
    assert run.meta.marks[0][1] == "a knob"
    assert run.summary["offered_per_s"] == pytest.approx(100, rel=0.4)


def test_stop_loads_ends_what_runs_in_the_background() -> None:
    """Nothing is left running."""
    with StubServer() as server:
        running = load(server, rate=10, seconds=60, background=True)
        pids = [child.pid for child in running._driver._children]
        stop_loads()
    assert running.done
    assert not any(psutil.pid_exists(pid) for pid in pids)


@pytest.mark.parametrize("processes", [1, 3])
def test_several_processes_share_one_load(processes: int) -> None:
    """They start together, send what the seed says and one would have sent, to the moment and the
    key, and are put together."""
    plan, seen = Plan(400, seconds=2, seed=4, send_keys=True), list[LoadProgress]()
    with StubServer() as server:
        gathered = drive(server.url, plan, seen.append, processes=processes)
    wanted = list(visits(plan))
    assert sorted(headers["idempotency-key"] for headers in server.seen) == sorted(
        visit.key for visit in wanted
    )
    assert sorted(gathered.records.t_s) == pytest.approx([v.due_s for v in wanted], abs=1e-4)
    assert gathered.facts()["planned"] == gathered.facts()["sent"] == len(wanted)
    assert max(progress.ok for progress in seen) == len(wanted)


def test_a_generator_that_dies_is_told() -> None:
    """`LoadFailed` instead of a wait without end."""
    with StubServer() as server:
        driver = Driver(server.url, Plan(10, seconds=60))
        assert wait_until(lambda: driver.heard_until_s > 0, 10)
        os.kill(driver._children[0].pid, signal.SIGKILL)
        with pytest.raises(LoadFailed, match="ended early"):
            driver.wait(5)
        driver.kill()


OWNER = """
import sys, time
from bpdemo.load.driver import Driver
from bpdemo.plan.plan import Plan
from bpdemo.plan.visits import visits
driver = Driver(sys.argv[1], Plan(20, seconds=60))
while driver.heard_until_s == 0:
    time.sleep(0.05)
print(driver._children[0].pid, flush=True)
time.sleep(60)
"""


def test_no_child_outlives_an_owner_that_was_killed(tmp_path: Path) -> None:
    """SIGKILL leaves the owner no last word; the child is gone within two seconds."""
    environment = os.environ | {"PYTHONPATH": str(PACKAGE_PARENT)}
    with StubServer() as server:
        owner = subprocess.Popen(
            [sys.executable, "-c", OWNER, server.url],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=tmp_path,
        )
        with owner:
            assert owner.stdout is not None
            child = psutil.Process(int(owner.stdout.readline()))
            owner.kill()
        assert wait_until(lambda: not child.is_running() or child.status() == "zombie", 2)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"times": 2, "rate": 10}, "times or rate, not both"),
        ({"times": 0}, "times must be a number from 0.01 to 100, not 0"),
        ({"rate": -1}, "rate must be a number"),
        ({"scenario": "closed"}, "rate must be given: a closed load counts users"),
        ({"scenario": "flood"}, "scenario must be one of steady, ramp, spike"),
        ({"bin_s": 99}, "bin_s must be a number from 0.05 to 10"),
        ({"by": "item"}, "by must be one of client, priority"),
        ({"priorities": {7: 1}}, "priorities must be one of 0, 1, 2, 3"),
    ],
)
def test_a_bad_argument_is_told_before_anything_starts(
    arguments: dict[str, Any], told: str
) -> None:
    """One ValueError that names the field, the value and what would do."""
    with pytest.raises(ValueError, match=told):
        load(StubServer(), **arguments)


def test_capacity_must_be_known_to_multiply_it() -> None:
    """Without it, a rate has to be given."""
    server = StubServer(capacity_per_s=None)
    with pytest.raises(ValueError, match="rate must be given: capacity is unknown"):
        load(server, times=2)


def test_any_service_is_sent_what_it_takes() -> None:
    """Method, path, headers and body are the request's; every value of the seed's draw arrives; an
    answer is ok as `expect` says. By its address, as the others are by their target."""
    request = Request(
        *("PUT", "/pay/{id}"),
        json={"id": "{id}"},
        headers={"X-Tag": "{tag}"},
        vary={"id": range(50, 60), "tag": ["a", "b"]},
        expect=[202, 404],
    )
    answers = [Answer(202), Answer(404), Answer(201), Answer(503), Answer(409)]
    with StubServer(lambda n: answers[n % 5]) as server:
        run = load(
            server.url, rate=200, seconds=1, seed=6, request=request,
            send_deadline=True, client_timeout_s=25,
        )  # fmt: skip
    assert len(run.records) == server.orders > 100
    wanted = [
        request.filled(visit.drawn) for visit in visits(Plan(200, 1, seed=6, request=request))
    ]
    assert sorted(server.lines) == sorted(f"PUT {sent.path}" for sent in wanted)
    assert sorted(server.bodies) == sorted(sent.body or b"" for sent in wanted)
    assert {seen["x-tag"] for seen in server.seen} == {"a", "b"}
    assert {seen["x-request-timeout-ms"] for seen in server.seen} == {"25000"}
    fate_of_status = {202: 0, 404: 0, 201: 3, 503: 2, 409: 3}
    told = zip(run.records.status.tolist(), run.records.fate.tolist(), strict=True)
    assert set(told) == set(fate_of_status.items())


def test_what_a_target_does_not_tell_is_left_out_of_the_picture() -> None:
    """No /stats, no panel of the server's queue; and it is not asked for them for ever."""

    class Other(StubServer):
        def _page(self, path: str) -> object:
            return {"hello": "world"}

    with Other() as server:
        run = load(server, rate=50, seconds=2.5, request=Request("GET", "/hello"))
    assert run.frame["queue_depth"].isna().all()
    assert len(server.asked) < 15
    assert not any("workers" in str(trace.name) for trace in run.figure().data)


def test_an_expected_refusal_is_not_sent_again() -> None:
    """Retries are for answers that were not expected."""
    with StubServer(lambda n: Answer(503)) as server:
        run = load(
            server,
            rate=50,
            seconds=0.5,
            retries=3,
            request=Request("GET", "/x", expect=503),
            client_timeout_s=25,
        )
    assert server.orders == len(run.records)
    assert run.summary["served_share"] == 1
