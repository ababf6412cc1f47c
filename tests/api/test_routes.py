"""Every row of the table of routes: what it answers, to the letter."""

import asyncio
import re
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from bpdemo.core.settings import Settings
from tests.support.http import BODY, ORDER, STUCK, Call, assert_problem, running
from tests.support.waiting import until

READ = (
    *("/", "/healthz", "/readyz", "/metrics", "/stats", "/settings", "/docs", "/openapi.json"),
    *("/items", "/items/1"),
)


async def test_the_live_page_needs_nobody_else():
    """`GET /` is one HTML page that loads nothing from anywhere, and links to the rest."""
    async with running() as service:
        answer = await service.client.get("/")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert not re.search(r"https?://|(src|href)=[\"']//", answer.text)
    for path in ("/stats", "/settings", "/docs", "/metrics", "/healthz", "/readyz", "/items"):
        assert path in answer.text
    for word in ("queue", "workers", "breakers"):
        assert word in answer.text


async def test_health_is_a_word():
    """`/healthz` says that the process is alive."""
    async with running() as service:
        answer = await service.client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


async def test_ready_tells_of_an_outage_but_stays_ready():
    """A store that is down stands in the body; the replica stays in service."""
    async with running(breaker_min_calls=1, retry_attempts=1) as service:
        answer = await service.client.get("/readyz")
        assert answer.status_code == 200
        assert answer.json() == {
            "status": "ready",
            "breakers": {"payment": "closed", "store": "closed"},
        }
        service.turn(store_outage=True)
        assert (await service.client.get("/items")).status_code == 503
        answer = await service.client.get("/readyz")
        assert answer.status_code == 200
        assert answer.json()["breakers"] == {"payment": "closed", "store": "open"}


async def test_not_ready_while_draining():
    """Traffic must not be sent to a service that drains; it is alive nevertheless."""
    async with running() as service:
        await service.office.drain(0.0)
        assert_problem(await service.client.get("/readyz"), 503, "draining")
        assert (await service.client.get("/healthz")).status_code == 200


async def test_metrics_in_both_languages():
    """Prometheus text by default, OpenMetrics for anyone who asks for it."""
    async with running() as service:
        plain = await service.client.get("/metrics")
        openmetrics = await service.client.get(
            "/metrics", headers={"accept": "application/openmetrics-text;version=1.0.0"}
        )
    assert plain.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "bpdemo_queue_depth 0.0" in plain.text
    assert openmetrics.headers["content-type"].startswith("application/openmetrics-text")
    assert openmetrics.text.endswith("# EOF\n")


async def test_the_catalogue_page_by_page():
    """Pages of the asked size follow one another by `next` and cover ids 1 to 100 once."""
    async with running() as service:
        seen, after, pages = [], 0, 0
        while after is not None:
            answer = await service.client.get("/items", params={"limit": 30, "after": after})
            assert answer.status_code == 200
            page = answer.json()
            assert set(page) == {"items", "next"}
            seen += [item["id"] for item in page["items"]]
            after, pages = page["next"], pages + 1
    assert seen == list(range(1, 101))
    assert pages == 4


async def test_the_catalogue_by_default():
    """Twenty items from the start; each has exactly the four fields."""
    async with running() as service:
        page = (await service.client.get("/items")).json()
    assert len(page["items"]) == 20
    assert page["next"] == 20
    for item in page["items"]:
        assert set(item) == {"id", "name", "price_cents", "in_stock"}
        assert item["in_stock"] is True


@pytest.mark.parametrize(
    ("query", "count", "following"),
    [
        ({"limit": 100}, 100, None),
        ({"limit": 1}, 1, 1),
        ({"after": 99}, 1, None),
        ({"after": 100}, 0, None),
        ({"after": 2**31 - 1}, 0, None),
        ({"limit": 20, "after": 80}, 20, None),
    ],
)
async def test_the_ends_of_the_catalogue(query, count, following):
    """`next` is null exactly where nothing follows."""
    async with running() as service:
        page = (await service.client.get("/items", params=query)).json()
    assert (len(page["items"]), page["next"]) == (count, following)


async def test_an_item_comes_from_the_store_then_from_the_cache():
    """The first look is a miss, the second a hit, the body the same."""
    async with running() as service:
        first = await service.client.get("/items/7")
        second = await service.client.get("/items/7")
    assert first.status_code == second.status_code == 200
    assert (first.headers["x-cache"], second.headers["x-cache"]) == ("miss", "hit")
    assert first.json() == second.json()
    assert set(first.json()) == {"id", "name", "price_cents", "in_stock"}
    assert first.json()["id"] == 7


async def test_simultaneous_looks_load_once():
    """Of those who ask at once one misses, and the others are coalesced with it."""
    async with running(store_latency_s=0.05) as service:
        answers = await asyncio.gather(*(service.client.get("/items/7") for _ in range(5)))
    assert sorted(answer.headers["x-cache"] for answer in answers) == ["coalesced"] * 4 + ["miss"]


async def test_a_stale_item_bridges_an_outage():
    """While the store is down the last value is served, and says that it is stale."""
    async with running(cache_ttl_s=0.0, retry_attempts=1) as service:
        fresh = await service.client.get("/items/7")
        service.turn(store_outage=True)
        stale = await service.client.get("/items/7")
        assert_problem(await service.client.get("/items/8"), 503, "downstream_failed")
    assert (fresh.headers["x-cache"], stale.headers["x-cache"]) == ("miss", "stale")
    assert stale.json() == fresh.json()


async def test_an_order_is_placed_and_can_be_read():
    """201 with Location; the order reads the same there, and has exactly the fields promised."""
    async with running() as service:
        price = (await service.client.get("/items/1")).json()["price_cents"]
        placed = await service.client.post("/orders", json={"item_id": 1, "quantity": 3})
        order = placed.json()
        read = await service.client.get(placed.headers["location"])
        assert placed.status_code == 201
        assert placed.headers["content-type"] == "application/json"
        assert placed.headers["location"] == f"/orders/{order['id']}"
        assert (read.status_code, read.json()) == (200, order)
        assert set(order) == {
            *("id", "item_id", "quantity", "amount_cents", "status", "created_at")
        }
        assert UUID(order["id"]).version == 4
        assert datetime.fromisoformat(order["created_at"]).tzinfo is not None
        assert (order["amount_cents"], order["status"]) == (3 * price, "confirmed")
        service.assert_at_rest()


async def test_a_repeat_replays_the_order():
    """The same key and body again: 200 with the same order, no Location, and nothing charged."""
    async with running() as service:
        key = {"idempotency-key": "mine"}
        first = await service.client.post("/orders", json=ORDER, headers=key)
        again = await service.client.post(
            "/orders", content=b'{ "quantity" : 1, "item_id" : 1 }', headers=key
        )
        assert (first.status_code, again.status_code) == (201, 200)
        assert again.json() == first.json()
        assert "location" not in again.headers
        assert service.office.stats()["payments"] == {"charged": 1, "refunded": 0}


async def test_duplicates_in_flight_are_one_order():
    """Of duplicates in flight one gets 201, the others 200, for one charge and one place."""
    async with running(payment_latency_s=0.05, workers=1, queue_capacity=1) as service:
        key = {"idempotency-key": "mine"}
        answers = await asyncio.gather(
            *(service.client.post("/orders", json=ORDER, headers=key) for _ in range(4))
        )
        assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert service.office.stats()["payments"]["charged"] == 1
        service.assert_at_rest()


async def test_settings_show_every_knob():
    """Each setting has its value, unit, range, choices, whether it is live, and a description."""
    async with running(workers=3) as service:
        answer = await service.client.get("/settings")
    assert list(answer.json()) == ["settings"]
    settings = answer.json()["settings"]
    assert set(settings) == set(Settings.model_fields)
    for knob in settings.values():
        assert set(knob) == {
            *("value", "unit", "minimum", "maximum", "choices", "live", "description")
        }
    assert settings["workers"]["value"] == 3
    assert (settings["workers"]["minimum"], settings["workers"]["maximum"]) == (1, 1024)
    assert settings["queue_policy"]["choices"] == ["reject", "block"]


async def test_stats_has_the_promised_shape():
    """The keys of `/stats` are those that dashboards hold on to, and no others."""
    async with running() as service:
        stats = (await service.client.get("/stats")).json()
    names = "received waiting rejected admitted success failure expired abandoned shed queued"
    assert stats == {
        "books": dict.fromkeys([*names.split(), "running"], 0),
        "queue": {"depth": 0, "capacity": 32},
        "workers": {"total": 8, "busy": 0},
        "in_flight": 0,
        "limit": 0,
        "breakers": {"payment": "closed", "store": "closed"},
        "payments": {"charged": 0, "refunded": 0},
        # An order takes no time here, so no capacity bounds it.
        "nominal_capacity": None,
        "mean_service_s": 0.0,
    }


async def test_the_documentation_works_offline():
    """`/docs` names no foreign host, and what it loads is served from here."""
    async with running() as service:
        page = await service.client.get("/docs")
        assert page.status_code == 200
        assert not re.search(r"https?://(?!127\.0\.0\.1)", page.text)
        assert not re.search(r"(src|href)=[\"']//", page.text)
        assets = re.findall(r"(?:src|href)=[\"'](/[^\"']+)", page.text)
        assert len(assets) >= 2
        for asset in assets:
            answer = await service.client.get(asset)
            assert answer.status_code == 200, asset
            assert answer.content


async def test_the_openapi_document_lists_every_route():
    """The document names all routes and the problems that orders may meet."""
    async with running() as service:
        paths = (await service.client.get("/openapi.json")).json()["paths"]
    assert set(paths) == {
        *("/", "/healthz", "/readyz", "/metrics", "/stats", "/settings"),
        *("/items", "/items/{id}", "/orders", "/orders/{id}"),
    }
    assert {"200", "201", "408", "409", "413", "422", "429", "503", "504"} <= set(
        paths["/orders"]["post"]["responses"]
    )
    assert "Retry-After" in paths["/orders"]["post"]["responses"]["503"]["headers"]


@pytest.mark.parametrize("path", READ)
async def test_head_is_get_without_a_body(path):
    """HEAD has the status and the headers of GET, its content length too, and no body."""
    async with running() as service:
        get = await service.call("GET", path)()
        head = await service.call("HEAD", path)()
        service.assert_at_rest()
    assert (head.status, head.body) == (get.status, b"") == (200, b"")
    assert head["content-type"] == get["content-type"]
    if path not in ("/metrics", "/stats"):  # which tell of the request before
        assert head["content-length"] == get["content-length"]


async def test_head_of_nothing_is_404_without_a_body():
    """A no to HEAD has no body either."""
    async with running() as service:
        for path in ("/nothing", "/items/101", "/orders/none"):
            answer = await service.call("HEAD", path)()
            assert (answer.status, answer.body) == (404, b"")
            assert int(answer["content-length"]) > 0


ALLOWED = {
    **dict.fromkeys((*READ, "/orders/x"), "GET, HEAD"),
    "/orders": "POST",
    "/settings": "GET, HEAD, PATCH",
}


@pytest.mark.parametrize("method", ["OPTIONS", "DELETE", "PUT", "TRACE", "CONNECT", "get", "BREW"])
@pytest.mark.parametrize(("path", "allow"), ALLOWED.items())
async def test_other_methods_are_told_what_is_allowed(path, allow, method):
    """OPTIONS and every method that a path does not know get 405 with `Allow`."""
    async with running() as service:
        answer = await service.call(method, path)()
        assert_problem(answer, 405, "method_not_allowed")
        assert answer["allow"] == allow
        assert service.books["received"] == 0
        service.assert_at_rest()


@pytest.mark.parametrize(
    "path",
    [
        *("/items/", "/orders/", "/items/1/", "/orders/x/", "/stats/", "/settings/", "/docs/"),
        *("/nothing", "//", "/Items", "//items", "/items//1", "/docs/assets/none", "/redoc", "/*"),
        *("/items/1/2", "/orders/%2e%2e", "/docs/assets/../../core.py", "/healthz\x00", "*", ""),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
async def test_what_is_not_there_is_404(method, path):
    """There is no redirect for a trailing slash, and what does not exist is a problem."""
    async with running() as service:
        answer = await service.call(method, path)()
        service.assert_at_rest()
    if method == "POST" and path == "/orders/%2e%2e":
        assert answer.status == 405  # an order's path, if raw: percent signs are decoded before
    elif method == "POST" and path.startswith("/docs/assets"):
        assert (answer.status, answer["allow"]) == (405, "GET, HEAD")
    else:
        assert answer.status == 404
        if method != "HEAD":
            assert_problem(answer, 404, "not_found")


@pytest.mark.parametrize("method", ["GET", "PATCH", "POST"])
async def test_a_body_where_none_belongs_is_ignored(method):
    """A body on a route that reads none changes nothing."""
    async with running() as service:
        answer = await service.call(method, "/healthz", body=b"x" * 100)()
        assert answer.status == (200 if method == "GET" else 405)


async def test_unlimited_routes_answer_in_the_middle_of_overload():
    """With every limit reached, what an operator needs still answers at once."""
    async with running(**STUCK, max_in_flight=1, client_max_in_flight=1) as service:
        stuck = await service.fill()
        for path in READ:
            answer = await service.client.get(path)
            assert answer.status_code == (429 if path.startswith("/items") else 200), path
        assert (await service.client.get("/stats")).json()["in_flight"] == 1
        answer = await service.client.patch("/settings", json={"client_max_in_flight": 0})
        assert answer.status_code == 200
        assert_problem(await service.client.get("/items"), 503, "concurrency_limit")
        stuck.task.cancel()
        await until(lambda: service.in_flight == 0, "the visit of a cancelled request ends")


async def test_the_content_type_of_an_order_does_not_matter():
    """A body that is JSON is taken whatever it is called, and also if it is called nothing."""
    async with running() as service:
        for headers in ({}, {"content-type": "text/plain"}, {"content-type": "nonsense;;"}):
            answer = await service.client.post("/orders", content=BODY, headers=headers)
            assert answer.status_code == 201


async def test_the_next_order_begins_before_the_answer_to_the_last_is_written():
    """A worker that is free stands still for nobody's answer: when that begins, the payment for
    the next order is under way."""
    begun: list[int] = []
    async with running(workers=1, payment_latency_s=0.01) as service:

        async def told(scope: Any, receive: Any, send: Any) -> None:
            async def look(message: Any) -> None:
                if message["type"] == "http.response.start":
                    stats = service.office.stats()
                    begun.append(stats["payments"]["charged"] - stats["books"]["success"])
                await send(message)

            await service.app(scope, receive, look)

        calls = [Call(told, "POST", "/orders", body=BODY) for _ in range(4)]
        assert {(await call()).status for call in calls} == {201}
    assert begun == [1, 1, 1, 0]


async def test_who_leaves_while_the_next_order_begins_takes_nothing_with_them():
    """Their order is sold, the books balance, and nobody is inside."""
    async with running(workers=1, payment_latency_s=0.005) as service:
        calls = [service.order() for _ in range(3)]
        while not service.books["success"]:  # noqa: ASYNC110 -- each turn is looked at
            await asyncio.sleep(0)
        assert calls[0].answer.status is None, "its answer is held back"
        calls[0].task.cancel()
        with suppress(asyncio.CancelledError):
            await calls[0].task
        assert [(await call()).status for call in calls[1:]] == [201, 201]
        assert service.books["success"] == 3
        service.assert_at_rest()
