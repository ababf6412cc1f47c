"""The gate: a limit on all, and a share for each client."""

from collections import Counter
from dataclasses import replace
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bpdemo.core.errors import ClientLimit, ConcurrencyLimit
from bpdemo.core.reasons import PROBLEMS
from bpdemo.flow.limits.choice import LimitChoice
from bpdemo.service.gate import Gate, GatePass, GatePolicy
from tests.support.policies import usual


def gate(**policy: int) -> Gate:
    return Gate(usual(GatePolicy, **policy), lambda: 0.0)


def test_both_limits_are_off_at_zero() -> None:
    """A thousand of one client enter; all are counted."""
    door = gate()
    for _ in range(1000):
        door.enter("a")
    assert door.in_flight == 1000


def test_the_limit_of_all_refuses_and_makes_room_again() -> None:
    """`concurrency_limit` at the limit; one who leaves makes room for one."""
    door = gate(max_in_flight=2)
    first, _ = door.enter("a"), door.enter("b")
    with pytest.raises(ConcurrencyLimit):
        door.enter("c")
    first.end(200)
    door.enter("c")
    assert door.in_flight == 2


def test_a_limit_that_raises_costs_neither_a_place_nor_a_share() -> None:
    """On the way in and on the way out; the error shows."""

    class Grumpy:
        current = 5.0
        learns = False

        def learn(self, in_flight: int, latency_s: float, **_: object) -> None:
            raise ZeroDivisionError

    class Unreadable(Grumpy):
        @property
        def current(self) -> float:  # type: ignore[override]
            raise ZeroDivisionError

    door = gate(max_in_flight=5, client_max_in_flight=1)
    for _ in range(10):
        door._limiter.limit = Unreadable()
        with pytest.raises(ZeroDivisionError):
            door.enter("a")
        door._limiter.limit = Grumpy()
        visit = door.enter("a")
        with pytest.raises(ZeroDivisionError):
            visit.end(200)
        assert door.in_flight == 0
        assert door._share._in_flight == {}


def test_a_greedy_client_fills_its_own_share_only() -> None:
    """`client_limit` for them, while another gets in."""
    door = gate(client_max_in_flight=2)
    visit = door.enter("greedy")
    door.enter("greedy")
    with pytest.raises(ClientLimit):
        door.enter("greedy")
    door.enter("modest")
    visit.end(503)
    door.enter("greedy")


def test_the_share_is_asked_before_the_limit_of_all() -> None:
    """Over both, one hears that it is their own doing: 429 and not 503."""
    door = gate(max_in_flight=1, client_max_in_flight=1)
    door.enter("a")
    with pytest.raises(ClientLimit):
        door.enter("a")


def test_who_is_refused_by_the_limit_of_all_keeps_his_share() -> None:
    """A refusal does not use up what the client may have in flight."""
    door = gate(max_in_flight=1, client_max_in_flight=1)
    other = door.enter("other")
    for _ in range(3):
        with pytest.raises(ConcurrencyLimit):
            door.enter("a")
    other.end(201)
    door.enter("a")


@pytest.mark.parametrize("status", [200, 201, 404, 429, 503, 504, None])
def test_every_way_to_end_a_visit_frees_its_place(status: int | None) -> None:
    """Answered, refused further in, or gone: the count goes down by one."""
    door = gate(max_in_flight=1, client_max_in_flight=1)
    door.enter("a").end(status)
    assert door.in_flight == 0
    door.enter("a")


class Listening:
    """A limit that keeps what it hears."""

    current = 10.0

    def __init__(self) -> None:
        self.heard: list[bool] = []

    def learn(self, in_flight: int, latency_s: float, *, dropped: bool, **_: object) -> None:
        self.heard.append(dropped)


NOT_OURS = {"circuit_open", "downstream_failed", "outcome_unknown", "draining"}


@pytest.mark.parametrize(("reason", "status"), [(r, s) for r, (s, _) in PROBLEMS.items()])
def test_a_limit_hears_of_overload_and_not_of_a_broken_dependency(reason: str, status: int) -> None:
    """Of every problem there is: what less work in flight would spare is *dropped*; what says
    nothing of the load is not heard of, and frees the place all the same."""
    door, limit = gate(), Listening()
    door._limiter.limit = limit
    door.enter("a").end(status, reason)
    is_overload = status in (503, 504) and reason not in NOT_OURS
    assert limit.heard == [True] * is_overload
    assert door.in_flight == 0


def test_limits_turn_while_requests_are_inside() -> None:
    """Below what is in flight nobody enters; those inside stay."""
    door = gate()
    visits = [door.enter("a") for _ in range(4)]
    door.retune(usual(GatePolicy, max_in_flight=2))
    with pytest.raises(ConcurrencyLimit):
        door.enter("b")
    for visit in visits[:3]:
        visit.end(200)
    door.enter("b")
    door.retune(usual(GatePolicy, client_max_in_flight=1))
    with pytest.raises(ClientLimit):
        door.enter("a")
    door.enter("c")


@given(
    st.integers(0, 5),
    st.integers(0, 3),
    st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=60),
)
def test_no_order_of_comings_and_goings_breaks_a_limit(
    most: int, share: int, steps: list[tuple[str, bool]]
) -> None:
    """Against a plain count: refused exactly when a limit is reached."""
    door = gate(max_in_flight=most, client_max_in_flight=share)
    inside: list[tuple[str, GatePass]] = []
    for client, leaves in steps:
        mine = Counter(name for name, _ in inside)[client]
        if leaves and mine:
            pair = next(pair for pair in inside if pair[0] == client)
            inside.remove(pair)
            pair[1].end(200)
            continue
        expected: type[ClientLimit | ConcurrencyLimit] | None = None
        if share and mine >= share:
            expected = ClientLimit
        elif most and len(inside) >= most:
            expected = ConcurrencyLimit
        if expected:
            with pytest.raises(expected):
                door.enter(client)
        else:
            inside.append((client, door.enter(client)))
        assert door.in_flight == len(inside)


# --- a limit that adapts


class Adapting(Listening):
    """It keeps the whole of what it hears."""

    def __init__(self, current: float = 2.0) -> None:
        self.current = current
        self.samples: list[tuple[float, bool]] = []

    def learn(self, in_flight: int, latency_s: float, *, dropped: bool, **_: object) -> None:
        self.samples.append((latency_s, dropped))


def adaptive(limit: Adapting | None = None, now: float = 0.0, **policy: int) -> Gate:
    choice = LimitChoice(algorithm="vegas", start=2, low=1, high=1000)
    door = Gate(replace(usual(GatePolicy, **policy), limit=choice), lambda: now)
    if limit:
        door._orders.limit = limit
    return door


def test_a_limit_that_adapts_governs_orders_and_nothing_else() -> None:
    """Orders fill it while reads come in; `max_in_flight` is the others', and all are counted."""
    door = adaptive(max_in_flight=1)
    orders = [door.enter("a", is_order=True) for _ in range(2)]
    with pytest.raises(ConcurrencyLimit):
        door.enter("a", is_order=True)
    read = door.enter("a")
    with pytest.raises(ConcurrencyLimit):
        door.enter("a")
    assert (door.in_flight, door.limit) == (3, 2)
    for visit in (*orders, read):
        visit.end(200)
    assert door.in_flight == 0


OUT_OF_TIME = {(504, "deadline_exceeded"), (None, None)}
ANSWERS = {(200, None), (201, None), (202, None), (409, "sold_out")}
ENDS = [*OUT_OF_TIME, *ANSWERS, *((s, r) for r, (s, _) in PROBLEMS.items() if r != "sold_out")]


@pytest.mark.parametrize(("status", "reason"), sorted(set(ENDS), key=str))
def test_a_sample_runs_from_place_to_answer(status: int | None, reason: str | None) -> None:
    """Who left or ran out of time would have taken longer; a refusal of our own and what a broken
    dependency did are no samples. The place comes free, whatever it was."""
    limit = Adapting()
    door = adaptive(limit, now=7.0)
    door.enter("a", is_order=True).end(status, reason, 4.0)
    if (status, reason) in OUT_OF_TIME:
        assert limit.samples == [(3.0, True)]
    elif (status, reason) in ANSWERS:
        assert limit.samples == [(3.0, False)]
    else:
        assert limit.samples == []
    assert door.in_flight == 0


@pytest.mark.parametrize("status", [200, 201, 409, 503, 504, None])
def test_who_never_had_a_place_of_their_own_is_no_sample(status: int | None) -> None:
    """Refused further in, gone before that, or joined to somebody else's order."""
    limit = Adapting()
    adaptive(limit).enter("a", is_order=True).end(status, "deadline_exceeded", None)
    assert limit.samples == []


def test_what_was_learnt_survives_a_turn_of_another_knob() -> None:
    """New bounds only bound it; another algorithm, or another start, begins anew."""
    door = adaptive()
    choice, policy = door._policy.limit, door._policy
    door._orders.limit = Adapting(40.0)
    door.retune(replace(policy, client_max_in_flight=3))
    assert door.limit == 40
    door.retune(replace(policy, limit=replace(choice, high=30)))
    assert door.limit == 30
    door.retune(replace(policy, limit=replace(choice, high=30, start=7)))
    assert door.limit == 30  # more workers: where one would start today, not where it stands
    door.retune(replace(policy, max_in_flight=7, limit=replace(choice, start=7)))
    assert door.limit == 7
    door.retune(replace(policy, limit=replace(choice, algorithm="aimd")))
    assert door.limit == 2
    door.retune(replace(policy, limit=replace(choice, algorithm="fixed")))
    assert door.limit == inf


def test_bounds_turned_in_the_midst_of_a_probe_cost_nothing_that_was_learnt() -> None:
    """Envoy's limit is pinned to three for a while: it goes on from where it stood, not from there,
    and a probe, too, keeps to the most that is allowed."""
    choice = LimitChoice(algorithm="gradient", start=40, low=1, high=1000)
    policy = replace(usual(GatePolicy), limit=choice)
    door = Gate(policy, lambda: 100.0)
    assert door.limit == 3
    for high, limit in ((900, 3), (2, 2), (30, 3)):
        door.retune(replace(policy, limit=replace(choice, high=high)))
        assert door.limit == limit
    door.retune(replace(policy, limit=replace(choice, high=50)))
    for _ in range(50):
        door.enter("a", is_order=True).end(201, None, 99.96)
    assert door.limit == 2  # as much as the least of those bounds had left


def test_orders_inside_leave_the_limit_that_let_them_in() -> None:
    """Through every turn of the algorithm the count is right, and comes back to none."""
    door = adaptive()
    policy = door._policy
    visits = []
    for algorithm in ("fixed", "own", "fixed", "aimd"):
        visits.append(door.enter("a", is_order=True))
        door.retune(replace(policy, limit=replace(policy.limit, algorithm=algorithm)))
        assert door.in_flight == len(visits)
    for visit in visits:
        visit.end(201, None, 0.0)
    assert door.in_flight == 0
