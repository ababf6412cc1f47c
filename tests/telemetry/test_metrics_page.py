"""docs/metrics.md is what the registry says, and what people build on it names real metrics."""

import re
from pathlib import Path

import pytest

from tests.support.scripts import script

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_is_what_the_registry_says() -> None:
    """After a change of a metric: make metrics-page."""
    assert (ROOT / "docs" / "metrics.md").read_text("utf-8") == script("metrics_page").page()


@pytest.mark.parametrize(
    "name",
    ["stack/grafana/dashboards/box-office.json", "stack/prometheus/alerts.yml"],
)
def test_dashboards_and_alerts_name_metrics_of_the_page(name: str) -> None:
    """A histogram also by its buckets, sum and count."""
    known = set(re.findall(r"^\| `(bpdemo_\w+)`", script("metrics_page").page(), flags=re.M))
    known |= {"bpdemo_build_info"}
    asked = set(re.findall(r"\bbpdemo_\w+", (ROOT / name).read_text("utf-8")))
    assert asked
    bare = {re.sub(r"_seconds_(bucket|sum|count)$", "_seconds", metric) for metric in asked}
    assert bare <= known
