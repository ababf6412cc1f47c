"""The playground as a visitor meets it: built, played by Pyodide, opened in a browser, offline."""

import contextlib
import functools
import http.server
import importlib.util
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bpdemo.sim.page import Page
from tests.support.axe import serious_faults
from website.plays import plays

ROOT = Path(__file__).resolve().parents[2]
SEEDS = 20
BUILD = """
import sys
from pathlib import Path
from tests.website.test_small_site import built

built(Path(sys.argv[1]))
"""

pytestmark = [pytest.mark.browser, pytest.mark.light, pytest.mark.long]


def experiments() -> list[dict[str, Any]]:
    """Twenty seeds over loads and settings that take every road through the service."""
    arms = [
        {},
        {"payment_latency_distribution": "lognormal"},
        {"payment_latency_distribution": "exponential", "queue_discipline": "codel"},
        {"queue_discipline": "adaptive_lifo", "payment_failure_rate": 0.2, "queue_policy": "block"},
        {"unprotected": True},
        {"limit_algorithm": "own", "payment_hang_rate": 0.02},
    ]
    loads: list[dict[str, Any]] = [
        {"times": 2},
        {"times": 1.5, "scenario": "spike", "retries": 2},
        {"times": 0.8, "changes": [[3, {"payment_latency_s": 0.16}]], "browse_per_s": 20},
    ]
    return [
        {
            "arms": [arms[seed % len(arms)]],
            "load": loads[seed % len(loads)] | {"seconds": 8, "seed": seed},
        }
        for seed in range(SEEDS)
    ]


@pytest.fixture(scope="module")
def site() -> Path:
    spec = importlib.util.spec_from_file_location("playground", ROOT / "scripts" / "playground.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    try:
        built: Path = script.build(print)
    except script.CannotFetch as why:
        pytest.skip(str(why))
    return built


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with served(site) as where:
        yield where


def natively(experiment: dict[str, Any]) -> list[Any]:
    page = Page()
    page.begin(json.dumps(experiment))
    last = json.loads(page.step(1e6))
    return [last["orders"], last["prints"], last["sentences"]]


def test_the_same_seed_gives_the_same_orders_in_pyodide(site):
    """Twenty experiments, to the last order, attempt and look: by fingerprint. Where they differ
    the first is named."""
    ran = subprocess.run(
        ["node", str(site.parent / "prints.mjs"), str(site / "bpdemo.zip")],
        cwd=site.parent, input=json.dumps(experiments()), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    there = json.loads(ran.stdout.strip().splitlines()[-1])
    for experiment, told in zip(experiments(), there, strict=True):
        assert told == natively(experiment), experiment


def test_nothing_is_fetched_from_elsewhere_and_what_is_told_is_native(address, page):
    """From an empty cache to the first whole picture; then a preset, and a link; without one
    request to anybody else."""
    outside: list[str] = []
    wrong: list[str] = []
    ours = (address, "data:", "blob:")
    page.on("request", lambda r: None if r.url.startswith(ours) else outside.append(r.url))
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(address + "#times=1.5&seed=7&queue_capacity=8&seconds=10")
    page.wait_for_function("window.told?.some(told => told.done)", timeout=90_000)
    told = page.evaluate("window.told.at(-1)")
    load = {"times": 1.5, "seed": 7, "seconds": 10}
    assert [told["orders"], told["prints"], told["sentences"]] == natively(
        {"arms": [{"queue_capacity": 8}], "load": load}
    )
    assert page.inner_text("#sentence") == told["sentences"][0]
    assert page.get_attribute("#pictures > div", "aria-label") == told["sentences"][0]
    page.select_option("#preset", "0")
    page.wait_for_function("window.told.some(told => told.done && told.orders.length === 2)")
    for link in ("workers=0", "no_such=1", "seed=x", "change=1:no_such:2"):  # may hold anything
        page.goto(address + "#" + link)
        name = link.partition("=")[0].replace("change", "no_such")
        page.wait_for_function(
            "name => document.querySelector('#sentence.wrong')?.textContent.includes(name)",
            arg=name,
        )
    assert (outside, wrong) == ([], [])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_kept_out(address, page, scheme):
    """No serious fault by axe-core, with everything unfolded."""
    page.emulate_media(color_scheme=scheme)
    page.goto(address + "#seconds=5&compare=true&b.retries=2")
    page.wait_for_function("window.told?.some(told => told.done)", timeout=90_000)
    page.check("#explain")
    page.click("#show-table")
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    assert serious_faults(page) == []


def test_on_a_telephone_the_picture_comes_first(address, page):
    """Before the settings, for the eye and for the keyboard; beside them all as before."""
    order = "(one, other) => one.compareDocumentPosition(other) & 4"
    for width, first, then in ((390, "#result", "#load"), (1200, "#load", "#result")):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(address + "#seconds=5")
        page.wait_for_function("window.told?.some(told => told.done)", timeout=90_000)
        before, after = page.locator(first), page.locator(then)
        assert before.bounding_box()["y"] < after.bounding_box()["y"]
        assert page.evaluate(
            f"([one, other]) => ({order})(one, other)",
            [before.element_handle(), after.element_handle()],
        )


def test_single_requests_are_shown_where_somebody_wants_to_see_them(address, page):
    """One animation for each service, of the experiment that is on the page; gone when hidden."""
    page.goto(address + "#seconds=5&compare=true&b.queue_capacity=3")
    page.wait_for_function("window.told?.some(told => told.done)", timeout=90_000)
    page.focus("#show-requests")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelectorAll('#requests .bp-requests').length === 2")
    assert "of 3" in page.inner_text("#requests .bp-requests:last-child")
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.keyboard.press("Enter")
    assert page.locator("#requests *").count() == 0


def test_a_preset_may_give_a_service_callers_of_its_own(address, page):
    """They are told beside the service, are in the address, and are played."""
    page.goto(address)
    page.wait_for_function("window.told?.some(told => told.done)", timeout=90_000)
    page.select_option("#preset", label="Open and closed loop")
    page.wait_for_function("window.told.at(-1).done && window.told.at(-1).orders.length === 2")
    assert "closed" in page.inner_text("#own-load")
    assert "b.scenario=closed" in page.url
    told = page.evaluate("window.told.at(-1).prints")
    page.goto("about:blank")
    page.goto(page_url := address + "#" + address_of("open-closed"))
    page.wait_for_function("window.told?.at(-1)?.done", timeout=90_000)
    assert page.evaluate("window.told.at(-1).prints") == told, page_url


def address_of(claim: str) -> str:
    [play] = [play for play in plays() if play.claim == claim]
    return play.address.removeprefix("#")


def test_the_keyboard_is_enough_and_a_telephone_is_wide_enough(address, page):
    """Every control is reached by Tab and has a name; at 390 pixels nothing stands out to the
    right; the table says what the picture says."""
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(address + "#seconds=5&compare=true")
    page.wait_for_function("window.told?.some(told => told.done)", timeout=90_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for details in page.query_selector_all("details:visible > summary"):
        details.focus()
        page.keyboard.press("Enter")
    controls = page.query_selector_all("button:visible, input:visible, select:visible")
    names = page.evaluate(
        "all => all.map(e => e.labels?.length ? e.labels[0].innerText : e.innerText)", controls
    )
    assert len(controls) > 25
    assert all(name.strip() for name in names)
    reached: set[str] = set()
    page.evaluate("document.activeElement.blur()")
    for _ in range(80):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id"))
    assert {page.evaluate("e => e.id", control) for control in controls} <= reached
    page.focus("#show-table")
    page.keyboard.press("Enter")
    assert page.locator("#tables table").count() == 2
    assert page.locator("#tables th").count() == 20


@pytest.mark.timeout(300)
def test_a_lesson_of_the_site_is_drawn_and_fetches_nothing_from_elsewhere(site, tmp_path, page):
    """Every picture, from one plotly.js; nothing complains; no serious fault for those who cannot
    see it, in light and in dark; on a telephone nothing stands out to the right; a search finds."""
    outside: list[str] = []
    wrong: list[str] = []
    # In a process of its own: playwright keeps a loop running in this one.
    subprocess.run([sys.executable, "-c", BUILD, str(tmp_path)], cwd=ROOT, check=True)
    with served(tmp_path / "site") as where:
        ours = (where, "data:", "blob:")
        page.on("request", lambda r: None if r.url.startswith(ours) else outside.append(r.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(where + "notebooks/99_a_lesson.html")
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
        page.goto(where + "search.html?q=lesson")
        page.wait_for_selector("#search-results li", timeout=60_000)
    assert (outside, wrong) == ([], [])
