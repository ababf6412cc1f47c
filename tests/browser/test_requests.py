"""Single requests, animated, on a page of their own: as the playground and a notebook show them."""

import json
from importlib.resources import files
from typing import Any

import pytest

from bpdemo.picture.moment import described
from bpdemo.sim.animation import animation
from tests.support.axe import serious_faults
from tests.support.browser import Page, expect
from tests.support.legible import faults_in

pytestmark = [pytest.mark.browser, pytest.mark.light]

SCRIPT = files("bpdemo.picture").joinpath("requests.js").read_text(encoding="utf-8")
PAGE = """<!doctype html><html lang="en-GB"><head><title>Requests</title>
<style>:root {{color-scheme: light dark}}</style></head><body><main id="home"></main>
<script type="application/json" id="data">{data}</script>
<script type="module">{script}
window.end = mount(document.getElementById("home"),
  JSON.parse(document.getElementById("data").textContent), "a bound of 8");
</script></body></html>"""


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
