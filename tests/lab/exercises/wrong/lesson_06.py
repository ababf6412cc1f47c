"""Usual wrong answers to the exercises of lesson 06: source, and some words of what it is told."""

GET = "import asyncio\n\nasync def get(key, flights, load):\n"
SIZE = "def pool_size(allowed, reserved, replicas, surge):\n    return "


def _ages(ttl_s: float, stale_s: float, reason: str) -> str:
    chosen = {"cache_ttl_s": ttl_s, "cache_stale_s": stale_s, "because": reason}
    return f"settings = {chosen}\n"


WRONG: dict[str, dict[str, str]] = {
    "06a": {
        GET + "    return await load(key)\n": "cache stampede",
        GET + "    if key not in flights:\n        flights[key] = await load(key)\n"
        "    return flights[key]\n": "cache stampede",
        GET + "    if key not in flights:\n"
        "        flights[key] = asyncio.ensure_future(load(key))\n"
        "    return await asyncio.shield(flights[key])\n": "a cache that never forgets",
        GET + "    if key not in flights:\n"
        "        flights[key] = asyncio.ensure_future(load(key))\n"
        "        flights[key].add_done_callback(lambda _: flights.pop(key))\n"
        "    return await flights[key]\n": "cancelled together with the caller who left",
        GET + "    if key in flights:\n"
        "        return await asyncio.shield(flights[key])\n"
        "    flights[key] = asyncio.ensure_future(load(key))\n"
        "    try:\n"
        "        return await asyncio.shield(flights[key])\n"
        "    finally:\n"
        "        flights.pop(key, None)\n": "the caller who started it",
        GET + "    if key in flights:\n"
        "        return await asyncio.shield(flights[key])\n"
        "    flights[key] = asyncio.get_running_loop().create_future()\n"
        "    try:\n"
        "        flights[key].set_result(await load(key))\n"
        "        return flights[key].result()\n"
        "    except Exception as error:\n"
        "        flights[key].set_exception(error)\n"
        "        flights[key].exception()\n"
        "        raise\n"
        "    finally:\n"
        "        del flights[key]\n": "cancelled together with the caller who left",
        GET + "    async with flights.setdefault(key, asyncio.Lock()):\n"
        "        return await load(key)\n": "The stampede has become a queue",
        GET + "    async with flights.setdefault(key, asyncio.Semaphore(1)):\n"
        "        task = asyncio.ensure_future(load(key))\n"
        "        return await asyncio.shield(task)\n": "The stampede has become a queue",
        GET + "    lock, kept = flights.setdefault(key, (asyncio.Lock(), []))\n"
        "    async with lock:\n"
        "        if not kept:\n"
        "            kept.append(await load(key))\n"
        "        return kept[0]\n": "a cache that never forgets",
        GET + "    if 0 not in flights:\n"
        "        flights[0] = asyncio.ensure_future(load(key))\n"
        "        flights[0].add_done_callback(lambda _: flights.pop(0))\n"
        "    return await asyncio.shield(flights[0])\n": "must not get the stalls",
    },
    "06b": {
        _ages(0, 60, "a"): "whenever its time to live is over",
        _ages(1, 60, "a"): "whenever its time to live is over",
        _ages(60, 60, "a"): "while the store could have told the new one",
        _ages(60, 60, "b"): "half a minute old on good days",
        _ages(4.5, 0, "a"): "throw away what it has",
        _ages(4.5, 10, "a"): "throw away what it has",
        _ages(4.5, 60, "b"): "half a minute old on good days",
        _ages(4.5, 60, "c"): "every look would ask the store",
        _ages(4.5, 60, "d"): "An error is of no use",
    },
    "06c": {
        SIZE + "allowed // replicas\n": "nobody can connect to the database",
        SIZE + "(allowed - reserved) // replicas\n": "old and new replicas",
        SIZE + "(allowed - reserved) / (replicas + surge)\n": "part of a connection",
        SIZE + "(allowed - reserved) // (2 * replicas + 2 * surge)\n": "has some to spare",
    },
}
