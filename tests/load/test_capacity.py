"""`capacity_of` at real services: what it finds, and what it says where it finds nothing."""

import itertools
import re
import socket
from collections.abc import Callable
from math import inf, nan
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from bpdemo.lab import Request, capacity_of, serve
from bpdemo.load import capacity, loads
from bpdemo.load.capacity import Capacity, ProbedService
from bpdemo.load.capacity_search import Search, Step
from bpdemo.load.target import TargetFacts
from bpdemo.results.validity import NotMeasured
from tests.load.stub import Answer, StubServer
from tests.support.measured import until_measured

STEPS = (
    Step(100, 3, 101, 101),
    Step(140, 3, 139, 120),
    Step(196, 3, 190, 121),
    Step(140, 3, 141, 119, kind="repeat"),
)


def free_url() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_what_was_found_tells_itself() -> None:
    """In a sentence, and in a picture with a point for each step."""
    found = Capacity.of("shop", 0.5, Search(121, "", STEPS))
    assert (found.found, found.per_s, found.at_least_per_s) == (True, 121, 121)
    assert "121 requests a second, each answered within 500 ms" in found.sentence
    offered, served = found.figure().data[:2]
    assert list(offered.x) == list(offered.y) == [101, 139, 141, 190]
    assert list(served.y) == [101, 120, 119, 121]
    assert "121 requests" in repr(found)


def test_what_was_not_found_tells_why() -> None:
    """Without a step there is nothing to draw."""
    found = Capacity.of("shop", 0.5, Search(None, "nothing answered", ()))
    assert (found.found, found.per_s, found.at_least_per_s) == (False, None, None)
    assert found.sentence == "Capacity was not found: nothing answered."
    with pytest.raises(ValueError, match="nothing answered"):
        found.figure()


def test_nobody_there() -> None:
    """An address where nothing listens is the user's mistake, told in a line."""
    with pytest.raises(ValueError, match="nothing answers at http://127"):
        capacity_of(free_url(), Request("GET", "/"))


def test_elsewhere_needs_permission() -> None:
    """The same check as for every load."""
    with pytest.raises(ValueError, match="--i-run-this-service"):
        capacity_of("http://10.1.2.3", Request("GET", "/"))


def test_a_service_that_has_just_died() -> None:
    """What was there when it was named is asked before any load is sent."""
    with StubServer() as server:
        pass
    found = capacity_of(server, Request("GET", "/"))
    assert found.why_not == "nothing answered (most often: no connection)"


def test_a_request_that_is_wrong() -> None:
    """A dozen single requests are enough to see it; no load is sent."""
    with StubServer(lambda n: Answer(404)) as server:
        found = capacity_of(server.url, Request("GET", "/no/such/page"))
        assert server.orders < 20
    assert "did not get the answer that was expected (most often: status 404)" in found.why_not


@pytest.mark.load
@pytest.mark.whole
@pytest.mark.slow
def test_a_box_office_is_probed_at_rest_and_beyond_what_it_can() -> None:
    """Single requests, then a step of twice its capacity: it sells that, and is calm afterwards."""

    def look() -> Step:
        with serve(workers=4, where="process") as office:
            assert office.capacity_per_s is not None
            trial = ProbedService(office, None, client_timeout_s=0.5)
            try:
                rest = trial.rest()
                assert rest.answered == rest.expected == rest.sent
                assert rest.latency_s == pytest.approx(4 / office.capacity_per_s, abs=0.02)
                step = trial.offer(2 * office.capacity_per_s, 3)
                if step.problem:
                    raise NotMeasured([step.problem])
                assert step.goodput_per_s == pytest.approx(office.capacity_per_s, rel=0.1)
                assert step.offered_per_s == pytest.approx(2 * office.capacity_per_s, rel=0.15)
                assert trial.settle()
            finally:
                trial.close()
        return step

    assert until_measured(look).failed_share == 0


@pytest.mark.load
@pytest.mark.whole
@pytest.mark.slow
@pytest.mark.long
def test_a_box_office_has_the_capacity_that_its_settings_give_it() -> None:
    """Workers ÷ service time, within 10%."""

    def look() -> Capacity:
        with serve(workers=4, where="process") as office:
            found = capacity_of(office)
            if "this machine could not send" in found.why_not:
                raise NotMeasured([found.why_not])
            assert found.found, found.why_not
            assert found.per_s == pytest.approx(office.capacity_per_s, rel=0.1)
        return found

    assert "requests a second" in until_measured(look, tries=2).sentence


#: Each with what is said of it.
WRONG: list[tuple[dict[str, Any], str]] = [
    *[
        ({"client_timeout_s": t}, "client_timeout_s must be a number from 0.001 to 3600, not")
        for t in (-1, 0, nan, inf, 3601, "1", True, None)
    ],
    *[({"processes": n}, "processes must be") for n in (0, 65, 1.5, "2", True, nan)],
    *[({"seed": n}, "seed must be a whole number, not") for n in ("x", 1.5, nan, inf, None)],
    ({"target": "shop:app"}, "url: 'shop:app' is not an address such as http://"),
]


@pytest.mark.parametrize(("argument", "words"), WRONG)
@pytest.mark.parametrize("send", [capacity.capacity_of, loads.load])
def test_an_argument_that_cannot_be(
    send: Callable[..., object], argument: dict[str, Any], words: str
) -> None:
    """For the search and for a load: it is named with its value, and no request is sent."""
    with StubServer() as server:
        usual = {"target": server.url, "request": Request("GET", "/")}
        others = {"rate": 1.0} if send is loads.load else {}
        with pytest.raises(ValueError, match=re.escape(words)):
            send(**usual | others | argument)
        assert server.orders == 0


def test_where_the_first_few_hang_no_more_are_sent() -> None:
    """A service that accepts and never answers is told as one that does not answer."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        deaf_service = TargetFacts(f"http://127.0.0.1:{deaf.getsockname()[1]}")
        trial = ProbedService(deaf_service, Request("GET", "/"), client_timeout_s=0.5)
        trial._client.timeout = httpx.Timeout(0.05)
        try:
            rest = trial.rest()
        finally:
            trial.close()
    assert (rest.answered, rest.sent, rest.most_often) == (0, 3, "no connection")


def test_a_wait_that_lasts_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once, after two seconds: a service that stays slower than at rest keeps the search waiting
    for half a minute, as the clock of this test passes it."""
    times = itertools.count()
    clock = SimpleNamespace(
        monotonic=lambda: float(next(times)), perf_counter=lambda: 0.0, sleep=lambda _: None
    )
    monkeypatch.setattr(capacity, "time", clock)
    told: list[str] = []
    with StubServer(lambda n: Answer(503)) as server:
        trial = ProbedService(server, Request("GET", "/"), client_timeout_s=0.5, say=told.append)
        try:
            assert not trial.settle()
        finally:
            trial.close()
    assert told == ["It is not as fast as at rest yet; waiting, at most 30 s"]
