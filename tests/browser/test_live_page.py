"""The service's own pages in a real browser, while orders come in."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.browser import Journal, Page, Route, expect, shoot
from tests.support.http import PATIENCE_S
from tests.support.legible import SCREENS, STILL, faults_of_page, is_dark, widest_letters
from tests.support.server import Command, OpenLoop

pytestmark = [pytest.mark.browser, pytest.mark.load, pytest.mark.light]

#: Four workers of 42 ms serve 95 a second: half of these orders are shed.
KNOBS = ("workers=4", "queue_capacity=4")
RATE = 190.0
LOAD_S = 30.0

#: A row of the table of fates: its count in all.
COUNT = """fate => {
  const rows = [...document.querySelectorAll("#books tr")];
  const row = rows.find(row => row.querySelector("th").textContent === fate);
  return row ? Number(row.querySelector("td").textContent.replaceAll(",", "")) : 0;
}"""
GROWN = f"([fate, least]) => ({COUNT})(fate) > least"
#: Texts that stand in more than one line: cells, headings, names, values, links and states.
BROKEN = """() => [...document.querySelectorAll(
  "th, td, h1, h2, dt, dd, li, .unit, .breaker, #state")]
  .filter(at => at.textContent.trim() && at.getBoundingClientRect().width)
  .flatMap(at => {
    const span = document.createRange();
    span.selectNodeContents(at);
    const lines = span.getBoundingClientRect().height / parseFloat(getComputedStyle(at).fontSize);
    return lines > 1.9 ? [`${at.textContent.trim().slice(0, 40)}: ${lines.toFixed(1)}`] : [];
  })"""
BUSY = "() => Number(document.getElementById('busy').textContent) > 0"


class Sale:
    """Orders at an even pace in a thread of their own, until it is stopped."""

    def __init__(self, port: int) -> None:
        self._load = OpenLoop(port, RATE)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over: asyncio.Event | None = None
        self._begun = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    def __enter__(self) -> "Sale":
        self._thread.start()
        assert self._begun.wait(PATIENCE_S)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        assert self._over is not None
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()

    async def _run(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        self._begun.set()
        await self._load.run(LOAD_S, until=self._over)


@pytest.fixture
def address() -> Iterator[str]:
    sets = [word for knob in KNOBS for word in ("--set", knob)]
    with Command("serve", "--port", "0", *sets) as command:
        yield f"http://127.0.0.1:{command.port()}"
        command.signal()
        assert command.wait() == 0


def count(page: Page, fate: str) -> int:
    return int(page.evaluate(COUNT, fate))


def test_the_live_page_moves(address: str, page: Page, journal: Journal) -> None:
    """Served and shed grow while orders come; no error, no other host, and all is told."""
    page.goto(address)
    expect(page.locator("#state")).to_have_text("open and taking orders")
    assert (count(page, "served"), count(page, "shed")) == (0, 0)
    with Sale(int(address.rsplit(":", 1)[1])):
        for fate in ("served", "shed"):
            page.wait_for_function(GROWN, arg=[fate, 0])
            page.wait_for_function(GROWN, arg=[fate, count(page, fate)])
        page.wait_for_function(BUSY)
        expect(page.locator("#total")).to_have_text("of 4 busy")
        expect(page.locator("#room")).to_have_text("of 4 places taken")
        expect(page.locator("#breakers")).to_contain_text("payment closed")
        expect(page.locator("#limits")).to_contain_text("reject")
        shoot(page, "live-page")
    expect(page.locator("#busy")).to_have_text("0")
    assert count(page, "failed") == 0
    assert journal.errors == []
    assert journal.other_hosts == set()


def test_no_line_of_the_live_page_is_broken(address: str, page: Page) -> None:
    """Names, figures of a long sale, links: each in one line, at every size and in every theme,
    with the widest letters; and none is cut or pale."""
    page.route("**/stats", lambda route: route.fulfill(json=told_after_a_long_sale(route)))
    page.goto(address)
    page.wait_for_function(f"fate => ({COUNT})(fate) > 1e6", arg="shed")
    found = faults_of_page(page)
    assert is_dark(page)
    shoot(page, "live-page-dark")
    broken: dict[str, list[str]] = {}
    with widest_letters(page):
        for name, size in SCREENS.items():
            page.set_viewport_size(size)
            page.locator("body").evaluate(STILL)
            if lines := page.evaluate(BROKEN):
                broken[name] = lines
    assert (found, broken) == ({}, {})


def told_after_a_long_sale(route: Route) -> dict[str, Any]:
    """The service's own answer, with large figures in it and a breaker that is half-open."""
    told: dict[str, Any] = route.fetch().json()
    books = dict.fromkeys(told["books"], 87_654_321)
    breakers = dict.fromkeys(told["breakers"], "half_open")
    return told | {"books": books, "breakers": breakers, "in_flight": 54_321}


def test_a_service_that_ends_is_told(page: Page) -> None:
    """The page of a service that has stopped says so, and is not blank."""
    with Command("serve", "--port", "0") as command:
        page.goto(f"http://127.0.0.1:{command.port()}")
        expect(page.locator("#state")).to_have_text("open and taking orders")
        command.signal()
        assert command.wait() == 0
    expect(page.locator("#state")).to_have_text("not reachable")
    expect(page.locator("#queue-title")).to_be_visible()


def test_the_documentation_needs_no_network(address: str, page: Page, journal: Journal) -> None:
    """`/docs` draws every operation from files of its own, and an order can be sent from it."""
    page.goto(f"{address}/docs")
    orders = page.locator(".opblock-post", has_text="/orders")
    expect(orders).to_be_visible()
    assert page.locator(".opblock").count() >= 8
    orders.locator(".opblock-summary-control").click()
    orders.get_by_role("button", name="Try it out").click()
    orders.get_by_role("button", name="Execute").click()
    answered = orders.locator(".live-responses-table .response .response-col_status")
    expect(answered).to_have_text("201")
    shoot(page, "docs")
    assert journal.errors == []
    assert journal.other_hosts == set()
