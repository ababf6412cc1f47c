"""Knobs are turned from here, or with the token: over a real connection, byte by byte."""

import socket

import psutil
import pytest

from tests.support.server import Command, Wire, server

TOKEN = "s3cret-Token"
BODY = b'{"workers":3}'
PATCH = b"PATCH /settings HTTP/1.1\r\n"
HERE = b"Host: 127.0.0.1\r\n"


@pytest.fixture(scope="module")
def local():
    """No token is set: anyone who is on this machine may."""
    with server() as thread:
        yield thread


@pytest.fixture(scope="module")
def guarded():
    """A token is set."""
    with server(admin_token=TOKEN) as thread:
        yield thread


def status_of(port: int, head: bytes, body: bytes = BODY) -> int:
    with Wire(port) as wire:
        wire.send(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        reply = wire.reply()
        if reply.status == 403:
            assert reply.json()["reason"] == "forbidden"
        return reply.status


def workers(port: int) -> int:
    with Wire(port) as wire:
        count: int = wire.ask("GET", "/stats").json()["workers"]["total"]
        return count


FROM_ELSEWHERE = {
    "another name for this address": b"Host: evil.example\r\n",
    "a name that begins like ours": b"Host: localhost.evil.example\r\n",
    "the address of all": b"Host: 0.0.0.0\r\n",
    "two hosts": HERE + HERE,
    "a host after ours": HERE + b"Host: evil.example\r\n",
    "no host": b"",
    "our address in the target only": b"Host: evil.example\r\nX: http://127.0.0.1/\r\n",
    "a page of another site": HERE + b"Origin: http://evil.example\r\n",
    "a page with no origin": HERE + b"Origin: null\r\n",
    "a page on another port": HERE + b"Origin: http://127.0.0.1:9999\r\n",
    "two origins": HERE + b"Origin: http://127.0.0.1\r\nOrigin: http://evil.example\r\n",
    "by a proxy": HERE + b"X-Forwarded-For: 127.0.0.1\r\n",
    "by a proxy that says nothing": HERE + b"Forwarded:\r\n",
    "by a proxy in capitals": HERE + b"X-REAL-IP: 127.0.0.1\r\n",
    "by a cache": HERE + b"Via: 1.1 proxy\r\n",
}


@pytest.mark.parametrize("head", FROM_ELSEWHERE.values(), ids=FROM_ELSEWHERE)
def test_what_seems_to_come_from_elsewhere_is_refused(local, head):
    """The connection is from here; what it carries is not. 403 (400 where it is no HTTP at all)."""
    assert status_of(local.port, PATCH + head) in (400, 403)
    assert workers(local.port) == 8


def test_whoever_is_here_may(local):
    """The same request with nothing wrong is taken: the tests above refuse for their reason."""
    with Wire(local.port) as wire:
        assert wire.ask("PATCH", "/settings", b'{"queue_capacity":9}').status == 200


def test_a_trailer_neither_opens_nor_closes(local):
    """What comes after the body is no header: not the mark of a proxy, and no second host."""
    with Wire(local.port) as wire:
        wire.send(PATCH + HERE + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n")
        wire.send(b"X-Forwarded-For: 1.1.1.1\r\nHost: evil\r\n\r\n")
        assert wire.reply().status == 200


NO_TOKEN = {
    "none": b"",
    "empty": b"Authorization:\r\n",
    "no word": b"Authorization: Bearer\r\n",
    "wrong": b"Authorization: Bearer s3cret-Tokem\r\n",
    "too short": b"Authorization: Bearer s3cret-Toke\r\n",
    "too long": b"Authorization: Bearer s3cret-Token1\r\n",
    "in another case": b"Authorization: Bearer S3CRET-TOKEN\r\n",
    "a space before": b"Authorization: Bearer  s3cret-Token\r\n",
    "a space within": b"Authorization: Bearer s3cret -Token\r\n",
    "a tab for a space": b"Authorization: Bearer\ts3cret-Token\r\n",
    "quoted": b'Authorization: Bearer "s3cret-Token"\r\n',
    "as a password": b"Authorization: Basic OnMzY3JldC1Ub2tlbg==\r\n",
    "a token too many": b"Authorization: Bearer s3cret-Token\r\n" * 2,
    "a wrong one besides": (
        b"Authorization: Bearer s3cret-Token\r\nAuthorization: Bearer wrong\r\n"
    ),
    "in a list": b"Authorization: Bearer s3cret-Token, Bearer wrong\r\n",
    "in another header": b"Proxy-Authorization: Bearer s3cret-Token\r\n",
    "in a cookie": b"Cookie: admin_token=s3cret-Token\r\n",
    "under another name": b"Authorization_: Bearer s3cret-Token\r\n",
}


@pytest.mark.parametrize("head", NO_TOKEN.values(), ids=NO_TOKEN)
def test_without_the_token_itself_nobody_may(guarded, head):
    """Not even from this machine."""
    assert status_of(guarded.port, PATCH + HERE + head) == 403
    assert workers(guarded.port) == 8


def test_a_token_in_the_address_is_none(guarded):
    """Logs of others would keep it."""
    for query in (b"access_token=", b"token=", b"admin_token=", b"Authorization=Bearer%20"):
        target = b"/settings?" + query + TOKEN.encode()
        assert status_of(guarded.port, PATCH.replace(b"/settings", target) + HERE) == 403


def own_address() -> str | None:
    """One of this machine's that is not loopback."""
    for addresses in psutil.net_if_addrs().values():
        for address in addresses:
            if address.family == socket.AF_INET and not address.address.startswith("127."):
                return address.address
    return None


@pytest.mark.skipif(own_address() is None, reason="this machine has no address but loopback")
def test_from_another_address_only_the_token_opens():
    """However much the request insists that it comes from here."""
    address = own_address()
    with Command("serve", "--host", "0.0.0.0", "--port", "0", BPDEMO_ADMIN_TOKEN=TOKEN) as command:
        port = command.port()
        for headers, status in (
            ({}, 403),
            ({"X_Forwarded_For": "127.0.0.1", "Forwarded": "for=127.0.0.1"}, 403),
            ({"X_Real_IP": "::1", "Origin": "http://127.0.0.1"}, 403),
            ({"Authorization": f"Bearer {TOKEN}", "X_Forwarded_For": "127.0.0.1"}, 200),
        ):
            with socket.create_connection((address, port), timeout=10) as plain:
                lines = [
                    f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items()
                ]
                plain.sendall(
                    PATCH + HERE + "".join(lines).encode() + b"Content-Length: 2\r\n\r\n{}"
                )
                assert int(plain.recv(65536).split()[1]) == status, headers
        command.signal()
        assert command.wait() == 0
        assert TOKEN not in command.stderr
