"""The exercise of lesson 09: protect `shop.py`, judged by a few seconds of real load."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack, chdir
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bpdemo.lab.exercises.exercise import Exercise, NotYet

if TYPE_CHECKING:
    from bpdemo.lab.services.guest import GuestService
    from bpdemo.load.run import LoadRun

TIMES: Final = 2.0
LOAD_S: Final = 4.0
#: The queue of a service without a bound has grown past every timeout by then.
SETTLED_S: Final = 1.5
GOODPUT: Final = 0.8
SHED_AT_ALL: Final = 0.05
ORDER: Final = {"item_id": 1}
AT_ONCE: Final = 40
SHORT_MS: Final = 60
ROOM_WITHIN_S: Final = 1.5


def judge_shop(shop: Any) -> str:
    """Twice the capacity for a few seconds; then a crowd in one moment, short deadlines, rest."""
    from bpdemo.lab.lessons.shop.payment import CAPACITY_PER_S
    from bpdemo.lab.services.service import serve

    file = _file_of(shop)
    # As for uvicorn, an application is looked up from the current folder.
    with chdir(file.parent):
        service = serve(
            app=f"{file.stem}:app", where="process", capacity_per_s=CAPACITY_PER_S, name="09a"
        )
    with service:
        _judge_one(service)
        share = _judge_load(_loaded(service))
        _judge_refusals(service)
        _judge_places(service)
    return (
        f"at {TIMES:g}× capacity your shop served {share:.0%} of its capacity in time and told the "
        "others at once when to come back, and afterwards every place was free again."
    )


def _file_of(shop: Any) -> Path:
    from bpdemo.lab.exercises.judges.judging import file_named

    return file_named(
        shop,
        what="the file of your shop",
        look="Write `shop = shop_file()`, which gives the path of `shop.py`.",
    )


def _judge_one(service: GuestService) -> None:
    status = service.post("/orders", ORDER).status_code
    if status != 201:
        raise NotYet(
            expected="a single order, while nobody else is there, is answered with 201.",
            seen=f"it was answered with {status}.",
            why="on a quiet day, protection must not turn any order away.",
            look="Does the route still answer `POST /orders` with what was ordered?",
        )


def _loaded(service: GuestService) -> LoadRun:
    from bpdemo.load.loads import load
    from bpdemo.plan.request import Request

    request = Request("POST", "/orders", json=ORDER)
    run: LoadRun = load(service, times=TIMES, seconds=LOAD_S, request=request)
    return run.require_valid()


def _judge_load(run: LoadRun) -> float:
    seen = run.between(SETTLED_S, LOAD_S)
    share, capacity_per_s = seen["goodput_share"], seen["offered_per_s"] / TIMES
    shed = seen["shed_per_s"] / seen["offered_per_s"]
    if share >= GOODPUT:
        return float(share)
    told = f"goodput was {share:.0%} of capacity, and {shed:.0%} of the orders were shed."
    if seen["failed_per_s"] > SHED_AT_ALL * capacity_per_s:
        look = "Is every rejection a 503, and does nothing in the route raise?"
        why = "a caller who gets a 500 learns neither whose fault it is nor when to come back."
    elif shed <= SHED_AT_ALL:
        look = "Where does an order wait, and how many may wait there before one is rejected?"
        why = (
            "nobody was rejected, so the queue has no bound: it grew until every order in it was "
            "served after its caller had left. A semaphore alone only moves that queue."
        )
    elif seen["late_per_s"] > seen["goodput_per_s"]:
        look = "How long does the last order in your queue wait, with two workers and 40 ms each?"
        why = (
            "the queue has a bound, but the wait in it is longer than the client timeout of half a "
            "second, so the orders that are let in are late."
        )
    else:
        look = (
            "Are both workers busy while you reject orders? Is every place given back, however an "
            "order ends?"
        )
        why = (
            "orders were rejected although the payment had capacity to spare: those are lost sales."
        )
    raise NotYet(
        expected=f"at {TIMES:g}× capacity, goodput is at least {GOODPUT:.0%} of capacity.",
        seen=told,
        why=why,
        look=look,
    )


def _judge_refusals(service: GuestService) -> None:
    rejected = [headers for status, headers in _crowd(service) if status in (429, 503)]
    without = sum(_seconds(headers) < 1 for headers in rejected)
    if not without:
        return
    raise NotYet(
        expected="every 503 has a `Retry-After`, a whole number of seconds and at least 1.",
        seen=f"of {AT_ONCE} orders at once, {len(rejected)} were rejected, {without} of them "
        "without it.",
        why="callers who are not told when to come back come back at once, and all together.",
        look='`HTTPException` takes `headers={"Retry-After": "2"}`; a number that differs from '
        "caller to caller is better still.",
    )


def _judge_places(service: GuestService) -> None:
    """After orders that ended at their deadline or with their caller, there must be room."""
    import time

    import httpx

    for _ in range(3):
        _crowd(service, SHORT_MS)
        _hang_up(service)
    give_up_s = time.monotonic() + ROOM_WITHIN_S
    while time.monotonic() < give_up_s:
        try:
            if service.post("/orders", ORDER).status_code == 201:
                return
        except httpx.HTTPError:
            break  # it waits for a worker that will never be free
    raise NotYet(
        expected="once everybody has left, a single order is answered with 201.",
        seen=f"{ROOM_WITHIN_S:g} s after the last caller had left, it was not.",
        why="an order that ended at its deadline, or whose caller hung up, kept its place for "
        "ever. After enough of them, such a service rejects everybody.",
        look="Is `inside -= 1` in a `finally`, around everything that can end early?",
    )


def _crowd(service: GuestService, timeout_ms: int = 2000) -> list[tuple[int, Mapping[str, str]]]:
    """All at once: status and headers of those who were answered."""
    import asyncio

    import httpx

    async def send() -> list[Any]:
        async with httpx.AsyncClient(base_url=service.url, trust_env=False, timeout=5) as client:
            headers = {"X-Request-Timeout-Ms": str(timeout_ms)}
            posts = (client.post("/orders", json=ORDER, headers=headers) for _ in range(AT_ONCE))
            return await asyncio.gather(*posts, return_exceptions=True)

    answers = asyncio.run(send())
    return [(a.status_code, a.headers) for a in answers if isinstance(a, httpx.Response)]


def _hang_up(service: GuestService) -> None:
    """Send as many orders as fit, and close the connections while they are worked on."""
    import json
    import socket
    from urllib.parse import urlsplit

    to, body = urlsplit(service.url), json.dumps(ORDER)
    head = f"POST /orders HTTP/1.1\r\nHost: {to.netloc}\r\nContent-Type: application/json\r\n"
    message = f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()
    with ExitStack() as open_until_here:
        for _ in range(AT_ONCE // 4):
            caller = open_until_here.enter_context(
                socket.create_connection((to.hostname or "", to.port or 80), timeout=5)
            )
            caller.sendall(message)


def _seconds(headers: Mapping[str, str]) -> int:
    told = headers.get("Retry-After", "")
    return int(told) if told.isdecimal() else 0


EXERCISES: dict[str, Exercise] = {
    "09a": Exercise(
        title="Protect shop.py",
        answer="shop",
        judge=judge_shop,
        limit_s=20,
        needs=("pandas", "bpdemo.lab.services.service", "bpdemo.load.loads"),
        hints=(
            "Where do orders wait in your file, and what ends that queue? What gives a place back?",
            "Count the orders inside. Reject an order beyond workers + queue before any work is "
            "done; only then count up, and count down in a `finally`. The 503 says when to come "
            "back.",
            "A box office has 3 counters and a lobby for 6: the tenth customer is asked at the "
            "door to come back in a few minutes, and everyone who leaves, served or not, is "
            "counted out.",
        ),
    ),
}
