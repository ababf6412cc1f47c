"""Whom a load may be sent to, however the address is spelt, and that it goes nowhere else."""

import json
import os
import socket
import socketserver
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from bpdemo.load import driver as driver_module
from bpdemo.load.destination import destination_of, is_loopback
from bpdemo.load.driver import Driver, LoadFailed, drive
from bpdemo.load.target import ask_service
from bpdemo.plan.plan import Plan
from bpdemo.plan.request import Request
from tests.load.stub import Answer, StubServer


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """What each name means; what is not in here is asked of the system."""
    known: dict[str, list[str]] = {}
    ask = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *more: Any, **named: Any) -> Any:
        if host not in known:
            return ask(host, port, *more, **named)
        return [found for address in known[host] for found in ask(address, port, *more, **named)]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return known


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "127.9.8.7", "::1", "::ffff:127.0.0.1", "0:0:0:0:0:0:0:1"]
)
def test_loopback(address: str) -> None:
    """All of 127/8, and ::1, mapped or not."""
    assert is_loopback(address)


@pytest.mark.parametrize(
    "address",
    [
        *("10.0.0.1", "192.168.0.1", "0.0.0.0", "128.0.0.1", "::", "fe80::1", "fe80::1%lo"),
        *("::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "fc00::1"),
    ],
)
def test_not_loopback(address: str) -> None:
    """Neighbours, link-local, what only looks like it, and the address of no machine."""
    assert not is_loopback(address)


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://127.0.0.1:8000/", "http://127.0.0.1:8000"),
        ("HTTP://LOCALHOST:8000/api/", "http://localhost:8000/api"),
        ("https://[::1]:8443", "https://[::1]:8443"),
        ("http://[::ffff:127.0.0.1]:80", "http://[::ffff:127.0.0.1]:80"),
        ("http://2130706433:8000", "http://2130706433:8000"),
        ("http://0x7f.1:8000", "http://0x7f.1:8000"),
        ("http://127.1", "http://127.1"),
    ],
)
def test_this_machine_needs_no_permission(url: str, plain: str) -> None:
    """However it is spelt: what counts is what the name means."""
    to = destination_of(url)
    assert to.url == plain
    assert to.addresses
    assert all(map(is_loopback, to.addresses))
    assert not to.is_foreign


FOREIGN = (
    "http://10.1.2.3:8000",
    "http://[fc00::1]:8000",
    "http://[::ffff:10.1.2.3]/",
    "http://167838211:8000",  # 10.1.2.3 in one number
    "http://0.0.0.0:8000",
    "http://[::]:8000",
    "http://0:8000",
    "http://both.example:8000",
    "http://six.example",
    "http://foreign.example.:8000",
)


@pytest.mark.parametrize("url", FOREIGN)
def test_elsewhere_needs_a_person_who_says_they_run_it(
    names: dict[str, list[str]], url: str
) -> None:
    """One foreign address among those a name has is enough. With the flag they are all kept."""
    names["both.example"] = ["127.0.0.1", "10.1.2.3"]
    names["six.example"] = ["::1", "fc00::9"]
    names["foreign.example."] = ["10.9.9.9"]
    with pytest.raises(ValueError, match=r"(i-run-this-service|no address to send to)"):
        destination_of(url)
    to = destination_of(url, i_run_this_service=True)
    assert to.is_foreign


@pytest.mark.parametrize(
    "url",
    [
        *("127.0.0.1:8000", "ftp://127.0.0.1", "http://", "http:///x", "", "http://127.0.0.1:0"),
        *("http://127.0.0.1:99999", "http://127.0.0.1:x", "http://[::1", "file:///etc/passwd"),
        *("http://127.0.0.1\\@10.0.0.1/", "http://127.0.0.1\t.example", "http://127.0.0.1 /"),
        *("http://127.0.0.1:8000@10.1.2.3/", "http://me:secret@127.0.0.1:8000"),
        *("http://@127.0.0.1", "http://127.0.0.1/?x=1", "http://127.0.0.1#@10.1.2.3"),
        *("http://127.0.0.1?", "http://a..b", f"http://{'a' * 64}.example", "http://no.invalid"),
    ],
)
def test_what_is_no_address_of_a_service(url: str) -> None:
    """One line that begins with the field, with the flag as without."""
    for flag in (False, True):
        with pytest.raises(ValueError, match=r"\Aurl: [^\n]*\Z"):
            destination_of(url, flag)


def test_every_way_to_send_asks(names: dict[str, list[str]]) -> None:
    """The driver asks before it starts a child, and so does the question who is there."""
    for send in (ask_service, lambda url: Driver(url, Plan(1)), lambda url: drive(url, Plan(1))):
        with pytest.raises(ValueError, match="--i-run-this-service"):
            send("http://10.1.2.3:8000")


@pytest.mark.load
@pytest.mark.light
def test_the_name_keeps_the_meaning_it_was_allowed_with(
    names: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The child sends to where the driver looked; its own resolver does not know the name at all.
    The host it names is the one that was given, and it says who it is. Proxies are not asked."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    names["shop.example"] = ["127.0.0.1"]
    with StubServer() as server:
        port = server.url.rpartition(":")[2]
        url = f"http://shop.example:{port}"
        assert ask_service(url).url == url
        gathered = drive(url, Plan(100, seconds=0.5, seed=1))
    assert gathered.counts[0] == sum(gathered.counts) == len(server.seen) > 20
    assert {headers["host"] for headers in server.seen} == {f"shop.example:{port}"}
    assert {headers["user-agent"] for headers in server.seen} == {"bpdemo-load"}
    assert all(headers["user-agent"] == "bpdemo-load" for headers in server.asked)


@pytest.mark.load
@pytest.mark.light
def test_no_redirect_is_followed() -> None:
    """The load stays where it was sent, whatever the kind of redirect, even if the answer points
    to this machine."""
    kinds = (301, 302, 303, 307, 308)
    with StubServer() as elsewhere:
        away = {"Location": f"{elsewhere.url}/orders"}
        with StubServer(lambda n: Answer(kinds[n % len(kinds)], headers=away)) as server:
            gathered = drive(server.url, Plan(120, seconds=0.5, request=Request("POST", "/pay")))
            assert server.orders == sum(gathered.counts)
    assert elsewhere.orders == 0
    assert gathered.counts[3] == sum(gathered.counts) > 20
    statuses = gathered.records.status.tolist()
    assert all(statuses.count(kind) > 2 for kind in kinds)
    assert set(statuses) == set(kinds)


class Mute(socketserver.BaseRequestHandler):
    """Takes a connection, and answers nothing."""

    def handle(self) -> None:
        while self.request.recv(4096):
            pass


@pytest.fixture
def mute() -> Iterator[int]:
    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        request_queue_size = 1000

    with Server(("127.0.0.1", 0), Mute) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


@pytest.mark.load
@pytest.mark.light
@pytest.mark.parametrize("foreign", [True, False])
def test_a_foreign_host_that_answers_nothing_is_left_alone(
    mute: int, foreign: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The load ends after the time that was set, and says why; on this machine it goes on."""
    monkeypatch.setattr(driver_module, "NO_ANSWER_S", 1.0)
    if foreign:
        monkeypatch.setattr("bpdemo.load.destination.is_loopback", lambda address: False)
    driver = Driver(
        f"http://127.0.0.1:{mute}",
        Plan(20, seconds=20 if foreign else 2, client_timeout_s=0.2),
        i_run_this_service=foreign,
    )
    try:
        if foreign:
            with pytest.raises(LoadFailed, match=r"127\.0\.0\.1 has answered nothing for 1 s"):
                driver.wait(10)
        else:
            assert driver.wait(10)
    finally:
        driver.kill()


def test_a_child_is_told_in_full() -> None:
    """What it pins is what the driver found."""
    seen: dict[str, str] = {}

    class Told(Driver):
        def _child(self, command: Any, share: Plan, index: int) -> Any:
            seen.update(self._environment(share))

    Told("http://localhost:9", Plan(1))
    told = json.loads(seen["BPDEMO_LOAD_DESTINATION"])
    assert told["addresses"] == list(destination_of("http://localhost:9").addresses)
    assert (told["host"], told["allows_foreign"]) == ("localhost", False)
    assert os.environ.get("BPDEMO_LOAD_DESTINATION") is None
