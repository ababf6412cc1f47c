"""A capacity is one for what is sent, or none is told."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bpdemo.core.settings import Settings
from bpdemo.load.loads import RunningLoad, load
from bpdemo.plan.request import Request
from tests.load.stub import StubServer

pytestmark = [pytest.mark.load, pytest.mark.light]

ORDER = Request("POST", "/orders", json={"item_id": 1, "quantity": 1})
BUYERS = """\
from locust import task

from bpdemo.load.open_loop import OpenLoopUser


class Buyer(OpenLoopUser):
    rate = 50

    @task
    def buy(self):
        self.client.get("/items/1")
"""


class BoxOffice(StubServer):
    """Says of itself what a box office says: its settings, and the capacity that follows."""

    settings = Settings()


@pytest.fixture
def buyers(tmp_path: Path) -> Path:
    path = tmp_path / "buyers.py"
    path.write_text(BUYERS, "utf-8")
    return path


@pytest.fixture(autouse=True)
def _at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """The knob is turned at second 0, however fast the load gets under way."""
    monkeypatch.setattr(RunningLoad, "now_s", 0.0)


@pytest.fixture
def office() -> Iterator[StubServer]:
    with BoxOffice(capacity_per_s=190.5) as server:
        yield server


def told(target: StubServer, **sent: Any) -> list[tuple[float, float]]:
    """The capacities of a run, after a knob was turned."""
    running: RunningLoad = load(target, seconds=5, background=True, **sent)
    try:
        running.note_capacity(95.0)
        return running.snapshot().meta.capacities
    finally:
        running.kill()


@pytest.mark.parametrize(
    ("request_", "counts"),
    [
        (None, True),
        (ORDER, True),
        (Request("POST", "/orders?from=web", json={}), True),
        (Request("GET", "/items/{id}", vary={"id": range(1, 101)}), False),
        (Request("GET", "/orders"), False),
        (Request("POST", "/orders/async", json={}), False),
    ],
)
def test_a_box_office_is_measured_by_its_orders_alone(
    office: StubServer, request_: Request | None, counts: bool
) -> None:
    """Neither at the start nor when a knob is turned is another request held against their
    capacity; and a multiple of what is not known is not sent."""
    assert told(office, rate=50, request=request_) == ([(0, 190.5), (0, 95.0)] if counts else [])
    if not counts:
        with pytest.raises(ValueError, match=r"capacity is unknown.*capacity_of"):
            load(office, times=2, request=request_)


def test_nor_are_the_tasks_of_a_locust_file(office: StubServer, buyers: Path) -> None:
    """Whatever they send: a task counts as one request."""
    assert told(office, user=buyers) == []


def test_what_was_said_of_another_service_is_about_its_requests(buyers: Path) -> None:
    """Such as by `serve(app=…, capacity_per_s=…)`."""
    with StubServer(capacity_per_s=100.0) as server:
        for sent in ({"times": 2, "request": Request("GET", "/pay")}, {"user": buyers}):
            assert told(server, **sent) == [(0, 100.0), (0, 95.0)]


def test_the_sentence_tells_no_ratio_of_another_capacity(office: StubServer) -> None:
    """It says what was sent, in requests a second."""
    run = load(office, rate=100, seconds=1, request=Request("GET", "/pay", expect=201))
    assert "requests/s" in run.sentence
    assert "capacity" not in run.sentence
    assert "×" not in run.sentence
