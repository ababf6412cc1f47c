"""The alert rules: each fires when it should, and asks for metrics that the service has."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from bpdemo.lab.services.service import serve

RULES = Path(__file__).parents[2] / "stack" / "prometheus" / "alerts.yml"
METRIC = re.compile(r"\bbpdemo_\w+")


@pytest.mark.prometheus
def test_each_alert_fires_when_it_should_and_not_before():
    """Prometheus's own test of rules, over hand-made series."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("prometheus: no promtool in PATH")
    done = subprocess.run(
        [promtool, "test", "rules", "alerts_test.yml"],
        cwd=RULES.parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_metric_an_alert_asks_for_is_exposed():
    """A misspelt name would never fire, and nobody would notice."""
    asked = set(METRIC.findall(RULES.read_text(encoding="utf-8")))
    with serve(workers=2, name="alerts") as service:
        exposed = set(service.metrics()["name"])
    assert len(asked) >= 5
    assert asked <= exposed
