"""How long a connection waits for its caller: for what they send, and until they take an answer."""

import asyncio
from collections.abc import Callable

from bpdemo.api.connection.hang_up import nothing
from bpdemo.api.connection.steady import SteadyTransport


class Patience:
    """Calls `give_up` when what is due by `due_s` (None: nothing) has not come."""

    __slots__ = ("_give_up", "_loop", "_timer", "due_s")

    def __init__(self, loop: asyncio.AbstractEventLoop, give_up: Callable[[], None]) -> None:
        self._loop = loop
        self._give_up = give_up
        self._timer: asyncio.TimerHandle | None = None
        self.due_s: float | None = None

    def expect(self, within_s: float) -> None:
        """Something must come by then."""
        self.due_s = self._loop.time() + within_s
        # One timer serves many requests: it looks again at what is due when it rings. To set and
        # cancel one for each would cost some microseconds every time.
        if self._timer is not None and self._timer.when() <= self.due_s:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self.due_s, self._ring)

    def expect_sooner(self, within_s: float) -> None:
        """The same, unless something is due before that."""
        if self.due_s is None or self.due_s > self._loop.time() + within_s:
            self.expect(within_s)

    def cancel(self) -> None:
        self.due_s = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def forget(self) -> None:
        """Expect nothing, and let go of the connection, which is over."""
        self.cancel()
        self._give_up = nothing

    def _ring(self) -> None:
        self._timer = None
        if self.due_s is None:
            return
        if self.due_s > self._loop.time():
            self._timer = self._loop.call_at(self.due_s, self._ring)
        else:
            self.due_s = None
            self._give_up()


#: As the web server Apache asks of those who send: a byte now and then is no reading.
LEAST_BYTES_PER_S = 500


class Taking:
    """Cuts off a caller who has an answer to take and, for `limit_s` (0: never), has read less of
    it than `LEAST_BYTES_PER_S`: nothing, or next to nothing."""

    __slots__ = ("_limit_s", "_loop", "_taken_bytes", "_timer", "_transport")

    def __init__(
        self, transport: SteadyTransport, loop: asyncio.AbstractEventLoop, limit_s: float
    ) -> None:
        self._transport = transport
        self._loop = loop
        self._limit_s = limit_s
        self._taken_bytes = 0  # when their time began
        self._timer: asyncio.TimerHandle | None = None

    def expect(self) -> None:
        """From now on, if anything waits to be read."""
        if self._timer is None and self._limit_s and self._transport.get_write_buffer_size():
            self._taken_bytes = self._transport.taken_bytes
            self._timer = self._loop.call_later(self._limit_s, self._cut)

    def progress(self) -> None:
        """They read: their time begins anew."""
        self.cancel()
        self.expect()

    def cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _cut(self) -> None:
        self._timer = None
        if not self._transport.get_write_buffer_size():
            return
        least_bytes = LEAST_BYTES_PER_S * self._limit_s
        if self._transport.taken_bytes - self._taken_bytes >= least_bytes:
            self.expect()  # slowly, but they read: we hear of it only when little is left
        else:
            # A gentle close would wait for the caller too, and keep their place and our memory.
            self._transport.abort()
