"""The log is the service's own: nothing a caller sends starts a line, field or colour in it."""

import json
import re

from tests.doors.closed import assert_lines_whole
from tests.support.http import BODY
from tests.support.server import Command, Wire

MARK = "f0rged"
#: Each gets as far as it may: some are fine as a value, some are refused, some are no HTTP.
HOSTILE = [
    *(f'a","event":"{MARK}', f'a"}}\\n{{"event":"{MARK}"}}', f"a' outcome='{MARK}", f"%0a{MARK}"),
    *(f"\u009b31m{MARK}", f"\u2028{MARK}", f"\u202e{MARK}", f"a\t{MARK}", f"a\x1b[31m{MARK}"),
    *(f"a\r\n {MARK}: x", f"a\n{MARK}: x", f"a\r{MARK}", f"a\x00{MARK}", f"\x7f{MARK}"),
]
NAMES = ("X-Request-Id", "Idempotency-Key", "X-Client-Id", "traceparent", "User-Agent", "Prefer")
CONSOLE_LINE = re.compile(r"[0-9T:.-]+Z (info|warning|error) +\w+ +\w+=.*|    \| .*")
#: Orders fail, a breaker opens, orders are refused: there is something to tell.
TROUBLE = {
    "BPDEMO_PAYMENT_LATENCY_S": "0",
    "BPDEMO_PAYMENT_FAILURE_RATE": "0.9",
    "BPDEMO_RETRY_ATTEMPTS": "1",
    "BPDEMO_BREAKER_MIN_CALLS": "5",
    "BPDEMO_BREAKER_OPEN_S": "0.05",
    "BPDEMO_SEED": "1",
    "BPDEMO_DRAIN_TIMEOUT_S": "0",  # nor are refunds that fail waited for
}


def send_all(port: int) -> None:
    """Each text in each header, in path, query, method and body."""
    length = b"Content-Length: %d\r\n\r\n" % len(BODY)
    for text in (text.encode() for text in HOSTILE):
        heads = [b"POST /orders HTTP/1.1\r\nHost: a\r\n" + name.encode() + b": " + text + b"\r\n"
                 for name in NAMES]  # fmt: skip
        heads += [
            b"POST /orders?" + text + b" HTTP/1.1\r\nHost: a\r\n",
            b"POST /orders/" + text + b" HTTP/1.1\r\nHost: a\r\n",
            b"POST /" + text + b" HTTP/1.1\r\nHost: a\r\n",
            text + b" /orders HTTP/1.1\r\nHost: a\r\n",
            b"POST /orders HTTP/1.1\r\nHost: " + text + b"\r\n",
        ]
        for data in [*(head + length + BODY for head in heads), as_body(text)]:
            with Wire(port) as wire:
                wire.send(data)
                assert wire.reply().status < 600


def as_body(text: bytes) -> bytes:
    body = b'{"item_id":1,"quantity":1,"' + text + b'":1}'
    return b"PATCH /settings HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def written(log_format: str) -> str:
    """All that went to standard error."""
    with Command("serve", "--port", "0", BPDEMO_LOG_FORMAT=log_format, **TROUBLE) as command:
        send_all(command.port())
        command.signal()
        assert command.wait() == 0
        return command.stderr


def test_every_line_is_one_object_of_ours():
    """As JSON: events we know, and not a word of any caller's."""
    text = written("json")
    assert_lines_whole(text)
    told = {json.loads(line)["event"] for line in text.splitlines()}
    assert told >= {"order", "breaker", "refused"}
    assert MARK not in text


def test_every_line_for_people_is_one_of_ours_and_plain():
    """As text: each line looks like one of ours, and none can move the cursor or change colours."""
    text = written("console")
    assert text.count("\n") > 10
    for line in text.removesuffix("\n").split("\n"):
        assert line.isprintable(), line
        assert CONSOLE_LINE.fullmatch(line), line
    assert MARK not in text


def test_spans_hold_nothing_of_a_callers_but_his_trace():
    """Nor do spans, which stand in the same stream when they go there."""
    trace = "a" * 32
    with Command("serve", "--port", "0", BPDEMO_TRACES="console", **TROUBLE) as command:
        port = command.port()
        send_all(port)
        with Wire(port) as wire:
            wire.ask("GET", "/items/1", traceparent=f"00-{trace}-{'b' * 16}-01")
        command.signal()
        assert command.wait() == 0
    spans = [json.loads(line) for line in command.stderr.splitlines() if line.startswith('{"name"')]
    assert {span["name"] for span in spans} >= {"POST /orders"}
    assert any(trace in span["context"]["trace_id"] for span in spans)
    assert MARK not in command.stderr
