"""The books in plain Python are those of numpy: of any run, the same figures."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st

from bpdemo.lab.services.simulation import simulate
from bpdemo.results.frame import frame_of
from bpdemo.results.looks import told_of_looks
from bpdemo.results.meta import Meta
from bpdemo.results.percentile import percentile
from bpdemo.results.records import Records, Samples
from bpdemo.results.sentence import sentence_of
from bpdemo.results.summary import summary_of
from bpdemo.sim import books
from bpdemo.sim.crowd import Ended
from bpdemo.sim.play import play
from tests.support.examples import examples

#: Times on the edges of bins and of the run too, and outside it.
TIMES = st.one_of(
    st.sampled_from([0.0, 0.1, 0.30000000000000004, 0.5, 1.0, 2.0, 2.5, 3.0]), st.floats(-1, 5)
)
LATENCIES = st.one_of(st.sampled_from([0.0, 0.04, 0.5]), st.floats(0, 100))
ORDERS = st.lists(st.tuples(TIMES, LATENCIES, st.integers(0, 3)), max_size=40)
SAMPLES = st.lists(
    st.tuples(
        TIMES, st.integers(0, 99), st.integers(-1, 9), st.integers(0, 9), st.integers(0, 9),
        st.integers(0, 2), st.integers(0, 2), st.integers(0, 99), st.integers(0, 99),
    ),
    max_size=30,
)  # fmt: skip
METAS = st.builds(
    Meta,
    seconds=st.one_of(st.sampled_from([0.5, 1.0, 2.5, 3.0]), st.floats(0.1, 4)),
    bin_s=st.one_of(st.sampled_from([0.1, 0.5, 1.0]), st.floats(0.05, 2)),
    capacity_per_s=st.one_of(st.none(), st.floats(0.5, 50)),
    client_timeout_s=st.just(0.5),
)


def ended(order: tuple[float, float, int]) -> Ended:
    return Ended(*order, status=0, reason="", attempts=1, client="", priority="")


def assert_same(plain: Any, numpy: Any) -> None:
    """The same names in the same order, and under each the same numbers."""
    assert list(plain) == list(numpy)
    for name, values in plain.items():
        assert values == pytest.approx(np.asarray(numpy[name]), rel=1e-12, nan_ok=True), name


@profile(max_examples=examples(200))
@given(ORDERS, st.lists(TIMES, max_size=40), SAMPLES, METAS, st.floats(0, 0.45), st.data())
def test_plain_and_numpy_agree_on_any_run(
    orders: list[tuple[float, float, int]],
    attempts_s: list[float],
    samples: list[tuple[float, ...]],
    meta: Meta,
    start: float,
    data: st.DataObject,
) -> None:
    """Summary of the whole and of a part, frame, and the sentence made of them."""
    t_s, latency_s, fate = zip(*orders, strict=True) if orders else ((), (), ())
    records = Records.of(t_s, latency_s, fate, attempt_t_s=attempts_s)
    over = [ended(order) for order in orders]
    plain = books.summary(over, attempts_s, meta)
    assert_same(plain, summary_of(records, meta))
    assert sentence_of(plain, meta) == sentence_of(summary_of(records, meta), meta)
    start_s = start * meta.seconds
    end_s = data.draw(st.floats(0.5, 1)) * meta.seconds
    part = books.summary(over, attempts_s, meta, start_s, end_s)
    assert_same(part, summary_of(records, meta, start_s, end_s))
    rows = books.frame(over, attempts_s, samples, meta)
    assert_same(rows, frame_of(records, Samples.of(samples), meta).to_dict("list"))


@profile(max_examples=examples(200))
@given(st.lists(st.floats(0, 1e6), min_size=1), st.sampled_from([0.0, 0.5, 0.95, 0.99, 1.0]))
def test_a_percentile_is_numpys_to_the_last_bit(values: list[float], share: float) -> None:
    """Also where it lies between two values."""
    assert percentile(sorted(values), share) == np.percentile(values, share * 100)


def test_of_nothing_there_is_no_percentile_and_no_look() -> None:
    """NaN, and not an error."""
    assert math.isnan(percentile([], 0.5))
    assert told_of_looks({}) == {}
    assert told_of_looks({"hit": [0.002, 0.001], "503": [0.003]}) == {
        "answers": {"hit": 2, "503": 1}, "p50_ms": 2.0, "p99_ms": 2.98,
    }  # fmt: skip


@pytest.mark.parametrize(
    "load",
    [
        {"times": 2, "seconds": 6},
        {"times": 1.5, "seconds": 5.3, "scenario": "spike", "retries": 2, "browse_per_s": 20},
        {"times": 3, "seconds": 4, "bin_s": 0.3, "changes": [(1, {"payment_outage": True})]},
        {"times": 1.5, "seconds": 4, "changes": [(2.2, {"workers": 2}), (1, {"workers": 12})]},
        {"times": 1, "seconds": 4, "changes": [(1.3, {"payment_latency_s": 0.2})]},
        {"rate": 5, "seconds": 4, "scenario": "closed"},
    ],
)
def test_a_play_is_what_simulate_makes_a_run_of(load: dict[str, Any]) -> None:
    """`lab.simulate` wraps `sim`: orders, samples, facts, summary and frame are the same."""
    played, run = play({"queue_capacity": 8}, **load), simulate({"queue_capacity": 8}, **load)
    assert played.meta() == run.meta
    assert sorted(order.t_s for order in played.orders) == run.records.t_s.tolist()
    assert_same(played.summary(), run.summary)
    assert_same(played.frame(), run.frame.to_dict("list"))
    assert played.sentence == run.sentence
