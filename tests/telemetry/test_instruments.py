"""Counts belong to the service that counts, whatever the process was told about sharing them."""

import os
import subprocess
import sys

import pytest

CODE = """
import sys
from prometheus_client.parser import text_string_to_metric_families
from bpdemo.core.events import JobEnded, OrderAdmitted
from bpdemo.telemetry.metrics import Metrics
first, second = Metrics(), Metrics()
first.observe(OrderAdmitted())
first.observe(JobEnded(0.02))
for metrics in (first, second):
    body, _ = metrics.render()
    samples = [s for f in text_string_to_metric_families(body.decode()) for s in f.samples]
    print(*(s.value for s in samples
            if s.name in ("bpdemo_admitted_total", "bpdemo_service_seconds_count")))
"""


@pytest.mark.parametrize("folder", ["missing", "there"])
@pytest.mark.parametrize("name", ["PROMETHEUS_MULTIPROC_DIR", "prometheus_multiproc_dir"])
def test_no_count_is_shared_by_files(name, folder, tmp_path):
    """Each service begins at 0, also after one that ran before; no folder is needed or written."""
    if folder == "there":
        (tmp_path / "there").mkdir()
    for _ in range(2):
        ran = subprocess.run(
            [sys.executable, "-c", CODE],
            env=os.environ | {name: str(tmp_path / folder)},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert ran.stderr == ""
        assert ran.stdout.split("\n")[:2] == ["1.0 1.0", "0.0 0.0"]
    assert not list(tmp_path.rglob("*.db"))
