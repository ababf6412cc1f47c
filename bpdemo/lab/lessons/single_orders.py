"""`send_at_once`: a handful of orders by hand, side by side, and every answer."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Protocol

import httpx

from bpdemo.core.slips import forgiving

if TYPE_CHECKING:
    import pandas as pd

TIMEOUT_S = 30.0


#: How long to wait until an order is seen at the door; the next one then goes anyway.
AT_THE_DOOR_S = 2.0
LOOK_EVERY_S = 0.005


class Answering(Protocol):
    @property
    def url(self) -> str: ...

    def stats(self) -> dict[str, Any]: ...


@forgiving
def send_at_once(service: Answering, clients: Sequence[str]) -> pd.DataFrame:
    """One order from each of `clients` (a name may stand there often), none waits for an answer.

    Each goes as soon as the one before it has come to the door: side by side, and yet in order.
    A row each: client, status, reason, Retry-After as it came, detail.
    """
    from bpdemo.results.table import Table

    answers: list[Future[dict[str, Any]]] = []
    with ThreadPoolExecutor(max_workers=len(clients)) as senders:
        for client in clients:
            before = _received(service)
            answers.append(senders.submit(_send, service.url, client))
            latest_s = monotonic() + AT_THE_DOOR_S
            while _received(service) == before and monotonic() < latest_s:
                sleep(LOOK_EVERY_S)
    return Table([answer.result() for answer in answers])


def _received(service: Answering) -> int:
    return int(service.stats()["books"]["received"])


def _send(url: str, client: str) -> dict[str, Any]:
    # A connection each: callers do not queue for one another's. It is plain HTTP on this machine,
    # and to load the certificates of the world for it would take longer than the order.
    with httpx.Client(base_url=url, trust_env=False, verify=False, timeout=TIMEOUT_S) as http:
        answer = http.post(
            "/orders", json={"item_id": 1, "quantity": 1}, headers={"X-Client-Id": client}
        )
    body = answer.json()
    return {
        "client": client,
        "status": answer.status_code,
        "reason": body.get("reason", ""),
        "Retry-After": answer.headers.get("Retry-After", ""),
        "detail": body.get("detail", ""),
    }
