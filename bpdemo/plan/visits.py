"""Who comes when, and what for: the seeded stream of a plan, and one process's part of it.

Every process draws the whole stream and sends each N-th order of it. So the orders of a load are
the same, to the item and the key, whether one process sends them or twenty. (Cut into N streams of
their own they would be N other loads; and each N-th of a Poisson stream is spread evenly.) Users of
a closed load have a stream each, and each process every N-th of them.

The load generator and the crowd in virtual time both draw from here, so they send the same orders.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Final, NamedTuple

from bpdemo.plan.answers import pick
from bpdemo.plan.arrivals import arrivals
from bpdemo.plan.plan import Plan
from bpdemo.plan.request import Request, Sent

#: Where no item is asked for, each order draws one of them.
ITEMS: Final = 100


class Visit(NamedTuple):
    """An order to be sent at `due_s` from the start. Empty labels and keys are not sent.

    `drawn`: which value each name of the plan's request takes, where it has one.
    """

    due_s: float
    item: int
    client: str
    priority: str
    key: str
    drawn: tuple[int, ...] = ()


#: Of a tuple of them all, in half of the time.
new_visit: Final = partial(tuple.__new__, Visit)


def visits(plan: Plan) -> Iterator[Visit]:
    """This process's part of the orders of an open-loop plan, in order of time."""
    chance = random.Random(f"choices {plan.seed}")
    times = arrivals(
        plan.scenario, plan.rate_per_s, plan.seconds, random.Random(f"arrivals {plan.seed}")
    )
    index, count = plan.part
    return islice((draw(plan, due_s, chance) for due_s in times), index, None, count)


class Regular:
    """A user of a closed plan, who comes back after each answer.

    When, the answers decide; what they want does not depend on it, nor on who else comes.
    """

    def __init__(self, plan: Plan, number: int) -> None:
        self._plan = plan
        self._chance = random.Random(f"choices {plan.seed} user {number}")

    def visit(self, due_s: float) -> Visit:
        """What they want the next time, which is at `due_s`."""
        return draw(self._plan, due_s, self._chance)


def regulars(plan: Plan) -> list[Regular]:
    """This process's users of a closed plan: those of all processes are those of the whole."""
    index, count = plan.part
    return [Regular(plan, index + count * place) for place in range(int(plan.rate_per_s))]


def draw(plan: Plan, due_s: float, chance: random.Random) -> Visit:
    """What the customer who comes at `due_s` wants."""
    # Drawn in this order, which the seeds of every load rest on.
    client = pick(plan.clients, chance) if plan.clients else ""
    priority = pick(plan.priorities, chance) if plan.priorities else ""
    item = 0 if plan.request else plan.item_id or any_item(chance)
    key = f"{chance.getrandbits(128):032x}" if plan.send_keys else ""
    drawn = _drawn(plan.request, chance) if plan.request else ()
    return new_visit((due_s, item, client, priority, key, drawn))


def any_item(chance: random.Random) -> int:
    """The id of one of the hundred items: as `chance.randint(1, 100)`, in a third of the time."""
    while (number := chance.getrandbits(7)) >= ITEMS:
        pass
    return number + 1


def _drawn(request: Request, chance: random.Random) -> tuple[int, ...]:
    return tuple(chance.randrange(len(choices)) for choices in request.vary.values())


def headers_of(visit: Visit, plan: Plan) -> dict[str, str]:
    """What an order says besides the body."""
    return {"Content-Type": "application/json", **labels_of(visit, plan)}


def labels_of(visit: Visit, plan: Plan) -> dict[str, str]:
    """The headers that tell who asks, and for how long."""
    said = {
        "X-Client-Id": visit.client,
        "X-Priority": visit.priority,
        "Idempotency-Key": visit.key,
        "X-Request-Timeout-Ms": str(plan.told_timeout_ms or ""),
    }
    return {name: text for name, text in said.items() if text}


def request_of(visit: Visit, request: Request, plan: Plan) -> Sent:
    """The request of this visit; what the request itself says in a header has the last word."""
    sent = request.filled(visit.drawn)
    taken = {name.lower() for name in sent.headers}
    labels = {n: text for n, text in labels_of(visit, plan).items() if n.lower() not in taken}
    return sent._replace(headers=sent.headers | labels)


def looks(plan: Plan) -> Iterator[tuple[float, int]]:
    """This process's part of the GETs of a plan: when, and which item."""
    chance = random.Random(f"browse {plan.seed}")
    times = arrivals("steady", plan.browse_per_s, plan.seconds, chance)
    index, count = plan.part
    wanted = ((due_s, plan.item_id or any_item(chance)) for due_s in times)
    return islice(wanted, index, None, count)
