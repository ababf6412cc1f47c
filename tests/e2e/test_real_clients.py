"""Clients that other people use, as they are: each gets the answer that it was given.

Those that are not installed are skipped. `BPDEMO_CLIENT_TIMES` (2) is how often each asks.
"""

import asyncio
import os
import threading
from pathlib import Path

import pytest

from tests.support.clients import CLIENTS, Asked, Client
from tests.support.http import BODY, STUCK
from tests.support.server import ServerThread, server
from tests.support.waiting import PATIENCE_S, eventually

TIMES = int(os.environ.get("BPDEMO_CLIENT_TIMES", "2"))
LONG_BYTES = 5_000_000

pytestmark = [
    pytest.mark.load,
    pytest.mark.light,
    pytest.mark.long,
    pytest.mark.parametrize("name", CLIENTS),
]


@pytest.fixture
def client(name: str) -> Client:
    found = CLIENTS[name]
    if why := found.missing():
        pytest.skip(why)
    return found


@pytest.fixture(scope="module")
def quick():
    with server(payment_latency_s=0.0) as thread:
        yield thread


@pytest.fixture(scope="module")
def full():
    """Refuses every order."""
    with server(**STUCK) as thread:
        thread.fill()
        yield thread


@pytest.fixture(scope="module")
def draining():
    """Has begun to drain, and does not come to an end of it."""
    with server() as thread:
        loop = thread.server._loop
        asyncio.run_coroutine_threadsafe(thread.office.drain(0.0), loop).result(PATIENCE_S)
        yield thread


@pytest.fixture(scope="module")
def order(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory, BODY)


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory, BODY.ljust(LONG_BYTES))


def written(factory: pytest.TempPathFactory, body: bytes) -> Path:
    path = factory.mktemp("bodies") / "body"
    path.write_bytes(body)
    return path


def assert_told(client: Client, thread: ServerThread, file: Path, status: int) -> None:
    """Every time that status, and nothing else."""
    asked = Asked(thread.url + "/orders", file, TIMES, PATIENCE_S)
    said = client.post(asked)
    assert len(said) >= (1 if client.sends_load else TIMES), said
    assert set(said) == {client.wanted(status)}, said


def test_an_order_is_sold(client: Client, quick: ServerThread, order: Path) -> None:
    """201."""
    sold = quick.books["success"]
    assert_told(client, quick, order, 201)
    assert quick.books["success"] > sold


def test_a_refusal_is_heard(client: Client, full: ServerThread, order: Path) -> None:
    """503 with an empty queue's advice."""
    assert_told(client, full, order, 503)


def test_a_refusal_of_a_long_body_is_heard(client: Client, full: ServerThread, long: Path) -> None:
    """503 before the body was read."""
    assert_told(client, full, long, 503)


def test_a_body_that_is_too_long_is_told_so(
    client: Client, quick: ServerThread, long: Path
) -> None:
    """413, with 5 MB on their way."""
    assert_told(client, quick, long, 413)


def test_a_draining_service_is_heard(client: Client, draining: ServerThread, order: Path) -> None:
    """503, and the connection is closed."""
    assert_told(client, draining, order, 503)


def test_a_draining_service_is_heard_with_a_long_body(
    client: Client, draining: ServerThread, long: Path
) -> None:
    """The same, though they still send."""
    assert_told(client, draining, long, 503)


def test_a_client_that_gives_up_is_heard(name: str, client: Client, order: Path) -> None:
    """Its order leaves the queue, and is not sold."""
    if client.sends_load:
        pytest.skip(f"{name} gives up on no single request")
    knobs = STUCK | {"queue_capacity": 5}
    with server(**knobs) as thread:
        thread.fill()
        asked = Asked(thread.url + "/orders", order, 1, 1.0)
        asking = threading.Thread(target=client.post, args=(asked,))
        asking.start()
        eventually(lambda: thread.office.intake.books.queued == 1, within_s=PATIENCE_S)
        asking.join()
        thread.when_books(queued=0, abandoned=1)
