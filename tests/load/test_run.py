"""From records to frame, numbers, sentence and verdict; and to disk and back."""

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bpdemo.load.run import LoadRun
from bpdemo.picture.picture import side_by_side
from bpdemo.plan.fates import FAILED, LATE, OK, SHED
from bpdemo.results.frame import SERVER
from bpdemo.results.meta import Meta
from bpdemo.results.records import Records, Samples
from bpdemo.results.validity import NotMeasured

META = Meta(name="box", seconds=2.0, bin_s=1.0, capacity_per_s=4.0, planned=8, sent=8)
SAMPLES = Samples.of(
    [
        (0.1, 2, 32, 8, 4, 0, 0),
        (0.6, 4, 32, 8, 8, 0, 2),
        (1.5, 6, 10, 16, 8, 1, 2),
    ]
)


def records() -> Records:
    """Six orders in the first second, two in the second, one of each fate at least."""
    return Records.of(
        [0.0, 0.1, 0.2, 0.3, 0.4, 0.9, 1.0, 1.9],
        [0.1, 0.2, 0.3, 0.5, 0.001, 0.2, 0.1, 0.1],
        [OK, OK, OK, LATE, SHED, FAILED, OK, OK],
        reason=["", "", "", "caller_left", "queue_full", "downstream_failed", "", ""],
        client=["a", "b", "a", "b", "b", "a", "a", "b"],
        priority=["1", "1", "3", "1", "1", "1", "3", "1"],
        attempt_t_s=[0.0, 0.1, 0.2, 0.3, 0.4, 0.45, 0.9, 1.0, 1.9],
    )


def run(**meta: Any) -> LoadRun:
    return LoadRun(records(), SAMPLES, replace(META, **meta))


def test_each_order_counts_once_in_the_bin_of_its_intended_send() -> None:
    """The fates of a bin add up to what was offered in it."""
    frame = run().frame
    assert frame["t_s"].tolist() == [0.0, 1.0]
    assert frame["offered_per_s"].tolist() == [6, 2]
    assert frame["ok_per_s"].tolist() == [3, 2]
    assert frame["late_per_s"].tolist() == [1, 0]
    assert frame["shed_per_s"].tolist() == [1, 0]
    assert frame["failed_per_s"].tolist() == [1, 0]
    assert frame["attempts_per_s"].tolist() == [7, 2]


@pytest.mark.parametrize(
    ("turns", "possible_per_s"),
    [
        ((), (4 + 2) / 2),  # 6 and 2 are offered, and 4 could be served each second
        (((1.0, 1.0),), (4 + 1) / 2),
        (((0.5, 1.0),), (2.5 + 1) / 2),
        (((0.5, 0.0), (1.0, 8.0)), (2 + 2) / 2),
        (((5.0, 0.0),), (4 + 2) / 2),  # after its end
    ],
)
def test_what_was_possible_follows_the_capacity(turns, possible_per_s) -> None:
    """A dependency that slows down on the way is not held against the service: each second counts
    with the capacity of that second, in the figure and in the sentence."""
    summary = run(turns=turns).summary
    assert summary["goodput_of_possible"] == pytest.approx(2.5 / possible_per_s)
    assert summary["capacity_per_s"] == 4.0
    assert summary["goodput_share"] == pytest.approx(2.5 / 4)
    known = len(run(turns=turns).meta.capacities) > 1
    assert ("of what was possible" in run(turns=turns).sentence) == known


def test_what_was_possible_in_a_part_of_a_run() -> None:
    """Seconds are those of the run, not of the part that is looked at."""
    late = run(turns=((1.0, 1.0),)).between(1.0, 2.0)
    assert late["goodput_of_possible"] == pytest.approx(2 / 1)


def test_percentiles_are_those_of_the_customers_let_in() -> None:
    """Quick refusals do not make the service look quick."""
    frame = run().frame
    first = np.percentile([100, 200, 300, 500], [50, 95, 99])
    assert frame.loc[0, ["p50_ms", "p95_ms", "p99_ms"]].to_numpy() == pytest.approx(first)


def test_server_columns_are_means_last_values_and_worst_states() -> None:
    """Depth is a mean, a setting its last value, a breaker its worst state."""
    frame = run().frame
    assert frame["queue_depth"].tolist() == [3, 6]
    assert frame["workers_busy"].tolist() == [6, 8]
    assert frame["queue_capacity"].tolist() == [32, 10]
    assert frame["workers"].tolist() == [8, 16]
    assert frame["breaker_payment"].tolist() == [0, 1]
    assert frame["breaker_store"].tolist() == [2, 2]


def test_a_last_bin_that_is_short_has_its_own_width() -> None:
    """Two orders in the last half second are four a second."""
    short = LoadRun(Records.of([1.1, 1.2], 0.1, OK), SAMPLES, replace(META, seconds=1.5))
    assert short.frame["offered_per_s"].tolist() == [0, 4]


@pytest.mark.parametrize(("by", "labels"), [("client", ["a", "b"]), ("priority", ["1", "3"])])
def test_the_frame_splits_by_label(by: str, labels: list[str]) -> None:
    """The parts add up to the whole, bin by bin."""
    whole, parts = run().frame, run().split(by)
    assert sorted(set(parts[by])) == labels
    for column in ("offered_per_s", "ok_per_s", "shed_per_s"):
        assert parts.groupby("t_s")[column].sum().tolist() == whole[column].tolist()
    assert LoadRun(records(), SAMPLES, META, by).frame.equals(parts)
    with pytest.raises(ValueError, match="client, priority"):
        run().split("item")


def test_the_summary_is_in_rates_over_the_whole_run() -> None:
    """Goodput's share is of capacity; of what could be sold, low load is not held against it."""
    summary = run().summary
    assert summary["offered_per_s"] == 4
    assert summary["goodput_per_s"] == 2.5
    assert summary["goodput_share"] == 2.5 / 4
    assert (summary["late_per_s"], summary["shed_per_s"], summary["failed_per_s"]) == (0.5,) * 3
    assert summary["served_share"] == 5 / 8
    assert summary["goodput_of_possible"] == pytest.approx(2.5 / 3)
    assert summary["p50_ms"] == pytest.approx(150)


def test_a_part_of_a_run_has_a_summary_of_its_own() -> None:
    """`between` looks at the peak of a spike alone."""
    assert run().between(1, 2)["offered_per_s"] == 2
    with pytest.raises(ValueError, match="start_s < end_s"):
        run().between(1, 9)


def test_a_run_with_no_order_has_a_frame_and_a_sentence() -> None:
    """Nothing recorded is not an error."""
    empty = LoadRun(Records.of([], [], []), Samples.none(), META)
    assert empty.sentence == "No request was sent."
    assert len(empty.frame) == 2
    assert np.isnan(empty.summary["p99_ms"])


@pytest.mark.parametrize(
    ("scenario", "start"),
    [
        ("steady", "Goodput 62% of capacity at 1.0× load. "),
        ("spike", "Goodput 83% of what was possible in a spike to 2.0× capacity. "),
        ("ramp", "Goodput 83% of what was possible in a ramp to 2.0× capacity. "),
        ("sustained", "Goodput 83% of what was possible in a sustained load of 2.0× capacity. "),
        ("retry_storm", "Goodput 83% of what was possible in a retry storm at 2.0× load. "),
        ("closed", "62% of requests served with 8 users in a closed loop. "),
    ],
)
def test_the_sentence_tells_load_and_outcome(scenario: str, start: str) -> None:
    """Goodput first; then losses by their words, the worst first; what never ended is 'above'."""
    told = run(scenario=scenario, rate_per_s=8.0).sentence
    assert told.startswith(start)
    assert told.endswith("12% of requests were late, 12% shed and 12% failed; p99 490 ms.")
    assert "p99 above 400 ms" in run(client_timeout_s=0.4).sentence


def test_a_good_run_is_valid() -> None:
    """`require_valid` gives the run back, to be asserted on in the same line."""
    good = run(loop_lag_p99_s=0.01)
    assert good.require_valid() is good


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"planned": 1000, "sent": 979}, "97.9% of the load"),
        ({"loop_lag_p99_s": 0.021}, "event-loop lag was 21 ms"),
        ({"clock_jump_s": 3.0}, "the clock jumped by 3.0 s"),
    ],
)
def test_a_busy_machine_proves_nothing(change: dict[str, float], told: str) -> None:
    """Each bound of its own makes the run `NotMeasured`, with the cause."""
    with pytest.raises(NotMeasured, match="Your machine was busy; this run proves nothing"):
        run(**change).require_valid()
    with pytest.raises(NotMeasured, match=told):
        run(**change).require_valid()
    run(**change, virtual=True).require_valid()


def test_orders_sent_late_prove_nothing() -> None:
    """A p99 of send lag above 50 ms spoils the run."""
    late = LoadRun(replace(records(), send_lag_s=np.full(8, 0.051)), SAMPLES, META)
    with pytest.raises(NotMeasured, match="send lag was 51 ms"):
        late.require_valid()


def test_requests_in_flight_are_kept_and_unknown_where_nobody_looked(tmp_path: Path) -> None:
    """A run saved by an older version does not tell them, and neither does what is saved of it."""
    looked = Samples.of([(0.1, 2, 32, 8, 4, 0, 0, 6), (0.6, 4, 32, 8, 8, 0, 2, 12)])
    kept = LoadRun(records(), looked, META).save(tmp_path / "new.json")
    assert LoadRun.open(kept).samples.in_flight.tolist() == [6, 12]
    old = run().save(tmp_path / "old.json")
    assert "in_flight" not in json.loads(old.read_text())["samples"]
    assert np.isnan(LoadRun.open(old).samples.in_flight).all()


@pytest.mark.parametrize("name", ["run.json", "run.json.gz"])
def test_a_saved_run_opens_as_it_was(tmp_path: Path, name: str) -> None:
    """Frame, sentence, labels and marks survive the disk."""
    before = run(marks=((0.5, "workers 8 → 16"),), turns=((0.5, 8.0),))
    after = LoadRun.open(before.save(tmp_path / name))
    assert after.frame.equals(before.frame)
    assert after.split("client").equals(before.split("client"))
    assert after.sentence == before.sentence
    assert after.meta == before.meta
    assert after.reasons == before.reasons


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"not json", "is not a run saved by bpdemo"),
        (b'{"format":"other"}', "is not a run saved by bpdemo"),
        (b"[1,2]", "is not a run saved by bpdemo"),
        (gzip.compress(b"{}", mtime=0), "is not a run saved by bpdemo"),
        (b"\x1f\x8bbroken", "is not a run saved by bpdemo"),
        (json.dumps({"format": "bpdemo-run", "version": 9}).encode(), "version 9"),
        (json.dumps({"format": "bpdemo-run", "version": 2}).encode(), "damaged"),
    ],
)
def test_a_foreign_file_is_refused_in_one_line(tmp_path: Path, content: bytes, told: str) -> None:
    """A ValueError names the file and says what is wrong."""
    path = tmp_path / "odd.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=told) as caught:
        LoadRun.open(path)
    assert "odd.json" in str(caught.value)


def test_a_million_orders_are_binned_without_losing_one() -> None:
    """None falls between two bins, and none into both."""
    rng = np.random.default_rng(0)
    many = 1_000_000
    big = Records.of(rng.random(many) * 100, rng.exponential(0.1, many), rng.integers(0, 4, many))
    frame = LoadRun(big, SAMPLES, replace(META, seconds=100.0)).frame
    assert frame["offered_per_s"].sum() == many


@pytest.mark.parametrize(
    ("late", "shed", "failed", "told"),
    [
        (0, 0, 8, "10% of requests failed"),
        (0, 24, 40, "50% of requests failed and 30% were shed"),
        (16, 24, 40, "50% of requests failed, 30% were shed and 20% were late"),
        (40, 0, 8, "50% of requests were late and 10% failed"),
        (8, 40, 16, "50% of requests were shed, 20% failed and 10% late"),
    ],
)
def test_requests_were_late_or_shed_but_they_failed(
    late: int, shed: int, failed: int, told: str
) -> None:
    """The verb fits the fate that stands behind it, wherever the worst of them is."""
    fates = [LATE] * late + [SHED] * shed + [FAILED] * failed
    fates += [OK] * (80 - len(fates))
    records = Records.of(np.linspace(0, 1.9, 80), np.full(80, 0.1), fates)
    assert told + ";" in LoadRun(records, Samples.none(), META).sentence


@pytest.mark.parametrize("by", ["client", "priority"])
def test_a_split_run_draws_the_whole_of_it(by: str) -> None:
    """The frame alone is split: of a picture with rows of several labels nobody could tell bins."""
    whole, split = run(), LoadRun(records(), SAMPLES, META, by)
    assert split.figure() == whole.figure()
    assert side_by_side(split, whole, names=("a", "b")) == side_by_side(
        whole, split, names=("a", "b")
    )
    assert [*split.bins] == [*whole.frame]


def test_a_bin_shows_what_was_seen_in_it() -> None:
    """What nobody looked at counts for nothing, and a bin without any look shows nothing."""
    nan = np.nan
    rows = [
        (0.1, 2, 32, 8, nan, 2, 0, 0, 4),
        (0.2, 4, nan, 9, 3, nan, 0, 0, nan),
        (0.9, nan, 16, nan, 5, 1, 0, 0, 6),
        (2.0, 9, 9, 9, 9, 2, 2, 0, 9),  # the run is over
    ]
    bins = LoadRun(records(), Samples.of(rows), META).bins
    assert {name: bins[name][0] for name in SERVER} == {
        "queue_depth": 3,
        "queue_capacity": 16,
        "workers_busy": 4,
        "workers": 9,
        "breaker_payment": 2,
        "breaker_store": 0,
        "limit": 5,
    }
    assert all(np.isnan(bins[name][1]) for name in SERVER)
