"""A real Prometheus scrapes a running service."""

import shutil
import subprocess
from collections.abc import Iterator

import pytest

from bpdemo.core.events import OUTCOMES
from bpdemo.lab.services.service import Service, serve
from bpdemo.load.loads import load
from tests.support.prometheus import SCRAPE_S, Prometheus, scraping
from tests.support.waiting import eventually

pytestmark = [pytest.mark.prometheus, pytest.mark.load, pytest.mark.light]

NAMES = (
    "queue_depth",
    "queue_capacity",
    "workers",
    "workers_busy",
    "in_flight",
    "admitted_total",
    "rejected_total",
    "jobs_total",
    "attempts_total",
    "retries_total",
    "retries_denied_total",
    "breaker_state",
    "breaker_transitions_total",
    "queue_wait_seconds_bucket",
    "service_seconds_bucket",
    "http_request_seconds_bucket",
    "cache_requests_total",
    "pool_connections",
    "pool_wait_seconds_bucket",
    "event_loop_lag_seconds_bucket",
)


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with serve("protected", where="process", workers=2, queue_capacity=4) as running:
        yield running


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory, service: Service) -> Iterator[Prometheus]:
    config = tmp_path_factory.mktemp("prometheus") / "prometheus.yml"
    config.write_text(scraping(service.url), encoding="utf-8")
    running = Prometheus(config)
    try:
        eventually(lambda: running.value("up") == 1, "the first scrape", within_s=20)
        yield running
    finally:
        running.stop()


def test_what_prometheus_says_is_what_the_books_say(
    prometheus: Prometheus, service: Service
) -> None:
    """After a load and one more scrape, its sums equal `/stats` exactly."""
    load(service, times=3, seconds=4, browse_per_s=20)
    books = service.stats()["books"]

    def agree() -> bool:
        return (
            prometheus.value("sum(bpdemo_jobs_total)") == sum(books[name] for name in OUTCOMES)
            and prometheus.value("bpdemo_admitted_total") == books["admitted"]
            and prometheus.value("sum(bpdemo_rejected_total)") == books["rejected"]
        )

    eventually(agree, f"its sums are those of {books}", within_s=10 * SCRAPE_S)
    assert books["rejected"] > 0


def test_the_usual_questions_have_answers(prometheus: Prometheus) -> None:
    """Rates and quantiles over the load that just passed give numbers."""
    for question in (
        "sum(rate(bpdemo_jobs_total{outcome='success'}[1m]))",
        "histogram_quantile(0.99, sum by (le) (rate(bpdemo_http_request_seconds_bucket"
        "{route='/orders',status='201'}[1m])))",
        "histogram_quantile(0.5, sum by (le) (rate(bpdemo_queue_wait_seconds_bucket[1m])))",
        "sum(rate(bpdemo_rejected_total{reason='queue_full'}[1m]))",
    ):
        eventually(lambda q=question: (prometheus.value(q) or 0) > 0, question, within_s=20)


def test_every_metric_is_known_by_its_name(prometheus: Prometheus) -> None:
    """Nothing that dashboards ask for is missing, even before it first counts."""
    missing = [name for name in NAMES if not prometheus.query(f"bpdemo_{name}")]
    assert missing == []


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool in PATH")
def test_promtool_finds_nothing_to_mend(service: Service) -> None:
    """Names, types and help texts follow Prometheus's own rules."""
    exposition = service.get("/metrics").text
    checked = subprocess.run(
        ["promtool", "check", "metrics"],
        input=exposition, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
