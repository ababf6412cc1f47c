"""Reading: items through the cache, orders straight from the store."""

import asyncio
from collections.abc import Awaitable, Sequence
from math import inf
from typing import TypeVar

from bpdemo.core.errors import DeadlineExceeded, NotFound
from bpdemo.core.events import CacheResult
from bpdemo.core.model import Item, Order
from bpdemo.core.ports import Store
from bpdemo.flow.cache import ReadThroughCache
from bpdemo.flow.deadline import NEVER, Deadline
from bpdemo.flow.guard import Guard

T = TypeVar("T")


class Catalogue:
    """Everything that is read. All raise `DeadlineExceeded` and the guard's refusals."""

    def __init__(self, store: Store, guard: Guard, cache: ReadThroughCache[int, Item]) -> None:
        self._store = store
        self._guard = guard
        self._cache = cache

    async def list_items(
        self, limit: int, after: int, deadline: Deadline = NEVER
    ) -> tuple[Sequence[Item], int | None]:
        """A page, and the id that the next one begins after: None at the end."""
        # One more than asked for tells whether there is a next page.
        items = await self._guard.call(lambda: self._store.list_items(limit + 1, after), deadline)
        page = items[:limit]
        return page, page[-1].id if len(items) > limit else None

    def peek_item(self, item_id: int) -> Item | None:
        """What the cache knows of it: a hit without a coroutine. None says nothing of the item."""
        return self._cache.peek(item_id)

    async def find_item(self, item_id: int, deadline: Deadline = NEVER) -> tuple[Item, CacheResult]:
        """Raises `NotFound`."""
        item = self._cache.peek(item_id)
        if item is not None:
            return item, "hit"
        # The load serves everyone who asks meanwhile, so no single deadline may cut it short.
        try:
            return await _by(deadline, self._cache.get(item_id, lambda: self._load_item(item_id)))
        except DeadlineExceeded:
            stale = self._cache.peek_stale(item_id)  # a store that hangs is down, too
            if stale is None:
                raise
            return stale, "stale"

    async def find_order(self, order_id: str, deadline: Deadline = NEVER) -> Order:
        """Raises `NotFound`."""
        order = await self._guard.call(lambda: self._store.find_order(order_id), deadline)
        if order is None:
            raise NotFound
        return order

    def forget_item(self, item_id: int) -> None:
        """What is known of the item may be so no longer: its stock ended, or moved unseen."""
        self._cache.invalidate(item_id)

    async def _load_item(self, item_id: int) -> Item:
        item = await self._guard.call(lambda: self._store.find_item(item_id))
        if item is None:
            raise NotFound
        return item


async def _by(deadline: Deadline, answer: Awaitable[T]) -> T:
    if deadline.at == inf:
        return await answer
    try:
        async with asyncio.timeout_at(deadline.at):
            return await answer
    except TimeoutError as error:
        raise DeadlineExceeded from error
