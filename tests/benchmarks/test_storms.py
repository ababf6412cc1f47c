"""The storm of the client policies: what is asked of whom, and what becomes a row."""

from collections.abc import Callable, Iterable

from benchmarks.storms import BOUNDED, EVERY_RETRY, POLICIES, Storm, policies_table
from bpdemo.core.choices import RETRY_POLICIES


def test_every_policy_has_a_row_with_a_figure_of_each_seed() -> None:
    """Whichever process it was played in."""
    asked: list[Storm] = []

    def each(_: Callable[..., object], storms: Iterable[Storm]) -> Iterable[list[float]]:
        for storm in storms:
            asked.append(storm)
            yield [3.0, float(storm.seed), 0.5]

    found = policies_table([11, 12], each)
    assert list(found.rows) == [EVERY_RETRY, *RETRY_POLICIES, BOUNDED]
    assert found.rows[BOUNDED] == [[3.0, 3.0], [11.0, 12.0], [0.5, 0.5]]
    assert {len(cells) for cells in found.rows.values()} == {len(found.columns)}
    assert asked == [Storm(policy, seed) for policy in POLICIES for seed in (11, 12)]
