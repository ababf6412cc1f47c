"""`send_at_once`: a handful of orders by hand, all at the same moment, and every answer."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol

import httpx

if TYPE_CHECKING:
    import pandas as pd

TIMEOUT_S = 30.0


class Answering(Protocol):
    @property
    def url(self) -> str: ...


def send_at_once(service: Answering, clients: Sequence[str]) -> pd.DataFrame:
    """One order from each of `clients` (a name may stand there often), sent side by side.

    A row each, in their order: client, status, reason, Retry-After as it came, detail.
    """
    import pandas as pd

    with ThreadPoolExecutor(max_workers=len(clients)) as senders:
        rows = list(senders.map(lambda client: _send(service.url, client), clients))
    return pd.DataFrame(rows)


def _send(url: str, client: str) -> dict[str, Any]:
    # A connection each: callers do not queue for one another's.
    with httpx.Client(base_url=url, trust_env=False, timeout=TIMEOUT_S) as http:
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
