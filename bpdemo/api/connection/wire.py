"""The connection, below ASGI: what uvicorn leaves open to callers who are slow or odd on purpose.

uvicorn waits for ever for a head, for a body that nobody reads, and for a caller who does not read
their answers; it rejects an unreadable request even in the middle of the answer to the one
before, and its way to end a connection takes back what was said last.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT

from bpdemo.api.arrival import ARRIVED_KEY, CROWD_KEY, READ_BY_KEY
from bpdemo.api.connection.exchange import Exchange, WholeAnswer
from bpdemo.api.connection.farewell import Farewell
from bpdemo.api.connection.hang_up import HANG_UP_KEY, HangUp
from bpdemo.api.connection.last_words import FULL, LEAVING, LastWords
from bpdemo.api.connection.messages import Messages
from bpdemo.api.connection.open_connections import OpenConnections
from bpdemo.api.connection.patience import Patience, Taking
from bpdemo.api.connection.spoken import CLOSE, HeadVerdict, spoken
from bpdemo.api.connection.steady import SteadyTransport
from bpdemo.api.problems import Problem

#: Read at once; asyncio's own measure is four times what may wait behind a request.
_READ_BYTES = 65_536
#: How long a newcomer for whom there is no room may take to ask.
_ASK_WITHIN_S = 1.0


class Wire(Messages):
    """A request must be complete `read_timeout_s` (0: no limit) after its first byte; a caller who
    reads next to nothing for so long, with an answer to take, is cut off."""

    def __init__(
        self,
        *args: Any,
        read_timeout_s: float,
        verdict: HeadVerdict,
        crowd: OpenConnections,
        last_words: LastWords,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._read_timeout_s = read_timeout_s
        self._verdict = verdict
        self._crowd = crowd
        self._last_words = last_words
        self._patience = Patience(self.loop, self._give_up)
        self._hang_up = HangUp(self._leave)
        self._farewell: Farewell | None = None
        self._may_judge = False  # the next head, and say no without the application
        self._keeps_alive = True  # after such a no
        self._is_half_closed = False
        self._is_outside = False  # for whom there is no room
        self._is_last = False  # the process ends, and nobody holds it up

    # --- what the transport says

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        if hasattr(transport, "max_size"):
            transport.max_size = _READ_BYTES
        steady = self._steady = SteadyTransport(transport, self.loop)
        self._answer = WholeAnswer(steady, self._leave)
        self._taking = Taking(steady, self.loop, self._read_timeout_s)
        try:
            super().connection_made(steady)
        except OSError:  # gone before we could ask who it is
            steady.abort()
            return
        self._is_outside = not self._crowd.enter(self)
        if self._is_outside:
            self._patience.expect(_ASK_WITHIN_S)
        elif self._read_timeout_s:
            self._patience.expect(self._read_timeout_s)

    def connection_lost(self, exc: Exception | None) -> None:
        self._crowd.leave(self)
        self._patience.cancel()
        self._taking.cancel()
        if self._farewell is not None:
            self._farewell.cancel()
        super().connection_lost(exc)
        if self._ahead is not None:
            self._ahead.abandon()
        self._hang_up.happen()
        # No circle is left for a full collection to find: there may be thousands of us at once.
        self._patience.forget()
        self._hang_up.forget()
        self._answer.forget()
        self.cycle = self._ahead = self._parsing = None

    def data_received(self, data: bytes) -> None:
        if self._farewell is not None:
            self._farewell.take(len(data))
        elif self._is_outside:
            self._speak(*FULL)
        elif self._deaf or (self._ahead is not None and (self._held or self._must_hold)):
            self._held.put(data, self.loop.time())
            self._balance()
        else:
            # One of all that came at once, so that nobody keeps the process to themselves; and none
            # of those who do not read what they are told: the application can wait for them.
            self._may_judge = not self.flow.write_paused
            self._take(data)
            if self._no is not None:
                self._say_no(self._no)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Whether to stay, and give the answers that are owed."""
        self._is_half_closed = True
        in_hand = self.cycle
        if self._farewell is not None or in_hand is None or in_hand.response_complete:
            return False
        if in_hand.more_body or self._hang_up.is_heeded:
            return False
        self._hang_up.is_half_closed = True
        self._crowd.half_closed[self] = None
        self._finish_half_closed()
        return True

    def pause_writing(self) -> None:
        super().pause_writing()
        self._taking.expect()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._taking.progress()
        self._steady.written()

    # --- what the server and the crowd say

    def shutdown(self) -> None:
        self._is_last = True
        if self._farewell is not None:
            self._farewell.hurry()
        elif not self._owes_answer:
            self.transport.close()
        elif self._reading == "body" and self._parsing is self.cycle:
            self._refuse(*LEAVING)  # half a body holds nobody up
        else:
            self._end_after_this()

    def cut(self) -> None:
        if self._farewell is None and not self._owes_answer:
            self.transport.close()
        else:
            self.transport.abort()

    # --- what becomes of requests

    @property
    def _is_ending(self) -> bool:
        return self._deaf or self._farewell is not None or self.transport.is_closing()

    def _begin(self) -> None:
        self._crowd.idle.pop(self, None)
        self._patience.due_s = None  # the pause between two requests is over
        if self._read_timeout_s:
            self._patience.expect(self._read_timeout_s)

    def _admit(self, head: Any, keeps_alive: bool) -> Exchange | None:
        waits = self._owes_answer
        if self._may_judge and not waits and self._came_s is None:
            self._judge(head)
            if self._no is not None:
                self._keeps_alive = keeps_alive
                return None
        cycle = self._make_cycle(head, keeps_alive)
        head[HANG_UP_KEY] = self._hang_up
        head[CROWD_KEY] = self._crowd
        if waits or self._came_s is not None:
            # Its time began when it came, and not with its turn.
            head[ARRIVED_KEY] = self._came_s or self.loop.time()
        elif self._patience.due_s:
            head[READ_BY_KEY] = self._patience.due_s
        if waits:
            self._ahead = cycle
        else:
            self._take_in_hand(cycle)
        return cycle

    def _judge(self, head: Any) -> None:
        self._may_judge = False
        try:
            self._no = self._verdict(head)
        except Exception:
            self._no = None

    def _say_no(self, no: Problem) -> None:
        """What came is parsed, as it is when the application answers."""
        self._no = None
        closes = CLOSE in no.headers
        if not closes and not self._keeps_alive:
            no.headers.append(CLOSE)
            closes = True
        headers = self.server_state.default_headers + no.headers
        self.transport.write(spoken(no.status, headers, no.body))
        if closes:
            self._leave()
        self.on_response_complete()

    def _take_in_hand(self, cycle: Exchange) -> None:
        self.cycle = cycle
        self._start_asgi_task(cycle, self.app)

    def _completed(self) -> None:
        self._patience.due_s = None
        if not self._owes_answer:
            self._crowd.idle[self] = None  # what has come was answered before

    def _progressed(self) -> None:
        if self._reading != "head":
            # They send what asks for nothing: line breaks, or a body that was answered before it
            # came. That must not hold the connection, however often it is done.
            self._patience.expect_sooner(self._read_timeout_s or self.timeout_keep_alive)

    def on_response_complete(self) -> None:
        self._answer.flush()
        self._taking.expect()
        self.server_state.total_requests += 1
        if self._farewell is not None or self.transport.is_closing():
            return
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            self._take_in_hand(ahead)
            self._take_held()
        if self._owes_answer:
            if self._is_half_closed:
                self._finish_half_closed()
        elif self._deaf or self._is_half_closed:
            self._leave()
        else:
            self._rest()

    def _finish_half_closed(self) -> None:
        """Nothing more will come: what is not complete now will never be."""
        if self._ahead is not None and self._ahead.more_body:
            self._ahead = None
        if self.cycle is not None and self.cycle.more_body:
            self._leave()
        elif self._ahead is None:
            self._end_after_this()

    def _rest(self) -> None:
        """Until the next request."""
        if self._reading == "nothing":
            self._crowd.idle[self] = None
        if self._reading == "nothing" or self._patience.due_s is None:
            self._patience.expect(self.timeout_keep_alive)

    def _balance(self) -> None:
        """Not read on with much to work on; and then not again before there is nothing."""
        cycle = self.cycle
        much = (
            cycle is not None
            and cycle.more_body
            and not cycle.response_complete
            and len(cycle.body) > HIGH_WATER_LIMIT
        )
        if much or self._held.is_full:
            self.flow.pause_reading()
        elif self.flow.read_paused and not self._held:
            self.flow.resume_reading()

    # --- how it ends

    def _give_up(self) -> None:
        if self._is_outside:
            self._speak(*FULL)
        elif self._reading == "head":
            self._refuse("read_timeout", "The head of the request did not arrive in time.")
        elif not self._owes_answer:
            self._leave()  # nothing was asked, so there is nothing to answer
        elif self._parsing is self.cycle and self.cycle is not None:
            self.cycle.keep_alive = False  # the body's reader sees that it is late
        else:
            self._end_after_this()

    def _refuse(self, reason: str, detail: str, status: int | None = None) -> None:
        self._deaf = True
        parsing = self._parsing
        if self._reading != "body":
            may_speak = not self._owes_answer
        elif parsing is None:  # a no is its answer, and was said or not
            may_speak = self._no is not None
            self._no = None
        else:
            may_speak = parsing is self.cycle and not parsing.response_started
        if may_speak:
            self._speak(reason, detail, status)
        elif self._owes_answer:
            self._end_after_this()
        else:
            self._leave()

    def _speak(self, reason: str, detail: str, status: int | None = None) -> None:
        self.transport.write(self._last_words.say(reason, detail, status))
        self._leave()

    def _end_after_this(self) -> None:
        """The answer that is owed is the last one."""
        self._ahead = None
        self._deaf = True
        self._keeps_alive = False
        if self.cycle is not None:
            self.cycle.keep_alive = False

    def _leave(self) -> None:
        """End gently, whatever the caller does."""
        if self._farewell is not None or self.transport.is_closing():
            return
        self._patience.cancel()
        self._taking.expect()  # if what was said last waits for a caller who does not read
        for cycle in (self.cycle, self._ahead):
            if cycle is not None:
                cycle.abandon()
        self._hang_up.happen()
        if self._is_half_closed:
            self.transport.close()
            return
        self._farewell = Farewell(self._steady, self.loop)
        if self._is_last:
            self._farewell.hurry()
        self._crowd.idle.pop(self, None)
        self._crowd.parting[self] = None
        self._held.clear()
        self.flow.resume_reading()
