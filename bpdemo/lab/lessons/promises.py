"""Orders that are promised first and sold later: send many, ask again, and audit what came of them.

Every row of the audit is read from the database, with SQL of its own: it asks neither the service
nor a worker.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import httpx

from bpdemo.core.slips import forgiving
from bpdemo.lab.lessons.database import run_apart
from bpdemo.lab.lessons.single_orders import TIMEOUT_S

if TYPE_CHECKING:
    import pandas as pd

    from bpdemo.lab.services.service import Service

RESPOND_ASYNC: Final = {"Prefer": "respond-async"}
LOOK_EVERY_S: Final = 0.02
ITEMS: Final = 100
AUDITED: Final = ("known", "confirmed", "waiting", "tickets_given", "cards_charged", "asked_again")

AUDIT: Final = """
SELECT (SELECT count(*) FROM claims WHERE id = ANY($1)) AS known,
       (SELECT count(*) FROM orders WHERE id = ANY($1)) AS confirmed,
       (SELECT count(*) FROM claims WHERE NOT settled) AS waiting,
       (SELECT $2 - sum(stock) FROM items)::int AS tickets_given,
       count(charged_at) AS cards_charged,
       coalesce(sum(asked - 1) FILTER (WHERE charged_at IS NOT NULL), 0)::int AS asked_again
FROM payments
"""


@forgiving
def send_orders(
    service: Service, count: int, *, later: bool = True, over_s: float = 0.0, at_once: int = 8
) -> pd.DataFrame:
    """Send so many orders, each with a key of its own; with `later`, for a promise will do.

    They come at random over `over_s` seconds, whatever the answers; if that is 0, as fast as
    `at_once` people get theirs answered. A row each, in the order of sending: `at_s` (of the clock)
    of the sending, `status` and `ms` of the answer, `order` (its status: pending, confirmed), `id`,
    `reason` and `retry_after` of a refusal.
    """
    from bpdemo.results.table import Table

    chance = Random(count)
    moments = sorted(chance.uniform(0, over_s) for _ in range(count))
    people = at_once if not over_s else min(count, 64)
    limits = httpx.Limits(max_connections=people)
    with (
        httpx.Client(
            base_url=service.url, trust_env=False, verify=False, timeout=TIMEOUT_S, limits=limits
        ) as http,
        ThreadPoolExecutor(max_workers=people) as senders,
    ):
        began_s = time.monotonic()

        def send(number: int) -> dict[str, Any]:
            time.sleep(max(0.0, began_s + moments[number] - time.monotonic()))
            return {"at_s": time.time()} | _order(http, 1 + number % ITEMS, later)

        return Table(list(senders.map(send, range(count))))


def _order(http: httpx.Client, item: int, later: bool) -> dict[str, Any]:
    headers = {"Idempotency-Key": uuid4().hex} | (RESPOND_ASYNC if later else {})
    answer = http.post("/orders", json={"item_id": item, "quantity": 1}, headers=headers)
    body = answer.json()
    return {
        "status": answer.status_code,
        "ms": answer.elapsed.total_seconds() * 1000,
        "order": body["status"] if answer.is_success else "",
        "id": body.get("id", ""),
        "reason": body.get("reason", ""),
        "retry_after": int(answer.headers.get("Retry-After", 0)),
    }


@forgiving
def ask_until_done(service: Service, order_id: str, within_s: float = 20.0) -> pd.DataFrame:
    """Ask for an order again and again until it is pending no more: each new answer, and when."""
    from bpdemo.results.table import Table

    began_s = time.monotonic()
    heard: list[dict[str, Any]] = []
    while (t_s := time.monotonic() - began_s) < within_s:
        status = service.get(f"/orders/{order_id}").json()["status"]
        if not heard or heard[-1]["order"] != status:
            heard.append({"t_s": round(t_s, 3), "order": status})
        if status != "pending":
            break
        time.sleep(LOOK_EVERY_S)
    return Table(heard)


@forgiving
def audit(service: Service, sent: pd.DataFrame) -> dict[str, int]:
    """What became of the orders in `sent`, by SQL; all zero for a store in memory.

    accepted   answered 202; of these
    known        the database has heard of
    confirmed    have been processed
    waiting    accepted orders that are not processed yet, anybody's
    tickets_given, cards_charged   since the service began
    asked_again   how often a charge was asked for that had been made
    """
    accepted = sent.loc[sent["status"] == 202, "id"].tolist()
    stock = ITEMS * service.settings.initial_stock
    found = ask_database(service, AUDIT, accepted, stock) or dict.fromkeys(AUDITED, 0)
    return {"accepted": len(accepted)} | found


def ask_database(service: Service, sql: str, *values: Any) -> dict[str, Any]:
    """The one row of an answer; empty for a store in memory."""
    url = service.database_url
    if url is None:
        return {}

    async def ask() -> dict[str, Any]:
        import asyncpg

        from bpdemo.downstream.address import connection_arguments

        connection = await asyncpg.connect(**connection_arguments(url))
        try:
            return dict(await connection.fetchrow(sql, *values) or {})
        finally:
            await connection.close()

    return run_apart(ask)
