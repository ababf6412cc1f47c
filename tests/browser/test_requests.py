"""Single requests, animated, on a page of their own: as the playground and a notebook show them."""

import json
from importlib.resources import files
from typing import Any

import pytest

from bpdemo.core.settings import Settings
from bpdemo.picture.moment import described, queued
from bpdemo.sim.animation import animation
from tests.support.axe import serious_faults
from tests.support.browser import Page, expect
from tests.support.legible import faults_in

pytestmark = [pytest.mark.browser, pytest.mark.light]

SCRIPT = files("bpdemo.picture").joinpath("requests.js").read_text(encoding="utf-8")
PAGE = """<!doctype html><html lang="en-GB"><head><title>Requests</title>
<style>:root {{color-scheme: light dark; background: Canvas}}</style></head>
<body><main id="home"></main>
<script type="application/json" id="data">{data}</script>
<script type="module">{script}
window.end = mount(document.getElementById("home"),
  JSON.parse(document.getElementById("data").textContent), "a bound of 8");
</script></body></html>"""

#: Counts the frames that the page asks for; the test's own are not counted.
COUNTED = """
window.frames_asked = 0;
window.ownFrame = window.requestAnimationFrame.bind(window);
window.requestAnimationFrame = (then) => {
  window.frames_asked += 1;
  return window.ownFrame(then);
};
"""
#: True once no frame was asked for during three.
RESTS = """async () => {
  const before = window.frames_asked;
  for (let frames = 0; frames < 3; frames += 1) await new Promise(done => window.ownFrame(done));
  return window.frames_asked === before;
}"""


@pytest.fixture(scope="module")
def data() -> dict[str, Any]:
    return animation({"queue_capacity": 8}, times=2, seconds=0.5, retries=1)


def shown(page: Page, data: dict[str, Any], *, motion: bool = True) -> Page:
    page.emulate_media(reduced_motion="no-preference" if motion else "reduce")
    page.set_content(PAGE.format(data=json.dumps(data), script=SCRIPT))
    expect(page.get_by_role("slider")).to_be_visible()
    return page


def said(page: Page) -> str:
    return page.get_by_role("slider").get_attribute("aria-valuetext") or ""


def test_every_moment_is_the_one_of_the_still_picture(page: Page, data: dict[str, Any]) -> None:
    """In figures, word for word."""
    shown(page, data)
    assert said(page) == described(data, data["still"])
    expect(page.get_by_role("img")).to_have_attribute("aria-label", said(page))
    slider = page.get_by_role("slider")
    for at_ms in range(0, int(data["end"]), 50):
        slider.fill(str(at_ms))
        assert said(page) == described(data, at_ms)


def test_it_moves_when_it_is_told_to(page: Page, data: dict[str, Any]) -> None:
    """By the keyboard alone: from the beginning, until it is paused; then step by step."""
    shown(page, data)
    before = said(page)
    page.wait_for_function("() => new Promise(done => requestAnimationFrame(() => done(true)))")
    assert said(page) == before
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Play")).to_be_focused()
    page.keyboard.press("Space")
    page.wait_for_function("() => Number(document.querySelector('input').value) > 20")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play")).to_be_focused()
    rested = said(page)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert said(page) != rested
    page.keyboard.press("Tab")
    page.keyboard.press("Home")
    assert said(page) == described(data, 0)


def asked(page: Page) -> int:
    """How many frames the page has asked for; two of the test's own pass meanwhile."""
    return int(page.evaluate(
        """async () => {
          const frame = () => new Promise(done => window.ownFrame(done));
          const before = window.frames_asked;
          await frame();
          await frame();
          return window.frames_asked - before;
        }"""
    ))  # fmt: skip


def test_it_takes_no_time_where_nobody_looks(page: Page, data: dict[str, Any]) -> None:
    """It asks for frames while it plays in sight: not before, not scrolled away, not paused, not
    when the page has taken it off; in sight again it goes on where it was."""
    page.add_init_script(COUNTED)
    page.goto("about:blank")
    shown(page, data)
    page.evaluate("document.body.style.paddingBottom = '5000px'")
    assert asked(page) == 0
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("window.frames_asked > 3")
    page.evaluate("window.scrollTo(0, 4000)")
    page.wait_for_function(RESTS)
    rested = said(page)
    assert asked(page) == 0
    assert said(page) == rested
    page.evaluate("window.scrollTo(0, 0)")
    page.wait_for_function("rested => document.querySelector('input').ariaValueText !== rested",
                           arg=rested)  # fmt: skip
    page.evaluate("document.querySelector('button').click()")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    assert asked(page) == 0
    page.get_by_role("button", name="Play").click()
    page.evaluate("window.end()")
    assert asked(page) == 0


def test_a_crowd_is_no_more_to_draw(page: Page) -> None:
    """Of thousands who wait, those are drawn for whom there is room; the others are a figure."""
    crowd = animation(Settings.unprotected(), times=5, seconds=60)
    shown(page, crowd)
    page.get_by_role("slider").fill(str(int(crowd["end"])))
    waiting = len(queued(crowd, crowd["end"]))
    rooms = {kind: len(crowd["places"][kind]) for kind in ("entry", "queue", "seats")}
    assert waiting > 1000
    expect(page.get_by_text(f"and {waiting - rooms['queue']} more")).to_be_visible()
    assert page.locator("svg circle").count() < 2 * sum(rooms.values())


def test_it_stands_still_for_those_who_prefer_it(page: Page, data: dict[str, Any]) -> None:
    """There is nothing to set it going with; step and slider are left."""
    shown(page, data, motion=False)
    expect(page.get_by_role("button", name="Play")).to_be_hidden()
    before = said(page)
    page.get_by_role("button", name="Next step").click()
    assert said(page) != before


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_can_be_read_on_a_telephone(page: Page, data: dict[str, Any], scheme: Any) -> None:
    """At 390 pixels nothing is cut, covered or pale, and its letters are no smaller than 12."""
    page.set_viewport_size({"width": 390, "height": 800})
    page.emulate_media(color_scheme=scheme)
    shown(page, data)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert (
        page.evaluate("""() => {
      const svg = document.querySelector("svg");
      return 14 * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
    }""")
        >= 12
    )
    assert faults_in(page.locator("#home")) == []


def test_nobody_is_kept_out(page: Page, data: dict[str, Any]) -> None:
    """No serious fault by axe-core; and what ends it leaves nothing behind."""
    shown(page, data)
    assert serious_faults(page) == []
    page.evaluate("window.end()")
    assert page.locator("#home > *").count() == 0
