"""What must hold of a server whatever was done to it."""

import json
import platform
import re

from prometheus_client.parser import text_string_to_metric_families

from bpdemo import __version__
from tests.support.server import ServerThread

STATUSES = {
    *("200", "201", "202", "400", "403", "404", "405", "408", "409", "413", "422", "429", "431"),
    *("499", "501", "503", "504"),
}
REASONS = {
    *("client_limit", "concurrency_limit", "queue_full", "queue_timeout", "would_expire"),
    *("queue_shed", "circuit_open", "pool_exhausted", "draining", "downstream_failed"),
    *(
        "outcome_unknown",
        "deadline_exceeded",
        "invalid_request",
        "sold_out",
        "not_found",
        "method_not_allowed",
    ),
    *("read_timeout", "too_large", "forbidden"),
}
OUTCOMES = {"success", "failure", "timeout", "refused", "cancelled", "expired", "abandoned", "shed"}
#: Every value that a label may ever have. A bound of a histogram is a number.
LABELS = {
    "reason": REASONS,
    "outcome": OUTCOMES,
    "dependency": {"payment", "store"},
    "state": {"closed", "open", "half_open", "idle", "busy"},
    "to": {"closed", "open", "half_open"},
    "method": {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"},
    "route": {
        *("/", "/healthz", "/readyz", "/metrics", "/stats", "/settings", "/docs", "/openapi.json"),
        *("/items", "/items/{id}", "/orders", "/orders/{id}", "other"),
    },
    "status": STATUSES,
    "result": {"hit", "miss", "coalesced", "stale"},
    "version": {__version__, platform.python_version()},
    "implementation": {platform.python_implementation()},
    **{
        name: {part}
        for name, part in zip(
            ("major", "minor", "patchlevel"), platform.python_version_tuple(), strict=True
        )
    },
    "generation": {"0", "1", "2"},
}
BOUND = re.compile(r"\+Inf|[0-9.]+(e-?[0-9]+)?")
EVENTS = {
    "order", "refused", "connection_answered", "breaker", "money_owed", "refunds_owed_at_exit",
    "settings_doubtful",
}  # fmt: skip


def assert_unharmed(thread: ServerThread) -> None:
    """It serves, nobody is left inside, books balance; metrics and log hold nothing of a caller."""
    thread.assert_at_rest()
    assert thread.ask("GET", "/healthz").json() == {"status": "alive"}
    item = thread.ask("GET", "/items/1", X_Request_Timeout_Ms="1000")  # any knob may be turned
    assert item.status in (200, 429, 503, 504)
    assert_labels_closed(thread.ask("GET", "/metrics").body.decode())
    assert_lines_whole(thread.log.getvalue())


def assert_labels_closed(exposition: str) -> None:
    for family in text_string_to_metric_families(exposition):
        for sample in family.samples:
            for name, value in sample.labels.items():
                if name == "le":
                    assert BOUND.fullmatch(value), sample
                else:
                    assert value in LABELS[name], sample


def assert_lines_whole(log: str) -> None:
    """Each line is one JSON object of ours, in plain ASCII with nothing unprintable."""
    assert not log or log.endswith("\n")
    for line in log.split("\n")[:-1]:
        assert line.isascii(), line
        assert line.isprintable(), line
        assert json.loads(line)["event"] in EVENTS, line
