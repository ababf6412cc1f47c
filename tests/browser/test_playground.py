"""The playground as a visitor meets it: built, played by Pyodide, opened in a browser, offline."""

import json
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.support.axe import serious_faults
from tests.support.browser import FLAGS, Page
from tests.support.firefox import Firefox, find_firefox
from tests.support.legible import is_dark_picture
from tests.support.playground import ROOT, built_playground, experiments, natively, served
from website.plays import plays

BUILD = """
import sys
from pathlib import Path
from tests.website.test_small_site import built

built(Path(sys.argv[1]))
"""
LESSON = "notebooks/99_a_lesson.html"
#: Each picture is, and none is waited for that is not there.
DRAWN = """
document.querySelectorAll(".picture").length ===
document.querySelectorAll(".picture[data-drawn]").length
"""
#: What scrolls, and how far: the page across, and any part of it in any direction.
BARS = """(() => {
  const scrolls = (way, most, seen) => ["auto", "scroll"].includes(way) && seen && most > seen;
  const root = document.scrollingElement;
  const parts = [...document.body.querySelectorAll("*")].filter(part => {
    const { overflowX, overflowY } = getComputedStyle(part);
    return scrolls(overflowX, part.scrollWidth, part.clientWidth)
      || scrolls(overflowY, part.scrollHeight, part.clientHeight);
  }).map(part => `${part.tagName} ${part.id}: ${part.scrollWidth} of ${part.clientWidth}`);
  return root.scrollWidth > root.clientWidth ? [...parts, `the page: ${root.scrollWidth}`] : parts;
})()"""

pytestmark = [pytest.mark.browser, pytest.mark.light, pytest.mark.long]


@pytest.fixture(scope="module")
def site() -> Path:
    return built_playground()


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with served(site) as where:
        yield where


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


BY_THE_WORKER = """experiments => new Promise((resolve, reject) => {
  const worker = new Worker("worker.mjs", {type: "module"}), told = [];
  const ask = () => worker.postMessage({id: told.length, experiment: experiments[told.length]});
  worker.onmessage = ({data}) => {
    if (data.broken || data.refused) reject(new Error(data.broken ?? data.refused));
    else if (data.ready) ask();
    else if (data.done) {
      told.push([data.orders, data.prints, data.sentences]);
      if (told.length < experiments.length) ask(); else resolve(told);
    }
  };
})"""


def test_the_same_seed_gives_the_same_orders_in_a_browser(address, page):
    """The same twenty, by the worker of the page."""
    page.goto(address)
    there = page.evaluate(BY_THE_WORKER, experiments())
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
    assert is_dark_picture(page.locator("#pictures > div").first) is (scheme == "dark")


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


def test_a_link_is_played_as_it_stands(address, site, page):
    """For every slider of load and service, a value between its steps, and one beyond its end."""
    controls = json.loads((site / "controls.json").read_text("utf-8"))
    sliders = [
        control
        for control in controls["load"] + controls["service"]
        if not control["choices"] and not isinstance(control["value"], bool)
    ]
    for between in (True, False):
        wanted = {slider["name"]: off_step(slider, between=between) for slider in sliders}
        page.goto("about:blank")
        page.goto(address + "#" + "&".join(f"{name}={now}" for name, now in wanted.items()))
        page.wait_for_function("window.ready", timeout=90_000)
        told = page.evaluate("Object.fromEntries(new URLSearchParams(location.hash.slice(1)))")
        assert {name: float(now) for name, now in told.items()} == wanted


def off_step(slider: dict[str, Any], *, between: bool) -> float:
    step = slider["step"]
    whole = float(step).is_integer() and float(slider["low"]).is_integer()
    if not between:
        return round(float(slider["high"] + (1 if whole else step * 1.3)), 6)
    return round(float(slider["low"] + (1 if whole else step * 1.3)), 6)


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


def test_a_link_of_a_lesson_asks_its_question_and_leads_back(address, page):
    """Those who follow it from a claim find the preset, its question, the lesson and the site; the
    page by itself offers none of the last two."""
    [play] = [play for play in plays() if play.claim == "rival"]
    lesson = {"title": "11 · Limits", "address": "../notebooks/11.html"}
    page.route("**/lessons.json", lambda route: route.fulfill(json={play.lesson: lesson}))
    page.goto(address + play.address)
    page.wait_for_function("window.ready", timeout=90_000)
    assert page.locator("#preset option:checked").inner_text() == play.name
    assert play.question in page.inner_text("#question")
    assert page.get_attribute("#question a", "href") == f"{lesson['address']}#play-rival"
    assert page.get_attribute("#home a", "href") == "../index.html"
    page.unroute("**/lessons.json")
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_function("window.ready", timeout=90_000)
    assert page.is_hidden("#home")
    assert page.is_hidden("#question")


def test_what_no_control_shows_is_told(address, page):
    """Settings, arguments and turns that a link asks for besides; a control that is moved goes
    before them."""
    link = "rate=57&retry_budget=0.1&max_in_flight=32&change=2:payment_latency_s:0.2&seconds=5"
    page.goto(address + "#" + link)
    page.wait_for_function("window.told?.some(told => told.done)", timeout=90_000)
    besides = page.inner_text("#load-besides")
    for told in ("57", "retry budget: 0.1", "from 2 s on, Payment takes: 0.2 s"):
        assert told in besides
    assert "max in flight: 32" in page.inner_text("#a-besides")
    page.focus("#load-times")
    page.keyboard.press("ArrowRight")
    assert "57" not in page.inner_text("#load-besides")
    assert "rate=" not in page.url
    assert "times=2.1" in page.url


HEARD = """
window.heard = [];
new MutationObserver(() => {
  window.heard.push([performance.now(), document.getElementById("heard").textContent]);
}).observe(document.getElementById("heard"), { childList: true });
"""


def test_a_screen_reader_hears_the_newest_result_and_at_most_one_a_second(address, page):
    """While somebody holds an arrow key down at a slider, and when they let go."""
    page.goto(address + "#seconds=5")
    page.wait_for_function("window.told?.some(told => told.done)", timeout=90_000)
    page.evaluate(HEARD)
    page.focus("#load-times")
    for _ in range(8):
        before = page.evaluate("window.told.at(-1).id")
        page.keyboard.press("ArrowRight")
        page.wait_for_function(
            "before => window.told.at(-1).done && window.told.at(-1).id > before", arg=before
        )
    page.wait_for_function(
        "document.getElementById('heard').textContent === window.told.at(-1).sentences[0]"
        " && window.told.at(-1).done"
    )
    heard = page.evaluate("window.heard")
    times = [at for at, _ in heard]
    assert len(heard) > 1
    assert min(later - earlier for earlier, later in pairwise(times)) >= 990
    assert page.get_attribute("#heard", "role") == "status"


@pytest.fixture
def wide_bars(page: Page, chromium_path: str) -> Iterator[Any]:
    """A browser whose scroll bars take room, as on a desktop: a headless one hides them."""
    started = page.context.browser.browser_type.launch(
        executable_path=chromium_path, args=list(FLAGS), ignore_default_args=["--hide-scrollbars"]
    )
    yield started
    started.close()


@pytest.mark.parametrize(("width", "zoom"), [(640, 2), (390, 1)])
def test_zoomed_to_twice_its_size_the_page_has_one_scroll_bar(wide_bars, address, width, zoom):
    """A window of 1280 pixels at 200% has room for 640: nothing stands out to the right, and no
    part of the page scrolls by itself, with all settings, explanations, single requests and tables
    unfolded. On a
    telephone the tables alone may."""
    page = wide_bars.new_page(viewport={"width": width, "height": 400}, device_scale_factor=zoom)
    page.goto(address + "#seconds=5&compare=true")
    page.wait_for_function("window.told?.some(told => told.done)", timeout=90_000)
    page.check("#explain")
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    page.click("#show-requests")
    page.wait_for_function("document.querySelectorAll('#requests .bp-requests').length === 2")
    assert page.evaluate("innerWidth - document.documentElement.clientWidth") > 0
    assert page.evaluate(BARS) == []
    page.click("#show-table")
    assert page.locator("#tables table").count() == 2
    assert [bar for bar in page.evaluate(BARS) if zoom > 1 or "tables" not in bar] == []


def test_a_picture_is_drawn_anew_for_a_window_of_another_width(wide_bars, address):
    """Zooming in and out while it stands there: never a second scroll bar, nor a picture that
    leaves half of the width free."""
    page = wide_bars.new_page(viewport={"width": 1440, "height": 800})
    page.goto(address + "#seconds=5")
    page.wait_for_function("window.told?.some(told => told.done)", timeout=90_000)
    page.set_viewport_size({"width": 720, "height": 400})
    page.wait_for_function(f"{BARS}.length === 0", timeout=60_000)
    page.set_viewport_size({"width": 1440, "height": 800})
    page.wait_for_function(
        "document.querySelector('#pictures svg.main-svg').clientWidth > 900", timeout=60_000
    )
    assert page.evaluate(BARS) == []


LINKS: list[dict[str, Any]] = [
    {"arms": [{"queue_capacity": 8}], "load": {"times": 1.5, "seed": 7, "seconds": 10}},
    {
        "arms": [{}, {"payment_latency_distribution": "lognormal"}],
        "load": {"times": 2, "seed": 11, "seconds": 8, "retries": 2},
    },
]


@pytest.mark.parametrize("experiment", LINKS)
def test_another_browser_tells_the_same(experiment, site, tmp_path):
    """Firefox, which takes a picture of a link once its run is over: all totals and fingerprints
    are those of CPython, and it has drawn what it tells."""
    if (path := find_firefox()) is None:
        pytest.skip("no Firefox in PATH")
    words = dict(experiment["load"])
    for prefix, arm in zip(("a", "b"), experiment["arms"], strict=False):
        words |= {name if prefix == "a" else f"b.{name}": value for name, value in arm.items()}
    if len(experiment["arms"]) > 1:
        words["compare"] = "true"
    link = "&".join(f"{name}={value}" for name, value in words.items())
    seen = Firefox(path, tmp_path).watch(site, link)
    assert seen.wrong == ""
    assert [seen.told["orders"], seen.told["prints"], seen.told["sentences"]] == natively(
        experiment
    )
    assert seen.pictures == 1  # two services share one
    assert seen.width_px == 1280


@pytest.fixture(scope="module")
def small_site(site: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a site of one lesson."""
    folder = tmp_path_factory.mktemp("site")
    # In a process of its own: playwright keeps a loop running in this one.
    subprocess.run([sys.executable, "-c", BUILD, str(folder)], cwd=ROOT, check=True)
    with served(folder / "site") as where:
        yield where


@pytest.mark.timeout(300)
def test_a_lesson_of_the_site_is_drawn_and_fetches_nothing_from_elsewhere(small_site, page):
    """Every picture, from one plotly.js; nothing complains; on a telephone nothing stands out to
    the right; a search finds."""
    outside: list[str] = []
    wrong: list[str] = []
    ours = (small_site, "data:", "blob:")
    page.on("request", lambda r: None if r.url.startswith(ours) else outside.append(r.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(small_site + LESSON)
    for picture in page.locator(".picture").all():
        picture.scroll_into_view_if_needed()
    page.wait_for_function(DRAWN, timeout=60_000)
    assert page.locator(".picture svg.main-svg").count() >= 2
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.goto(small_site + "search.html?q=lesson")
    page.wait_for_selector("#search-results li", timeout=60_000)
    assert (outside, wrong) == ([], [])


@pytest.mark.timeout(300)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_of_the_site_keeps_anybody_out(small_site, page, scheme):
    """No serious fault by axe-core: in a lesson with all that it shows, in a source, in what a
    search finds."""
    page.emulate_media(color_scheme=scheme)
    for place in (LESSON, "source/bpdemo/flow/queue.py.html", "search.html?q=lesson"):
        page.goto(small_site + place)
        assert page.evaluate("document.documentElement.dataset.theme") == scheme
        if place == LESSON:
            page.evaluate(
                "document.querySelectorAll('details').forEach(one => { one.open = true; })"
            )
            assert is_dark_picture(page.locator(".picture").first) is (scheme == "dark")
        if "?" in place:
            page.wait_for_selector("#search-results .highlighted", timeout=60_000)
        assert serious_faults(page) == [], place
