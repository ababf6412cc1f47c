"""The speaker's stage, in JupyterLab and in Voilà, by its keys."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import httpx
import pytest

from bpdemo.lab.services.machine import CAUTIOUS_WORKERS, Calibration, this_machine
from bpdemo.lab.talk.acts import BY_KEY
from bpdemo.lab.talk.talk import WELCOME
from tests.support.browser import Cell, Journal, Notebook, Page, expect, shoot
from tests.support.jupyter import ROOT, Workshop
from tests.support.legible import SCREENS, faults_in, faults_in_cells, wear, widest_letters
from tests.support.processes import Family, free_port
from tests.support.waiting import eventually

pytestmark = [
    pytest.mark.browser,
    pytest.mark.load,
    pytest.mark.slow,
    pytest.mark.long,
    pytest.mark.timeout(400),
]

PROJECTOR: Any = {"width": 1280, "height": 720}
RESET_S = 3.0
#: 20 points.
LEAST_PX = 26.6
STAGE = ".bp-stage:popover-open"
#: Sizes of all text on the stage as it stands on the screen, and where it ends.
MEASURED = """() => {
  const stage = document.querySelector(".bp-stage"), box = stage.getBoundingClientRect();
  const told = [...stage.querySelectorAll("button, .bp-says, .bp-badge, svg text")]
    .filter(node => node.textContent.trim() && node.getBoundingClientRect().width > 0);
  const zoom = node => {
    let all = 1;
    for (let at = node; at; at = at.parentElement) all *= Number(getComputedStyle(at).zoom) || 1;
    return all;
  };
  return {
    smallest: Math.min(...told.map(n => parseFloat(getComputedStyle(n).fontSize) *
      zoom(n))),
    right: Math.max(box.right, ...told.map(n => n.getBoundingClientRect().right)),
    cut: [...stage.querySelectorAll("button")]
      .map(n => [n.textContent, n.scrollWidth - n.clientWidth])
      .filter(([, hidden]) => hidden > 1),
    bottom: Math.max(box.bottom, ...told.map(n => n.getBoundingClientRect().bottom)),
  };
}"""
AREAS = """() => [...document.querySelectorAll(".bp-stage .scatterlayer .trace .js-fill")]
  .some(area => (area.getAttribute("d") ?? "").length > 60)"""


def recall_calibration(home: Path) -> None:
    """This machine as one that has run lesson 00 already, modestly: nothing is measured again."""
    known = Calibration(CAUTIOUS_WORKERS, 95.0, 2000.0, 0.001, 0.001, "before", this_machine())
    home.mkdir(exist_ok=True)
    (home / "calibration.json").write_text(json.dumps(asdict(known)), encoding="utf-8")


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    started = Workshop(tmp_path_factory.mktemp("workshop")).lay_out()
    recall_calibration(started.home)
    try:
        started.start()
        yield started
    finally:
        assert started.stop() == 0


def run_all(notebook: Notebook) -> list[Cell]:
    """Every cell, without an error. That the machine was too busy to measure the rehearsal is none
    here: the stage and its keys are there all the same."""
    notebook.run_all(within_s=90)
    errors = [cell.error for cell in notebook.cells() if cell.error]
    assert [error for error in errors if "NotMeasured" not in error] == []
    return notebook.cells()


def says(page: Page, words: str) -> None:
    expect(page.locator(".bp-says")).to_contain_text(words, timeout=10_000)


def test_a_clicker_and_the_number_keys_play_the_acts(
    workshop: Workshop, page: Page, journal: Journal
) -> None:
    """Run All, then keys: acts change, all of it fits a projector in type of 20 points, R is
    marked, 0 clears within three seconds, and the notebook under it stays as it was."""
    page.set_viewport_size(PROJECTOR)
    notebook = Notebook(page).open(workshop.address_of("live_demo"))
    before = run_all(notebook)
    expect(page.locator(STAGE)).to_be_visible()

    page.keyboard.press("2")
    says(page, BY_KEY["2"].says)
    page.wait_for_function(AREAS, timeout=15_000)
    page.keyboard.press("PageDown")
    says(page, BY_KEY["3"].says)
    page.wait_for_function(AREAS, timeout=15_000)
    shoot(page, "live-demo-3")
    measured = page.evaluate(MEASURED)
    assert measured["cut"] == []
    assert measured["smallest"] >= LEAST_PX
    assert measured["right"] <= PROJECTOR["width"] + 1
    assert measured["bottom"] <= PROJECTOR["height"] + 1
    for name, size in SCREENS.items():
        page.set_viewport_size(size)
        assert faults_in(page.locator(STAGE)) == [], name
        with widest_letters(page):
            assert faults_in(page.locator(STAGE)) == [], f"{name}, widest letters"
    page.set_viewport_size(PROJECTOR)
    page.keyboard.press("PageUp")
    says(page, BY_KEY["2"].says)

    page.keyboard.press("r")
    expect(page.get_by_text("RECORDED", exact=True)).to_be_visible()
    page.wait_for_function(AREAS, timeout=15_000)
    shoot(page, "live-demo-recorded")
    pressed_s = time.monotonic()
    page.keyboard.press("0")
    says(page, WELCOME)
    took_s = time.monotonic() - pressed_s
    print(f"seconds to an empty stage: {took_s:.2f}")
    assert took_s < RESET_S
    page.keyboard.press("Escape")
    expect(page.locator(STAGE)).to_have_count(0)
    expect(page.locator(".bp-stage")).to_have_count(1)
    for theme in ("JupyterLab Light", "JupyterLab Dark", "JupyterLab Dark High Contrast"):
        wear(page, theme)
        for name, size in SCREENS.items():
            page.set_viewport_size(size)
            assert faults_in_cells(notebook) == {}, (theme, name)
    wear(page, "JupyterLab Light")
    assert [cell.place for cell in notebook.cells()] == [cell.place for cell in before]
    notebook.shut_down()
    assert journal.errors == []
    assert journal.other_hosts == set()
    notebook.show(notebook.cells()[1].place)
    page.locator(".bp-stage").first.focus()
    page.keyboard.press("f")
    expect(page.locator(STAGE)).to_be_visible()
    page.keyboard.press("2")
    expect(page.locator(".bp-unheard")).to_be_visible(timeout=15_000)
    shoot(page, "live-demo-unheard")


@pytest.fixture(params=["light", "dark"])
def voila(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of Voilà with the live demo; nothing of it is left afterwards."""
    family, port = Family(), free_port()
    recall_calibration(tmp_path)
    process = subprocess.Popen(
        [sys.executable, "-m", "voila", "notebooks/live_demo.ipynb", "--no-browser",
         f"--theme={request.param}", f"--port={port}", "--Voila.ip=127.0.0.1"],
        cwd=ROOT,
        env=os.environ | family.environment | {"BPDEMO_HOME": str(tmp_path)}
        | {"BPDEMO_PROFILE": "full"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        eventually(lambda: answers(port), "Voilà listens", within_s=30)
        yield f"http://127.0.0.1:{port}/"
    finally:
        family.meet(process.pid)
        process.send_signal(signal.SIGINT)
        try:
            process.wait(15)
            eventually(lambda: not family.alive(), "nothing of it is left")
        finally:
            family.see_out(0)
            process.wait()


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/voila/static/", trust_env=False).status_code > 0
    except httpx.TransportError:
        return False


def test_the_stage_stands_under_voila(voila: str, page: Page) -> None:
    """With no notebook around it: the page comes up, its keys work, the picture is drawn."""
    page.set_viewport_size(PROJECTOR)
    page.goto(voila, timeout=60_000)
    expect(page.locator(STAGE)).to_be_visible(timeout=60_000)
    expect(page.locator(f"{STAGE} .main-svg").first).to_be_visible()
    page.keyboard.press("3")
    says(page, BY_KEY["3"].says)
    page.keyboard.press("r")
    expect(page.get_by_text("RECORDED", exact=True)).to_be_visible()
    page.wait_for_function(AREAS, timeout=15_000)
    shoot(page, "live-demo-voila")
    assert faults_in(page.locator(STAGE)) == []
    page.keyboard.press("Escape")
    expect(page.locator(STAGE)).to_have_count(0)
    assert faults_in(page.locator("body")) == []
    shoot(page, "live-demo-voila-page")
