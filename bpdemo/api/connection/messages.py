"""From bytes to requests, below ASGI: a piece at a time, each ending where a message may end.

uvicorn parses all that comes, however much is unanswered; it takes a head of any size, and keeps
what follows the last chunk of a body as if it were headers. Here one request is in hand, one more
may have been parsed, and what comes behind them waits as bytes, up to a limit.
"""

import asyncio
from typing import Any, Literal

import httptools
from uvicorn.protocols.http.flow_control import HIGH_WATER_LIMIT
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from bpdemo.api.connection.exchange import Exchange, WholeAnswer
from bpdemo.api.connection.head import (
    WATCHED,
    Framing,
    Unreadable,
    read_target,
    speaks_http,
    with_host,
)
from bpdemo.api.connection.held import Held
from bpdemo.api.problems import Problem

#: Of a head; and of whatever a chunked body consists of besides its content, between two pieces.
MAX_HEAD_BYTES = 65_536
#: Far more than anybody has use for, and soon read.
MAX_HEADERS = 100
TOO_MANY_HEADERS = f"A request may have {MAX_HEADERS} headers at most."
#: Fed to the parser at once; the head's size is known to this precision.
_SLICE_BYTES = 16_384
#: What ends a head, and a body in chunks; the parser takes nothing else for their end.
_END = b"\r\n\r\n"
_UNREADABLE = "This is no request of HTTP/1.1."


class Messages(HttpToolsProtocol):
    """One connection's requests; what becomes of them is the subclass's."""

    cycle: Exchange | None  # type: ignore[assignment]  # in hand, or the last that was

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._answer: WholeAnswer
        self._reading: Literal["nothing", "head", "body"] = "nothing"
        self._parsing: Exchange | None = None  # whose body is read; None: a no is its answer
        self._ahead: Exchange | None = None  # parsed, and not yet in hand
        self._no: Problem | None = None  # the answer to what is being read, or was just now
        self._held = Held()
        self._came_s: float | None = None  # when that came which is being parsed; None: just now
        self._framing = Framing()
        self._head = b""  # as it came, until it is complete
        self._left_bytes = 0  # of a body of known length
        self._tail = b""  # of what was parsed: an end may be cut in two
        self._overhead_bytes = 0
        self._fault = Unreadable(_UNREADABLE)
        self._deaf = False  # what follows cannot be understood any more

    # --- the subclass's

    @property
    def _is_ending(self) -> bool:
        """Whether nothing of what comes will be answered."""
        raise NotImplementedError

    def _begin(self) -> None:
        """The first byte of a request has come."""
        raise NotImplementedError

    def _admit(self, head: Any, keeps_alive: bool) -> Exchange | None:
        """A request's head has come; None where its answer is known by that."""
        raise NotImplementedError

    def _completed(self) -> None:
        """A request has come to its end."""
        raise NotImplementedError

    def _progressed(self) -> None:
        """A piece was parsed, and no answer is owed."""
        raise NotImplementedError

    def _balance(self) -> None:
        """Read on, or do not, by what waits to be worked on."""
        raise NotImplementedError

    def _refuse(self, reason: str, detail: str, status: int | None = None) -> None:
        """Say no, where that cannot be taken for the answer to another request; then end."""
        raise NotImplementedError

    # --- a piece at a time

    @property
    def _must_hold(self) -> bool:
        """Whether as much was parsed ahead as may be."""
        ahead = self._ahead
        return ahead is not None and (not ahead.more_body or len(ahead.body) > HIGH_WATER_LIMIT)

    @property
    def _owes_answer(self) -> bool:
        if self._no is not None:
            return True
        return self.cycle is not None and not self.cycle.response_complete

    def _take(self, data: bytes) -> None:
        """Parse what comes just now as far as that may go, and hold the rest."""
        at, size = 0, len(data)
        while not at or (at < size and not self._must_hold and not self._is_ending):
            end = data.find(_END, at) - at
            if end == 0 and self._reading == "nothing":
                end = _last_break(data[at : at + _SLICE_BYTES])
            stop = at + self._bite(data[at : at + 3], end)
            self._parse(data[at:stop] if at or stop < size else data)
            at = stop
        if at < size and not self._is_ending:
            self._held.put(data[at:], self.loop.time())
            self._balance()

    def _take_held(self) -> None:
        """The same with what waited for its turn."""
        held = self._held
        while held and not self._must_hold and not self._is_ending:
            end = held.find(_END, _SLICE_BYTES)
            if end == 0 and self._reading == "nothing":
                end = _last_break(held.peek(_SLICE_BYTES))
            piece, self._came_s = held.take(self._bite(held.peek(3), end))
            self._parse(piece)
        self._came_s = None
        self._balance()

    def _bite(self, first: bytes, end: int) -> int:
        """How much to parse at once, so that no more than one message is complete after it.

        `first` are the first bytes; `end` is how far it is to the next end of a head, if negative
        there is none in sight. One may have begun in what was parsed before.
        """
        if self._left_bytes:
            bite = self._left_bytes
        elif self._tail and (cut := (self._tail + first).find(_END)) >= 0:
            bite = cut + len(_END) - len(self._tail)
        else:
            bite = _SLICE_BYTES if end < 0 else end + len(_END)
        return min(bite, _SLICE_BYTES)

    def _parse(self, piece: bytes) -> None:
        left_bytes, self._left_bytes = self._left_bytes, 0
        if self._reading != "body":
            self._head = self._head + piece if self._reading == "head" else piece
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade:
            self._read_on_past_upgrade()
        except httptools.HttpParserError:
            fault, self._fault = self._fault, Unreadable(_UNREADABLE)
            self._refuse("invalid_request", str(fault), fault.status)
            return
        if left_bytes > len(piece):
            self._left_bytes = left_bytes - len(piece)
        elif self._reading == "nothing" or piece.endswith(_END):
            self._tail = b""
        elif not left_bytes:
            self._tail = (self._tail + piece)[-3:]
        if self._reading != "nothing":
            self._weigh(len(piece))
        if not self._owes_answer:
            self._progressed()

    def _weigh(self, parsed_bytes: int) -> None:
        self._overhead_bytes += parsed_bytes
        if self._reading == "head" and len(self.headers) > MAX_HEADERS:
            self._refuse("invalid_request", TOO_MANY_HEADERS, 431)
        elif self._overhead_bytes > MAX_HEAD_BYTES:
            detail = f"The {self._reading} of the request is too large."
            self._refuse("invalid_request", detail, 431)

    def _read_on_past_upgrade(self) -> None:
        """There is no other protocol here: the offer is ignored, and the request read to its end.

        After such a head the parser takes all for the other protocol: another one gets the body.
        """
        if self._reading == "nothing":
            self._deaf = True
            return
        self.parser = httptools.HttpRequestParser(_Rest(self))
        how = b"content-length: %d" % self._framing.length_bytes
        if self._framing.coding is not None:
            how = b"transfer-encoding: chunked"
        self.parser.feed_data(b"POST / HTTP/1.1\r\n" + how + _END)

    # --- what the parser says

    def on_message_begin(self) -> None:
        self.url = b""
        self.headers = []
        self._framing = Framing()
        self._reading, self._overhead_bytes = "head", 0
        self._begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        # Stripped where they are born: white space around a value means nothing, and code
        # that compares or converts one must not have to think of it.
        name, value = name.lower(), value.strip(b" \t")
        if name in WATCHED and self._reading == "head":
            self._framing.note(name, value)
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        version = self.parser.get_http_version()
        head, self._head = self._head, b""
        try:
            if not speaks_http(head):
                raise Unreadable(_UNREADABLE)
            scope = self._make_scope(self.parser.get_method().decode("ascii"), version)
        except Unreadable as fault:
            self._fault = fault
            raise  # which ends the parsing
        # What follows a chunked body must not become headers of a request that was let in already.
        self.headers = []
        self._reading = "body"
        self._left_bytes = self._framing.length_bytes
        keeps_alive = version != "1.0" and self.parser.should_keep_alive()
        self._parsing = self._admit(scope, keeps_alive and not self.parser.should_upgrade())

    def on_body(self, body: bytes) -> None:
        self._overhead_bytes = 0
        cycle = self._parsing
        if cycle is None or cycle.response_complete:
            return
        cycle.body += body
        cycle.message_event.set()
        if len(cycle.body) > HIGH_WATER_LIMIT:
            self._balance()

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade() and self._framing.has_body:
            return  # its body is still to come: see `_read_on_past_upgrade`
        self._reading = "nothing"
        cycle = self._parsing
        if cycle is not None and not cycle.response_complete:
            cycle.more_body = False
            cycle.message_event.set()
            if self.flow.read_paused:
                self._balance()
        self._completed()

    def _make_scope(self, method: str, version: str) -> Any:
        """What the application hears of the head. Raises `Unreadable`."""
        headers, framing = self.headers, self._framing
        if len(headers) > MAX_HEADERS:
            raise Unreadable(TOO_MANY_HEADERS, 431)
        if method == "CONNECT":
            raise Unreadable("This is no proxy.")
        framing.check(version)
        target = read_target(self.url)
        if target.authority is not None:
            with_host(headers, target.authority)
        return {
            "type": "http",
            "asgi": {"version": self.asgi_version, "spec_version": "2.3"},
            "http_version": version,
            "server": self.server,
            "client": self.client,
            "scheme": self.scheme,
            "method": method,
            "root_path": self.root_path,
            "path": self.root_path + target.path,
            "raw_path": self.root_path.encode("ascii") + target.raw_path,
            "query_string": target.query,
            "headers": headers,
            "state": self.app_state.copy(),
        }

    def _make_cycle(self, scope: Any, keeps_alive: bool) -> Exchange:
        cycle = Exchange(
            scope=scope,
            transport=self._answer,  # type: ignore[arg-type]
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=self.server_state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=self._framing.expects and scope["http_version"] != "1.0",
            keep_alive=keeps_alive,
            on_response=self.on_response_complete,
        )
        cycle.on_taken = self._balance
        return cycle


def _last_break(data: bytes) -> int:
    """Where the last one begins of the line breaks that stand before a request, and mean nothing.

    None of them ends a message, so they may be parsed together: pair by pair, a stream of them
    would keep the process busy.
    """
    return len(data) - len(data.lstrip(b"\r\n")) - len(_END)


class _Rest:
    """Passes on a message's body and end, whatever its head was."""

    def __init__(self, messages: Messages) -> None:
        self.on_body = messages.on_body
        self._messages = messages

    def on_message_complete(self) -> None:
        self._messages.on_message_complete()
        self._messages._deaf = True
