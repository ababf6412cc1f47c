"""Two paces: how long a slot is held says when the next one comes free, how long an answer takes
says who can be answered in time."""

import asyncio
from contextlib import suppress
from math import inf, nan
from random import Random
from typing import Any

import pytest

from bpdemo.flow.limits.choice import LIMITS, LimitChoice
from bpdemo.protect import AdmissionControl, deadline_of
from tests.protect.edge import DISCONNECT, Request, body_part, start
from tests.support.virtual import virtual

ANSWER_S, DEADLINE_S = 0.02, 0.5
HURRIED = {"X-Request-Timeout-Ms": f"{DEADLINE_S * 1000:.0f}"}
FEW = 800


class Service:
    """Works for 20 ms, and then it depends: all the ways to hold a slot for longer than that."""

    def __init__(self, *, background_s: float = 0.0, pause_s: float = 0.0, status: int = 200):
        self._background_s = background_s
        self._pause_s = pause_s
        self._status = status

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        await asyncio.sleep(ANSWER_S)
        await send({"type": "http.response.start", "status": self._status, "headers": []})
        if self._pause_s:  # a stream
            await send({"type": "http.response.body", "body": b"first", "more_body": True})
            await asyncio.sleep(self._pause_s)
        await send({"type": "http.response.body", "body": b"last"})
        await asyncio.sleep(self._background_s)


class Timed(Request):
    """Knows when its answer began."""

    answered_s = 0.0

    async def send(self, message: Any) -> None:
        self.answered_s = self.answered_s or asyncio.get_running_loop().time()
        await super().send(message)


class SlowReader(Timed):
    """The server waits for them, and the application for the server."""

    async def send(self, message: Any) -> None:
        if message.get("more_body"):
            await asyncio.sleep(0.4)
        await super().send(message)


async def served_in_time(
    app: Any, held_s: float, *, hurried: bool, upload_s: float = 0.0, kind: type[Timed] = Timed
) -> float:
    """The share of an offer of 0.9 of what eight slots can do that is served within half a second;
    `hurried`: it says so."""
    control, loop = (
        AdmissionControl(app, concurrency=8, queue_capacity=8),
        asyncio.get_running_loop(),
    )
    draw, tasks, in_time = Random(1), set[asyncio.Task[None]](), 0

    async def come() -> None:
        nonlocal in_time
        request = kind(headers=HURRIED if hurried else {})
        request.says(body_part(b"", more=bool(upload_s)))
        loop.call_later(upload_s, request.says, body_part(b""))
        came_s = loop.time()
        await start(control, request)
        took_s = request.answered_s - came_s
        in_time += request.status == 200 and took_s <= DEADLINE_S + upload_s

    for _ in range(FEW):
        await asyncio.sleep(draw.expovariate(0.9 * 8 / held_s))
        tasks.add(loop.create_task(come()))
    await asyncio.gather(*tasks)
    assert control.books["*"].inside == 0
    return in_time / FEW


@pytest.mark.parametrize(
    ("app", "held_s", "more"),
    [
        pytest.param(Service(), ANSWER_S, {}, id="nothing more"),
        pytest.param(Service(background_s=0.4), 0.42, {}, id="background tasks"),
        pytest.param(Service(), 0.42, {"upload_s": 0.4}, id="long uploads"),
        pytest.param(Service(pause_s=1e-9), 0.42, {"kind": SlowReader}, id="slow readers"),
    ],
)
@virtual
async def test_naming_the_deadline_costs_nobody_who_would_have_been_in_time(
    app: Service, held_s: float, more: dict[str, Any]
) -> None:
    """Whatever holds the slots besides the answer: nearly as many are served as without the header
    (with one pace for both, 0.81 and not 0.98 behind background tasks of 0.4 s)."""
    silent = await served_in_time(app, held_s, hurried=False, **more)
    assert await served_in_time(app, held_s, hurried=True, **more) >= silent - 0.02


async def come_one_by_one(control: AdmissionControl, count: int, *says: Any) -> None:
    for _ in range(count):
        request = Request()
        request.says(*(says or (body_part(b""),)))
        await start(control, request)


class Hears:
    """A limit that keeps what it is told of latencies."""

    def __init__(self) -> None:
        self.current = 8.0
        self.heard_s: list[float] = []

    def learn(self, in_flight: int, latency_s: float, **_: object) -> None:
        self.heard_s.append(latency_s)


class SlowToTheEnd(Timed):
    """They read the last part slowly, too."""

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.body":
            await asyncio.sleep(0.4)
        await super().send(message)


@pytest.mark.parametrize("pause_s", [0.0, 1e-9])
@virtual
async def test_no_limit_hears_how_slowly_an_answer_was_read(pause_s: float) -> None:
    """Neither a part of it nor the last: that is the callers' time, and not the service's."""
    limit = Hears()
    control = AdmissionControl(Service(pause_s=pause_s), concurrency=limit)
    request = SlowToTheEnd()
    request.says(body_part(b""))
    await start(control, request)
    assert [round(heard_s, 6) for heard_s in limit.heard_s] == [ANSWER_S]


@virtual
async def test_how_slowly_they_read_is_theirs_also_where_that_is_cut_short() -> None:
    """By a timeout of the application's own."""
    limit = Hears()

    async def impatient(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(ANSWER_S)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        with suppress(TimeoutError):
            async with asyncio.timeout(0.2):
                await send({"type": "http.response.body", "body": b"all"})

    control = AdmissionControl(impatient, concurrency=limit)
    await start(control, SlowToTheEnd())
    assert [round(heard_s, 6) for heard_s in limit.heard_s] == [ANSWER_S]


@pytest.mark.parametrize("reads", [nan, inf, -inf])
@virtual
async def test_a_clock_that_fails_for_one_reading_spoils_no_estimate(reads: float) -> None:
    """Whichever of its readings that is: estimates and samples stay within what really happened."""
    limit = Hears()
    for failing in range(1, 12):
        count = 0

        def clock(failing: int = failing) -> float:
            nonlocal count
            count += 1
            return reads if count == failing else asyncio.get_running_loop().time()

        await asyncio.sleep(1)  # the loop's own clock is past any -1
        control = AdmissionControl(Service(), concurrency=limit, clock=clock)
        await come_one_by_one(control, 1)
        count = 100
        await come_one_by_one(control, 3)
        held_s, answer_s = paces(control)
        assert 0 <= held_s <= ANSWER_S + 1e-9
        assert 0 <= answer_s <= ANSWER_S + 1e-9
    assert all(0 <= latency_s <= ANSWER_S + 1e-9 for latency_s in limit.heard_s)
    assert len(limit.heard_s) > 20


@pytest.mark.parametrize("reads", [nan, inf, -1.0])
@virtual
async def test_a_clock_that_fails_once_spoils_no_estimate(reads: float) -> None:
    """The next ones are told when to come again, as ever."""
    failing = False

    def clock() -> float:
        return reads if failing else asyncio.get_running_loop().time()

    class Failing(Service):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            nonlocal failing
            failing = scope["path"] == "/fails"
            await super().__call__(scope, receive, send)

    control = AdmissionControl(Failing(), concurrency=1, queue_capacity=0, clock=clock)
    await come_one_by_one(control, 1)
    broken = Request(path="/fails")
    broken.says(body_part(b""))
    await start(control, broken)
    failing = False
    first, second = Request(), Request()
    for request in (first, second):
        request.says(body_part(b""))
    await asyncio.gather(start(control, first), start(control, second))
    assert (first.status, second.status) == (200, 503)
    once = pytest.approx(ANSWER_S, rel=0.11)  # where it stands still, one request took no time
    assert paces(control) == (once, once)


def paces(control: AdmissionControl) -> tuple[float, float]:
    """How long a slot is held, and how long an answer takes."""
    bulkhead = control._find({"path": "/"})._bulkhead  # type: ignore[attr-defined]
    return bulkhead._hold_pace.mean_s, bulkhead._answer_pace.mean_s


@pytest.mark.parametrize(
    ("app", "held_s", "answer_s"),
    [
        (Service(), 0.02, 0.02),
        (Service(background_s=0.4), 0.42, 0.02),
        (Service(pause_s=0.3), 0.32, 0.32),  # the answer ends when its last part is said
        (Service(pause_s=0.3, background_s=0.4), 0.72, 0.32),
        (Service(status=404), 0.02, 0.02),
    ],
)
@virtual
async def test_each_pace_is_of_what_it_says(app: Service, held_s: float, answer_s: float) -> None:
    """Streams end with their last part, slots with the last of the background work."""
    control = AdmissionControl(app, concurrency=8)
    await come_one_by_one(control, 5)
    assert paces(control) == (pytest.approx(held_s), pytest.approx(answer_s))


@virtual
async def test_a_long_upload_is_the_callers_own_time() -> None:
    """It holds a slot, and no limit that learns takes it for slow work either."""
    samples: list[float] = []

    class Listening:
        current = 8.0

        def learn(self, in_flight: int, latency_s: float, *, dropped: bool) -> None:
            samples.append(latency_s)

    control = AdmissionControl(Service(), concurrency=Listening())  # type: ignore[arg-type]
    request = Request()
    running = start(control, request)
    for _ in range(10):
        await asyncio.sleep(0.5)
        request.says(body_part(b"part", more=True))
    request.says(body_part(b""))
    await running
    assert paces(control) == (pytest.approx(5.02), pytest.approx(0.02))
    assert samples == [pytest.approx(0.02)]


class Failing(Service):
    """Ends sooner than its answer would have, in one way or another."""

    how = ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if not self.how:
            await super().__call__(scope, receive, send)
            return
        if self.how == "raises":
            raise ZeroDivisionError
        if self.how == "leaves":
            assert await receive() == DISCONNECT
            return
        await send({"type": "http.response.start", "status": int(self.how), "headers": []})
        if self.how != "200":
            await send({"type": "http.response.body", "body": b""})


@pytest.mark.parametrize("how", ["raises", "leaves", "500", "503", "504", "200"])
@virtual
async def test_what_was_cut_short_makes_no_answer_seem_quick(how: str) -> None:
    """An error at once, a stream that broke off, a caller who left: a slot comes free sooner, and
    the next one who is served takes as long as ever."""
    app = Failing()
    control = AdmissionControl(app, concurrency=8)
    await come_one_by_one(control, 3)
    app.how = how
    for _ in range(50):
        request = Request()
        request.says(DISCONNECT)
        (error,) = await asyncio.gather(start(control, request), return_exceptions=True)
        assert isinstance(error, ZeroDivisionError) == (how == "raises")
    held_s, answer_s = paces(control)
    assert held_s < 0.001
    assert answer_s == pytest.approx(ANSWER_S)


@virtual
async def test_what_was_cut_short_late_says_that_answers_take_longer() -> None:
    """A 504 after two seconds: it would have taken at least so long."""

    class Slow(Failing):
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            if self.how:
                await asyncio.sleep(2)
            await super().__call__(scope, receive, send)

    app = Slow()
    control = AdmissionControl(app, concurrency=8)
    await come_one_by_one(control, 3)
    app.how = "504"
    await come_one_by_one(control, 50)
    assert paces(control)[1] == pytest.approx(2, rel=0.02)


@virtual
async def test_a_websocket_has_neither() -> None:
    """It passes through: hours of it hold no slot, and say nothing of how long anything takes."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await asyncio.sleep(3600)
        else:
            await Service()(scope, receive, send)

    control = AdmissionControl(app, concurrency=1, queue_capacity=0)
    chat = asyncio.create_task(control({"type": "websocket", "path": "/"}, None, None))
    await come_one_by_one(control, 3)
    await chat
    await come_one_by_one(control, 1)
    assert paces(control) == (pytest.approx(0.02), pytest.approx(0.02))
    assert control.books["*"].arrived == 4


async def served_of_the_patient(hasty_share: float, algorithm: Any) -> float:
    """Of those who do not name a deadline of two milliseconds, before an application that obeys it:
    at 0.6 of what eight workers can do, under a limit that learns from its 504s."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        left_s = deadline_of(scope).remaining_s(loop.time())
        if left_s < ANSWER_S:
            await asyncio.sleep(left_s)
        else:
            async with workers:
                await asyncio.sleep(ANSWER_S)
        status = 504 if left_s < ANSWER_S else 200
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    loop, draw, workers = asyncio.get_running_loop(), Random(1), asyncio.Semaphore(8)
    choice = LimitChoice(algorithm=algorithm, start=16, low=1, high=1000)
    control = AdmissionControl(app, concurrency=choice.make(Random(2)), queue_capacity=0)
    patient, tasks = list[Request](), list[asyncio.Task[None]]()
    for number in range(2000):
        await asyncio.sleep(draw.expovariate(0.6 * 8 / ANSWER_S))
        is_hasty = draw.random() < hasty_share
        request = Request(headers={"X-Request-Timeout-Ms": "2"} if is_hasty else {})
        tasks.append(start(control, request))
        if number > 400 and not is_hasty:
            patient.append(request)
    await asyncio.gather(*tasks)
    return sum(request.status == 200 for request in patient) / len(patient)


@pytest.mark.parametrize("algorithm", sorted(LIMITS))
@virtual
async def test_a_limit_takes_no_tiny_deadline_for_overload_or_for_speed(algorithm: str) -> None:
    """A 504 after two milliseconds is neither a slow service nor a fast one."""
    without = await served_of_the_patient(0.0, algorithm)
    assert await served_of_the_patient(0.3, algorithm) >= without - 0.02
