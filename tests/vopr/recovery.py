"""With every fault over, it must sell again, at full speed: no breaker stuck, no place lost, no
estimate that refuses everybody for ever."""

import asyncio
from typing import TYPE_CHECKING, Any

from tests.vopr.customer import Customer
from tests.vopr.script import PLAIN

if TYPE_CHECKING:
    from tests.vopr.world import World

MOST_CUSTOMERS = 12
IN_A_ROW = 3
ROUNDS = 8


async def sell_again(world: "World") -> None:
    """As many customers as workers, each ordering again and again."""
    world.turn(_what_lets_it_sell(world))
    now, store = world.assembly.settings, world.store
    many = min(now.workers, MOST_CUSTOMERS, now.max_in_flight or MOST_CUSTOMERS)
    item = max(store._stock, key=store._stock.get)
    tickets = many * (ROUNDS + 20) + 2 * now.breaker_half_open_calls
    if store._stock[item] < tickets + IN_A_ROW * min(now.workers, MOST_CUSTOMERS):
        return  # sold out is sold out
    await asyncio.sleep(now.breaker_window_s)  # until then, what failed may open a breaker
    again = _Again(world, item)
    world.recovered = True
    for breaker in world.breakers.values():
        breaker.begin_trial()
    await asyncio.gather(*(again.until_well(f"again {n}") for n in range(many)))
    if not again.is_well:
        world.verdicts.fail("it does not sell again", f"{again.last_no} {world.office.stats()}")
        return
    for breaker in world.breakers.values():
        breaker.check_trial()
    began_s = world.loop.time()
    await asyncio.gather(*(again.rounds(f"again {n}") for n in range(many)))
    took_s, most_s = world.loop.time() - began_s, (ROUNDS + 1) * again.order_s
    world.verdicts.expect(took_s <= most_s, "slower than before", f"{took_s} s, not {most_s}")


def _what_lets_it_sell(world: "World") -> dict[str, Any]:
    """Knobs that forbid to sell however well all is: times shorter than a call takes."""
    now = world.assembly.settings
    turned: dict[str, Any] = {"payment_latency_distribution": "constant"}
    call_s = max(now.payment_latency_s, now.store_latency_s) * 1.1 + 0.01
    if 0 < now.attempt_timeout_s < call_s:
        turned["attempt_timeout_s"] = call_s
    if 0 < now.request_timeout_s < 5 * call_s:
        turned["request_timeout_s"] = 5 * call_s
    return turned


class _Again:
    """Customers of one kind, and whether they are served again."""

    def __init__(self, world: "World", item: int) -> None:
        now = world.assembly.settings
        self.order_s = now.payment_latency_s + 2 * now.store_latency_s + 0.001
        self.last_no: str | None = None
        self._world = world
        self._what = dict(PLAIN, item=item)
        self._row, self._wanted = 0, IN_A_ROW * min(now.workers, MOST_CUSTOMERS)
        each_s = 2 * self.order_s + 40.0
        client_timeout_s = 2 * world.longest_open_s + (now.breaker_half_open_calls + 5) * each_s
        self._give_up_s = world.loop.time() + client_timeout_s + world.longest_lapse_s

    @property
    def is_well(self) -> bool:
        states = self._world.office.breaker_states().values()
        return self._row >= self._wanted and set(states) == {"closed"}

    async def until_well(self, client: str) -> None:
        while not self.is_well and self._world.loop.time() < self._give_up_s:
            one = await self._order(client)
            self._row = self._row + 1 if one.is_sold else 0
            if not one.is_sold:
                self.last_no = f"{one.status} {one.reason}"
            await asyncio.sleep(float(one.retry_after or 0.001))

    async def rounds(self, client: str) -> None:
        for _ in range(ROUNDS):
            one = await self._order(client)
            told = f"{one.status} {one.reason}"
            self._world.verdicts.expect(one.is_sold, "a no although all is well", told)
            await asyncio.sleep(0.001)

    async def _order(self, client: str) -> Customer:
        one = self._world.order(dict(self._what, client=client))
        assert one.task is not None
        await one.task
        return one
