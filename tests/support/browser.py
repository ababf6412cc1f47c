"""A real Chromium, and a notebook open in it."""

import contextlib
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

try:
    from playwright.sync_api import (
        Browser,
        ConsoleMessage,
        Locator,
        Page,
        Request,
        Route,
        expect,
        sync_playwright,
    )
except ImportError:  # then every test marked `browser` is skipped, with the reason
    Browser = ConsoleMessage = Locator = Page = Request = Route = Any  # type: ignore[misc,assignment]
    expect = sync_playwright = None

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
#: A kernel that rests for so long, with cells left to run, has nothing to run.
STILL_S = 10.0
LOOK_S = 0.2
ASK_MOST = 3
#: A common laptop's.
SCREEN: Any = {"width": 1440, "height": 900}
PLOTLY = "application/vnd.plotly.v1+json"
WIDGET = "application/vnd.jupyter.widget-view+json"
HTML = "text/html"


@contextlib.contextmanager
def chromium(path: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Journal:
    """What went wrong on a page, and where it asked for something."""

    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def keep(self, page: Page) -> "Journal":
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("requestfailed", self._failed)
        page.on("request", lambda request: self.requests.append(request.url))
        return self

    @property
    def other_hosts(self) -> set[str]:
        """Hosts beyond this machine that it asked."""
        found = {urlsplit(url).hostname for url in self.requests}
        return {host for host in found if host} - {"127.0.0.1"}

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} ({message.location.get('url')})")

    def _failed(self, request: Request) -> None:
        # A page that is left hangs up on what it asked for: no fault of anybody's.
        if request.failure != "net::ERR_ABORTED":
            self.errors.append(f"{request.url}: {request.failure}")


def shoot(page: Page, name: str) -> None:
    """A screenshot into the folder BPDEMO_SCREENSHOTS, if one is named."""
    if folder := os.environ.get("BPDEMO_SCREENSHOTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png")


@dataclass(frozen=True)
class Cell:
    """A code cell as the notebook's own model has it."""

    place: int
    count: int | None
    kinds: frozenset[str]
    error: str | None
    is_form: bool
    """Whether `predict` made it: widgets, and beside them what is printed in their place."""

    @property
    def is_picture(self) -> bool:
        return PLOTLY in self.kinds


@dataclass(frozen=True)
class Picture:
    """A Plotly figure as it stands on the page; lengths in pixels."""

    traces: int
    width: float
    height: float
    hidden_right: float
    title: str


CELLS = """([widget, html]) => {
  const notebook = jupyterapp.shell.currentWidget.content;
  return [...notebook.model.cells].flatMap((cell, place) => {
    if (cell.type !== "code" || !cell.sharedModel.getSource().trim()) return [];
    const outputs = cell.outputs.toJSON();
    const failed = outputs.find(output => output.output_type === "error");
    return [{
      place, count: cell.executionCount,
      kinds: outputs.flatMap(output => Object.keys(output.data ?? {})),
      asks: outputs.some(output => widget in (output.data ?? {}) && html in output.data),
      error: failed ? failed.ename + ": " + failed.evalue : null,
    }];
  });
}"""

#: A kernel that can be asked to run something: the notebook is loaded, its channel is open. With a
#: path, that notebook: one that was open before is there first, and ready, too.
READY = """path => {
  const panel = window.jupyterapp?.shell.currentWidget;
  const kernel = panel?.sessionContext?.session?.kernel;
  if (path && panel?.context?.path !== path) return false;
  return Boolean(panel?.context?.isReady && panel.sessionContext.isReady
    && kernel?.connectionStatus === "connected" && kernel.status === "idle");
}"""

#: How far a Run All has come, of the cells with something in them. A cell that failed before it
#: still shows its error until it runs again: only one with a count of this time has failed now.
STATE = """counts_over => {
  const panel = jupyterapp.shell.currentWidget, kernel = panel?.sessionContext?.session?.kernel;
  const cells = [...(panel?.content?.model?.cells ?? [])].filter(
    cell => cell.type === "code" && cell.sharedModel.getSource().trim());
  const done = cells.filter(cell => cell.executionCount > counts_over);
  return {
    kernel: kernel?.status ?? "none", connection: kernel?.connectionStatus ?? "none",
    cells: cells.length, done: done.length,
    failed: done.some(cell => cell.outputs.toJSON().some(o => o.output_type === "error")),
    running: cells.filter(cell => cell.executionState === "running")
      .map(cell => cell.sharedModel.getSource().slice(0, 80)),
    dialogs: [...document.querySelectorAll(".jp-Dialog-content")].map(node => node.innerText),
  };
}"""

SHOW = """async place => {
  const notebook = jupyterapp.shell.currentWidget.content;
  notebook.activeCellIndex = place;
  await notebook.scrollToItem(place, "start");
  notebook.widgets[place].node.scrollIntoView({block: "start"});
}"""

PICTURE = """place => {
  const node = jupyterapp.shell.currentWidget.content.widgets[place].node;
  const plot = node.querySelector(".js-plotly-plot");
  const drawing = plot?.querySelector("svg.main-svg");
  if (!drawing || !plot.querySelector(".trace")) return null;
  const box = drawing.getBoundingClientRect();
  if (!box.width || !box.height) return null;
  const outputs = node.querySelector(".jp-Cell-outputArea").getBoundingClientRect();
  return {
    traces: plot.querySelectorAll(".trace path").length,
    width: box.width, height: box.height,
    hidden_right: Math.max(0, box.right - outputs.right),
    title: plot.querySelector(".gtitle")?.textContent ?? "",
  };
}"""


class Notebook:
    """A notebook in JupyterLab. Only cells near the view are in the page: `show` brings one in."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self, address: str) -> "Notebook":
        self.page.goto(address)
        _, _, path = urlsplit(address).path.partition("/tree/")
        self._until_ready(unquote(path))
        return self

    def run_all(self, within_s: float) -> None:
        """By the menu, as a learner does; waits until every code cell has run, or one failed.

        A kernel that was busy or lost when it was asked, or that dropped what came right behind a
        failed cell, stands still with cells left to run: it is asked again, as a learner would.
        Fails with what stood still.
        """
        counts_over = max((cell.count or 0 for cell in self.cells()), default=0)
        give_up_s = time.monotonic() + within_s
        for _ in range(ASK_MOST):
            self._until_ready()
            self.page.get_by_role("menuitem", name="Run", exact=True).click()
            self.page.get_by_role("menuitem", name=re.compile("^Run All Cells")).first.click()
            state = self._until_it_rests(counts_over, give_up_s)
            if _is_over(state):
                return
        raise AssertionError(f"asked {ASK_MOST} times, it stands still: {state}")

    def _until_it_rests(self, counts_over: int, give_up_s: float) -> dict[str, Any]:
        """How far it came when all has run, one has failed, or nothing moved for `STILL_S`."""
        moved_s = time.monotonic()
        while True:
            self.page.wait_for_timeout(LOOK_S * 1000)  # lets the page go on
            state: dict[str, Any] = self.page.evaluate(STATE, counts_over)
            now = time.monotonic()
            if _is_over(state) or now - moved_s > STILL_S:
                return state
            moved_s = moved_s if _rests(state) else now
            assert now < give_up_s, f"still not over: {state}"

    def _until_ready(self, path: str = "") -> None:
        self.page.wait_for_function(READY, arg=path, polling=100, timeout=60_000)

    def cells(self) -> list[Cell]:
        """Its code cells that have something in them."""
        return [
            Cell(
                found["place"],
                found["count"],
                frozenset(found["kinds"]),
                found["error"],
                found["asks"],
            )
            for found in self.page.evaluate(CELLS, [WIDGET, HTML])
        ]

    def show(self, place: int) -> Any:
        """Scroll the cell to the top of the view."""
        return self.page.evaluate(SHOW, place)

    def cell(self, place: int) -> Locator:
        """What stands on the page for that cell; `show` it first."""
        # Notebooks that were open before are there again, behind this one.
        panel = self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
        return panel.locator(f'.jp-CodeCell[data-windowed-list-index="{place}"]')

    def picture(self, place: int, within_s: float = 15) -> Picture:
        """The figure below that cell, as soon as it is drawn."""
        self.show(place)
        drawn = self.page.wait_for_function(PICTURE, arg=place, timeout=within_s * 1000)
        return Picture(**drawn.json_value())

    def form(self, place: int) -> Locator:
        """The widgets below that cell, once they are there."""
        self.show(place)
        form = self.cell(place).locator(".jupyter-widgets.widget-vbox").first
        expect(form).to_be_visible(timeout=15_000)
        return form

    def shut_down(self) -> None:
        """End its kernel."""
        self.page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.shutdown()")

    def expect_nothing_in_the_way(self) -> None:
        """No dialog, and no question about news in the corner."""
        expect(self.page.locator(".jp-Dialog")).to_have_count(0)
        expect(self.page.get_by_text(re.compile("Jupyter news", re.IGNORECASE))).to_have_count(0)


def _rests(state: dict[str, Any]) -> bool:
    return state["kernel"] == "idle" and not state["running"]


def _is_over(state: dict[str, Any]) -> bool:
    return _rests(state) and (state["failed"] or 0 < state["cells"] == state["done"])
