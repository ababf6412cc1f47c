"""Whatever happens to requests, and in whatever moment, the books balance and no slot is lost."""

import asyncio
from random import Random
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bpdemo.protect import (
    AdmissionBooks,
    AdmissionControl,
    AdmissionEvent,
    Rejected,
    Rule,
    SlotFreed,
)
from tests.flow.helpers import Stage
from tests.protect.edge import Reader, Request, body_part
from tests.support.examples import examples

PATHS = ("/orders", "/items", "/items", "/elsewhere")
#: What happens before the next thing does: nothing, one turn of the loop, or all that can.
THEN = st.sampled_from(["nothing", "turn", "settle", "settle"])
REASONS = {"queue_full", "queue_timeout", "would_expire"}


class Turned:
    """A limit that is turned by hand, and lets itself be turned while requests are inside."""

    def __init__(self, current: float) -> None:
        self.current = current

    def learn(self, in_flight: int, latency_s: float, *, dropped: bool, **_: object) -> None:
        pass


class Tally:
    """Adds up what the observer hears, which must come to what the books say."""

    def __init__(self) -> None:
        self.told: dict[str, dict[str, int]] = {}
        self.last: dict[str, AdmissionEvent] = {}

    def observe(self, event: AdmissionEvent, /) -> None:
        kinds = self.told.setdefault(event.rule, {})
        name = type(event).__name__
        kinds[name] = kinds.get(name, 0) + 1
        self.last[event.rule] = event
        assert not isinstance(event, Rejected) or event.reason in REASONS
        assert not isinstance(event, SlotFreed) or event.held_s >= 0


class Requests(RuleBasedStateMachine):
    """Requests that come, speak, wait, leave, end, fail and are cancelled, between any two turns of
    the loop."""

    @initialize(
        slots=st.integers(1, 3), capacity=st.integers(0, 3), timeout_s=st.sampled_from([0, 0.2, 5])
    )
    def open(self, slots: int, capacity: int, timeout_s: float) -> None:
        self.stage = Stage()
        self.app = Reader()
        self.limit = Turned(slots)
        self.tally = Tally()
        self.edge = AdmissionControl(
            self.app,
            concurrency=2,
            queue_capacity=1,
            paths={"/orders": Rule(self.limit, capacity, timeout_s), "/items": Rule(1, 2, 0.3)},
            observer=self.tally,
            clock=self.stage.loop.time,
            rng=Random(1),
        )
        self.requests: list[tuple[Request, asyncio.Task[None], bytes]] = []

    @rule(
        path=st.sampled_from(PATHS),
        timeout_ms=st.sampled_from([None, 1, 100, 400, 3_600_000]),
        parts=st.lists(st.binary(max_size=3), min_size=1, max_size=3),
        then=THEN,
    )
    def come(self, path: str, timeout_ms: int | None, parts: list[bytes], then: str) -> None:
        headers = {"X-Request-Timeout-Ms": str(timeout_ms)} if timeout_ms else {}
        request = Request(path, headers=headers)
        for part in parts[:-1]:
            request.says(body_part(part, more=True))
        request.says(body_part(parts[-1]))
        task = self.stage.spawn(request.run(self.edge))
        self.requests.append((request, task, b"".join(parts)))
        self._then(then)

    def _then(self, then: str) -> None:
        if then == "turn":
            self.stage.turn()
        if then == "settle":
            self.stage.settle()
            self._is_at_rest()

    def _pick(self, data: st.DataObject, of: list[Any]) -> Any:
        return data.draw(st.sampled_from(of))

    @property
    def _live(self) -> list[tuple[Request, Any, bytes]]:
        return [entry for entry in self.requests if not entry[1].done()]

    @property
    def _inside(self) -> list[Request]:
        return [
            request
            for request, _, _ in self.requests
            if self.app.has(request) and not self.app.inside[id(request.scope)].done()
        ]

    @precondition(lambda self: self._live)
    @rule(data=st.data(), then=THEN)
    def hang_up(self, data: st.DataObject, then: str) -> None:
        self._pick(data, self._live)[0].hangs_up()
        self._then(then)

    @precondition(lambda self: self._live)
    @rule(data=st.data(), then=THEN)
    def cancel(self, data: st.DataObject, then: str) -> None:
        self._pick(data, self._live)[1].cancel()
        self._then(then)

    @precondition(lambda self: self._inside)
    @rule(data=st.data(), status=st.sampled_from([200, 404, 500, 503]), then=THEN)
    def answer(self, data: st.DataObject, status: int, then: str) -> None:
        self.app.answers(self._pick(data, self._inside), status)
        self._then(then)

    @rule(limit=st.sampled_from([1, 1.5, 2, 4]))
    def turn_the_limit(self, limit: float) -> None:
        self.limit.current = limit

    @rule(by_s=st.sampled_from([0.05, 0.2, 0.4, 6]))
    def wait(self, by_s: float) -> None:
        self.stage.advance(by_s)

    @invariant()
    def the_books_balance(self) -> None:
        for books in self.edge.books.values():
            assert books.arrived == books.waiting + books.admitted + books.rejected + books.left
            assert 0 <= books.inside <= books.admitted
            assert books.waiting >= 0
        assert self.edge.books["/items"].inside <= 1
        assert self.edge.books["*"].inside <= 2
        assert self.edge.books["/items"].waiting <= 2 + 1  # the one whose turn it is just now

    @invariant()
    def the_observer_heard_it_all(self) -> None:
        for name, books in self.edge.books.items():
            told = self.tally.told.get(name, {})
            assert told.get("Admitted", 0) == books.admitted
            assert told.get("Rejected", 0) == books.rejected
            assert told.get("Left", 0) == books.left
            assert told.get("SlotFreed", 0) == books.admitted - books.inside

    def _is_at_rest(self) -> None:
        """At rest a fixed rule keeps no slot free while anybody waits for one, and no request that
        is over is on the books."""
        live = len(self._live)
        assert sum(books.inside + books.waiting for books in self.edge.books.values()) == live
        for name, slots in (("/items", 1), ("*", 2)):
            books: AdmissionBooks = self.edge.books[name]
            assert not books.waiting or books.inside == slots

    def teardown(self) -> None:
        if not hasattr(self, "stage"):
            return
        self.stage.settle()
        while self._inside:
            for request in self._inside:
                self.app.answers(request)
            self.stage.settle()
        self.stage.advance(10)
        while self._inside:  # those whom a slot has come to since
            for request in self._inside:
                self.app.answers(request)
            self.stage.settle()
        for request, task, body in self.requests:
            assert task.done()
            self._judge(request, task, body)
        for books in self.edge.books.values():
            assert (books.inside, books.waiting) == (0, 0)
            assert books.arrived == books.admitted + books.rejected + books.left
        self.stage.close()

    def _judge(self, request: Request, task: Any, body: bytes) -> None:
        """Each got one answer, or none where it was cancelled; and the application all it said."""
        read = self.app.bodies.get(id(request.scope))
        assert read is None or read == body
        if task.cancelled():
            return
        error = task.exception()
        assert error is None or isinstance(error, ZeroDivisionError)
        if error is None:
            assert request.status in (200, 404, 499, 503)
            assert request.sent[-1]["type"] == "http.response.body"


def test_the_books_balance_whatever_happens() -> None:
    """arrived = waiting + admitted + rejected + left at all times, and at rest nobody is inside."""
    run_state_machine_as_test(
        Requests,
        settings=settings(max_examples=examples(60), stateful_step_count=50, deadline=None),
    )
