"""What a search for margins cannot answer: a service that serves nobody, or is soon sold out."""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import Any, Final

from bpdemo.core.settings import Settings
from bpdemo.plan.fates import OK
from bpdemo.plan.plan import Plan
from bpdemo.plan.visits import ITEMS
from bpdemo.sim import virtual_time
from bpdemo.sim.play import prepare

#: So many orders, so far apart, say whether any can be served.
PROBES: Final = 20
APART: Final = 5.0
#: A shorter pause than this between two probes is no use: nothing is that slow in starting.
LEAST_APART_S: Final = 0.01
LONGEST_S: Final = 3600.0


def require_stock(settings: Settings, plan: Plan) -> None:
    """ValueError if some item may be sold out before the end of `plan`: sold out is an answer, and
    would be counted as served, however stuck the service is."""
    sold = plan.rate_per_s * plan.seconds * (1 + plan.retries)
    if (capacity := settings.nominal_capacity) is not None:
        sold = min(sold, capacity * plan.seconds)
    mean = sold if plan.item_id is not None else sold / ITEMS
    needed = round(mean + 5 * sqrt(mean)) + 1  # no draw of items is as uneven as that
    if settings.initial_stock < needed:
        raise ValueError(
            f"initial_stock must be at least {needed} for the {plan.seconds:g} s of a run, not "
            f"{settings.initial_stock}: sold out would be counted as served"
        )


def require_service(settings: Settings, arguments: Mapping[str, Any]) -> None:
    """ValueError if no order is served in time even where they come one at a time: such a service
    is not overloaded, and no load and no trigger make a difference to it."""
    takes_s, timeout_s = settings.expected_service_s, arguments["client_timeout_s"]
    if settings.payment_latency_distribution == "constant" and timeout_s <= takes_s:
        raise ValueError(
            f"client_timeout_s must be longer than an order takes (payment_latency_s and "
            f"store_latency_s, {takes_s:g} s), not {timeout_s:g}: no order could ever be in time"
        )
    apart_s = max(takes_s * APART, LEAST_APART_S)
    seconds = min(PROBES * apart_s, LONGEST_S)
    quiet = {**arguments, "browse_per_s": 0.0, "bin_s": min(arguments["bin_s"], seconds)}
    probe = prepare(settings, **{**quiet, "rate": max(1 / apart_s, 0.001), "seconds": seconds})
    virtual_time.run(probe.run())
    if probe.orders and not any(order.fate == OK for order in probe.orders):
        raise ValueError(
            f"no order is served within client_timeout_s={timeout_s:g}, even where one comes at a "
            "time: the service fails by itself, whatever the load and the trigger"
        )
