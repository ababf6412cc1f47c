"""`bpdemo judge`: what its trials read out of a run, and what it says where nothing is found."""

import json
from math import inf
from pathlib import Path

import numpy as np
import pytest

from bpdemo.cli.judge import measures, trials
from bpdemo.cli.judge.grading import goodput_kept, overall
from bpdemo.load.run import LoadRun
from bpdemo.plan.fates import FAILED, LATE, OK, SHED
from bpdemo.results.meta import Meta
from bpdemo.results.records import Records, Samples
from tests.load.stub import Answer, StubServer
from tests.support.command import Run


def spike(lost_until_s: float) -> LoadRun:
    """100 a second for 15 s; what is sent from the spike's begin until then is late."""
    t_s = np.arange(0, 15, 0.01)
    fate = np.where((t_s >= 5) & (t_s < lost_until_s), LATE, OK)
    meta = Meta(seconds=15, planned=len(t_s), sent=len(t_s))
    return LoadRun(Records.of(t_s, 0.1, fate), Samples.none(), meta)


@pytest.mark.parametrize(
    ("lost_until_s", "after_s"), [(5, 0), (10, 0), (11, 1), (12.5, 2.5), (15, inf)]
)
def test_recovery_is_when_it_serves_again_and_goes_on_so(
    lost_until_s: float, after_s: float
) -> None:
    """In half seconds from the end of the spike; never, if the run ends before."""
    assert measures.recovered_s(spike(lost_until_s)) == after_s


def of(ok: int, shed: int) -> LoadRun:
    fate = [OK] * ok + [SHED] * shed
    return LoadRun(Records.of(np.linspace(0, 7.9, len(fate)), 0.1, fate), Samples.none(), Meta())


def test_what_a_refusal_costs() -> None:
    """What is left of the CPU time once the served ones have had theirs."""
    half = of(100, 0)  # 1 s of CPU time: 10 ms each
    assert measures.refusal_cost_of(half, 1.0, of(200, 400), 2.4) == pytest.approx(0.1)
    assert measures.refusal_cost_of(half, 1.0, of(200, 0), 2.0) is None
    assert measures.refusal_cost_of(half, None, of(200, 400), None) is None


def served_of(capacity: int, ok: int, late: int, failed: int, shed: int) -> LoadRun:
    """Each second, so many of each."""
    fate = [OK] * ok + [LATE] * late + [FAILED] * failed + [SHED] * shed
    t_s = np.concatenate([np.linspace(second, second + 0.99, len(fate)) for second in range(8)])
    meta = Meta(seconds=8, capacity_per_s=capacity)
    return LoadRun(Records.of(t_s, 0.1, fate * 8), Samples.none(), meta)


@pytest.mark.parametrize(
    ("each_second", "cause"),
    [
        ({"ok": 20, "late": 480}, "late"),
        ({"ok": 60, "late": 40, "shed": 400}, "late"),
        ({"ok": 60, "late": 20, "shed": 420}, "late"),
        ({"ok": 60, "late": 10, "shed": 430}, "refused"),
        ({"ok": 20, "shed": 480}, "refused"),
        ({"ok": 20, "late": 10, "failed": 470}, "failed"),
        ({"ok": 60, "late": 10, "failed": 30, "shed": 400}, "failed"),
        ({"ok": 20, "late": 39, "failed": 39, "shed": 402}, "late"),
        ({"ok": 20, "late": 30, "failed": 39, "shed": 411}, "failed"),
        ({"ok": 20, "late": 39, "failed": 30, "shed": 411}, "late"),
        ({"ok": 20, "late": 45, "failed": 400, "shed": 35}, "late"),
        ({"ok": 20, "late": 19, "failed": 19, "shed": 442}, "refused"),
    ],
)
def test_where_lost_goodput_went_is_told_as_it_was(each_second: dict[str, int], cause: str) -> None:
    """A service that answers everybody at once with an error or a refusal does no work for clients
    that have stopped waiting, and is not told that it does."""
    run = served_of(100, **{"ok": 0, "late": 0, "failed": 0, "shed": 0} | each_second)
    assert measures.lost_to(run, 100, 1.0) == cause
    assert measures.failed_share(run, 1.0) == pytest.approx(
        each_second.get("failed", 0) / sum(each_second.values()), abs=0.01
    )
    found = goodput_kept(5, measures.kept(run, 100, 1.0), measures.lost_to(run, 100, 1.0))
    assert found.grade == "bad"
    assert ("stopped waiting" in found.sentence) == (cause == "late")
    assert ("clients have left" in overall([found])) == (cause == "late")


@pytest.mark.parametrize("ok", [20, 60])
def test_refusals_are_blamed_only_where_late_and_failed_are_few(ok: int) -> None:
    """For each mix of the two: a verdict that most of the loss went into neither is true, and no
    loss half of which can have gone into the two together is put down to refusals."""
    lost = 100 - ok
    for late in range(0, lost + 1, 7):
        for failed in range(0, lost + 1, 7):
            run = served_of(100, ok=ok, late=late, failed=failed, shed=400)
            is_little = late + failed < lost / 2
            assert (measures.lost_to(run, 100, 1.0) == "refused") == is_little, (late, failed)


def test_the_verdict_names_each_way_in_which_goodput_was_lost() -> None:
    """Errors at twice its capacity and late answers at five times: both, each once."""
    mixed = [goodput_kept(2, 0.3, "failed"), goodput_kept(5, 0.2, "late")]
    assert "end in errors, and it is busy with requests whose clients have left." in overall(mixed)
    alike = [goodput_kept(2, 0.3, "late"), goodput_kept(5, 0.2, "late")]
    assert overall(alike).count("clients have left") == 1


def test_what_could_not_be_sent_is_not_judged() -> None:
    """With the reason, and no figure."""
    good = LoadRun(spike(5).records, Samples.none(), Meta(seconds=15, planned=1500, sent=1500))
    busy = LoadRun(spike(5).records, Samples.none(), Meta(seconds=15, planned=3000, sent=1500))
    judged = trials._if_valid(good, "goodput at 2×", lambda: goodput_kept(2, 0.9))
    refused = trials._if_valid(busy, "goodput at 2×", lambda: goodput_kept(2, 0.9))
    assert (judged.grade, refused.grade, refused.value) == ("good", "not judged", None)
    assert "only 50.0% of the load was sent" in refused.sentence


def test_a_request_that_is_wrong_ends_it(run: Run, tmp_path: Path) -> None:
    """Exit code 1, the reason in a sentence, and in report and JSON; no load was sent."""
    with StubServer(lambda n: Answer(404)) as server:
        code, out, _ = run("judge", server.url, "--request", "PUT /x", "--out", tmp_path / "r")
        assert server.orders < 20
    assert code == 1
    assert "status 404" in out
    told = json.loads((tmp_path / "r" / "judge.json").read_text())
    assert told["capacity"]["found"] is False
    assert "status 404" in told["verdict"]
    assert told["findings"] == []
    page = (tmp_path / "r" / "judge.html").read_text()
    assert "status 404" in page
    assert 'src="http' not in page


def test_an_application_that_does_not_start_is_one_line(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looked up from the current folder; exit code 1, no report."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop.py").write_text("app = 7")
    code, out, err = run("judge", "shop:app", "--out", tmp_path / "r")
    assert (code, out, (tmp_path / "r").exists()) == (1, "", False)
    assert "shop:app is no ASGI application but int" in err
    assert err.count("\n") == 1
