"""An application behind one rule: who may come in, when, and what the others are told."""

import asyncio
from collections.abc import Awaitable, Callable
from math import inf
from random import Random
from typing import TYPE_CHECKING

from bpdemo.core.client_timeout import client_timeout_s
from bpdemo.core.errors import Refused
from bpdemo.flow.deadline import Deadline
from bpdemo.protect.books import AdmissionBooks
from bpdemo.protect.bulkhead import Bulkhead, LeftWaiting, Slot
from bpdemo.protect.deadlines import DEADLINE_KEY, deadline_of
from bpdemo.protect.events import AdmissionEvent
from bpdemo.protect.lookahead import Lookahead
from bpdemo.protect.problems import refuse, say_nobody_heard
from bpdemo.protect.rule import Rule

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: What an answer consists of; the last of it has no more to come. Two are extensions of ASGI.
_CONTENT = ("http.response.body", "http.response.pathsend", "http.response.zerocopysend")


def guard(
    app: "ASGIApp",
    name: str,
    rule: Rule,
    books: AdmissionBooks,
    *,
    timeout_header: bytes | None,
    tell: Callable[[AdmissionEvent], object] | None,
    clock: Callable[[], float] | None,
    rng: Random | None,
) -> "Guarded":
    """`app` behind `rule`; in the loop that will serve it."""
    clock = _finite(clock) if clock else asyncio.get_running_loop().time
    bulkhead = Bulkhead(name, rule, books, clock=clock, rng=rng or Random(), tell=tell)
    return Guarded(app, bulkhead, timeout_header, clock)


def _finite(clock: Callable[[], float]) -> Callable[[], float]:
    """The same clock, which stands still while it fails: no estimate outlives NaN or infinity."""
    last_s = 0.0

    def read() -> float:
        nonlocal last_s
        if -inf < (now := clock()) < inf:
            last_s = now
        return last_s

    return read


class Guarded:
    """An ASGI application for HTTP alone."""

    __slots__ = ("_app", "_bulkhead", "_clock", "_timeout_header")

    def __init__(
        self,
        app: "ASGIApp",
        bulkhead: Bulkhead,
        timeout_header: bytes | None,
        clock: Callable[[], float],
    ) -> None:
        self._app = app
        self._bulkhead = bulkhead
        self._timeout_header = timeout_header
        self._clock = clock

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        deadline = self._read_deadline(scope)  # before anything is counted
        try:
            slot = self._bulkhead.try_enter(deadline)
        except Refused as refused:
            await refuse(refused, self._bulkhead.retry_after_s(), scope, send)
            return
        if slot is None:
            await self._wait_and_serve(deadline, scope, receive, send)
        else:
            await self._serve(slot, scope, receive, send)

    async def _wait_and_serve(
        self, deadline: Deadline, scope: "Scope", receive: "Receive", send: "Send"
    ) -> None:
        ahead = Lookahead(receive)
        try:
            try:
                slot = await self._bulkhead.wait(deadline, ahead)
            except Refused as refused:
                await refuse(refused, self._bulkhead.retry_after_s(), scope, send)
            except LeftWaiting:
                await say_nobody_heard(send)
            else:
                await self._serve(slot, scope, ahead.receive, send)
        finally:
            ahead.close()

    async def _serve(self, slot: Slot, scope: "Scope", receive: "Receive", send: "Send") -> None:
        answered: int | None = None
        clock = self._clock

        async def hear() -> "Message":
            asked_s = clock()
            message = await receive()
            if message["type"] == "http.request":
                slot.waited_for_caller(clock() - asked_s)  # they were still sending
            return message

        def answer(message: "Message") -> Awaitable[None]:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = message["status"]
            elif message["type"] in _CONTENT:
                if not message.get("more_body"):
                    slot.answered(answered)
                return say_part(message)
            return send(message)

        async def say_part(message: "Message") -> None:
            began_s = clock()
            try:
                await send(message)
            finally:
                slot.waited_for_caller(clock() - began_s)  # they are slow to read

        status = None
        try:
            await self._app(scope, hear, answer)
            status = answered
        finally:
            slot.end(status)

    def _read_deadline(self, scope: "Scope") -> Deadline:
        """By when the caller wants an answer; for whatever is further in, too.

        A header that cannot be read counts as absent: what it means is the application's to say.
        """
        deadline = deadline_of(scope)
        for name, value in scope["headers"] if self._timeout_header else ():
            if name == self._timeout_header and (timeout_s := client_timeout_s(value.strip())):
                deadline = min(deadline, Deadline.after(timeout_s, self._clock()))
                scope[DEADLINE_KEY] = deadline
        return deadline
