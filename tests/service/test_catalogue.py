"""Reading: pages of items, single items through the cache, orders straight from the store."""

import asyncio

import pytest

from bpdemo.core.errors import DeadlineExceeded, DownstreamFailed, NotFound
from bpdemo.flow.deadline import Deadline
from tests.service.stage import now, opened
from tests.support.virtual import virtual


@pytest.mark.parametrize(
    ("limit", "after", "first", "count", "following"),
    [(20, 0, 1, 20, 20), (20, 90, 91, 10, None), (100, 0, 1, 100, None), (10, 90, 91, 10, None),
     (1, 0, 1, 1, 1), (5, 100, None, 0, None), (5, 10**9, None, 0, None)],
)  # fmt: skip
@virtual
async def test_pages_lead_from_one_to_the_next(
    limit: int, after: int, first: int | None, count: int, following: int | None
) -> None:
    """The last page knows that it is the last, also when it is exactly full."""
    async with opened() as stage:
        page, next_after = await stage.office.catalogue.list_items(limit, after)
        assert (page[0].id if page else None, len(page), next_after) == (first, count, following)


@virtual
async def test_a_second_look_comes_from_the_cache() -> None:
    """Miss, then hit, then miss again when `cache_ttl_s` is over."""
    async with opened(cache_ttl_s=5.0) as stage:
        catalogue = stage.office.catalogue
        results = [(await catalogue.find_item(1))[1] for _ in range(2)]
        await asyncio.sleep(5.1)
        results.append((await catalogue.find_item(1))[1])
        assert results == ["miss", "hit", "miss"]


@virtual
async def test_what_sells_out_is_shown_at_once() -> None:
    """The flip of `in_stock` invalidates the cached item, long before its time is over."""
    async with opened(initial_stock=1, cache_ttl_s=600.0) as stage:
        before, _ = await stage.office.catalogue.find_item(1)
        stage.comes()
        await stage.everybody_answered()
        after, result = await stage.office.catalogue.find_item(1)
        assert (before.in_stock, after.in_stock, result) == (True, False, "miss")


@virtual
async def test_a_sale_that_leaves_some_does_not_touch_the_cache() -> None:
    """Counts are not in the cached body, so nothing has changed."""
    async with opened(initial_stock=5, cache_ttl_s=600.0) as stage:
        stage.comes()
        await stage.everybody_answered()
        assert (await stage.office.catalogue.find_item(1))[1] == "hit"


@virtual
async def test_a_stale_item_is_served_while_the_store_is_down() -> None:
    """Up to `cache_stale_s` past its time, and not longer."""
    async with opened(cache_ttl_s=1.0, cache_stale_s=10.0, retry_attempts=1) as stage:
        await stage.office.catalogue.find_item(1)
        stage.turn(store_outage=True)
        await asyncio.sleep(5.0)
        assert (await stage.office.catalogue.find_item(1))[1] == "stale"
        await asyncio.sleep(7.0)
        with pytest.raises(DownstreamFailed):
            await stage.office.catalogue.find_item(1)


@virtual
async def test_unknown_things_are_not_found() -> None:
    """Neither item nor order."""
    async with opened() as stage:
        with pytest.raises(NotFound):
            await stage.office.catalogue.find_item(0)
        with pytest.raises(NotFound):
            await stage.office.catalogue.find_order("nothing")


@virtual
async def test_a_stored_order_is_found() -> None:
    """As it was answered to who placed it."""
    async with opened() as stage:
        customer = stage.comes()
        await stage.everybody_answered()
        assert customer.order is not None
        assert await stage.office.catalogue.find_order(customer.order.id) == customer.order


@virtual
async def test_reading_obeys_the_deadline() -> None:
    """A slow store: each is told at their own time, and one's leaving costs another nothing."""
    async with opened(store_latency_s=1.0) as stage:
        catalogue = stage.office.catalogue
        patient = asyncio.create_task(catalogue.find_item(1))
        await asyncio.sleep(0)
        for read in (
            lambda d: catalogue.find_item(1, d),
            lambda d: catalogue.list_items(5, 0, d),
            lambda d: catalogue.find_order("x", d),
        ):
            begun_s = now()
            with pytest.raises(DeadlineExceeded):
                await read(Deadline(begun_s + 0.2))
            assert now() == pytest.approx(begun_s + 0.2)
        assert (await patient)[0].id == 1
        assert now() == pytest.approx(1.0)
