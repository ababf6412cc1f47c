"""The exercise of lesson 08: an open-loop Locust file, and what an unknown service can serve."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bpdemo.lab.exercises.exercise import Exercise, NotYet

RATE_PER_S: Final = 40
LOAD_S: Final = 3.0
#: No answer comes and no caller leaves before the last arrival is due: whatever makes one arrival
#: wait for another is not freed meanwhile, not even by a client timeout.
SLOW_S: Final = 4.0
CLIENT_TIMEOUT_S: Final = 3.5
#: Of 120 Poisson arrivals fewer than 84 come once in a thousand runs.
ARRIVED: Final = 0.7
FEW_ITEMS: Final = 10
#: What a load asks for itself, whatever its file sends.
WATCHED: Final = {"/metrics", "/stats", "/healthz", "/readyz", "/settings"}
TOLERANCE: Final = 0.15


@dataclass
class SlowServer:
    """Takes every request, writes it down, and answers none of them in time."""

    asked: list[tuple[str, str, str]] = field(default_factory=list)
    #: When each of them came, on the monotonic clock.
    came_s: list[float] = field(default_factory=list)

    def arrived(self) -> int:
        """How many came while the load lasted; those held back until its end do not count."""
        return sum(at_s - self.came_s[0] <= LOAD_S for at_s in self.came_s)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            while (message := await receive())["type"] != "lifespan.shutdown":
                await send({"type": f"{message['type']}.complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        is_watching = scope["path"] in WATCHED
        if not is_watching:
            self.came_s.append(time.monotonic())
            self.asked.append((scope["method"], scope["path"], body.decode("utf-8", "replace")))
            await asyncio.sleep(SLOW_S)
        status = 404 if is_watching else 201
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body"})


def judge_crowd(found: Any) -> str:
    """The figure first; then the file drives a server that answers nobody in time."""
    from bpdemo.lab.exercises.judges.judging import chosen
    from bpdemo.lab.lessons.unknown_shop import CAPACITY_PER_S

    (per_s,) = chosen(found, capacity_per_s=(1, 100_000))
    file = _file_of(found)
    _judge_rate(file)
    server = SlowServer()
    expected = _drive(server, file)
    _judge_requests(server)
    arrived = server.arrived()
    if arrived < ARRIVED * expected:
        raise NotYet(
            expected=f"about {expected:.0f} arrivals in {LOAD_S:g} s, {RATE_PER_S} a second.",
            seen=f"{arrived} requests came in that time, while the server answered nobody.",
            why="your callers wait for each other somewhere: the slower the answers, the fewer of "
            "them come, and an overload hides itself.",
            look="Is there a lock, a pool or a wait in the file? What makes one arrival wait for "
            "another?",
        )
    _judge_capacity(per_s, CAPACITY_PER_S)
    return (
        f"while a server answered nobody, {arrived} orders came in {LOAD_S:g} s, of about "
        f"{expected:.0f} planned: an open loop. And the unknown service serves "
        f"{CAPACITY_PER_S:.0f} a second; you said {per_s:g}."
    )


def _file_of(found: Mapping[str, Any]) -> Path:
    given = found.get("crowd")
    path = Path(given) if isinstance(given, str | os.PathLike) else None
    if path is None or not path.is_file():
        raise NotYet(
            expected="the path of your Locust file under 'crowd', as closed_crowd_file() gives it.",
            seen=f"{given!r}.",
            why="the check runs the file itself, against a server of its own.",
            look='"crowd": closed_crowd_file()',
        )
    return path.resolve()


def _judge_rate(file: Path) -> None:
    from bpdemo.load.user_file import rate_in

    try:
        rate_per_s = rate_in(file)
    except ValueError as error:
        raise _unusable(str(error).partition(": ")[2]) from None
    if abs(rate_per_s - RATE_PER_S) > 1:
        raise NotYet(
            expected=f"users whose rates add up to {RATE_PER_S} arrivals a second.",
            seen=f"{rate_per_s:g} a second.",
            why="in an open loop the rate is a number that you choose, whatever the service does.",
            look=f"`rate = {RATE_PER_S}` in the class; without it a user arrives once a second.",
        )


def _unusable(told: str) -> NotYet:
    if "has no OpenLoopUser" in told:
        return NotYet(
            expected="a class derived from OpenLoopUser.",
            seen=f"{told}.",
            why="Locust's own users send, wait for the answer, and send again. When the service "
            "becomes slow, so do they: the offer sags just when it should not.",
            look="`class Buyer(OpenLoopUser)` with a `rate`, and no `wait_time`.",
        )
    return NotYet(
        expected="a Locust file that can be read and run.",
        seen=f"{told}.",
        why="the check loads it as Locust does.",
        look="Run `load(shop, user=crowd, rate=20, seconds=4)` in a cell of your own: it raises "
        "the same error.",
    )


def _drive(server: SlowServer, file: Path) -> float:
    """How many arrivals were planned."""
    from bpdemo.lab.services.service import serve
    from bpdemo.load.loads import load

    with serve(app=server, name="08a") as service:
        run = load(service, user=file, seconds=LOAD_S, client_timeout_s=CLIENT_TIMEOUT_S)
    run.require_valid()
    return RATE_PER_S * LOAD_S


def _judge_requests(server: SlowServer) -> None:
    others = [f"{method} {path}" for method, path, _ in server.asked
              if (method, path) != ("POST", "/orders")]  # fmt: skip
    if others or not server.asked:
        raise NotYet(
            expected="POST /orders, and nothing else.",
            seen=f"{others[0]}." if others else "no request at all.",
            why="the capacity for orders is found by sending orders.",
            look='Each task makes one request: `self.client.post("/orders", json=…)`.',
        )
    items = {_item_of(body) for _, _, body in server.asked}
    if None in items:
        raise NotYet(
            expected='a body such as {"item_id": 17}.',
            seen=f"{server.asked[0][2]!r}.",
            why="a service rejects what it cannot read, and that costs it next to nothing.",
            look='`json={"item_id": …}` sends the body and says what it is.',
        )
    if len(items) < FEW_ITEMS:
        raise NotYet(
            expected="orders for items from all over the catalogue, 1 to 100.",
            seen=f"only {len(items)} different items in {len(server.asked)} orders.",
            why="the same item again and again is the best case of every cache, and the worst one "
            "of every lock on a row. Neither is what your callers do.",
            look="`random.randint(1, 100)`, drawn in the task and not once for the whole file.",
        )


def _item_of(body: str) -> int | None:
    try:
        item = json.loads(body)["item_id"]
    except (ValueError, KeyError, TypeError):
        return None
    return item if isinstance(item, int) else None


def _judge_capacity(per_s: float, capacity_per_s: float) -> None:
    if per_s > (1 + TOLERANCE) * capacity_per_s:
        raise NotYet(
            expected="the most orders that the service serves in a second, in time.",
            seen=f"{per_s:g} a second; it cannot do that.",
            why="what was offered is not what was served, and a rejection is an answer, too: the "
            "number of requests, or of responses, goes on rising beyond capacity.",
            look="Look at `goodput_per_s` of the summary, at a rate at which it no longer grows.",
        )
    if per_s < (1 - TOLERANCE) * capacity_per_s:
        raise NotYet(
            expected="the most orders that the service serves in a second, in time.",
            seen=f"{per_s:g} a second; it can do more.",
            why="as long as goodput is as high as the rate, the service has capacity to spare, and "
            "you have measured your own load.",
            look="Raise the rate until goodput stays behind it, and read goodput there. Runs of "
            "4 s with random arrivals scatter by a few percent.",
        )


EXERCISES: dict[str, Exercise] = {
    "08a": Exercise(
        title="A crowd that does not wait",
        answer="found",
        judge=judge_crowd,
        minutes=20,
        limit_s=20,
        needs=("pandas", "bpdemo.lab.services.service", "bpdemo.load.loads"),
        hints=(
            "What does a user of the file do while the service takes two seconds to answer? And "
            "then: which figure of a run stops growing when the service has reached its capacity?",
            "In the file: another base class, a `rate` in place of `wait_time`, an item drawn in "
            "the task. For the capacity: offer more and more; below it goodput equals the rate, "
            "above it goodput stays where it is.",
            "Another service: offered 20, 40, 60, 80 a second, it served 20, 39, 47, 46. Its "
            "capacity is about 47 a second.",
        ),
    ),
}
