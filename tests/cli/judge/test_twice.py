"""Services that are judged by real loads, twice: each gets the verdict that fits it, both times."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from bpdemo.results.validity import NotMeasured
from tests.cli.judge.targets import SERVICES, Service
from tests.support.command import Run
from tests.support.measured import until_measured

#: All five take some twenty-five minutes: BPDEMO_JUDGED=all. These two take three minutes each.
CHOSEN = os.environ.get("BPDEMO_JUDGED", "limited protected").split()
ORDER = {"good": 0, "unclear": 1, "bad": 2}


@pytest.mark.load
@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    "service", [s for s in SERVICES if s.name in CHOSEN or CHOSEN == ["all"]], ids=lambda s: s.name
)
def test_a_second_run_moves_no_verdict_by_more_than_one_grade(
    service: Service, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And each of them is within one grade of the verdict that fits; what the service has no
    refusals to judge by stays not judged. Both capacities are near 8 ÷ 40 ms = 200 a second."""
    monkeypatch.chdir(tmp_path)

    def judge() -> dict[str, Any]:
        with service.running(tmp_path) as target:
            code, out, err = run("judge", target, "--out", tmp_path / "report")
        if "this machine could not send" in out:
            raise NotMeasured([line for line in out.splitlines() if "could not send" in line])
        assert code == 0, out + err
        told: dict[str, Any] = json.loads((tmp_path / "report" / "judge.json").read_text())
        return told

    first, second = (until_measured(judge, tries=3) for _ in range(2))
    for told in (first, second):
        assert told["capacity"]["per_s"] == pytest.approx(200, rel=0.15)
    found = [[finding["grade"] for finding in told["findings"]] for told in (first, second)]
    print(f"{service.name}: {found}, in {first['took_s']} s and {second['took_s']} s")
    for once, again, fits in zip(*found, service.grades, strict=True):
        if fits == "not judged":
            assert (once, again) == (fits, fits), found
        else:
            grades = ORDER[once], ORDER[again], ORDER[fits]
            assert max(grades) - min(grades) <= 1, found
