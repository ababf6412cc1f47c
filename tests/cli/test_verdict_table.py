"""The table below a load says the same as the sentence below it."""

import io
import re

import pytest
from rich.console import Console

from bpdemo.cli.rows import Rows
from bpdemo.cli.verdict_table import POSSIBLE, show_verdict
from bpdemo.core.choices import SCENARIOS, Scenario
from bpdemo.core.settings import Settings
from bpdemo.lab.services.simulation import simulate


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("times", [0.5, 3.0])
def test_there_is_one_goodput_and_its_whole_is_explained(scenario: Scenario, times: float) -> None:
    """Whatever the shape of the load: the share in the table is that of the sentence if that gives
    one, and *what was possible* is explained wherever the two words stand."""
    rate = 20 if scenario == "closed" else round(times * 190)
    run = simulate(Settings(), rate=rate, seconds=3, scenario=scenario)
    page = io.StringIO()
    show_verdict(run, Console(file=page, width=110))
    told = page.getvalue()
    assert (POSSIBLE in told) == ("of what was possible" in run.sentence)
    [in_table] = re.findall(r"goodput (\d+%|under 1%) of", told)
    if in_sentence := re.match(r"Goodput (\d+%|under 1%) of", run.sentence):
        assert in_table == in_sentence[1]


def test_a_wait_that_timed_out_is_no_latency() -> None:
    """In the rows it is more than the timeout; in the table there is none where nobody was served,
    and else it is over the timeout."""
    slow = Settings.unprotected(payment_latency_s=0.7)
    run = simulate(slow, rate=100, seconds=4)
    assert run.summary["goodput_per_s"] == 0
    page = io.StringIO()
    console = Console(file=page, width=110)
    with Rows(console) as rows:
        rows.show(run)
    show_verdict(run, console)
    told = page.getvalue()
    assert ">500" in told
    assert not re.search(r"\b500 ms *$", told, re.MULTILINE)
    assert re.search(r"p99 of served and late +- *$", told, re.MULTILINE)
