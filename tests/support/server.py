"""A real server in a thread, the command as a process, and callers who speak raw HTTP."""

import asyncio
import contextlib
import io
import json
import os
import random
import select
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

from bpdemo.api.connection.spoken import no_verdict
from bpdemo.api.server import DrainingServer, address_of, bind
from bpdemo.assembly.app import create_app
from bpdemo.core.model import Order
from bpdemo.core.settings import Settings
from tests.support.http import BODY
from tests.support.waiting import PATIENCE_S, eventually


class Reply(NamedTuple):
    """An answer as it came over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def closes(self) -> bool:
        return self.headers.get("connection", "").lower() == "close"


class Wire:
    """One connection, and whatever bytes one likes to send over it."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""

    def __enter__(self) -> "Wire":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Reply:
        """A request in good order, and its answer."""
        self.request(method, path, body, **headers)
        return self.reply(head=method == "HEAD")

    def request(self, method: str, path: str, body: bytes = b"", **headers: str) -> None:
        lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self.send("\r\n".join([*lines, "", ""]).encode() + body)

    def reply(self, *, head: bool = False) -> Reply:
        """The next answer; fails if the connection ends before it is complete."""
        top = self._until(b"\r\n\r\n").decode()
        line, *rest = top.split("\r\n")
        headers = {}
        for entry in filter(None, rest):
            name, _, value = entry.partition(": ")
            assert name.lower() not in headers, f"{name} is there twice"
            headers[name.lower()] = value
        status = int(line.split()[1])
        if status < 200:
            return Reply(status, headers, b"")
        length = 0 if head else int(headers["content-length"])
        while len(self._buffer) < length:
            self._more()
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return Reply(status, headers, body)

    def hears_something(self, within_s: float) -> bool:
        return bool(select.select([self._socket], [], [], within_s)[0])

    def is_closed(self, within_s: float = PATIENCE_S) -> bool:
        """Whether the server ends the connection, with not a byte more."""
        self._socket.settimeout(within_s)
        try:
            data = self._socket.recv(1)
        except TimeoutError:
            return False
        except ConnectionError:
            return True
        assert data == b"", f"unexpected: {data!r}"
        return True

    def hang_up(self) -> None:
        self._socket.close()

    def _until(self, mark: bytes) -> bytes:
        while mark not in self._buffer:
            self._more()
        found, self._buffer = self._buffer.split(mark, 1)
        return found

    def _more(self) -> None:
        data = self._socket.recv(65536)
        assert data, f"the connection ended after {self._buffer!r}"
        self._buffer += data


class ServerThread:
    """The service behind a real server on a free port."""

    def __init__(self, *, judging: bool = True, **knobs: Any) -> None:
        """Without `judging` it says no as any other server would: the application does."""
        self.log = io.StringIO()
        settings = Settings(**knobs)
        app = create_app(settings, log_stream=self.log)
        self.office = app.state.assembly.office
        self._store = app.state.assembly.bare_store
        drain = partial(self.office.drain, settings.drain_timeout_s)
        observer = app.state.telemetry.observer
        self.server = DrainingServer(
            app,
            drain,
            read_timeout_s=settings.read_timeout_s,
            verdict=app.state.verdict if judging else no_verdict,
            observer=observer,
        )
        listener = bind("127.0.0.1", 0)
        self.url = address_of(listener)
        self.port = listener.getsockname()[1]
        self._wires: list[Wire] = []
        self.thread = threading.Thread(target=self.server.run, args=([listener],), daemon=True)

    def start(self) -> None:
        self.thread.start()
        eventually(lambda: self.server.started, "the server has started")

    def stop(self) -> None:
        self.server.stop()
        self.thread.join(PATIENCE_S)
        assert not self.thread.is_alive(), "the server does not stop"

    def connect(self) -> Wire:
        """A connection; closed when the server is, if not before."""
        self._wires.append(Wire(self.port))
        return self._wires[-1]

    def order(self, **headers: str) -> Wire:
        """An order on its way, over a connection of its own."""
        wire = self.connect()
        wire.request("POST", "/orders", BODY, **headers)
        return wire

    def fill(self) -> Wire:
        """Occupy the only worker."""
        wire = self.order()
        self.when_books(running=1)
        return wire

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Reply:
        with self.connect() as wire:
            return wire.ask(method, path, body, **headers)

    def hang_up(self) -> None:
        for wire in self._wires:
            wire.hang_up()

    @property
    def stats(self) -> dict[str, Any]:
        return self.ask("GET", "/stats").json()

    @property
    def orders(self) -> Sequence[Order]:
        """What the store holds."""
        return self._store.orders

    @property
    def books(self) -> dict[str, int]:
        return self.stats["books"]

    def when_books(self, **wanted: int) -> dict[str, int]:
        """The books as soon as they say so."""

        def hold() -> dict[str, int] | None:
            books = self.books
            return books if all(books[name] == count for name, count in wanted.items()) else None

        return eventually(hold, f"books say {wanted}")

    def assert_at_rest(self) -> None:
        """Nobody is inside, no connection task is left, the books balance."""
        eventually(lambda: self.stats["in_flight"] == 0, "in_flight is 0")
        self.when_books(waiting=0, queued=0, running=0)
        assert_balanced(self.books)


def assert_balanced(books: dict[str, int]) -> None:
    ended = sum(books[name] for name in ("success", "failure", "expired", "abandoned", "shed"))
    assert books["received"] == books["waiting"] + books["rejected"] + books["admitted"], books
    assert books["admitted"] == ended + books["queued"] + books["running"], books


@contextlib.contextmanager
def server(**knobs: Any) -> Iterator[ServerThread]:
    """A server with those settings, stopped at the end; what is stuck is not waited for."""
    thread = ServerThread(**({"drain_timeout_s": 0.0, "store_latency_s": 0.0} | knobs))
    thread.start()
    try:
        yield thread
    finally:
        thread.stop()
        thread.hang_up()


class Command:
    """`python -m bpdemo …` as a process of its own."""

    def __init__(
        self,
        *arguments: str,
        stdin: Any = subprocess.DEVNULL,
        stderr: Any = subprocess.PIPE,
        under: Any = (),
        **env: str,
    ) -> None:
        """`stderr`: another target than the pipe that is read into `self.stderr`. `under`: words
        before the command, of a program that starts it."""
        self.process = subprocess.Popen(
            [*under, sys.executable, "-m", "bpdemo", *arguments],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            env={name: v for name, v in os.environ.items() if not name.startswith("BPDEMO_")} | env,
        )
        self.stderr = ""
        self._reader = threading.Thread(target=self._drain_stderr, daemon=True)
        self._reader.start()

    def __enter__(self) -> "Command":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._reader.join(PATIENCE_S)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream:
                stream.close()

    def port(self) -> int:
        """Of the `ready` line, for which this waits."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("ready http://"), (line, self.stderr)
        return int(line.rsplit(":", 1)[1])

    def signal(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def wait(self, within_s: float = PATIENCE_S) -> int:
        """The exit code; everything it said is there then."""
        code = self.process.wait(within_s)
        self._reader.join(within_s)
        return code

    def _drain_stderr(self) -> None:
        for line in self.process.stderr or ():
            self.stderr += line


class Answered(NamedTuple):
    """What an open-loop load got: answers by status and reason, and what got none."""

    statuses: Counter[int]
    reasons: Counter[str]
    unanswered: int
    closing: int

    @property
    def total(self) -> int:
        return sum(self.statuses.values()) + self.unanswered


class OpenLoop:
    """Orders at random moments, `rate` a second, whether or not those before were answered.

    Each has a connection for itself while it is under way; connections are used again.
    """

    def __init__(self, port: int, rate: float, seed: int = 0) -> None:
        self._port = port
        self._rate = rate
        self._rng = random.Random(seed)
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self.statuses: Counter[int] = Counter()
        self.reasons: Counter[str] = Counter()
        self.unanswered = 0
        self.closing = 0

    async def run(self, seconds: float, until: asyncio.Event | None = None) -> Answered:
        """Send for that long (or until the event), then wait for every answer."""
        loop = asyncio.get_running_loop()
        due_s, end_s = loop.time(), loop.time() + seconds
        async with asyncio.TaskGroup() as group:
            while due_s < end_s and not (until and until.is_set()):
                await asyncio.sleep(max(0.0, due_s - loop.time()))
                group.create_task(self._send())
                due_s += self._rng.expovariate(self._rate)
        for _, writer in self._idle:
            writer.close()
        return Answered(self.statuses, self.reasons, self.unanswered, self.closing)

    async def _send(self) -> None:
        try:
            while True:
                used = bool(self._idle)
                reader, writer = self._idle.pop() if used else await self._connect()
                try:
                    async with asyncio.timeout(30):
                        await self._exchange(reader, writer)
                    return
                except (ConnectionError, asyncio.IncompleteReadError):
                    writer.close()
                    if not used:
                        raise
        except (OSError, asyncio.IncompleteReadError):
            self.unanswered += 1

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self._port)

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(
            b"POST /orders HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n\r\n" % len(BODY)
            + BODY
        )
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        status = int(head.split()[1])
        length = int(head.split("content-length: ")[1].split("\r\n")[0])
        body = json.loads(await reader.readexactly(length))
        self.statuses[status] += 1
        if status >= 400:
            self.reasons[body["reason"]] += 1
            assert ("retry-after: " in head) == (status in (429, 503)), head
        if "connection: close" in head:
            self.closing += 1
            writer.close()
        else:
            self._idle.append((reader, writer))
