"""What client libraries do about failures, held against what their makers publish."""

from random import Random

import pytest

from bpdemo.core.choices import RETRY_POLICIES, RetryPolicyName
from bpdemo.core.settings import Settings
from bpdemo.plan.fates import CALLER_LEFT, SHED
from bpdemo.plan.retry_policies import (
    UNSENT_REASON,
    AwsBucket,
    GrpcTokens,
    LinkerdBudget,
    SreThrottling,
    policy_of,
)
from bpdemo.sim.play import Play, play

BAD = [503, 429, 500, CALLER_LEFT]


@pytest.mark.parametrize("name", RETRY_POLICIES)
def test_while_all_goes_well_nothing_is_kept_back(name: str) -> None:
    """Every call may be made, and the odd failure is retried."""
    policy = policy_of(name, Random(1))  # type: ignore[arg-type]
    for number in range(2000):
        assert policy.may_call(number * 0.01)
        policy.hear(201, number * 0.01)
    policy.hear(503, 20.0)
    assert policy.may_retry(503, 20.0)


@pytest.mark.parametrize("name", sorted({*RETRY_POLICIES} - {"sre_throttling"}))
def test_in_an_outage_retries_end(name: str) -> None:
    """However many fail: after the first moment, at most ten a second and a fifth are retried."""
    policy = policy_of(name, Random(1))  # type: ignore[arg-type]
    retried = 0
    for number in range(10_000):  # a thousand a second
        now = number * 0.001
        policy.hear(503, now)
        if now > 1:
            retried += policy.may_retry(503, now)
        else:
            policy.may_retry(503, now)
    assert retried <= 0.2 * 10_000 + 100


@pytest.mark.parametrize(
    ("k", "accepted", "share"), [(2, 0.5, 0.0), (2, 0.25, 0.5), (1.1, 0.5, 0.45)]
)
def test_sre_throttling_rejects_what_its_formula_says(
    k: float, accepted: float, share: float
) -> None:
    """(requests − K · accepts) ÷ (requests + 1): with K 2 from half of them refused on."""
    policy = SreThrottling(Random(1), k)
    requests, accepts = 1000, round(1000 * accepted)
    policy._requests.extend([0.0] * requests)
    policy._accepts.extend([0.0] * accepts)
    sent = 0
    for _ in range(4000):
        sent += policy.may_call(1.0)
        policy._requests.pop()  # hold the state
    assert sent / 4000 == pytest.approx(1 - share, abs=0.03)


def test_sre_throttling_forgets_after_two_minutes() -> None:
    """And so calls again at full rate, however bad it was."""
    policy = SreThrottling(Random(1))
    for _ in range(1000):
        policy.may_call(0.0)
    assert sum(policy.may_call(119.0) for _ in range(100)) < 5
    assert policy.may_call(240.0)


@pytest.mark.parametrize("status", BAD)
def test_grpc_retries_while_more_than_half_of_its_tokens_are_left(status: int) -> None:
    """From ten: four failures leave six, which is enough; the fifth leaves five, which is not. Ten
    successes make up for one."""
    policy = GrpcTokens()
    for left in (9, 8, 7, 6):
        policy.hear(status, 0.0)
        assert policy._tokens == left
        assert policy.may_retry(status, 0.0)
    policy.hear(status, 0.0)
    assert not policy.may_retry(status, 0.0)
    for _ in range(11):
        policy.hear(201, 0.0)
    assert policy.may_retry(status, 0.0)


@pytest.mark.parametrize(("name", "status", "retries"), [
    ("aws_bucket", 503, 35), ("aws_bucket", CALLER_LEFT, 35), ("aws_bucket", 429, 100),
    ("aws_bucket_2025", 503, 100), ("aws_bucket_2025", 429, 100),
    ("aws_bucket_2025", CALLER_LEFT, 50),
])  # fmt: skip
def test_aws_pays_for_each_retry_out_of_five_hundred(name: str, status: int, retries: int) -> None:
    """14 a retry and 5 after a 429; formerly 5, and 10 after a timeout."""
    policy = policy_of(name, Random(1))  # type: ignore[arg-type]
    assert sum(policy.may_retry(status, 0.0) for _ in range(1000)) == retries


def test_aws_gives_back_what_a_retry_cost_that_succeeds_and_one_for_a_first() -> None:
    """Never more than there was."""
    policy = AwsBucket()
    policy.hear(201, 0.0)
    assert policy._left == 500
    assert policy.may_retry(503, 0.0)
    assert policy.may_retry(429, 0.0)
    assert policy._left == 481
    policy.hear(503, 0.0, after=503)
    assert policy._left == 481
    policy.hear(201, 0.0, after=503)
    assert policy._left == 495
    policy.hear(201, 0.0)
    assert policy._left == 496
    policy.hear(201, 0.0, after=429)
    assert policy._left == 500
    former = AwsBucket(cost=5.0, timeout_cost=10.0)
    assert former.may_retry(CALLER_LEFT, 0.0)
    assert former._left == 490
    former.hear(201, 0.0, after=CALLER_LEFT)
    assert former._left == 500


def test_linkerds_budget_is_a_fifth_and_ten_a_second_over_ten_seconds() -> None:
    """Of first attempts, not of retries; after ten seconds it is there again."""
    policy = LinkerdBudget()
    for _ in range(1000):
        policy.hear(503, 0.0)
        policy.hear(503, 0.0, after=503)
    assert sum(policy.may_retry(503, 1.0) for _ in range(2000)) == 300
    assert sum(policy.may_retry(503, 10.5) for _ in range(2000)) == 0
    assert sum(policy.may_retry(503, 11.5) for _ in range(2000)) == 100


def test_linkerds_fifth_is_of_first_attempts_however_few_retries_there_were() -> None:
    """A thousand firsts allow two hundred beside the floor; a thousand retries allow none."""
    firsts, again = LinkerdBudget(), LinkerdBudget()
    for _ in range(1000):
        firsts.hear(503, 0.0)
        again.hear(503, 0.0, after=503)
    assert sum(firsts.may_retry(503, 1.0) for _ in range(2000)) == 300
    assert sum(again.may_retry(503, 1.0) for _ in range(2000)) == 100


def test_the_defaults_are_those_that_are_published() -> None:
    """K 2: of a backend that refuses all but a quarter, half the calls are made. And
    a tenth of a token for each success."""
    sre = SreThrottling(Random(1))
    sre._requests.extend([0.0] * 1000)
    sre._accepts.extend([0.0] * 250)
    sent = 0
    for _ in range(4000):
        sent += sre.may_call(1.0)
        sre._requests.pop()  # hold the state
    assert sent / 4000 == pytest.approx(0.5, abs=0.03)
    grpc = GrpcTokens()
    for _ in range(5):
        grpc.hear(503, 0.0)
    grpc.hear(201, 0.0)
    assert grpc._tokens == pytest.approx(5.1)


def storm(policy: RetryPolicyName | None) -> Play:
    """Three slow seconds at 0.6 of capacity, three instant retries, the naive service."""
    return play(
        Settings.unprotected(), times=0.6, seconds=30, retries=3, retry_policy=policy,
        changes=[(5, {"payment_latency_s": 0.4}), (8, {"payment_latency_s": 0.04})],
    )  # fmt: skip


def attempts(played: Play) -> float:
    return len(played.attempts_s) / len(played.orders)


@pytest.mark.slow
def test_every_policy_keeps_the_storm_smaller_than_none_does() -> None:
    """Fewer attempts for each order than where all may be retried."""
    without = attempts(storm(None))
    assert without > 2
    for name in RETRY_POLICIES:
        assert attempts(storm(name)) < 0.8 * without, name


def test_a_call_that_the_client_keeps_back_never_reaches_the_service() -> None:
    """It is shed, and says so; it is no attempt, and the service's books do not know of it."""
    played = storm("sre_throttling")
    kept = [order for order in played.orders if order.reason == UNSENT_REASON]
    assert kept
    assert {order.fate for order in kept} == {SHED}
    firsts = [order for order in kept if order.attempts == 1]
    assert firsts
    sent = sum(order.attempts - (order.reason == UNSENT_REASON) for order in played.orders)
    assert sent == len(played.attempts_s)
