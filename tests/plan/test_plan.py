"""A plan rejects what cannot be driven, and gets to the child unchanged."""

from typing import Any

import pytest

from bpdemo.plan.plan import Plan


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("rate_per_s", -3),
        ("rate_per_s", float("nan")),
        ("rate_per_s", "fast"),
        ("rate_per_s", True),
        ("seconds", 0),
        ("client_timeout_s", 0),
        ("retries", 21),
        ("retries", 1.5),
        ("retry_budget", 1.1),
        ("retry_policy", "finagle"),
        ("browse_per_s", -1),
        ("item_id", 101),
        ("seed", 0.5),
        ("scenario", "flood"),
        ("backoff", "later"),
        ("jitter", "some"),
        ("priorities", (("9", 1.0),)),
        ("clients", (("greedy", -1.0),)),
    ],
)
def test_a_bad_value_is_named_with_its_field(field: str, value: Any) -> None:
    """One ValueError names the field and the value, and says what would do."""
    with pytest.raises(ValueError, match="must be") as caught:
        Plan(**{"rate_per_s": 10, field: value})
    told = str(caught.value)
    assert field in told or "weight of 'greedy'" in told
    assert repr(value) in told or "'9'" in told or "-1" in told


def test_a_plan_survives_the_way_to_the_child() -> None:
    """JSON there and back gives an equal plan, mixes and all."""
    plan = Plan(120.5, 3, "spike", clients=(("fair", 9.0), ("greedy", 1.0)), retry_budget=0.1)
    assert Plan.from_json(plan.to_json()) == plan


def test_a_retry_storm_is_three_instant_retries() -> None:
    """The scenario brings its retries along and refuses others."""
    storm = Plan(10, scenario="retry_storm")
    assert (storm.retries, storm.backoff) == (3, "none")
    assert Plan.from_json(storm.to_json()) == storm
    with pytest.raises(ValueError, match="three instant retries"):
        Plan(10, scenario="retry_storm", retries=2)


def test_a_share_knows_which_part_it_is() -> None:
    """Each keeps the seed and the rate of the whole; one of them watches the server."""
    plan = Plan(100, browse_per_s=30, seed=7)
    shares = [plan.share(i, 3) for i in range(3)]
    assert [share.part for share in shares] == [(0, 3), (1, 3), (2, 3)]
    assert {(share.rate_per_s, share.browse_per_s, share.seed) for share in shares} == {
        (100, 30, 7)
    }
    assert [share.watch for share in shares] == [True, False, False]
    assert Plan.from_json(shares[1].to_json()) == shares[1]


def test_shares_of_a_closed_load_are_whole_users() -> None:
    """Ten users over three processes are 4, 3 and 3, of one load."""
    shares = [Plan(10, scenario="closed").share(i, 3) for i in range(3)]
    assert [share.rate_per_s for share in shares] == [4, 3, 3]
    assert {share.seed for share in shares} == {0}
    assert [share.part for share in shares] == [(0, 3), (1, 3), (2, 3)]


def test_settling_takes_as_long_as_the_retries_but_not_for_ever() -> None:
    """The wait for the last orders follows from patience and retries, up to ten seconds."""
    assert Plan(10, client_timeout_s=0.5).grace_s == 0.5
    assert Plan(10, client_timeout_s=0.5, retries=3).grace_s == 2.0
    assert Plan(10, client_timeout_s=0.5, retries=3, backoff="retry_after").grace_s == 10.0
    assert Plan(10, client_timeout_s=30).grace_s == 30
