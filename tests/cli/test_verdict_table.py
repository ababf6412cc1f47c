"""The table below a load says the same as the sentence below it."""

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from bpdemo.cli.commands import what_counts
from bpdemo.cli.rows import Rows
from bpdemo.cli.verdict_table import POSSIBLE, show_verdict
from bpdemo.core.choices import SCENARIOS, Scenario
from bpdemo.core.settings import Settings
from bpdemo.lab.services.simulation import simulate
from bpdemo.load.run import LoadRun
from bpdemo.load.target import TargetFacts
from bpdemo.plan.request import Request

PAGE = Path(__file__).parents[2] / "docs" / "load.md"


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
    and else it is above the timeout."""
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


def test_the_page_shows_what_is_printed() -> None:
    """Each line of the table, the sentence and what it is of, as `docs/load.md` has them."""
    run = simulate(Settings(queue_capacity=8), rate=400, seconds=20, scenario="spike", seed=0)
    page = io.StringIO()
    show_verdict(run, Console(file=page, width=110))
    shown = [line.split() for line in PAGE.read_text(encoding="utf-8").splitlines()]
    for line in page.getvalue().splitlines():
        assert line.split() in shown


@pytest.mark.parametrize(
    ("request_", "user", "is_orders"),
    [
        (None, None, True),
        (Request("POST", "/orders", json={"item_id": 1, "quantity": 1}), None, True),
        (Request("GET", "/items/1"), None, False),
        (Request("GET", "/orders"), None, False),
        (None, Path("buyers.py"), False),
    ],
)
def test_only_orders_are_held_against_the_capacity_for_orders(
    request_: Request | None, user: Path | None, is_orders: bool
) -> None:
    """What asks for something else has no capacity, in the table and in the sentence."""
    told = TargetFacts("http://127.0.0.1:1", 190.5, {"workers": 8})
    counted = what_counts(told, request_, user)
    assert counted.capacity_per_s == (190.5 if is_orders else None)
    assert counted.settings == told.settings


def test_a_run_that_proves_nothing_says_so_before_any_figure() -> None:
    """In the words that stand on its picture, too."""
    run = simulate(Settings(), rate=50, seconds=2)
    busy = LoadRun(run.records, run.samples, replace(run.meta, virtual=False, loop_lag_p99_s=0.5))
    page = io.StringIO()
    show_verdict(busy, Console(file=page, width=110))
    assert page.getvalue().lstrip().startswith("NOT MEASURED. Your machine was busy")
    assert page.getvalue().index("NOT MEASURED") < page.getvalue().index("offered")
