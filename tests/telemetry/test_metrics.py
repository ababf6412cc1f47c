"""What `GET /metrics` shows: the names and labels others hold on to, and nothing an attacker adds.

Everything is asserted on the rendered text, as a scraper reads it.
"""

import os
import random
import shutil
import string
import subprocess
from dataclasses import replace
from typing import get_args

import prometheus_client
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import (
    text_string_to_metric_families as parse_openmetrics,
)
from prometheus_client.parser import text_string_to_metric_families as parse_text

from bpdemo import __version__
from bpdemo.core import events
from bpdemo.core.events import (
    ATTEMPT_OUTCOMES,
    BREAKER_STATES,
    CACHE_RESULTS,
    CONNECTION_ANSWERS,
    DEPENDENCIES,
    OUTCOMES,
    REJECTIONS,
    OrderRejected,
    RequestAnswered,
)
from bpdemo.core.snapshot import NOTHING
from bpdemo.telemetry.metrics import MAX_HTTP_SERIES, Metrics

PROCESS = (
    *("resident_memory_bytes", "virtual_memory_bytes", "cpu_seconds", "open_fds", "max_fds"),
    "start_time_seconds",
)
ANY = frozenset({()})
PER_DEPENDENCY = frozenset((("dependency", d),) for d in DEPENDENCIES)
BREAKERS = {(d, s) for d in DEPENDENCIES for s in BREAKER_STATES}

#: The contract: every family with its type and the label sets it shows before anything happens.
CONTRACT = {
    "bpdemo_queue_depth": ("gauge", ANY),
    "bpdemo_queue_capacity": ("gauge", ANY),
    "bpdemo_workers": ("gauge", ANY),
    "bpdemo_workers_busy": ("gauge", ANY),
    "bpdemo_in_flight": ("gauge", ANY),
    "bpdemo_limit": ("gauge", ANY),
    "bpdemo_admitted": ("counter", ANY),
    "bpdemo_rejected": ("counter", {(("reason", r),) for r in REJECTIONS}),
    "bpdemo_jobs": ("counter", {(("outcome", o),) for o in OUTCOMES}),
    "bpdemo_attempts": (
        "counter",
        {(("dependency", d), ("outcome", o)) for d in DEPENDENCIES for o in ATTEMPT_OUTCOMES},
    ),
    "bpdemo_retries": ("counter", PER_DEPENDENCY),
    "bpdemo_retries_denied": ("counter", PER_DEPENDENCY),
    "bpdemo_breaker_state": ("gauge", {(("dependency", d), ("state", s)) for d, s in BREAKERS}),
    "bpdemo_breaker_transitions": (
        "counter",
        {(("dependency", d), ("to", s)) for d, s in BREAKERS},
    ),
    "bpdemo_queue_wait_seconds": ("histogram", ANY),
    "bpdemo_service_seconds": ("histogram", ANY),
    "bpdemo_http_request_seconds": ("histogram", frozenset()),
    "bpdemo_connection_answers": ("counter", {(("reason", r),) for r in CONNECTION_ANSWERS}),
    "bpdemo_cache_requests": ("counter", {(("result", r),) for r in CACHE_RESULTS}),
    "bpdemo_pool_connections": ("gauge", {(("state", s),) for s in ("idle", "busy")}),
    "bpdemo_pool_wait_seconds": ("histogram", ANY),
    "bpdemo_event_loop_lag_seconds": ("histogram", ANY),
}


def families(metrics):
    body, _ = metrics.render()
    return {family.name: family for family in parse_text(body.decode())}


def samples(metrics):
    """Sample name and labels to value."""
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in families(metrics).values()
        for sample in family.samples
    }


def value(metrics, name, **labels):
    return samples(metrics)[(name, *sorted(labels.items()))]


#: A service that stands still.
STILL = replace(
    NOTHING,
    queue_depth=7,
    queue_capacity=-1,
    workers=8,
    workers_busy=5,
    in_flight=12,
    limit=16,
    breakers={"payment": "half_open", "store": "closed"},
    connections={"idle": 3, "busy": 2, "closing": 1},
)


def test_shows_every_name_with_all_its_labels_at_zero_from_the_start_and_no_other():
    shown = {
        name: (
            family.type,
            {
                tuple(sorted((k, v) for k, v in s.labels.items() if k != "le"))
                for s in family.samples
            },
        )
        for name, family in families(Metrics()).items()
    }
    assert shown == CONTRACT
    nonzero = {key for key, number in samples(Metrics()).items() if number}
    assert nonzero == {
        ("bpdemo_breaker_state", ("dependency", d), ("state", "closed")) for d in DEPENDENCIES
    }


def test_counters_carry_the_suffix_total():
    counters = [name for name, (kind, _) in CONTRACT.items() if kind == "counter"]
    shown = {key[0] for key in samples(Metrics())}
    assert {f"{name}_total" for name in counters} <= shown
    assert not any(name.endswith("_created") for name in shown)


def test_gauges_are_read_from_the_source_when_scraped():
    metrics = Metrics()
    now = [STILL]
    metrics.watch(lambda: now[-1])
    now.append(replace(STILL, queue_depth=9))
    assert value(metrics, "bpdemo_queue_depth") == 9
    assert value(metrics, "bpdemo_queue_capacity") == -1  # no bound
    assert value(metrics, "bpdemo_workers") == 8
    assert value(metrics, "bpdemo_workers_busy") == 5
    assert value(metrics, "bpdemo_in_flight") == 12
    assert value(metrics, "bpdemo_limit") == 16


def test_a_breaker_is_in_one_state_and_the_pool_shows_idle_and_busy_only():
    metrics = Metrics()
    metrics.watch(lambda: STILL)
    states = {
        (d, s): value(metrics, "bpdemo_breaker_state", dependency=d, state=s) for d, s in BREAKERS
    }
    assert {key for key, number in states.items() if number} == {
        ("payment", "half_open"),
        ("store", "closed"),
    }
    pool = families(metrics)["bpdemo_pool_connections"].samples
    assert {s.labels["state"]: s.value for s in pool} == {"idle": 3, "busy": 2}


@pytest.mark.parametrize(
    ("event", "name", "labels"),
    [
        (events.OrderAdmitted(), "bpdemo_admitted_total", {}),
        (OrderRejected("queue_full", "r"), "bpdemo_rejected_total", {"reason": "queue_full"}),
        (
            events.OrderEnded("expired", "deadline_exceeded", "r", 0.1, 0.0),
            "bpdemo_jobs_total",
            {"outcome": "expired"},
        ),
        (events.JobStarted(0.2), "bpdemo_queue_wait_seconds_count", {}),
        (events.JobEnded(0.2), "bpdemo_service_seconds_count", {}),
        (
            events.AttemptEnded("store", "timeout", 0.5),
            "bpdemo_attempts_total",
            {"dependency": "store", "outcome": "timeout"},
        ),
        (events.Retried("payment", 0.1), "bpdemo_retries_total", {"dependency": "payment"}),
        (
            events.RetryDenied("payment"),
            "bpdemo_retries_denied_total",
            {"dependency": "payment"},
        ),
        (
            events.BreakerMoved("store", "open"),
            "bpdemo_breaker_transitions_total",
            {"dependency": "store", "to": "open"},
        ),
        (
            events.ConnectionAnswered("read_timeout", "r"),
            "bpdemo_connection_answers_total",
            {"reason": "read_timeout"},
        ),
        (events.CacheAsked("stale"), "bpdemo_cache_requests_total", {"result": "stale"}),
        (events.PoolWaited(0.01), "bpdemo_pool_wait_seconds_count", {}),
        (events.LoopLagged(0.01), "bpdemo_event_loop_lag_seconds_count", {}),
        (
            RequestAnswered("POST", "/orders", 201, 0.05),
            "bpdemo_http_request_seconds_count",
            {"method": "POST", "route": "/orders", "status": "201"},
        ),
    ],
)
def test_each_event_moves_its_own_number_by_one(event, name, labels):
    metrics = Metrics()
    before = samples(metrics)
    metrics.observe(event)
    after = samples(metrics)
    key = (name, *sorted(labels.items()))
    assert after[key] - before.get(key, 0) == 1
    family = name.removesuffix("_total").removesuffix("_count")
    moved = {k for k in after if after[k] != before.get(k, 0)}
    assert all(k[0].startswith(family) for k in moved)


def test_every_kind_of_event_is_understood():
    heard = set(Metrics()._hear)
    assert heard == set(get_args(events.Event))


@pytest.mark.parametrize("lag_s", [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5])
def test_loop_lag_can_be_read_at_the_bounds_that_judge_a_measurement(lag_s):
    metrics = Metrics()
    metrics.observe(events.LoopLagged(lag_s))
    assert value(metrics, "bpdemo_event_loop_lag_seconds_bucket", le=str(float(lag_s))) == 1


def test_two_services_count_apart():
    one, other = Metrics(), Metrics()
    one.observe(events.OrderAdmitted())
    assert value(one, "bpdemo_admitted_total") == 1
    assert value(other, "bpdemo_admitted_total") == 0


@given(st.text(), st.text(max_size=30), st.integers(100, 599))
def test_no_invented_method_becomes_a_label(method, reason, status):
    metrics = Metrics()
    metrics.observe(RequestAnswered(method, "/orders", status, 0.1))
    metrics.observe(OrderRejected(reason, "r"))
    shown = families(metrics)
    known = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"}
    assert {s.labels["method"] for s in shown["bpdemo_http_request_seconds"].samples} <= known
    reasons = {s.labels["reason"] for s in shown["bpdemo_rejected"].samples}
    assert reasons <= {*REJECTIONS, "other"}


def test_a_flood_of_invented_methods_and_paths_leaves_a_bounded_number_of_series():
    metrics = Metrics()
    rng = random.Random(1)
    total = 3 * MAX_HTTP_SERIES
    for _ in range(total):
        word = "".join(rng.choices(string.printable, k=12))
        metrics.observe(RequestAnswered(word, "/orders", 405, 0.1))
        metrics.observe(RequestAnswered("GET", word, 404, 0.1))
    counts = [
        s
        for s in families(metrics)["bpdemo_http_request_seconds"].samples
        if s.name.endswith("_count")
    ]
    assert len(counts) <= MAX_HTTP_SERIES + 1
    assert sum(s.value for s in counts) == 2 * total  # bounded, but nothing goes uncounted


@pytest.mark.parametrize(
    "accept",
    [
        "application/openmetrics-text",
        "application/openmetrics-text; version=1.0.0; charset=utf-8",
        "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
        "text/plain;version=0.0.4;q=0.3,*/*;q=0.1",
        "text/html, Application/OpenMetrics-Text",
    ],
)
def test_openmetrics_for_whoever_asks_for_it(accept):
    metrics = Metrics()
    metrics.observe(OrderRejected("queue_full", "r"))
    body, content_type = metrics.render(accept)
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    assert body.endswith(b"# EOF\n")
    assert {family.name for family in parse_openmetrics(body.decode())} == set(CONTRACT)


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",
        "text/html",
        "text/plain;version=0.0.4",
        "application/openmetrics-text;q=0",
        "application/openmetrics-text;q=nonsense",
        "application/openmetrics-text;q=0.1, text/plain;q=0.9",
        "application/openmetrics-texture",
        ";;;,,,=;q=",
    ],
)
def test_plain_text_for_everybody_else(accept):
    body, content_type = Metrics().render(accept)
    assert content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert b"# EOF" not in body


@given(st.text())
def test_no_accept_header_breaks_a_scrape_or_is_echoed(accept):
    _, content_type = Metrics().render(accept + ",application/openmetrics-text;version=x1.9\r\n")
    assert content_type in {
        "application/openmetrics-text; version=1.0.0; charset=utf-8",
        "text/plain; version=0.0.4; charset=utf-8",
    }


@pytest.mark.prometheus
def test_promtool_finds_nothing_to_mend():
    promtool = shutil.which("promtool") or pytest.skip("no promtool in PATH")
    metrics = Metrics()
    metrics.describe_process()
    metrics.observe(RequestAnswered("GET", "/items/{id}", 200, 0.001))
    check = subprocess.run(
        [promtool, "check", "metrics"],
        input=metrics.render()[0],
        capture_output=True,
        check=False,
        timeout=30,
    )
    assert (check.returncode, check.stdout + check.stderr) == (0, b"")


def test_it_tells_of_its_process_what_every_service_tells():
    """Memory, descriptors, time, Python and the version: of each service in a registry of its own,
    and in nobody else's."""
    before = {family.name for family in prometheus_client.REGISTRY.collect()}
    one, other = Metrics(), Metrics()
    for metrics in (one, other):
        metrics.describe_process()
    wanted = {"python_info", "python_gc_collections", "bpdemo_build_info"}
    if os.path.exists("/proc/self/stat"):  # where there is none, the library knows no process
        wanted |= {f"process_{name}" for name in PROCESS}
    for metrics in (one, other):
        assert set(families(metrics)) >= wanted
        assert value(metrics, "bpdemo_build_info", version=__version__) == 1
    assert {family.name for family in prometheus_client.REGISTRY.collect()} == before
