"""The judge's report, and where it says to begin."""

from pathlib import Path

import numpy as np
import pytest

from bpdemo.cli.judge import grading
from bpdemo.cli.judge.beginning import Beginning
from bpdemo.cli.judge.grading import Judgement
from bpdemo.cli.judge.report import write_judge_report
from bpdemo.cli.judge.trials import Trials
from bpdemo.load.capacity import Capacity
from bpdemo.load.capacity_search import Search, Step
from bpdemo.load.run import LoadRun
from bpdemo.load.target import TargetFacts
from bpdemo.plan.fates import OK
from bpdemo.plan.request import Request
from bpdemo.results.meta import Meta
from bpdemo.results.records import Records, Samples

CODE = "Rule(concurrency=8, queue_capacity=8)"


def page_of(folder: Path, findings: list[Judgement]) -> str:
    t_s = np.arange(0, 8, 0.01)
    run = LoadRun(
        Records.of(t_s, 0.1, np.full(len(t_s), OK)),
        Samples.none(),
        Meta(name="2× capacity", seconds=8, planned=len(t_s), sent=len(t_s), capacity_per_s=192),
    )
    steps = (Step(200, 5, 201, 192), Step(280, 5, 280, 190), Step(200, 5, 200, 191, kind="repeat"))
    trials = Trials(
        TargetFacts("http://127.0.0.1:1"), Request("POST", "/pay"), 0.5, lambda _: None,
        runs={"2× capacity": run},
        capacity=Capacity.of("shop:app", 0.5, Search(192, "", steps)),
        beginning=Beginning(192, 0.042),
    )  # fmt: skip
    return write_judge_report(folder / "r.html", "shop:app", trials, findings, 85).read_text()


def test_a_report_has_verdict_advice_and_pictures(tmp_path: Path) -> None:
    """Grades have a sign as well as a word, it says why a title may differ, what was sent and with
    what; and it needs no network."""
    page = page_of(tmp_path, [grading.goodput_kept(2, 0.1), grading.goodput_kept(5, 0.9)])
    for words in (
        "✗ bad", "✓ good", "It collapses under overload", "The verdict leaves out the beginning",
        "POST /pay", "500 ms", "85 s", "<pre>from bpdemo.protect import AdmissionControl", CODE,
        "192 requests a second",
    ):  # fmt: skip
        assert words in page
    assert page.count("<figure") == 2
    assert 'src="http' not in page


def test_where_nothing_is_left_to_do_nothing_is_begun(tmp_path: Path) -> None:
    """A service that holds is not told to add what it may have already."""
    assert CODE not in page_of(tmp_path, [grading.goodput_kept(2, 0.97)])


@pytest.mark.parametrize(
    ("finding", "needs"),
    [
        (grading.goodput_kept(2, 0.97), False),
        (grading.goodput_kept(2, 0.75), True),
        (grading.recovery(9.0), True),
        (grading.not_judged("Retry-After", "there were none"), False),
        (grading.work_for_leavers(0.1, 0.01), False),
    ],
)
def test_a_limit_helps_with_all_but_work_for_leavers(finding: Judgement, needs: bool) -> None:
    """What is in progress for those who left goes on, whatever is let in."""
    assert grading.needs_a_limit([finding]) == needs


@pytest.mark.parametrize(
    ("per_s", "rest_s", "concurrency", "queue_capacity"),
    [(192, 0.042, 8, 8), (195, 0.2, 39, 39), (500, 0.002, 1, 4), (10, 0.01, 1, 4)],
)
def test_a_first_limit_is_what_is_in_progress_at_capacity(
    per_s: float, rest_s: float, concurrency: int, queue_capacity: int
) -> None:
    """Little's law, one at least; and a few may wait even where few are served."""
    begin = Beginning(per_s, rest_s)
    assert (begin.concurrency, begin.queue_capacity) == (concurrency, queue_capacity)
    assert f"concurrency={concurrency}, queue_capacity={queue_capacity})" in begin.code
