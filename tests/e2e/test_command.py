"""`bpdemo serve` as a process: how it starts, how it refuses to, and how it ends."""

import asyncio
import re
import signal
import socket
import subprocess
import time

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.http import BODY
from tests.support.server import Command, OpenLoop, Wire
from tests.support.waiting import eventually, until

pytestmark = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="signals as POSIX has them")


def serve(*knobs: str, **options) -> Command:
    sets = [word for knob in knobs for word in ("--set", knob)]
    return Command("serve", "--port", "0", *sets, **options)


def test_it_says_when_it_is_ready_and_ends_well():
    """One line on stdout with the free port it took; SIGTERM ends it with 0, and frees the port."""
    with serve() as command:
        port = command.port()
        assert port > 0
        with Wire(port) as wire:
            assert wire.ask("GET", "/readyz").status == 200
            metrics = wire.ask("GET", "/metrics")
            families = list(text_string_to_metric_families(metrics.body.decode()))
            assert {"bpdemo_queue_depth", "bpdemo_http_request_seconds"} <= {
                family.name for family in families
            }
        command.signal()
        assert command.wait() == 0
        assert command.process.stdout.read() == ""
        assert "Traceback" not in command.stderr
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_ctrl_c_is_a_gentle_end_too():
    """SIGINT drains and exits with 0."""
    with serve() as command:
        command.port()
        command.signal(signal.SIGINT)
        assert command.wait() == 0
        assert "Traceback" not in command.stderr


def refused(*arguments: str, **env: str) -> str:
    """The one line with which it says what is wrong."""
    with Command("serve", *arguments, **env) as command:
        assert command.wait() == 2
        assert command.process.stdout.read() == ""
        lines = command.stderr.splitlines()
        assert len(lines) == 1, command.stderr
        assert lines[0].startswith("bpdemo: ")
        return lines[0]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--set", "workers=0"], ["workers", "0", "1", "1024"]),
        (["--set", "workers=many"], ["workers", "many"]),
        (["--set", "retry_jitter=foo"], ["retry_jitter", "foo", "full", "none"]),
        (["--set", "no_such_knob=1"], ["no_such_knob"]),
        (["--set", "workers"], ["workers", "NAME=VALUE"]),
        (["--set", "=1"], []),
        (["--set", "store=postgres"], ["database_url"]),
        (["--host", "0.0.0.0"], ["admin_token", "BPDEMO_ADMIN_TOKEN", "0.0.0.0"]),
        (["--host", "::"], ["admin_token"]),
        (["--host", "0.0.0.0", "--set", "admin_token="], ["admin_token"]),
        (["--host", "127.0.0.1.nowhere.invalid", "--set", "admin_token=x"], ["nowhere.invalid"]),
    ],
)
def test_what_is_wrong_is_one_clear_line(arguments, words):
    """It names the setting and what it may be; exit 2, no traceback, nothing on stdout."""
    line = refused("--port", "0", *arguments)
    for word in words:
        assert word in line


def test_the_environment_is_checked_alike():
    """A bad BPDEMO_ variable is named as the setting it is."""
    assert "queue_policy" in refused("--port", "0", BPDEMO_QUEUE_POLICY="maybe")


def test_a_port_in_use_is_one_clear_line():
    """Another one listens there: said with the address."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        line = refused("--port", str(port))
        assert f"127.0.0.1:{port}" in line
        assert "in use" in line


def test_an_unreachable_database_is_one_clear_line():
    """Nobody listens at its address: exit 2, no traceback, no word of the password."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"postgresql://me:passw0rd@127.0.0.1:{nobody.getsockname()[1]}/x"
        line = refused("--port", "0", "--set", "store=postgres", "--set", f"database_url={url}")
        assert "passw0rd" not in line


def test_beyond_loopback_with_a_token():
    """With a token it may listen everywhere, and asks for that token."""
    with Command(
        "serve", "--host", "0.0.0.0", "--port", "0", BPDEMO_ADMIN_TOKEN="s3cret"
    ) as command:
        port = command.port()
        with Wire(port) as wire:
            assert wire.ask("PATCH", "/settings", b"{}").status == 403
            answer = wire.ask("PATCH", "/settings", b"{}", Authorization="Bearer s3cret")
            assert answer.status == 200
        command.signal()
        assert command.wait() == 0
        assert "s3cret" not in command.stderr


@pytest.mark.load
@pytest.mark.light
async def test_a_gentle_end_under_load():
    """Every admitted order is answered, new ones get 503 draining and a closed connection."""
    with serve("payment_latency_s=0.3", "attempt_timeout_s=0", "queue_capacity=16",
               "request_timeout_s=0") as command:  # fmt: skip
        port = await asyncio.to_thread(command.port)
        load, over = OpenLoop(port, rate=200), asyncio.Event()
        running = asyncio.create_task(load.run(10, until=over))
        await until(lambda: load.reasons["queue_full"])
        command.signal()
        code = asyncio.create_task(asyncio.to_thread(command.wait))
        await until(lambda: load.reasons["draining"])
        over.set()
        answered = await running
        assert await code == 0
    assert answered.statuses[201] >= 24  # the eight at work and the sixteen who waited, at least
    assert set(answered.statuses) == {201, 503}
    assert set(answered.reasons) == {"queue_full", "draining"}
    assert answered.closing >= answered.reasons["draining"]
    assert answered.unanswered == 0
    sold = re.findall(r'"outcome":"(\w+)"', command.stderr)
    assert sold.count("success") == len(sold) == answered.statuses[201]


def test_a_second_signal_ends_at_once():
    """Who asks twice does not wait for what is being worked on."""
    with serve("payment_latency_s=3600", "attempt_timeout_s=0", "request_timeout_s=0",
               "drain_timeout_s=3600") as command:  # fmt: skip
        port = command.port()
        with Wire(port) as order, Wire(port) as other:
            order.request("POST", "/orders", BODY)
            eventually(lambda: other.ask("GET", "/stats").json()["books"]["running"] == 1)
            command.signal()
            eventually(lambda: other.ask("GET", "/readyz").status == 503)
            started_s = time.monotonic()
            command.signal()
            assert command.wait() == 128 + signal.SIGTERM
            assert time.monotonic() - started_s < 1
        assert "Traceback" not in command.stderr


def test_the_end_of_patience_sheds_the_queued():
    """After drain_timeout_s those in the queue get 503 draining; what was begun is finished."""
    with serve("workers=1", "payment_latency_s=1.0", "attempt_timeout_s=3", "queue_capacity=8",
               "request_timeout_s=0", "drain_timeout_s=0.2") as command:  # fmt: skip
        port = command.port()
        with Wire(port) as first, Wire(port) as second, Wire(port) as other:
            first.request("POST", "/orders", BODY)
            eventually(lambda: other.ask("GET", "/stats").json()["books"]["running"] == 1)
            second.request("POST", "/orders", BODY)
            eventually(lambda: other.ask("GET", "/stats").json()["books"]["queued"] == 1)
            command.signal()
            shed = second.reply()
            assert (shed.status, shed.json()["reason"], shed.closes) == (503, "draining", True)
            assert "server-timing" in shed.headers
            assert int(shed.headers["retry-after"]) >= 1
            assert first.reply().status == 201
        assert command.wait() == 0
        assert '"outcome":"shed"' in command.stderr


@pytest.mark.parametrize("busy", [False, True])
def test_an_orphan_is_gone_within_three_seconds(busy):
    """Anyone who started it with the hidden flag is gone: so is the service, whatever it does."""
    stuck = ["payment_latency_s=3600", "attempt_timeout_s=0", "request_timeout_s=0"]
    sets = [word for knob in stuck for word in ("--set", knob)]
    arguments = ["serve", "--port", "0", *sets, "--until-stdin-closes"]
    with Command(*arguments, stdin=subprocess.PIPE) as command:
        port = command.port()
        with Wire(port) as order, Wire(port) as other:
            if busy:
                order.request("POST", "/orders", BODY)
                eventually(lambda: other.ask("GET", "/stats").json()["books"]["running"] == 1)
            assert command.process.stdin is not None
            command.process.stdin.close()
            command.wait(within_s=3)
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0
        assert "Traceback" not in command.stderr


def test_the_flag_is_hidden():
    """Help does not mention what only our own programs use."""
    with Command("serve", "--help") as command:
        assert command.wait() == 0
        text = command.process.stdout.read()
        assert "--set" in text
        assert "stdin" not in text


def test_a_client_library_gets_along_with_it():
    """httpx, with its pool of kept connections, sees ordinary answers."""
    with serve("payment_latency_s=0") as command:
        port = command.port()
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            for _ in range(5):
                assert client.post("/orders", content=BODY).status_code == 201
                assert client.head("/items/1").status_code == 200
                assert client.post("/orders", content=iter([BODY])).status_code == 201
                assert client.options("/items").status_code == 405
        command.signal()
        assert command.wait() == 0
