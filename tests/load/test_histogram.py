"""Quantiles out of a Prometheus histogram, and samples out of /stats."""

import pytest

from bpdemo.load.histogram import buckets_of, quantile
from bpdemo.load.watcher import Watcher

PAGE = """# TYPE lag histogram
lag_bucket{le="0.01"} 90
lag_bucket{le="0.02"} 100
lag_bucket{le="+Inf"} 100
lag_bucket{worker="2",le="0.01"} 10
other_bucket{le="0.01"} 7
lag_sum 3
"""


def test_buckets_are_summed_over_other_labels() -> None:
    """Only the metric asked for is read."""
    assert buckets_of(PAGE, "lag") == {0.01: 100, 0.02: 100, float("inf"): 100}


@pytest.mark.parametrize(
    ("counts", "q", "value"),
    [
        ({0.01: 90, 0.02: 100, float("inf"): 100}, 0.95, 0.015),
        ({0.01: 100, float("inf"): 100}, 0.5, 0.005),
        ({0.01: 0, float("inf"): 100}, 0.99, 0.01),
        ({0.01: 0, float("inf"): 0}, 0.99, None),
        ({}, 0.99, None),
    ],
)
def test_a_quantile_is_linear_within_its_bucket(
    counts: dict[float, float], q: float, value: float | None
) -> None:
    """Beyond the last bound it is that bound; of nothing it is None."""
    found = quantile(counts, q)
    assert found is None if value is None else found == pytest.approx(value)


def test_the_watcher_counts_the_lag_of_this_run_only() -> None:
    """What stood in the histogram before the run is taken off."""
    pages = iter(
        [
            'bpdemo_event_loop_lag_seconds_bucket{le="0.001"} 0\n'
            'bpdemo_event_loop_lag_seconds_bucket{le="1"} 500\n',
            'bpdemo_event_loop_lag_seconds_bucket{le="0.001"} 100\n'
            'bpdemo_event_loop_lag_seconds_bucket{le="1"} 600\n',
        ]
    )
    watcher = Watcher(lambda path: next(pages), lambda: 0.0, lambda s: None)
    watcher.begin()
    assert watcher.loop_lag_p99_s() == pytest.approx(0.00099)


class Enough(Exception):
    """Ends a watcher's endless loop after its first look."""


@pytest.mark.parametrize("answer", [None, "not json", "{}", '{"queue":3}'])
def test_a_server_that_tells_nothing_is_not_an_error(answer: str | None) -> None:
    """The load goes on, unwatched."""

    def stop(_: float) -> None:
        raise Enough

    watcher = Watcher(lambda path: answer, lambda: 0.0, stop)
    with pytest.raises(Enough):
        watcher.run()
    assert watcher.take() == []
