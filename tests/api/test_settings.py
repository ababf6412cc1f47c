"""PATCH /settings: who may turn the knobs, and that they turn all together or not at all."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bpdemo.api.admin import is_loopback, marks_a_proxy
from tests.support.examples import examples
from tests.support.http import LOOPBACK, assert_problem, running


def patch(service, body=b'{"workers": 3}', *headers, peer=LOOPBACK):
    return service.call("PATCH", "/settings", body=body, peer=peer, headers=headers)


async def test_knobs_turn_together():
    """All of them take effect at once, and the answer is that of GET /settings."""
    async with running() as service:
        knobs = {
            "workers": 3,
            "queue_capacity": -1,
            "payment_latency_s": 1,
            "queue_policy": "block",
        }
        answer = await service.client.patch("/settings", json=knobs)
        shown = (await service.client.get("/settings")).json()
        assert (answer.status_code, answer.json()) == (200, shown)
        for name, value in knobs.items():
            assert shown["settings"][name]["value"] == value
        stats = service.office.stats()
        assert (stats["workers"]["total"], stats["queue"]["capacity"]) == (3, -1)


async def test_nothing_to_turn_is_fine():
    """An empty object changes nothing."""
    async with running() as service:
        assert (await service.client.patch("/settings", json={})).status_code == 200


BAD = {
    "unknown": ('{"worker": 1}', "worker"),
    "a range": ('{"workers": 0}', "workers"),
    "above the range": ('{"workers": 1025}', "workers"),
    "a text for a number": ('{"workers": "8"}', "workers"),
    "a bool for a number": ('{"workers": true}', "workers"),
    "a float for a count": ('{"workers": 8.0}', "workers"),
    "a number for a bool": ('{"breaker_enabled": 1}', "breaker_enabled"),
    "a text for a bool": ('{"breaker_enabled": "yes"}', "breaker_enabled"),
    "a choice": ('{"retry_jitter": "foo"}', "retry_jitter"),
    "null": ('{"workers": null}', "workers"),
    "a list": ('{"workers": [1]}', "workers"),
    "an object": ('{"workers": {"value": 1}}', "workers"),
    "infinite": ('{"payment_latency_s": 1e999}', "payment_latency_s"),
    "NaN": ('{"payment_latency_s": NaN}', "body"),
    "negative": ('{"payment_latency_s": -0.1}', "payment_latency_s"),
    "a ratio above 1": ('{"payment_failure_rate": 1.01}', "payment_failure_rate"),
    "vast": (f'{{"workers": {"9" * 400}}}', "workers"),
    "endless": (f'{{"workers": {"9" * 5000}}}', "body"),
    "a surrogate": ('{"retry_jitter": "\\ud800"}', "retry_jitter"),
    "a surrogate for a name": ('{"\\ud800": 1}', "\ud800"),
    "no name": ('{"": 1}', ""),
    "a CoDel target above the interval": ('{"codel_target_s": 0.5}', "codel_target_s"),
    "a CoDel interval below the target": ('{"codel_interval_s": 0.01}', "codel_interval_s"),
    "CoDel knobs that do not fit": (
        '{"workers": 3, "codel_interval_s": 0.3, "codel_target_s": 0.5}',
        "codel_target_s",
    ),
    "not live": ('{"store": "memory"}', "store"),
    "the token": ('{"admin_token": "mine"}', "admin_token"),
    "the database": ('{"database_url": "postgres://me:secret@x/y"}', "database_url"),
    "a dunder": ('{"__class__": 1}', "__class__"),
    "no object": ("[]", "body"),
    "nothing": ("", "body"),
    "no JSON": ("workers=1", "body"),
    "deep": ("[" * 9000, "body"),
    "two documents": ("{}{}", "body"),
}


@pytest.mark.parametrize(("body", "field"), BAD.values(), ids=BAD)
async def test_a_bad_knob_is_named(body, field):
    """422 with the name of the setting, whatever is wrong with it."""
    async with running() as service:
        answer = await service.call("PATCH", "/settings", body=body.encode())()
        assert answer.status == 422
        assert answer.json()["field"] == field
        assert b"secret" not in answer.body


@pytest.mark.parametrize("body", [b"\xff\xfe{\x00}\x00", b"\xef\xbb\xbf{}", b'{"\xff": 1}'])
async def test_only_utf8_is_read(body):
    """JSON is UTF-8 without a mark; what else Python could guess is not taken."""
    async with running() as service:
        answer = await service.call("PATCH", "/settings", body=body)()
        assert_problem(answer, 422, "invalid_request", "body")


@pytest.mark.parametrize("depth", range(100, 1000, 60))
async def test_no_depth_of_nesting_breaks_it(depth):
    """A value as deep as the parser takes can still be told back."""
    async with running() as service:
        body = b'{"workers": ' + b"[" * depth + b"]" * depth + b"}"
        answer = await service.call("PATCH", "/settings", body=body)()
        assert answer.status == 422


@pytest.mark.parametrize("bad", ['"workers": 0', '"worker": 1', '"store": "memory"'])
@pytest.mark.parametrize("order", ["{%s, %s}", "{%.0s%s, %s}"])
async def test_one_bad_knob_spoils_all(bad, order):
    """All or nothing: a good knob beside a bad one is not turned."""
    async with running(queue_capacity=7) as service:
        good = '"queue_capacity": 9'
        body = order % ((good, bad) if order.count("%") == 2 else ("", bad, good))
        answer = await service.call("PATCH", "/settings", body=body.encode())()
        assert answer.status == 422
        assert service.office.queue_capacity == 7
        assert service.assembly.settings.queue_capacity == 7


async def test_a_body_too_large_is_not_read():
    """The body's limit holds here too."""
    async with running(max_body_bytes=50) as service:
        answer = await service.client.patch("/settings", content=b" " * 51)
        assert_problem(answer, 413, "too_large")


async def test_the_token_opens():
    """With the right token a caller from anywhere may, proxies and origins notwithstanding."""
    async with running(admin_token="s3cret-täken") as service:
        right = (b"authorization", "Bearer s3cret-täken".encode())
        answer = await patch(
            service,
            b'{"workers": 3}',
            right,
            (b"x-forwarded-for", b"1.2.3.4"),
            (b"origin", b"https://elsewhere"),
            peer=("10.1.1.1", 1),
        )()
        assert answer.status == 200
        assert service.office.workers == 3


@pytest.mark.parametrize(
    "given",
    [
        (),
        (b"Bearer wrong",),
        (b"Bearer ",),
        (b"Bearer",),
        (b"s3cret",),
        (b"Basic s3cret",),
        (b"Bearer s3cret ",),
        (b"Bearer\ts3cret",),
        (b"Bearer  s3cret",),
        (b"Bearer S3CRET",),
        (b"Bearer s3cret", b"Bearer s3cret"),
        (b"Bearer s3cret\xff",),
        (b"",),
    ],
)
async def test_without_the_right_token_nobody_may(given):
    """Once a token is set, not even this machine may do without it; the no tells nothing."""
    async with running(admin_token="s3cret") as service:
        answer = await patch(
            service, b'{"workers": 3}', *((b"authorization", value) for value in given)
        )()
        assert_problem(answer, 403, "forbidden")
        assert service.office.workers == 8
        assert b"s3cret" not in answer.body
        assert "s3cret" not in service.log.getvalue()


async def test_an_empty_token_is_no_token():
    """`BPDEMO_ADMIN_TOKEN=` sets none: this machine only, and an empty bearer opens nothing."""
    async with running(admin_token="") as service:
        assert (await patch(service)()).status == 200
        answer = await patch(service, b"{}", (b"authorization", b"Bearer "), peer=("10.1.1.1", 1))()
        assert_problem(answer, 403, "forbidden")


HERE = [
    (("127.0.0.1", 1), b"127.0.0.1:8000"),
    (("127.9.9.9", 1), b"localhost"),
    (("127.0.0.1", 1), b"LocalHost:8000"),
    (("::1", 1), b"[::1]:8000"),
    (("::ffff:127.0.0.1", 1), b"127.0.0.1"),
]
ELSEWHERE = [
    (None, b"127.0.0.1"),
    (("10.0.0.1", 1), b"127.0.0.1"),
    (("::ffff:10.0.0.1", 1), b"127.0.0.1"),
    (("127.0.0.1", 1), b"evil.example"),
    (("127.0.0.1", 1), b"127.0.0.1.evil.example"),
    (("127.0.0.1", 1), b"localhost.evil.example:8000"),
    (("127.0.0.1", 1), b"10.0.0.1:8000"),
    (("127.0.0.1", 1), b"0.0.0.0:8000"),
    (("127.0.0.1", 1), b""),
    (("127.0.0.1", 1), b":8000"),
    (("127.0.0.1", 1), b"[::1"),
    (("127.0.0.1", 1), b"\xff"),
    (("127.0.0.1", 1), b"2130706433"),
]


def from_peer(service, peer, hosts, *headers):
    call = service.call("PATCH", "/settings", body=b"{}", peer=peer)
    call.scope["headers"] = [*((b"host", host) for host in hosts), *headers]
    return call


@pytest.mark.parametrize(("peer", "host"), HERE)
async def test_with_no_token_this_machine_may(peer, host):
    """Peer and Host are loopback in any spelling."""
    async with running() as service:
        assert (await from_peer(service, peer, [host])()).status == 200


@pytest.mark.parametrize(("peer", "host"), ELSEWHERE)
async def test_with_no_token_nobody_else_may(peer, host):
    """Either is not loopback: forbidden. A name that resolves to here is a rebinding attack."""
    async with running() as service:
        assert_problem(await from_peer(service, peer, [host])(), 403, "forbidden")


async def test_one_host_exactly():
    """No Host or two of them: whom to believe?"""
    async with running() as service:
        for hosts in ([], [b"127.0.0.1", b"127.0.0.1"]):
            assert (await from_peer(service, LOOPBACK, hosts)()).status == 403


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (b"http://127.0.0.1:8000", 200),
        (b"http://127.0.0.1:8001", 403),
        (b"http://localhost:8000", 403),
        (b"http://evil.example", 403),
        (b"null", 403),
        (b"", 403),
        (b"http://127.0.0.1:8000.evil.example", 403),
    ],
)
async def test_a_page_of_another_site_may_not(origin, status):
    """A browser tells the page's origin: it must be our own."""
    async with running() as service:
        call = from_peer(service, LOOPBACK, [b"127.0.0.1:8000"], (b"origin", origin))
        assert (await call()).status == status


@pytest.mark.parametrize(
    "name",
    [
        *("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP"),
        *("X-Forwarded-Server", "Via", "X-Forwarded", "CF-Connecting-IP", "True-Client-IP"),
        *("X-Client-IP", "X-Cluster-Client-IP", "X-Original-Forwarded-For", "Fastly-Client-IP"),
        *("X-Envoy-External-Address", "X-Azure-ClientIP", "WL-Proxy-Client-IP", "Proxy-Client-IP"),
    ],
)
async def test_behind_a_proxy_nobody_is_local(name):
    """Any mark of a proxy, and the peer's address means nothing."""
    async with running() as service:
        call = from_peer(service, LOOPBACK, [b"localhost"], (name.lower().encode(), b"127.0.0.1"))
        assert_problem(await call(), 403, "forbidden")


MARKS = [
    "DO-Connecting-IP",
    "CloudFront-Viewer-Address",
    "Incap-Client-IP",
    "X-Sucuri-ClientIP",
    "Ali-CDN-Real-IP",
    "X-Request-Start",
    "X-Queue-Start",
    "X-Kong-Request-ID",
    "Tailscale-User-Login",
    "Rndr-Id",
    "X-Railway-Edge",
    "X-Rewrite-URL",
    "X-Real-Host",
    "X-Real-Port",
    "X-Backend-Host",
    "X-Auth-Request-User",
    "X-Goog-IAP-JWT-Assertion",
    "X-MS-Client-Principal",
    "Remote-User",
    "HTTP-X-Forwarded-For",
    "X-HTTP-Forwarded-For",
    "HTTP-Client-IP",
    "Z-Forwarded-For",
    "X-Source-IP",
    "X-User-IP",
    "X-Edge-Client-IP",
    "X-SSL-Client-Cert",
    "X-Client-Cert",
]
#: What a program or a browser on this machine sends by itself, or we read.
OWN = [
    "Host",
    "User-Agent",
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "Authorization",
    "Cache-Control",
    "Connection",
    "Content-Length",
    "Content-Type",
    "Cookie",
    "DNT",
    "Expect",
    "Forgotten",
    "Idempotency-Key",
    "If-None-Match",
    "Origin",
    "Pragma",
    "Prefer",
    "Priority",
    "Proxy-Connection",
    "Referer",
    "Sec-CH-UA",
    "Sec-CH-UA-Platform",
    "Sec-Fetch-Site",
    "Sec-GPC",
    "TE",
    "Transfer-Encoding",
    "Upgrade",
    "Upgrade-Insecure-Requests",
    "X-Client-Id",
    "X-Priority",
    "X-Request-Id",
    "X-Request-Timeout-Ms",
    "X-Requested-With",
    "baggage",
    "traceparent",
    "tracestate",
    "X-B3-TraceId",
]


@pytest.mark.parametrize("name", MARKS)
def test_each_gateway_has_its_own_mark(name):
    """However it is spelt."""
    assert all(map(marks_a_proxy, (name, name.lower(), name.upper(), name.replace("-", "_"))))


@given(
    before=st.from_regex(r"([A-Za-z0-9]{1,8}[-_]){0,3}", fullmatch=True),
    mark=st.sampled_from(
        ("Forwarded-For", "Forwarded", "Client-IP", "ClientIP", "Connecting-IP", "Real-IP",
         "Real-Host", "Client-Cert")
    ),
    after=st.from_regex(r"([-_][A-Za-z0-9]{1,8}){0,2}", fullmatch=True),
    separator=st.sampled_from("-_"),
)  # fmt: skip
@settings(max_examples=examples(60))
def test_a_mark_is_one_wherever_it_stands(before, mark, after, separator):
    """The next gateway puts its own name before it, or behind."""
    assert marks_a_proxy(before + mark.replace("-", separator) + after)


@pytest.mark.parametrize("name", OWN)
def test_what_a_caller_here_sends_is_no_mark(name):
    """Else the one who may turn the knobs could not."""
    assert not marks_a_proxy(name)


async def test_who_may_not_is_told_before_the_body_is_read():
    """A stranger's body is not waited for, and a half-sent one ends the connection."""
    async with running() as service:
        call = service.call(
            "PATCH",
            "/settings",
            body=None,
            peer=("10.0.0.1", 1),
            headers=[(b"transfer-encoding", b"chunked")],
        )
        answer = await call()
        assert_problem(answer, 403, "forbidden")
        assert answer["connection"] == "close"


async def test_secrets_are_masked():
    """Neither token nor database address is shown, here or in the log."""
    knobs = {"admin_token": "t0ken", "database_url": "postgres://me:passw0rd@db/x"}
    async with running(**knobs) as service:
        shown = await service.client.get("/settings")
        assert shown.json()["settings"]["admin_token"]["value"] == "********"
        assert shown.json()["settings"]["database_url"]["value"] == "********"
        for text in (shown.text, service.log.getvalue()):
            assert "t0ken" not in text
            assert "passw0rd" not in text
        patched = await service.client.patch(
            "/settings", json={}, headers={"authorization": "Bearer t0ken"}
        )
        assert patched.status_code == 200
        assert "t0ken" not in json.dumps(patched.json())


async def test_unset_secrets_are_null():
    """A mask where nothing is hidden would lie."""
    async with running() as service:
        shown = (await service.client.get("/settings")).json()["settings"]
        assert shown["admin_token"]["value"] is None


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST", "localhost.", "127.0.0.1", "127.1.2.3", "::1"]
)
def test_loopback_names(host):
    """What can only be this machine."""
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", "0.0.0.0", "::", "example.com", "127.0.0.1.example", "10.0.0.1", "::2", "127.1"]
)
def test_other_names(host):
    """What may be another one."""
    assert not is_loopback(host)
