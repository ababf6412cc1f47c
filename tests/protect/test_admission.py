"""A request at the edge: in, waiting, refused, gone; in virtual time."""

import asyncio
import logging
import re
from collections import Counter
from random import Random
from typing import Any

import pytest

from bpdemo.core.reasons import PROBLEMS
from bpdemo.flow.deadline import Deadline
from bpdemo.protect import AdmissionControl, Rejected, Rule, SlotFreed, deadline_of
from bpdemo.protect.deadlines import DEADLINE_KEY
from bpdemo.protect.problems import BODIES
from tests.flow.helpers import now, settle
from tests.protect.edge import Application, Ears, Reader, Request, body_part, start
from tests.support.virtual import virtual


def edge(app: Any, **arguments: Any) -> AdmissionControl:
    return AdmissionControl(app, **({"concurrency": 2, "queue_capacity": 2} | arguments))


async def come(control: AdmissionControl, *requests: Request) -> list["asyncio.Task[None]"]:
    tasks = [start(control, request) for request in requests]
    await settle()
    return tasks


@virtual
async def test_as_many_as_the_limit_are_inside_as_many_as_the_queue_wait_the_rest_are_refused() -> (
    None
):
    """K of theory is slots + capacity: of six, two are in, two wait, two are told so at once."""
    app = Application()
    control = edge(app)
    requests = [Request() for _ in range(6)]
    await come(control, *requests)
    assert [app.has(r) for r in requests] == [True, True, False, False, False, False]
    assert [r.status for r in requests] == [None, None, None, None, 503, 503]
    books = control.books["*"]
    assert (books.inside, books.waiting, books.rejected) == (2, 2, 2)
    for first, next_in_line in ((0, 2), (1, 3)):
        app.answers(requests[first])
        await settle()
        assert requests[first].status == 200
        assert app.has(requests[next_in_line]), "first come, first served"
    for request in requests[2:4]:
        app.answers(request)
    await settle()
    assert app.most_inside == 2
    assert (books.inside, books.waiting, books.admitted) == (0, 0, 4)


@virtual
async def test_a_capacity_of_zero_still_uses_every_slot() -> None:
    """No queue is not no service."""
    app = Application()
    requests = [Request() for _ in range(3)]
    await come(edge(app, queue_capacity=0), *requests)
    assert [app.has(r) for r in requests] == [True, True, False]
    assert requests[2].problem["reason"] == "queue_full"


@virtual
async def test_a_refusal_is_a_problem_with_a_time_to_come_back() -> None:
    """503, application/problem+json, Retry-After in whole seconds, and the right length."""
    app = Application()
    control = edge(app, concurrency=1, queue_capacity=0)
    refused = Request()
    await come(control, Request(), refused)
    assert refused.status == 503
    assert refused.headers["content-type"] == "application/problem+json"
    assert int(refused.headers["retry-after"]) >= 1
    assert int(refused.headers["content-length"]) == len(refused.sent[1]["body"])
    assert set(refused.problem) == {"type", "title", "status", "detail", "reason"}
    assert refused.problem["status"] == 503


def test_its_problems_are_those_of_the_box_office() -> None:
    """The same type, title and status for a reason: what reads the one reads the other."""
    import json

    for reason, body in BODIES.items():
        told = json.loads(body)
        assert (told["status"], told["title"]) == PROBLEMS[reason]
        assert told["type"] == f"urn:bpdemo:problem:{reason}"
        assert told["reason"] == reason


@virtual
async def test_the_answer_to_a_head_has_no_body() -> None:
    """But the length that a GET would have."""
    refused = Request(method="HEAD")
    await come(edge(Application(), concurrency=1, queue_capacity=0), Request(), refused)
    assert refused.sent[1]["body"] == b""
    assert int(refused.headers["content-length"]) > 0


@virtual
async def test_the_refused_are_told_different_times() -> None:
    """Spread over the seconds of the backlog, so that they do not all come back at once."""
    control = edge(Application(), concurrency=1, queue_capacity=0, rng=Random(3))
    requests = [Request() for _ in range(301)]
    await come(control, *requests)
    told = Counter(int(request.headers["retry-after"]) for request in requests[1:])
    assert sorted(told) == [1, 2, 3]
    assert min(told.values()) > 60


@virtual
async def test_a_backlog_that_takes_longer_is_spread_further() -> None:
    """Mean time in a slot ÷ slots, for each who waits and each refused of the last second."""
    app = Application()
    control = edge(app, concurrency=1, queue_capacity=0, rng=Random(3))
    slow = Request()
    await come(control, slow)
    await asyncio.sleep(2)
    app.answers(slow)
    await settle()
    requests = [Request() for _ in range(41)]
    await come(control, *requests)
    assert max(int(r.headers["retry-after"]) for r in requests[1:]) > 20


@virtual
async def test_who_waits_too_long_is_refused() -> None:
    """After `queue_timeout_s`, with that reason; the place is the next one's."""
    app = Application()
    control = edge(app, concurrency=1, queue_capacity=1, queue_timeout_s=0.3)
    inside, waits, late = Request(), Request(), Request()
    await come(control, inside, waits)
    await asyncio.sleep(0.29)
    assert waits.status is None
    await asyncio.sleep(0.02)
    assert waits.problem["reason"] == "queue_timeout"
    await come(control, late)
    assert control.books["*"].waiting == 1


def asks_for(ms: object) -> Request:
    return Request(headers={"X-Request-Timeout-Ms": str(ms)})


@virtual
async def test_who_would_run_out_of_time_is_refused_at_once() -> None:
    """Wait and service must fit into 0.8 of the caller's time, once it is known how long one is."""
    app = Application()
    control = edge(app, concurrency=1, queue_capacity=5)
    first = Request()
    await come(control, first)
    await asyncio.sleep(0.1)  # a service takes 0.1 s
    app.answers(first)
    await settle()
    in_time, too_late = asks_for(300), asks_for(240)
    await come(control, Request(), in_time, too_late)
    assert in_time.status is None  # 0.1 + 0.1 ≤ 0.8 × 0.3
    assert too_late.problem["reason"] == "would_expire"


@virtual
async def test_time_that_runs_out_in_the_queue_is_a_refusal_and_no_work() -> None:
    """The deadline is earlier than the queue's own timeout, and is what is told."""
    app = Application()
    control = edge(app, concurrency=1, queue_capacity=5, queue_timeout_s=2)
    inside, waits = Request(), asks_for(100)
    await come(control, inside, waits)
    await asyncio.sleep(0.11)
    assert waits.problem["reason"] == "would_expire"
    app.answers(inside)
    await settle()
    assert app.order == [id(inside.scope)]


@virtual
async def test_an_idle_slot_is_never_refused_for_a_time_that_is_not_over() -> None:
    """After a slow moment a service that refused everybody would never learn that it is fast."""
    app = Application()
    control = edge(app, concurrency=1)
    slow = Request()
    await come(control, slow)
    await asyncio.sleep(60)
    app.answers(slow)
    await settle()
    hasty = asks_for(1)
    await come(control, hasty)
    assert app.has(hasty)


@virtual
async def test_a_time_that_is_over_on_arrival_is_refused_though_a_slot_is_free() -> None:
    """A layer further out has set it: nobody waits for the answer any more."""
    app = Application()
    control = edge(app)
    await asyncio.sleep(2)
    late = Request()
    late.scope[DEADLINE_KEY] = Deadline.after(-1.0, now())
    await come(control, late)
    assert not app.has(late)
    assert late.problem["reason"] == "would_expire"
    books = control.books["*"]
    assert (books.arrived, books.rejected, books.inside, books.waiting) == (1, 1, 0, 0)


@virtual
async def test_a_server_may_say_by_an_error_that_the_refused_has_left() -> None:
    """An OSError from `send` is no fault of the application's, and makes no noise."""
    app = Application()
    control = edge(app, concurrency=1, queue_capacity=0)
    await come(control, Request())
    gone = Request()

    async def send(message: Any) -> None:
        raise OSError("gone")

    gone.send = send  # type: ignore[method-assign]
    await come(control, gone)
    assert gone.error is None
    assert control.books["*"].rejected == 1


@pytest.mark.parametrize("value", ["", "0", "soon", "1.5", "-5", "3600001", "1" * 4000])
def test_a_time_that_cannot_be_read_counts_as_none(value: str) -> None:
    """What is wrong with a header is the application's to say."""

    async def scene() -> None:
        app = Application()
        control = edge(app, concurrency=1)
        request = asks_for(value)
        await come(control, request)
        assert app.has(request)
        assert deadline_of(request.scope).remaining_s(now()) == float("inf")

    virtual(scene)()


@virtual
async def test_the_application_finds_the_deadline_that_its_caller_named() -> None:
    """Time spent waiting is over: what is left is what counts."""
    app = Application()
    control = edge(app, concurrency=1)
    inside, waits = Request(), asks_for(800)
    await come(control, inside, waits)
    await asyncio.sleep(0.3)
    app.answers(inside)
    await settle()
    assert app.has(waits)
    assert deadline_of(waits.scope).remaining_s(now()) == pytest.approx(0.5)


@virtual
async def test_another_header_or_none_may_carry_the_time() -> None:
    """The name is an argument."""
    app = Application()
    control = edge(app, timeout_header="X-Patience")
    renamed = Request(headers={"x-patience": "500", "X-Request-Timeout-Ms": "9"})
    await come(control, renamed)
    assert deadline_of(renamed.scope).remaining_s(now()) == 0.5
    deaf = edge(app, timeout_header=None)
    ignored = asks_for(500)
    await come(deaf, ignored)
    assert deadline_of(ignored.scope).remaining_s(now()) == float("inf")


@virtual
async def test_a_hang_up_while_waiting_gives_the_place_back_at_once() -> None:
    """Without the passing of time, and the application never sees the request."""
    app = Application()
    ears = Ears()
    control = edge(app, concurrency=1, queue_capacity=1, observer=ears)
    inside, gone, comes_next = Request(), Request(), Request()
    await come(control, inside, gone)
    began_s = now()
    gone.says(body_part(b"half", more=True))
    await settle()
    gone.hangs_up()
    await settle()
    assert gone.is_over
    assert gone.error is None
    assert control.books["*"].waiting == 0
    await come(control, comes_next)
    assert control.books["*"].waiting == 1
    assert now() == began_s
    app.answers(inside)
    await settle()
    assert app.has(comes_next)
    assert id(gone.scope) not in app.order
    assert ears.kinds() == ["Admitted", "Waiting", "Left", "Waiting", "SlotFreed", "Admitted"]


@pytest.mark.parametrize("turns", range(6))
@pytest.mark.parametrize("first", ["hang_up", "answer"])
@pytest.mark.parametrize("how", ["hang_up", "cancel"])
def test_a_caller_who_leaves_as_their_turn_comes_costs_the_next_one_nothing(
    turns: int, first: str, how: str
) -> None:
    """Whichever comes first, and whatever turns of the loop lie between the two."""

    async def scene() -> None:
        app = Application()
        control = edge(app, concurrency=1, queue_capacity=2)
        inside, leaves, comes_next = Request(), Request(), Request()
        tasks = await come(control, inside, leaves, comes_next)

        def leave() -> None:
            leaves.hangs_up() if how == "hang_up" else tasks[1].cancel()

        if first == "hang_up":
            leave()
        else:
            app.answers(inside)
        for _ in range(turns):
            await asyncio.sleep(0)
        if first == "hang_up":
            app.answers(inside)
        else:
            leave()
        await settle()
        if first == "hang_up" or turns == 0:  # in one moment, the hang-up counts
            assert id(leaves.scope) not in app.order
        if app.has(leaves):  # they had the slot before they left, and it is the application's
            app.answers(leaves)
            await settle()
        assert app.has(comes_next)
        app.answers(comes_next)
        await settle()
        books = control.books["*"]
        assert (books.inside, books.waiting) == (0, 0)
        assert books.arrived == books.admitted + books.left == 3

    virtual(scene)()


@virtual
async def test_a_limit_that_grew_by_itself_lets_in_first_who_came_first() -> None:
    """A newcomer sees the new room, and those who wait already take it before them."""
    app = Application()
    limit = Halving()
    control = edge(app, concurrency=limit, queue_capacity=3)
    requests = [Request() for _ in range(4)]
    await come(control, *requests)
    limit.current = 3.0
    newcomer = Request()
    await come(control, newcomer)
    assert [app.has(r) for r in [*requests, newcomer]] == [True, True, True, False, False]


@virtual
async def test_a_hang_up_inside_frees_nothing_before_the_application_ends() -> None:
    """What still runs counts: a service that works for those who left is busy with them."""
    app = Application()
    control = edge(app, concurrency=1, queue_capacity=0)
    gone, refused = Request(), Request()
    await come(control, gone)
    gone.hangs_up()
    await come(control, refused)
    assert refused.status == 503
    app.answers(gone)
    await settle()
    assert control.books["*"].inside == 0


@virtual
async def test_a_slot_is_held_until_the_application_returns_not_until_it_answers() -> None:
    """Background tasks and the tail of a stream still use what the limit protects."""
    done = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        await done.wait()

    control = AdmissionControl(app, concurrency=1, queue_capacity=0)
    first, second, third = Request(), Request(), Request()
    await come(control, first, second)
    assert (first.status, second.status) == (200, 503)
    done.set()
    await come(control, third)
    assert third.status == 200


@pytest.mark.parametrize("chunks", [1, 2, 5])
@pytest.mark.parametrize("before", [0, 1, 5])
def test_what_was_said_while_waiting_reaches_the_application(chunks: int, before: int) -> None:
    """Every message once and in order, whether it came before the slot or after."""

    async def scene() -> None:
        app = Reader()
        control = edge(app, concurrency=1)
        inside, waits = Request(), Request()
        inside.says(body_part(b""))
        await come(control, inside, waits)
        parts = [body_part(b"%d" % n, more=n < chunks) for n in range(chunks + 1)]
        waits.says(*parts[:before])
        await settle()
        app.answers(inside)
        await settle()
        waits.says(*parts[before:])
        await settle()
        assert app.bodies[id(waits.scope)] == b"".join(p["body"] for p in parts)

    virtual(scene)()


@virtual
async def test_an_application_that_fails_gives_its_slot_back_and_the_error_goes_on() -> None:
    """Anyone who catches it stands outside; SlotFreed says that there was no answer."""
    app = Application()
    ears = Ears()
    control = edge(app, concurrency=1, observer=ears)
    broken = Request()
    (task,) = await come(control, broken)
    app.answers(broken, 500)
    await settle()
    assert isinstance(task.exception(), ZeroDivisionError)
    assert control.books["*"].inside == 0
    ended = ears.events[-1]
    assert isinstance(ended, SlotFreed)
    assert ended.status is None


@virtual
async def test_a_refusal_raised_by_the_application_is_its_own() -> None:
    """An application that uses bpdemo's errors itself is not answered for."""
    from bpdemo.core.errors import QueueFull

    async def app(scope: Any, receive: Any, send: Any) -> None:
        raise QueueFull

    control = AdmissionControl(app, concurrency=1)
    request = Request()
    (task,) = await come(control, request)
    assert isinstance(task.exception(), QueueFull)
    assert request.sent == []
    assert control.books["*"].rejected == 0


@virtual
async def test_each_rule_has_its_own_limit_queue_and_label() -> None:
    """The overload of one path leaves the others alone, and `None` is no limit at all."""
    app = Application()
    ears = Ears()
    control = AdmissionControl(
        app,
        paths={"/orders": Rule(1, 0), "/orders/bulk": Rule(2, 0), "/healthz": None},
        observer=ears,
    )
    orders = [Request("/orders/1"), Request("/orders")]
    bulk = [Request("/orders/bulk"), Request("/orders/bulk/9"), Request("/orders/bulk")]
    free = [Request("/healthz"), Request("/healthz"), Request("/ordersx"), Request("/")]
    await come(control, *orders, *bulk, *free)
    assert [app.has(r) for r in orders] == [True, False]
    assert [app.has(r) for r in bulk] == [True, True, False]
    assert all(app.has(r) for r in free)
    rejected = [event.rule for event in ears.events if isinstance(event, Rejected)]
    assert rejected == ["/orders", "/orders/bulk"]
    assert set(control.books) == {"/orders", "/orders/bulk"}


@virtual
async def test_what_is_no_http_request_passes_through() -> None:
    """Lifespan and websockets are neither counted nor held up."""
    app = Application()
    control = edge(app, concurrency=1, queue_capacity=0)
    await come(control, Request())
    for kind in ("lifespan", "websocket"):
        request = Request()
        request.scope["type"] = kind
        await come(control, request)
        assert request.sent == [{"type": f"{kind}.passed"}]
    assert control.books["*"].arrived == 1


@virtual
async def test_a_caller_who_may_or_may_not_send_a_body_is_parted_from() -> None:
    """After `Expect: 100-continue` a refusal ends the connection, but for HTTP/2."""
    control = edge(Application(), concurrency=1, queue_capacity=0)
    expects = {"Expect": "100-continue"}
    http1, http2 = Request(headers=expects), Request(headers=expects, http_version="2")
    plain = Request()
    await come(control, Request(), http1, http2, plain)
    assert http1.headers["connection"] == "close"
    assert "connection" not in http2.headers
    assert "connection" not in plain.headers


class Halving:
    """An adaptive limit of the simplest sort: halves at each drop, else grows by one."""

    def __init__(self) -> None:
        self.current = 2.0
        self.samples: list[tuple[int, float, bool]] = []

    def learn(self, in_flight: int, latency_s: float, *, dropped: bool, **_: object) -> None:
        self.samples.append((in_flight, round(latency_s, 6), dropped))
        self.current = max(1, self.current / 2) if dropped else self.current + 1


@virtual
async def test_a_limit_that_adapts_learns_from_answers_and_lets_in_what_it_says() -> None:
    """Served is a sample, 503 a drop; a 404, an error and a cancellation say nothing of load."""
    app = Application()
    limit = Halving()
    ears = Ears()
    control = edge(app, concurrency=limit, queue_capacity=10, observer=ears)
    requests = [Request() for _ in range(10)]
    tasks = await come(control, *requests)
    assert len(app.inside) == 2
    await asyncio.sleep(0.1)
    app.answers(requests[0])
    await settle()
    assert limit.samples == [(2, 0.1, False)]
    assert len(app.inside) == 3  # the freed slot, and the new one
    app.answers(requests[1], 404)
    app.answers(requests[2], 500)
    tasks[3].cancel()
    await settle()
    assert len(limit.samples) == 1
    assert len(app.inside) == 3
    app.answers(requests[4], 503)
    await settle()
    assert limit.samples[1:] == [(3, 0.0, True)]
    assert len(app.inside) == 2  # two go on above the limit of 1.5, and nobody is let in
    assert isinstance(ears.events[-1], SlotFreed)
    assert ears.events[-1].limit == 1.5


@virtual
async def test_a_limit_that_fails_to_learn_costs_nobody_a_slot() -> None:
    """The error is seen, and the next in line is let in all the same."""

    class Broken(Halving):
        def learn(self, in_flight: int, latency_s: float, *, dropped: bool, **_: object) -> None:
            raise ZeroDivisionError

    app = Application()
    control = edge(app, concurrency=Broken(), queue_capacity=1)
    requests = [Request() for _ in range(3)]
    tasks = await come(control, *requests)
    app.answers(requests[0])
    await settle()
    assert isinstance(tasks[0].exception(), ZeroDivisionError)
    assert app.has(requests[2])
    assert control.books["*"].inside == 2


@virtual
async def test_an_observer_that_fails_costs_nobody_a_slot(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The event loop's exception handler hears of it."""

    class Broken:
        def observe(self, event: object, /) -> None:
            raise ZeroDivisionError

    app = Application()
    control = edge(app, concurrency=1, observer=Broken())
    requests = [Request() for _ in range(3)]
    with caplog.at_level(logging.CRITICAL):
        await come(control, *requests)
        for request in requests:
            app.answers(request)
            await settle()
    assert [request.status for request in requests] == [200, 200, 200]
    assert control.books["*"].inside == 0


@virtual
async def test_a_function_may_be_the_observer() -> None:
    """A list that appends will do."""
    heard: list[Any] = []
    request = Request()
    app = Application()
    await come(edge(app, observer=heard.append), request)
    app.answers(request)
    await settle()
    assert [type(event).__name__ for event in heard] == ["Admitted", "SlotFreed"]


@virtual
async def test_one_behind_another_each_keeps_its_own_books() -> None:
    """A narrow limit inside a wide one, and the deadline is counted from the outer arrival."""
    app = Application()
    inner = edge(app, concurrency=1)
    outer = edge(inner, concurrency=3)
    requests = [asks_for(2000) for _ in range(3)]
    await come(outer, *requests)
    assert (outer.books["*"].inside, inner.books["*"].inside) == (3, 1)
    assert inner.books["*"].waiting == 2
    await asyncio.sleep(0.2)
    app.answers(requests[0])
    await settle()
    assert deadline_of(requests[1].scope).remaining_s(now()) == pytest.approx(1.8)
    for request in requests[1:]:
        app.answers(request)
        await settle()
    assert [r.status for r in requests] == [200, 200, 200]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"concurrence": 8}, "'concurrence'. Did you mean concurrency?"),
        ({"concurrency": 8, "queue_capcity": 8}, "'queue_capcity'. Did you mean queue_capacity?"),
        ({"concurrency": 8, "xyz": 1}, "; it takes app, concurrency, queue_capacity"),
    ],
)
def test_an_argument_that_does_not_exist_is_answered_with_the_nearest(
    given: dict[str, Any], told: str
) -> None:
    """Still a TypeError, as Python has it."""
    with pytest.raises(TypeError, match=re.escape(told)):
        AdmissionControl(_nothing, **given)


async def _nothing(*_: Any) -> None:
    """An application that answers nothing."""
