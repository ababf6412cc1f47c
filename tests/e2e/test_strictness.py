"""Heads that say one thing to us and another to somebody else are no requests."""

import json

import pytest

from tests.support.http import BODY, STUCK
from tests.support.server import Reply, server

TOKEN = "s3cret-Token"
GET = b"GET /items/1 HTTP/1.1\r\n"
ORDER = b"POST /orders HTTP/1.1\r\nHost: a\r\n"


@pytest.fixture(scope="module")
def quick():
    with server(payment_latency_s=0.0, admin_token=TOKEN) as thread:
        yield thread


@pytest.fixture(scope="module")
def local():
    """Where no token is set, and this machine may turn the knobs."""
    with server() as thread:
        yield thread


@pytest.fixture(scope="module")
def full():
    """Refuses every order."""
    with server(**STUCK) as thread:
        thread.fill()
        yield thread


def answer_to(thread, data: bytes) -> Reply:
    with thread.connect() as wire:
        wire.send(data)
        return wire.reply()


def refused(thread, data: bytes, status: int) -> None:
    """A no in the usual shape, with which the connection ends, and nobody is in the books."""
    received = thread.books["received"]
    with thread.connect() as wire:
        wire.send(data)
        reply = wire.reply()
        assert (reply.status, reply.json()["status"]) == (status, status)
        assert reply.json()["reason"] == "invalid_request"
        assert reply.headers["content-type"] == "application/problem+json"
        assert reply.closes
        assert wire.is_closed()
    assert thread.books["received"] == received


GOOD_HOSTS = [
    *(b"a", b"a:80", b"a:", b"127.0.0.1", b"[::1]", b"[::1]:8000", b"a_b.example.", b"A-b.C"),
    *(b"[::ffff:127.0.0.1]:1", b"xn--mnchen-3ya.de", b"a%20b", b"a:65535", b" a ", b"\ta:1\t"),
]
BAD_HOSTS = [
    *(b"", b" ", b"a b", b"a, b", b"a/b", b"a@b", b"a:b", b"a:80:80", b"a:65536", b"a:-1", b":80"),
    *(
        b"[::1",
        b"::1",
        b"[]",
        b"[a]",
        b"[::1]a",
        b"[::1]:x",
        b"[1.2.3.4]",
        b"http://a",
        b"a?",
        b"a#",
    ),
    *(b"a\\b", b"a%2", b"a%zz", b'"a"', b"<a>", b"a\xff", "é".encode(), b"a\x00", b"a|b", b"a^b"),
]


@pytest.mark.parametrize("host", GOOD_HOSTS)
@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_a_host_with_or_without_a_port_is_one(quick, host, version):
    """Names, addresses of both kinds, and any port that there is."""
    data = b"GET /healthz HTTP/%b\r\nHost:%b\r\n\r\n" % (version, host)
    assert answer_to(quick, data).status == 200


@pytest.mark.parametrize("host", BAD_HOSTS)
@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_what_is_no_host_is_refused(quick, host, version):
    """400, on limited routes and others."""
    refused(quick, b"GET /items/1 HTTP/%b\r\nHost: %b\r\n\r\n" % (version, host), 400)
    refused(quick, b"GET /healthz HTTP/%b\r\nHost: %b\r\n\r\n" % (version, host), 400)


@pytest.mark.parametrize("hosts", [b"", b"Host: a\r\nHost: a\r\n", b"Host: a\r\nhOST: b\r\n"])
@pytest.mark.parametrize("target", [b"/items/1", b"http://a/items/1", b"/nothing"])
def test_exactly_one_host_is_needed(quick, hosts, target):
    """None or two are 400, also where the target names one."""
    refused(quick, b"GET " + target + b" HTTP/1.1\r\n" + hosts + b"\r\n", 400)


@pytest.mark.parametrize("version", [b"0.9", b"2.0"])
@pytest.mark.parametrize("head", [b"", b"Transfer-Encoding: chunked\r\n"])
def test_another_version_is_no_request(quick, version, head):
    """It would be answered in a language that its caller does not speak."""
    refused(quick, b"POST /orders HTTP/%b\r\nHost: a\r\n%b\r\n" % (version, head), 400)


RELATIVES = [b"GET / RTSP/1.0", b"POST /orders RTSP/1.1", b"DESCRIBE / RTSP/1.0"]


@pytest.mark.parametrize("line", [*RELATIVES, b"SOURCE / ICE/1.0", b"OPTIONS * RTSP/1.0"])
@pytest.mark.parametrize("before", [b"", b"\r\n\r\n"])
@pytest.mark.parametrize("piece_bytes", [1, 7, 1000])
def test_another_protocol_is_no_request(quick, line, before, piece_bytes):
    """The parser reads HTTP's relatives, too; whatever pieces their heads come in."""
    head = before + line + b"\r\nHost: a\r\nX: GET / HTTP/1.1\r\n\r\n"
    with quick.connect() as wire:
        for at in range(0, len(head), piece_bytes):
            wire.send(head[at : at + piece_bytes])
        reply = wire.reply()
        assert (reply.status, reply.json()["reason"]) == (400, "invalid_request")
        assert wire.is_closed()


@pytest.mark.parametrize("line", RELATIVES)
def test_another_protocol_is_none_behind_a_request_either(quick, line):
    """The request before it is answered, and nothing after it."""
    order = ORDER + b"Content-Length: 26\r\n\r\n" + BODY
    for first, status in ((order, 201), (GET + b"Host: a\r\n\r\n", 200)):
        with quick.connect() as wire:
            wire.send(first + line + b"\r\nHost: a\r\n\r\n" + order)
            said = b"".join(iter(lambda: wire._socket.recv(65536), b""))  # to the end
            assert said.startswith(b"HTTP/1.1 %d " % status)
            assert said.count(b"HTTP/1.1 2") == 1


@pytest.mark.parametrize("piece_bytes", [1, 3, 1000])
def test_a_head_in_pieces_speaks_http_all_the_same(quick, piece_bytes):
    """Also behind line breaks, and behind another request."""
    data = b"\r\n" + (GET + b"Host: a\r\n\r\n") * 2
    with quick.connect() as wire:
        for at in range(0, len(data), piece_bytes):
            wire.send(data[at : at + piece_bytes])
        assert [wire.reply().status for _ in range(2)] == [200, 200]


ANSWERED = {
    "invalid_request": b"nonsense\r\n\r\n",
    "read_timeout": b"GET / HTTP/1.1\r\n",
}


@pytest.mark.parametrize("reason", ANSWERED)
def test_what_a_connection_answers_by_itself_is_told(reason):
    """It has an id as every other answer, a count, and a line in the log that names the id."""
    with server(read_timeout_s=0.1) as thread:
        with thread.connect() as wire:
            wire.send(ANSWERED[reason])
            reply = wire.reply()
        request_id = reply.headers["x-request-id"]
        count = f'bpdemo_connection_answers_total{{reason="{reason}"}} 1.0'
        assert count in thread.ask("GET", "/metrics").body.decode()
    lines = [json.loads(line) for line in thread.log.getvalue().splitlines()]
    (line,) = [line for line in lines if line["event"] == "connection_answered"]
    assert (line["reason"], line["example_request_id"]) == (reason, request_id)
    assert line["count"] == 1


def test_http_10_needs_no_host(quick):
    """It had none; two are too many there as well."""
    assert answer_to(quick, b"GET /healthz HTTP/1.0\r\n\r\n").status == 200
    refused(quick, b"GET /healthz HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n", 400)


PATCH = b"PATCH %b HTTP/1.1\r\nHost: %b\r\nContent-Length: 2\r\n\r\n{}"


@pytest.mark.parametrize(
    ("target", "host", "status"),
    [
        (b"/settings", b"127.0.0.1", 200),
        (b"http://127.0.0.1/settings", b"127.0.0.1", 200),
        (b"http://evil.example/settings", b"127.0.0.1", 403),
        (b"HTTP://evil.example:80/settings", b"localhost", 403),
        (b"http://localhost:9/settings", b"evil.example", 200),
        (b"http://[::1]/settings", b"evil.example", 200),
        (b"http://evil@127.0.0.1/settings", b"127.0.0.1", 400),
        (b"http://127.0.0.1@evil.example/settings", b"127.0.0.1", 400),
        (b"ftp://127.0.0.1/settings", b"127.0.0.1", 400),
        (b"http:///settings", b"127.0.0.1", 400),
        (b"http://127.0.0.1:/settings", b"evil.example", 200),
        (b"http://[::1]:/settings", b"evil.example", 200),
        (b"http://:/settings", b"127.0.0.1", 400),
        (b"http://a b/settings", b"127.0.0.1", 400),
    ],
)
def test_the_authority_of_the_target_counts(local, target, host, status):
    """A target in absolute form says where the request is meant for; Host is not asked then."""
    assert answer_to(local, PATCH % (target, host)).status == status


MARKS = [
    *("Client-IP", "X-Real-IP", "CDN-Loop", "X-Remote-IP", "X-Forward-For", "X-Forwarded-For"),
    *("X_Forwarded_For", "x_real_ip", "Client_IP", "X-ProxyUser-Ip", "True_Client_IP", "Via"),
    *("X-Forwarded_Host", "Forwarded-For", "X-Remote-Addr", "X-Originating-IP", "X-Host"),
    *("CF-Ray", "Fly-Client-IP", "Akamai-Origin-Hop", "X-Vercel-Forwarded-For", "X-Envoy-Peer"),
    *("X-Amzn-Trace-Id", "X-Azure-Ref", "Fastly-FF", "X-Original-Forwarded-For", "X-Nginx-Proxy"),
]


@pytest.mark.parametrize("mark", MARKS)
def test_every_mark_of_a_proxy_closes_the_settings(local, mark):
    """However it is spelt: programs behind gateways of old turn `-` into `_`."""
    for name in (mark, mark.lower(), mark.upper(), mark.replace("-", "_")):
        head = b"PATCH /settings HTTP/1.1\r\nHost: 127.0.0.1\r\n%b: 127.0.0.1\r\n" % name.encode()
        assert answer_to(local, head + b"Content-Length: 2\r\n\r\n{}").status == 403


@pytest.mark.parametrize("authority", [b"h", b"h:", b"h:80", b"127.0.0.1:", b"[::1]", b"[::1]:"])
@pytest.mark.parametrize("scheme", [b"http", b"HTTP", b"https"])
def test_without_a_path_the_root_is_meant(quick, scheme, authority):
    """And an empty port is the usual one (RFC 9110, 4.2.3), for each target as for each Host."""
    target = scheme + b"://" + authority
    for asked, status in {b"": 200, b"?x": 200, b"/healthz": 200, b"/healthz?x": 200}.items():
        data = b"GET %b HTTP/1.1\r\nHost: a\r\n\r\n" % (target + asked)
        assert answer_to(quick, data).status == status


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
@pytest.mark.parametrize("around", ["", " ", "\t", "  \t"])
def test_the_word_before_the_token_has_no_case(quick, scheme, around):
    """Names of schemes have none (RFC 9110, 11.1), and the space around a value means nothing."""
    head = "PATCH /settings HTTP/1.1\r\nHost: a\r\n"
    asked = f"{head}Authorization:{around}{scheme} {TOKEN}{around}\r\n"
    assert answer_to(quick, f"{asked}Content-Length: 2\r\n\r\n{{}}".encode()).status == 200


CODINGS = [
    *(b"gzip", b"gzip, chunked", b"identity", b"deflate, chunked", b"chunked;q=1", b"x-chunked"),
    *(b'"chunked"', b"trailers", b"chunke", b"gzip\r\nTransfer-Encoding: chunked"),
]


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("sut", ["quick", "full"])
def test_a_transfer_coding_that_we_do_not_have_is_501(coding, sut, request):
    """Nothing is taken for a body that may not be one, whether or not there would be a place."""
    head = ORDER + b"Transfer-Encoding: " + coding + b"\r\n\r\n"
    refused(request.getfixturevalue(sut), head + b"0\r\n\r\n", 501)


@pytest.mark.parametrize("coding", [b"chunked", b"Chunked", b"CHUNKED", b" \tchunked  "])
def test_chunked_is_the_one_that_we_have(quick, coding):
    """In any case, and with any white space."""
    head = ORDER + b"Transfer-Encoding:" + coding + b"\r\n\r\n"
    with quick.connect() as wire:
        wire.send(head + b"%x\r\n" % len(BODY) + BODY + b"\r\n0\r\n\r\n")
        assert wire.reply().status == 201
        assert wire.ask("GET", "/healthz").status == 200


@pytest.mark.parametrize("coding", [b"chunked, gzip", b"chunked, chunked", b"", b"chunked,"])
def test_no_lie_about_a_coding_gets_through(quick, coding):
    """Whichever of both statuses."""
    reply = answer_to(quick, ORDER + b"Transfer-Encoding: " + coding + b"\r\n\r\n0\r\n\r\n")
    assert reply.status in (400, 501)
    assert reply.closes


def test_http_10_knows_no_chunks(quick):
    """Anyone who sends them there is misunderstood by somebody on the way."""
    head = b"POST /orders HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"
    refused(quick, head + b"1a\r\n" + BODY + b"\r\n0\r\n\r\n", 400)


def test_http_10_is_not_told_to_continue(quick):
    """Its callers do not know of that, and would take it for the answer."""
    with quick.connect() as wire:
        wire.send(b"POST /orders HTTP/1.0\r\nContent-Length: 26\r\nExpect: 100-continue\r\n\r\n")
        assert not wire.hears_something(within_s=0.2)
        wire.send(BODY)
        assert wire.reply().status == 201


SPACES = [b"%b", b" %b", b"%b ", b"\t%b", b"%b\t", b"  \t%b \t "]


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize(
    ("name", "value", "closes"),
    [
        (b"Content-Length", b"100000000", True),
        (b"Content-Length", b"26", False),
        (b"Expect", b"100-continue", True),
        (b"Transfer-Encoding", b"chunked", True),
    ],
)
def test_white_space_around_a_value_means_nothing(full, space, name, value, closes):
    """The refusal is as it would be without it: see which ones end the connection."""
    if name == b"Transfer-Encoding" and b"b\t" in space.replace(b" ", b""):
        space = b"  %b  "  # the parser itself refuses a tab behind this one
    with full.connect() as wire:
        wire.send(ORDER + name + b":" + space % value + b"\r\n\r\n")
        reply = wire.reply()
        assert (reply.status, reply.closes) == (503, closes)


@pytest.mark.parametrize("space", SPACES)
def test_white_space_hides_nothing_from_a_check(quick, space):
    """An unreadable header is 422, a body too large 413, an expectation is met."""
    reply = answer_to(quick, GET + b"Host: a\r\nX-Priority:" + space % b"4" + b"\r\n\r\n")
    assert (reply.status, reply.json()["field"]) == (422, "X-Priority")
    assert answer_to(quick, ORDER + b"Content-Length:" + space % b"16385" + b"\r\n\r\n").closes
    with quick.connect() as wire:
        wire.send(ORDER + b"Content-Length: 26\r\nExpect:" + space % b"100-continue" + b"\r\n\r\n")
        assert wire.reply().status == 100
        wire.send(BODY)
        assert wire.reply().status == 201


UPGRADES = [
    "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAA",
    "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-key: x",
    "Connection: keep-alive, UPGRADE\r\nUpgrade: TLS/1.0",
]


@pytest.mark.parametrize("upgrade", UPGRADES)
@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("cut", [0, 1, 5, 20, 10_000])
def test_an_offer_to_upgrade_is_ignored(quick, upgrade, framing, cut):
    """The body is read as any other, in whatever pieces it comes: an order is sold."""
    chunks = b"5\r\n" + BODY[:5] + b"\r\n15\r\n" + BODY[5:] + b"\r\n0\r\nX-Trailer: x\r\n\r\n"
    how, body = "Transfer-Encoding: chunked", chunks
    if framing == "length":
        how, body = "Content-Length: 26", BODY
    with quick.connect() as wire:
        wire.send(ORDER + f"{upgrade}\r\n{how}\r\n\r\n".encode() + body[:cut])
        wire.hears_something(within_s=0.02)
        wire.send(body[cut:])
        reply = wire.reply()
        assert (reply.status, reply.json()["status"]) == (201, "confirmed")
        assert wire.is_closed()


@pytest.mark.parametrize("upgrade", UPGRADES)
def test_an_offer_with_half_a_body_is_no_request(upgrade):
    """What one has not got is never judged as if it were empty: 408, as for any other."""
    with server(read_timeout_s=0.3) as thread, thread.connect() as wire:
        wire.send(ORDER + f"{upgrade}\r\nContent-Length: 26\r\n\r\n".encode() + BODY[:25])
        assert wire.reply().status == 408
        assert wire.is_closed()
        thread.assert_at_rest()
        assert thread.books["received"] == 0


def test_an_offer_is_ignored_behind_another_request(quick):
    """Also where it waited for its turn."""
    offer = ORDER + f"{UPGRADES[0]}\r\nContent-Length: 26\r\n\r\n".encode() + BODY
    with quick.connect() as wire:
        wire.send(ORDER + b"Content-Length: 26\r\n\r\n" + BODY + offer)
        assert wire.reply().status == 201
        assert wire.reply().status == 201
        assert wire.is_closed()
