"""The exercise of lesson 08: an open-loop Locust file, and what an unknown service can serve."""

from __future__ import annotations

import asyncio
import json
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
            expected=f"about {expected:.0f} requests arrive in {LOAD_S:g} s, {RATE_PER_S} a "
            "second, although the server answers nobody.",
            seen=f"{arrived} arrived in that time.",
            why="your callers wait for each other somewhere. The slower the answers, the fewer of "
            "them come, so that your load hides the overload.",
            look="Is there a lock, a pool or a wait in the file? What makes one arrival wait for "
            "another?",
        )
    _judge_capacity(per_s, CAPACITY_PER_S)
    return (
        f"while a server answered nobody, {arrived} orders arrived in {LOAD_S:g} s, of about "
        f"{expected:.0f} planned: your load is open-loop. And the capacity of the unknown service "
        f"is {CAPACITY_PER_S:.0f} orders a second; you found {per_s:g}."
    )


def _file_of(found: Mapping[str, Any]) -> Path:
    from bpdemo.lab.exercises.judges.judging import file_named

    return file_named(
        found.get("crowd"),
        what="your Locust file, under 'crowd'",
        look='Write `"crowd": closed_crowd_file()`, which gives the path of `my_crowd.py`.',
    )


def _judge_rate(file: Path) -> None:
    from bpdemo.load.user_file import rate_in

    try:
        rate_per_s = rate_in(file)
    except ValueError as error:
        raise _unusable(str(error).partition(": ")[2]) from None
    if abs(rate_per_s - RATE_PER_S) > 1:
        raise NotYet(
            expected=f"the rates of the users in the file add up to {RATE_PER_S} arrivals a "
            "second.",
            seen=f"they add up to {rate_per_s:g} a second.",
            why="in an open-loop load, the rate is a number that you choose, whatever the service "
            "does.",
            look=f"Write `rate = {RATE_PER_S}` in the class; without it, there is one arrival a "
            "second.",
        )


def _unusable(told: str) -> NotYet:
    if "has no OpenLoopUser" in told:
        return NotYet(
            expected="the file has a class derived from `OpenLoopUser`.",
            seen=f"{told}.",
            why="Locust's own users send, wait for the answer, and send again. When the service "
            "becomes slow, so do they, and the load falls just when it should not.",
            look="Write `class Buyer(OpenLoopUser)` with a `rate`, and without a `wait_time`.",
        )
    return NotYet(
        expected="Locust can load the file.",
        seen=f"{told}.",
        why="the check loads the file as Locust does, and sends with it.",
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
            expected="the file sends `POST /orders`, and nothing else.",
            seen=f"it sent `{others[0]}`." if others else "it sent no request at all.",
            why="to find the capacity for orders, one has to send orders.",
            look='Let each task send one request: `self.client.post("/orders", json=…)`.',
        )
    items = {_item_of(body) for _, _, body in server.asked}
    if None in items:
        raise NotYet(
            expected='each order has a body such as `{"item_id": 17}`.',
            seen=f"the body was {server.asked[0][2]!r}.",
            why="a service rejects what it cannot read, and that costs it next to nothing: you "
            "would not measure orders.",
            look='`json={"item_id": …}` sends such a body, with its content type.',
        )
    if len(items) < FEW_ITEMS:
        raise NotYet(
            expected="the orders are for items from all over the catalogue, 1 to 100.",
            seen=f"there were only {_items(len(items))} in {len(server.asked)} orders.",
            why="the same item again and again is the best case for every cache, and the worst "
            "case for every row lock. Neither is what your callers do.",
            look="Draw it with `random.randint(1, 100)`, in the task and not once for the whole "
            "file.",
        )


def _items(count: int) -> str:
    return "one item" if count == 1 else f"{count} different items"


def _item_of(body: str) -> int | None:
    try:
        item = json.loads(body)["item_id"]
    except (ValueError, KeyError, TypeError):
        return None
    return item if isinstance(item, int) else None


def _judge_capacity(per_s: float, capacity_per_s: float) -> None:
    if per_s > (1 + TOLERANCE) * capacity_per_s:
        raise NotYet(
            expected="`capacity_per_s` is the highest goodput of the service, within 15%.",
            seen=f"your {per_s:g} orders a second are more than it can serve in time.",
            why="the load that you offer is not what is served, and a rejection is an answer, too: "
            "the number of requests, or of answers, goes on rising beyond capacity.",
            look="Look at `goodput_per_s` in the summary, at a rate at which it no longer grows.",
        )
    if per_s < (1 - TOLERANCE) * capacity_per_s:
        raise NotYet(
            expected="`capacity_per_s` is the highest goodput of the service, within 15%.",
            seen=f"your {per_s:g} orders a second are fewer than it can serve in time.",
            why="as long as goodput is as high as the rate, the service has capacity to spare, and "
            "you have measured your own load.",
            look="Raise the rate until goodput stays behind it, and read the goodput there. With "
            "random arrivals, runs of 4 s differ by a few percent.",
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
            "which figure of a run stops growing when the service has reached its capacity?",
            "The file needs another base class, a `rate` in place of the `wait_time`, and an item "
            "that is drawn in the task. For the capacity, offer more and more: below capacity, "
            "goodput equals the rate, and above it goodput stays where it is.",
            "Another service was offered 20, 40, 60 and 80 orders a second, and served 20, 39, 47 "
            "and 46 of them in time. Its capacity is about 47 a second.",
        ),
    ),
}
