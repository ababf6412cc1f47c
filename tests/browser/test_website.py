"""A page of the site in a browser, offline: its pictures are drawn, and it can be used by all."""

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.axe import serious_faults
from tests.website.test_small_site import built

pytestmark = [pytest.mark.browser, pytest.mark.light, pytest.mark.long, pytest.mark.timeout(300)]


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def address(tmp_path_factory) -> Iterator[str]:
    site: Path = built(tmp_path_factory.mktemp("website"))
    handler = functools.partial(Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_a_lesson_is_drawn_and_fetches_nothing_from_elsewhere(address, page):
    """Every picture, from one plotly.js; nothing complains; no serious fault for those who cannot
    see it, in dark and in light, and on a telephone nothing stands out to the right."""
    outside: list[str] = []
    wrong: list[str] = []
    ours = (address, "data:", "blob:")
    page.on("request", lambda r: None if r.url.startswith(ours) else outside.append(r.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(address + "notebooks/99_a_lesson.html")
    for picture in page.locator(".picture").all():
        picture.scroll_into_view_if_needed()
    page.wait_for_function(
        "document.querySelectorAll('.picture').length === "
        "document.querySelectorAll('.picture[data-drawn]').length",
        timeout=60_000,
    )
    assert page.locator(".picture svg.main-svg").count() >= 2
    assert serious_faults(page) == []
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert serious_faults(page) == []
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.goto(address + "search.html?q=queue")
    page.wait_for_selector("#search-results li", timeout=60_000)
    assert (outside, wrong) == ([], [])
