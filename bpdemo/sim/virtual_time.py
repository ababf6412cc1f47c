"""An asyncio event loop on which hours pass in seconds, and always in the same way.

    VirtualTimeError (RuntimeError)
    ├── RealWorldForbidden    a socket, process, thread or signal was asked for, or has asked
    ├── Deadlock              main is not done, and nothing is left that could wake it
    └── OutOfTime             the clock would have passed `limit_s`

The clock starts at 0 and stands still while any callback is ready. When none is, it jumps to the
next timer. Nothing outside the loop can wake it, so a run depends on the code and its seeds only,
to its very end: what is still running then is cancelled in the order in which it began.
Code that reads another clock (`time.monotonic`) sees that clock: use the loop's `time()`.
"""

import asyncio
import gc
import itertools
import math
import signal
import sys
from _thread import get_ident as _get_ident
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import Context, copy_context
from functools import partial
from heapq import heapify, heappop, heappush
from typing import Any, Generic, NoReturn, Self, TypeVar, TypeVarTuple

from bpdemo.sim.handles import LoopHandle, Timer, new_handle, new_timer

__all__ = [
    "Deadlock",
    "OutOfTime",
    "RealWorldForbidden",
    "Steps",
    "VirtualTimeError",
    "VirtualTimeLoop",
    "run",
]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

# asyncio's own threshold: below it, sweeping cancelled timers out of the heap is not worth while.
_MIN_TIMERS_TO_SWEEP = 100
_NAMED_TASKS = 5
_BEFORE_ALL = -math.inf
_ROUNDS_AT_THE_END = 10
_COLLECT_AFTER = 20_000

_REAL_WORLD = (
    "add_reader",
    "add_signal_handler",
    "add_writer",
    "connect_accepted_socket",
    "connect_read_pipe",
    "connect_write_pipe",
    "create_connection",
    "create_datagram_endpoint",
    "create_server",
    "create_unix_connection",
    "create_unix_server",
    "getaddrinfo",
    "getnameinfo",
    "remove_reader",
    "remove_signal_handler",
    "remove_writer",
    "run_in_executor",
    "sendfile",
    "set_default_executor",
    "sock_accept",
    "sock_connect",
    "sock_recv",
    "sock_recv_into",
    "sock_recvfrom",
    "sock_recvfrom_into",
    "sock_sendall",
    "sock_sendfile",
    "sock_sendto",
    "start_tls",
    "subprocess_exec",
    "subprocess_shell",
)


class VirtualTimeError(RuntimeError):
    """Something that cannot be under virtual time."""


class RealWorldForbidden(VirtualTimeError):
    """The code reached for a socket, a process, a thread or a signal, or another thread for it."""


class Deadlock(VirtualTimeError):
    """Every task waits, and no callback or timer is left that could wake one."""


class OutOfTime(VirtualTimeError):
    """The next timer lies beyond `limit_s`."""


class VirtualTimeLoop(asyncio.BaseEventLoop):
    """An event loop whose clock jumps to the next timer when nothing is ready.

    Callbacks run first in, first out; so do timers of the same moment, which asyncio leaves open.
    It holds no file descriptor. Past `limit_s` (virtual seconds) it raises OutOfTime, once, so
    that the tasks cancelled afterwards can still clean up. A task that spins on `sleep(0)` until
    the clock moves spins for ever: the clock stands still while anything is ready.
    """

    # Kept by BaseEventLoop.
    _closed: bool
    _stopping: bool
    _task_factory: object
    _thread_id: int | None

    def __init__(self, limit_s: float = sys.float_info.max) -> None:
        super().__init__()
        self._now = 0.0
        self._limit_s = limit_s
        self._pause_s = math.inf
        self._horizon_s = limit_s  # the nearer of the two
        self._ready: deque[LoopHandle | Timer] = deque()
        # The serial number keeps equal times in order, and comparison away from the handles.
        self._scheduled: list[tuple[float, int, Timer]] = []
        self._next_serial = itertools.count().__next__
        self._cancelled_timers = 0
        # As in BaseEventLoop, without a Python call: every customer and every pause asks for one.
        self.create_future = partial(asyncio.Future, loop=self)  # type: ignore[method-assign]

    def __repr__(self) -> str:
        return (
            f"<VirtualTimeLoop time={self._now:g}s ready={len(self._ready)} "
            f"timers={len(self._scheduled) - self._cancelled_timers} closed={self.is_closed()}>"
        )

    def time(self) -> float:
        """Virtual seconds since the loop was made."""
        return self._now

    def set_debug(self, enabled: bool) -> None:
        super().set_debug(enabled)
        # Every future and task asks, from C, which this answers without a Python call.
        self.get_debug = partial(bool, enabled)  # type: ignore[method-assign]

    def close(self) -> None:
        super().close()
        # It knows the loop: in a circle, a loop that is over would wait for a collection.
        self.__dict__.pop("create_future", None)

    def call_soon(
        self,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:
        if self._thread_id != _get_ident() or callback is None:
            self._require_way_in("call_soon", callback)
        handle = new_handle()
        handle._callback = callback
        handle._args = args
        handle._context = copy_context() if context is None else context
        self._ready.append(handle)
        return handle

    def call_soon_threadsafe(
        self,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.Handle:
        """As `call_soon`; another thread is refused, for it would make the order a matter of luck.

        asyncio itself calls this from the loop's own thread, to finalise asynchronous generators.
        """
        if self._thread_id not in (None, _get_ident()):
            raise _from_outside("call_soon_threadsafe")
        return self.call_soon(callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self._schedule(when, callback, args, context)

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        return self._schedule(self._now + delay, callback, args, context)

    def create_task(self, coro: Any, **options: Any) -> asyncio.Task[Any]:
        if self._closed or self._task_factory is not None:
            return super().create_task(coro, **options)
        if self._thread_id != _get_ident():  # a task that is half made cannot be given up quietly
            self._require_way_in("create_task", coro)
        task: Any = asyncio.Task(coro, loop=self, **options)
        task.serial = self._next_serial()  # for `_cancel_in_order`
        return task  # type: ignore[no-any-return]

    def _schedule(
        self,
        when: float,
        callback: Callable[..., object],
        args: tuple[object, ...],
        context: Context | None,
    ) -> Timer:
        if self._thread_id != _get_ident() or callback is None:
            self._require_way_in("call_at", callback)
        if not when > _BEFORE_ALL:  # TypeError for None; NaN would disorder the heap
            raise ValueError(f"{when!r} is not a time")
        timer = new_timer()
        timer._when = when
        timer._callback = callback
        timer._args = args
        timer._context = copy_context() if context is None else context
        timer._loop = self
        timer._scheduled = True
        heappush(self._scheduled, (when, self._next_serial(), timer))
        return timer

    def run_forever(self) -> None:
        with _few_collections():
            super().run_forever()

    def run_for(self, by_s: float) -> None:
        """Run what happens within `by_s` seconds, the last moment included, or until stopped.

        Then the clock shows that much more. No timer marks the end, so nothing differs from a run
        without a pause.
        """
        if not by_s >= 0:
            raise ValueError(f"by_s: {by_s!r} is not a number of seconds from 0 on")
        self._pause_s = self._now + by_s
        self._horizon_s = min(self._pause_s, self._limit_s)
        try:
            self.run_forever()
        finally:
            self._pause_s, self._horizon_s = math.inf, self._limit_s

    def _require_way_in(self, name: str, callback: object) -> None:
        """Asked when the loop does not run in this thread, or there is nothing to call."""
        if self._closed:
            raise RuntimeError("Event loop is closed")
        if callback is None:
            raise TypeError(f"{name}: the callback is None")
        if self._thread_id not in (None, _get_ident()):
            raise _from_outside(name)

    def _run_once(self) -> None:
        """Run until stopped: `run_forever` calls this once and not once per turn.

        A turn is as in asyncio: first the timers that are due, then what is ready at that moment,
        but not what those callbacks add.
        """
        ready, timers = self._ready, self._scheduled
        popleft = ready.popleft
        while True:
            if timers and (not ready or timers[0][0] <= self._now):
                self._take_due_timers()
            elif not ready and not self._stopping:
                raise Deadlock(self._who_waits())
            for _ in range(len(ready)):
                handle = popleft()
                if (callback := handle._callback) is not None:
                    args = handle._args
                    try:
                        # To spread arguments costs as much as the call: most have one, or none.
                        if len(args) == 1:
                            handle._context.run(callback, args[0])
                        elif args:
                            handle._context.run(callback, *args)
                        else:
                            handle._context.run(callback)
                    except (SystemExit, KeyboardInterrupt):
                        raise
                    except BaseException as error:
                        self._report(handle, error)
            if self._stopping:
                return

    def _take_due_timers(self) -> None:
        """Make due timers ready; when nothing else is ready, first jump to the next of them."""
        ready, timers = self._ready, self._scheduled
        while timers:
            when, _, timer = timers[0]
            if when > self._now and timer._callback is not None:
                if ready or self._stopping:
                    return
                if when > self._horizon_s:
                    self._reach_horizon(when)
                    return
                self._now = when
            heappop(timers)
            timer._scheduled = False
            if timer._callback is None:
                self._cancelled_timers -= 1
            else:
                ready.append(timer)

    def _reach_horizon(self, when: float) -> None:
        """The next timer, at `when`, lies beyond what may be run now: pause, or say that it is
        too far."""
        if when == math.inf:
            raise Deadlock(self._who_waits())
        if self._pause_s <= self._limit_s:
            self._now = self._pause_s
            self.stop()
            return
        limit_s, self._limit_s = self._limit_s, sys.float_info.max
        self._horizon_s = self._pause_s
        raise OutOfTime(
            f"the next timer is at {when:g} s, past limit_s={limit_s:g}: "
            "main waits for something that does not come, while another task keeps time"
        )

    def count_cancelled(self) -> None:
        """Sweep once cancelled timers are most of the heap: most timeouts never fire."""
        self._cancelled_timers += 1
        timers = self._scheduled
        if self._cancelled_timers * 2 > len(timers) > _MIN_TIMERS_TO_SWEEP:
            timers[:] = [entry for entry in timers if entry[2]._callback is not None]
            heapify(timers)
            self._cancelled_timers = 0

    def _report(self, handle: LoopHandle | Timer, error: BaseException) -> None:
        self.call_exception_handler(
            {"message": f"Exception in callback {handle!r}", "exception": error, "handle": handle}
        )

    def _who_waits(self) -> str:
        tasks = sorted(asyncio.all_tasks(self), key=asyncio.Task.get_name)
        named = [f"{task.get_name()} ({_awaits(task)})" for task in tasks[:_NAMED_TASKS]]
        more = [f"and {len(tasks) - _NAMED_TASKS} more"] if len(tasks) > _NAMED_TASKS else []
        return (
            f"nothing is ready and no timer is left at {self._now:g} s, but main is not done. "
            f"Waiting: {'; '.join(named + more) or 'no task'}"
        )


def _awaits(task: asyncio.Task[Any]) -> str:
    """The task's coroutines and their lines, from its own down to the innermost."""
    places = []
    awaited: object = task.get_coro()
    while (frame := getattr(awaited, "cr_frame", None)) is not None:
        places.append(f"{frame.f_code.co_qualname}:{frame.f_lineno}")
        awaited = getattr(awaited, "cr_await", None)
    return " > ".join(places)


def _from_outside(name: str) -> RealWorldForbidden:
    return RealWorldForbidden(
        f"{name} from another thread: under virtual time nothing outside the loop may wake it"
    )


def _refuse(name: str) -> Callable[..., NoReturn]:
    def refuse(*_: object, **__: object) -> NoReturn:
        raise RealWorldForbidden(
            f"{name}: under virtual time there are no sockets, processes, threads or signals"
        )

    return refuse


for _name in _REAL_WORLD:
    setattr(VirtualTimeLoop, _name, _refuse(_name))


def run(main: Coroutine[Any, Any, T], *, limit_s: float = sys.float_info.max) -> T:
    """Run a coroutine on a fresh VirtualTimeLoop, as `asyncio.run` does, and return its result.

    What is still running at the end is cancelled, asynchronous generators are closed, and Ctrl-C
    cancels `main`. A loop that runs already in this thread, as in a notebook or a browser, stands
    still meanwhile. Raises Deadlock, and OutOfTime past `limit_s`.
    """
    loop = VirtualTimeLoop(limit_s)
    with _outer_loop_aside(), asyncio.Runner(loop_factory=lambda: loop) as runner:
        try:
            return runner.run(main)
        finally:
            _cancel_in_order(loop)


class Steps(Generic[T]):
    """A coroutine on a VirtualTimeLoop, run piece by piece: a page can draw and listen in between.

    In pieces or as a whole, the run is the same. `close` gives it up; so does leaving a `with`.
    """

    def __init__(
        self, main: Coroutine[Any, Any, T], *, limit_s: float = sys.float_info.max
    ) -> None:
        self._loop = VirtualTimeLoop(limit_s)
        self._main: asyncio.Task[T] = self._loop.create_task(main)
        self._main.add_done_callback(self._stop)

    @property
    def now_s(self) -> float:
        """How far it has come, in virtual seconds."""
        return self._loop.time()

    @property
    def done(self) -> bool:
        return self._main.done()

    def advance(self, by_s: float) -> bool:
        """Run for `by_s` more virtual seconds; True once `main` is done.

        Raises what `main` raised, Deadlock, and OutOfTime past `limit_s`; after any of them, and
        after the end, it is closed. RuntimeError if it was closed before. Ctrl-C is a
        KeyboardInterrupt, once what runs has had its turn.
        """
        try:
            with _outer_loop_aside(), _interrupted_after(self._loop.stop):
                self._loop.run_for(by_s)
        except BaseException:
            self.close()
            raise
        if not self.done:
            return False
        self.close()
        self._main.result()
        return True

    def result(self) -> T:
        """What `main` returned or raised. `asyncio.InvalidStateError` before that."""
        return self._main.result()

    def close(self) -> None:
        """Give it up: whatever still runs is cancelled, and may clean up. Twice is once."""
        if self._loop.is_closed():
            return
        self._main.remove_done_callback(self._stop)
        with _outer_loop_aside(), _interrupted_after(lambda: None):
            self._loop._stopping = False  # a Ctrl-C between the last turn and this would stop it
            try:
                _cancel_in_order(self._loop)
                self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            finally:
                self._loop.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _stop(self, _: object) -> None:
        self._loop.stop()


@contextmanager
def _interrupted_after(stop: Callable[[], object]) -> Iterator[None]:
    """Ctrl-C calls `stop`, and is a KeyboardInterrupt behind this; a second one is so at once.

    As `asyncio.Runner` has it. Python's own handler would raise in whatever code runs, and a worker
    would take that for a job that has crashed, and go on.
    """
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    came = False

    def note(*_: object) -> None:
        nonlocal came
        if came:
            raise KeyboardInterrupt
        came = True
        stop()

    try:
        signal.signal(signal.SIGINT, note)
    except ValueError:  # not the main thread, to which no signal comes, or a program without any
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        if came:
            raise KeyboardInterrupt


@contextmanager
def _few_collections() -> Iterator[None]:
    """Let the garbage collector look less often, for a while.

    A run makes and drops objects by the million, nearly none of which need the collector to go: at
    its usual pace it takes a twelfth of the time.
    """
    usual = gc.get_threshold()
    if not 0 < usual[0] < _COLLECT_AFTER:
        yield
        return
    gc.set_threshold(_COLLECT_AFTER, *usual[1:])
    try:
        yield
    finally:
        gc.set_threshold(*usual)


@contextmanager
def _outer_loop_aside() -> Iterator[None]:
    """The loop that runs in this thread already, and its current task, step back meanwhile.

    A thread of its own would do as well, but a browser has none; and in one thread Ctrl-C reaches
    whatever runs.
    """
    outer = asyncio._get_running_loop()
    if outer is None:
        yield
        return
    task = asyncio.current_task(outer)
    if task is not None:
        asyncio._leave_task(outer, task)
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(outer)
        if task is not None:
            asyncio._enter_task(outer, task)


def _cancel_in_order(loop: VirtualTimeLoop) -> None:
    """What the runner does next, but in the order in which the tasks were made: it would go through
    a set, whose order is another one in each run, and so would be what the tasks do at their end.

    Those that begin meanwhile, to clean up, are cancelled next; some would go on so for ever.
    """
    for _ in range(_ROUNDS_AT_THE_END):
        tasks = sorted(asyncio.all_tasks(loop), key=lambda task: getattr(task, "serial", -1))
        if not tasks:
            return
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        for task in tasks:
            if not task.cancelled() and (error := task.exception()):
                loop.call_exception_handler(
                    {"message": "A task failed at its end.", "exception": error, "task": task}
                )
