"""`bpdemo worker` as a process: how it starts, how it refuses to, and how it ends."""

import asyncio
import json
import signal
import socket
import subprocess

import asyncpg
import pytest

from bpdemo.downstream.backlog import PostgresBacklog
from tests.downstream.orders import an_order
from tests.downstream.stage import started
from tests.support.postgres import connected, database_url, postgres_server
from tests.support.server import Command, Wire
from tests.support.waiting import LOOK_EVERY_S, PATIENCE_S, eventually

__all__ = ["database_url", "postgres_server"]

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="signals as POSIX has them")

LONG_S = 3 * PATIENCE_S  # for what takes processes to start, on a busy machine


def worker(url: str, *arguments: str, **options) -> Command:
    return Command("worker", *arguments, BPDEMO_DATABASE_URL=url, **options)


def ready(command: Command) -> str:
    assert command.process.stdout is not None
    line = command.process.stdout.readline()
    assert line.startswith("ready "), (line, command.stderr)
    return line


def refused(*arguments: str, **env: str) -> str:
    """The one line with which it says what is wrong."""
    with Command("worker", *arguments, **env) as command:
        assert command.wait(LONG_S) == 2
        assert command.process.stdout.read() == ""
        lines = command.stderr.splitlines()
        assert len(lines) == 1, command.stderr
        assert lines[0].startswith("bpdemo: ")
        return lines[0]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_says_when_it_is_ready_and_ends_well(database_url: str, number: int) -> None:
    """One line on stdout with its name; a signal ends it with 0, with no traceback."""
    with worker(database_url, "--name", "anna") as command:
        assert ready(command) == "ready anna\n"
        command.signal(number)
        assert command.wait(LONG_S) == 0
        assert command.process.stdout.read() == ""
        assert "Traceback" not in command.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["database_url", "BPDEMO_DATABASE_URL"]),
        (["--set", "store=memory"], ["store", "memory", "store=postgres"]),
        (["--set", "store=embedded"], ["store", "embedded", "store=postgres"]),
        (["--set", "workers=0"], ["workers", "0", "1", "1024"]),
        (["--set", "no_such_knob=1"], ["no_such_knob"]),
        (["--set", "workers"], ["workers", "NAME=VALUE"]),
        (["--set", "database_url=mysql://me:passw0rd@x/y"], ["database_url"]),
        (["--set", "database_url=postgresql://me:passw0rd@/y?host=/nowhere"], ["database_url"]),
        (["--set", "database_url=postgresql:///x", "--name", "a\nb"], ["name"]),
    ],
)
def test_what_is_wrong_is_one_clear_line(arguments: list[str], words: list[str]) -> None:
    """It names the setting and what it may be; exit 2, no traceback, no password."""
    line = refused(*arguments)
    for word in words:
        assert word in line
    assert "passw0rd" not in line


def test_an_environment_that_says_memory_is_refused() -> None:
    """It is said, and not overruled."""
    assert "store" in refused(BPDEMO_STORE="memory", BPDEMO_DATABASE_URL="postgresql:///x")


def test_an_unreachable_database_is_one_clear_line() -> None:
    """Nobody listens at its address."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"postgresql://me:passw0rd@127.0.0.1:{nobody.getsockname()[1]}/x"
        line = refused(BPDEMO_DATABASE_URL=url)
    assert "database_url" in line
    assert "passw0rd" not in line


async def test_from_a_202_to_a_sale(database_url: str) -> None:
    """A service promises, a worker keeps it, the service tells; the worker's log is JSON."""
    env = {"BPDEMO_STORE": "postgres", "BPDEMO_DATABASE_URL": database_url}
    with Command("serve", "--port", "0", **env) as service, worker(database_url) as command:
        port = service.port()
        ready(command)
        with Wire(port) as wire:
            body = b'{"item_id":1,"quantity":1}'
            answer = wire.ask("POST", "/orders", body, Idempotency_Key="k", Prefer="respond-async")
            assert answer.status == 202
            where = answer.headers["location"]

            def sold() -> bool:
                return wire.ask("GET", where).json()["status"] == "confirmed"

            eventually(sold, "the order is confirmed", within_s=LONG_S)
        command.signal()
        service.signal()
        assert (command.wait(LONG_S), service.wait(LONG_S)) == (0, 0)
        lines = [json.loads(line) for line in command.stderr.splitlines()]
        told = [line for line in lines if line["event"] == "durable_order"]
        assert [line["order_id"] for line in told] == [where.removeprefix("/orders/")]


async def test_a_second_signal_ends_it_at_once(database_url: str) -> None:
    """It is in the middle of a payment of an hour; nobody has to wait for that."""
    knobs = ["--set", "payment_latency_s=3600", "--set", "attempt_timeout_s=0"]
    async with connected(database_url) as look:
        with worker(database_url, *knobs) as command:
            ready(command)
            await _promise(database_url)
            await _until(look, "SELECT count(*) = 1 FROM payments")
            command.signal(signal.SIGINT)
            command.signal(signal.SIGTERM)  # two of one kind may arrive as one
            assert command.wait(LONG_S) in (128 + signal.SIGINT, 128 + signal.SIGTERM)
        assert await look.fetchval("SELECT status = 'pending' FROM claims")


async def test_what_it_cannot_finish_in_time_falls_to_others(database_url: str) -> None:
    """The drain is over before the payment is: exit 0, and the next worker sells the order, with no
    second charge."""
    slow = ["--set", "payment_latency_s=3600", "--set", "attempt_timeout_s=0"]
    async with connected(database_url) as look:
        with worker(database_url, *slow, "--set", "drain_timeout_s=0.2") as command:
            ready(command)
            await _promise(database_url)
            await _until(look, "SELECT count(*) = 1 FROM payments")
            command.signal()
            assert command.wait(LONG_S) == 0
        assert await look.fetchval("SELECT status::text FROM pgqueuer") == "picked"
        with worker(database_url) as other:
            ready(other)
            await _until(look, "SELECT count(*) = 1 FROM orders")
            other.signal()
            assert other.wait(LONG_S) == 0
        paid = await look.fetchrow("SELECT count(charged_at), max(asked) FROM payments")
        assert tuple(paid) == (1, 2)


async def test_it_ends_with_its_owner(database_url: str) -> None:
    """Standard input closes when the owner has ended, however that was: so does the worker."""
    with worker(database_url, "--until-stdin-closes", stdin=subprocess.PIPE) as command:
        ready(command)
        assert command.process.stdin is not None
        command.process.stdin.close()
        assert command.wait(LONG_S) == 0


async def _promise(url: str) -> None:
    async with started(url) as store:
        await PostgresBacklog(store).accept(an_order(key="k"), 10)


async def _until(look: asyncpg.Connection, question: str) -> None:
    async with asyncio.timeout(LONG_S):
        while not await look.fetchval(question):  # noqa: ASYNC110 -- it tells nobody
            await asyncio.sleep(LOOK_EVERY_S)
