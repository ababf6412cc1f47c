"""What can be read on a page: which texts are cut, which cover one another, which are too pale.

Each of the scripts is a function of an element: evaluate it on a locator.
"""

import base64
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from itertools import product
from typing import Any

from tests.support.browser import Locator, Notebook, Page, expect

#: Widths of the widest font that a browser may have for the family of pictures and pages.
WIDEST = """* { font-family: "DejaVu Sans", Verdana !important }"""

#: Texts that stand out of the edge of something that hides it, be it an ancestor or their own
#: box. What can be scrolled to is cut, too, unless it is code or a table: nobody scrolls for half
#: a label.
CUT = """root => {
  const own = at => [...at.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
  const told = at => at.textContent.trim().replace(/\\s+/g, " ").slice(0, 60);
  const texts = [root, ...root.querySelectorAll("*")].filter(at => own(at) &&
    !at.closest("style, script, option, pre, noscript, .jp-InputArea, .jp-Collapser") &&
    (at.checkVisibility?.({opacityProperty: true, visibilityProperty: true}) ?? true));
  return texts.flatMap(text => {
    const span = document.createRange();
    span.selectNodeContents(text);
    let box = text.closest("svg") ? text.getBoundingClientRect() : span.getBoundingClientRect();
    if (box.width < 2 || box.height < 2) return [];
    for (let at = text; at && at !== document.documentElement; at = at.parentElement) {
      if (at.matches(".jp-WindowedPanel-outer")) break;
      const overflow = getComputedStyle(at).overflowX;
      if (overflow === "visible") continue;
      const edge = at.getBoundingClientRect();
      if (overflow === "auto" && text.closest("table")) {
        box = edge;  // from here on what scrolls has to be in view, with its scroll bar
        continue;
      }
      const out = [edge.left - box.left, box.right - edge.right].map(Math.round);
      if (Math.max(...out) > 1)
        return [`${told(text)}: ${out} by ${at.tagName} ${at.className.baseVal ?? at.className}`];
      if (at.matches(":popover-open")) break;  // no element around it can clip it
    }
    const screen = document.documentElement.clientWidth;
    return box.right > screen + 1 || box.left < -1 ? [`${told(text)}: off the page`] : [];
  });
}"""

#: Code whose lines are broken, and printed lines that break in the middle of a word.
BROKEN = """root => [...root.querySelectorAll("pre")].flatMap(pre => {
  if (!pre.getBoundingClientRect().width) return [];
  const told = pre.textContent.trim().slice(0, 40);
  if (pre.closest(".jp-OutputArea-output") && getComputedStyle(pre).wordBreak !== "normal")
    return [`${told}: breaks words`];
  const code = pre.querySelector(":scope > code");
  return code && getComputedStyle(code).whiteSpace !== "pre" ? [`${told}: breaks lines`] : [];
})"""

#: Pairs of texts that stand in one another by more than the air around letters.
COVERED = """root => {
  const visible = at =>
    at.checkVisibility?.({opacityProperty: true, visibilityProperty: true}) ?? true;
  const lines = [];
  const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const at = node.parentElement;
    if (!node.textContent.trim() || !visible(at)) continue;
    if (at.closest("style, script, option, noscript, pre, .jp-InputArea, .jp-Collapser")) continue;
    const span = document.createRange();
    span.selectNodeContents(node);
    // A picture may be drawn smaller or larger as a whole: the air is that of its own pixels.
    const svg = at.closest(".main-svg");
    const scale = svg ? svg.getBoundingClientRect().width / Number(svg.getAttribute("width")) : 1;
    for (const box of span.getClientRects())
      if (box.width > 1 && box.height > 1) lines.push([node, box, scale]);
  }
  const told = node => node.textContent.trim().slice(0, 40);
  const found = [];
  lines.forEach(([one, a, scale], i) => lines.slice(i + 1).forEach(([other, b]) => {
    const x = Math.min(a.right, b.right) - Math.max(a.left, b.left);
    const y = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
    if (one !== other && x > scale && y > 5 * scale)
      found.push(`${told(one)} | ${told(other)}: ` +
        `${(x / scale).toFixed()} by ${(y / scale).toFixed()}`);
  }));
  return found;
}"""

#: Texts with less contrast to what is behind them than the 4.5 of WCAG (large ones: 3), and
#: pictures that keep their white ground on a dark page, unless all around them is white.
PALE = """root => {
  const canvas = Object.assign(document.createElement("canvas"), {width: 1, height: 1});
  const pen = canvas.getContext("2d", {willReadFrequently: true});
  const rgba = colour => {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = colour;
    pen.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const light = ([r, g, b]) => [r, g, b].map(c => c / 255)
    .map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = at => {
    for (; at; at = at.parentElement) {
      const found = rgba(getComputedStyle(at).backgroundColor);
      if (found[3] > 0.9) return found;
    }
    return [255, 255, 255];
  };
  const ratio = (one, other) => {
    const [a, b] = [light(one), light(other)];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  };
  const own = at => [...at.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
  const texts = [root, ...root.querySelectorAll("*")].filter(
    at => own(at) && !at.closest("svg, style, script, option, noscript") &&
      !at.closest(".jp-InputArea, .jp-OutputPrompt") &&
      at.getBoundingClientRect().width > 1);
  const pale = texts.flatMap(at => {
    const style = getComputedStyle(at), size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.6 && Number(style.fontWeight) >= 700);
    const seen = ratio(rgba(style.color), ground(at));
    return seen < (isLarge ? 3 : 4.5) ?
      [`${at.textContent.trim().slice(0, 40)}: ${seen.toFixed(1)}`] : [];
  });
  const pictures = root.querySelectorAll(".js-plotly-plot, img:not(.js-plotly-plot *)");
  const glaring = [...pictures].filter(plot =>
    getComputedStyle(plot).filter === "none" && light(ground(plot.parentElement)) < 0.4);
  return [...pale, ...glaring.map(plot => `white: ${plot.className}`)];
}"""


def faults_of(place: Locator) -> list[str]:
    """Everything that is wrong with what one reads there, in any theme and at any size."""
    told: list[Any] = [place.evaluate(script) for script in (CUT, BROKEN, COVERED, PALE)]
    return [str(each) for found in told for each in found]


#: The last is a common laptop's at 150%: the page has two thirds of the pixels.
SCREENS: dict[str, Any] = {
    "1440x900": {"width": 1440, "height": 900},
    "1280x720": {"width": 1280, "height": 720},
    "150%": {"width": 960, "height": 600},
}

#: Until nothing moves any more: a page that took another shape draws it over some frames.
STILL = """async root => {
  const shape = () => JSON.stringify([root, ...root.querySelectorAll("*")].map(at => {
    const {x, y, width, height} = at.getBoundingClientRect();
    return [x, y, width, height].map(Math.round);
  }));
  const frame = () => new Promise(done => requestAnimationFrame(done));
  for (let before = "", still = 0, frames = 0; still < 4 && frames < 300; frames++) {
    const now = shape();
    still = now === before ? still + 1 : 0;
    before = now;
    await frame();
  }
}"""


def faults_in(place: Locator) -> list[str]:
    """The same once nothing moves there."""
    place.evaluate(STILL)
    return faults_of(place)


def faults_of_page(page: Page, selector: str = "body") -> dict[str, list[str]]:
    """Of a page at every size, in a light and a dark theme, and with the widest letters."""
    found: dict[str, list[str]] = {}
    letters = ("usual letters", "widest letters")
    for (screen, size), scheme, letter in product(SCREENS.items(), ("light", "dark"), letters):
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme)
        with widest_letters(page) if letter == "widest letters" else nullcontext():
            if faults := faults_in(page.locator(selector)):
                found[f"{screen}, {scheme}, {letter}"] = faults
    return found


def is_dark(page: Page) -> bool:
    """Whether the page has taken a dark ground, below its middle grey."""
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/[0-9.]+/g)")
    return max(map(float, ground[:3])) < 128


#: The first pixel of a PNG, as its amounts of red, green and blue.
FIRST_PIXEL = """async base64 => {
  const image = new Image();
  image.src = "data:image/png;base64," + base64;
  await image.decode();
  const context = new OffscreenCanvas(image.width, image.height).getContext("2d");
  context.drawImage(image, 0, 0);
  return [...context.getImageData(1, 1, 1, 1).data].slice(0, 3);
}"""


def is_dark_picture(picture: Locator) -> bool:
    """Whether it is seen on a dark ground, whatever has made it so."""
    seen = base64.b64encode(picture.screenshot()).decode()
    return max(picture.page.evaluate(FIRST_PIXEL, seen)) < 128


def faults_in_cells(notebook: Notebook) -> dict[int, list[str]]:
    """What cannot be read below each cell of a notebook, as its page stands now."""
    found = {}
    for cell in notebook.cells():
        notebook.picture(cell.place) if cell.is_picture else notebook.show(cell.place)
        if faults := faults_in(notebook.cell(cell.place)):
            found[cell.place] = faults
    return found


#: Whether all cells of a notebook are in view, from the first to the last, each with its picture.
ALL_DRAWN = """pictures => {
  const cells = jupyterapp.shell.currentWidget.content.widgets;
  const edges = place => cells.at(place).node.getBoundingClientRect();
  return edges(0).top > 0 && edges(-1).bottom < window.innerHeight &&
    pictures.every(place => cells[place].node.querySelector(".js-plotly-plot .trace"));
}"""

#: The faults of each cell of a notebook, by its place.
OF_EACH = f"""() => {{
  const scripts = [{CUT}, {BROKEN}, {COVERED}, {PALE}];
  const cells = jupyterapp.shell.currentWidget.content.widgets;
  return cells.map((cell, place) => [place, scripts.flatMap(script => script(cell.node))])
    .filter(([place, found]) => cells[place].model.type === "code" && found.length);
}}"""
#: No notebook of ours is so high, in pixels, on the narrowest of screens.
HEIGHT = 30_000


def faults_at_once(notebook: Notebook) -> dict[int, list[str]]:
    """The same on a page high enough for all cells: an eighth of the time that walking takes.

    What may go wrong as a cell comes into view, or as its page takes another width, the walk finds.
    """
    page, size = notebook.page, notebook.page.viewport_size
    assert size is not None
    page.set_viewport_size({"width": size["width"], "height": HEIGHT})
    notebook.show(0)
    pictures = [cell.place for cell in notebook.cells() if cell.is_picture]
    page.wait_for_function(ALL_DRAWN, arg=pictures, timeout=30_000)
    page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)").evaluate(STILL)
    found: list[tuple[int, list[str]]] = page.evaluate(OF_EACH)
    page.set_viewport_size(size)
    return dict(found)


def wear(page: Page, theme: str) -> None:
    """Give JupyterLab a theme, as its menu does."""
    page.evaluate("theme => jupyterapp.commands.execute('apputils:change-theme', {theme})", theme)
    is_light = "false" if "Dark" in theme else "true"
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", is_light)


@contextmanager
def widest_letters(page: Page) -> Iterator[None]:
    """The page in the letters of a browser that has no others for our family of fonts."""
    style = page.add_style_tag(content=WIDEST)
    yield
    style.evaluate("node => node.remove()")
