"""The cockpit in JupyterLab, under a hand that has a keyboard and no mouse."""

import re
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.support.browser import Journal, Notebook, Page, expect, shoot
from tests.support.jupyter import Workshop
from tests.support.notebooks import write_notebook
from tests.support.processes import is_free
from tests.support.waiting import eventually

pytestmark = [
    pytest.mark.browser,
    pytest.mark.load,
    pytest.mark.slow,
    pytest.mark.long,
    pytest.mark.timeout(180),
]

CELLS = (
    "from bpdemo.lab import cockpit, serve\noffice = serve(workers=4, queue_capacity=8)\n"
    "print(office.url)",
    "cockpit(office)",
)
EFFECT_S = 1.0
#: The last text that was marked, by what it begins with.
MARKED = """words => [...document.querySelectorAll(".bp-cockpit .annotation-text")]
  .some(note => note.textContent.startsWith(words))"""
FOCUSED = """() => {
  const at = document.activeElement;
  const all = [...document.querySelectorAll(".bp-cockpit .noUi-handle")];
  if (!at || !at.closest(".bp-cockpit")) return "";
  return at.matches(".noUi-handle") ? `slider ${all.indexOf(at)}` : at.textContent;
}"""


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    started = Workshop(tmp_path_factory.mktemp("workshop")).lay_out()
    write_notebook(started.folder / "notebooks" / "cockpit.ipynb", *CELLS)
    try:
        started.start()
        yield started
    finally:
        assert started.stop() == 0


class Service:
    """The service behind the cockpit, asked from outside."""

    def __init__(self, url: str) -> None:
        self.port = int(url.rsplit(":", 1)[1])
        self._client = httpx.Client(base_url=url, trust_env=False)

    def setting(self, name: str) -> object:
        return self._client.get("/settings").json()["settings"][name]["value"]

    def room(self) -> int:
        return int(self._client.get("/stats").json()["queue"]["capacity"])

    def received(self) -> int:
        return int(self._client.get("/stats").json()["books"]["received"])

    def close(self) -> None:
        self._client.close()


def tab_to(page: Page, wanted: str) -> None:
    """Press Tab until the focus is there."""
    for _ in range(80):
        if page.evaluate(FOCUSED) == wanted:
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab does not reach {wanted!r}")


def effect_s(page: Page, key: str, words: str) -> float:
    """Seconds from the key to the mark in the picture."""
    pressed_s = time.monotonic()
    page.keyboard.press(key)
    page.wait_for_function(MARKED, arg=words, polling=20, timeout=5_000)
    return time.monotonic() - pressed_s


def test_a_keyboard_alone_turns_knobs_and_drives_a_load(
    workshop: Workshop, page: Page, journal: Journal
) -> None:
    """Start, two sliders, stop: /stats, /settings and picture follow within a second; then all
    is gone with the kernel."""
    notebook = Notebook(page).open(workshop.address_of("cockpit"))
    notebook.run_all(within_s=60)
    assert [cell.error for cell in notebook.cells()] == [None, None]
    printed = page.locator(".jp-OutputArea-output", has_text="http://127.0.0.1").first
    service = Service(printed.inner_text().strip())
    notebook.show(notebook.cells()[1].place)
    expect(page.locator(".bp-cockpit .main-svg").first).to_be_visible()

    tab_to(page, "Start the load")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Stop the load")).to_be_focused()
    eventually(lambda: service.received() > 20, "orders come in", within_s=20)

    tab_to(page, "slider 0")
    took_s = {"queue": effect_s(page, "ArrowRight", "queue 8 →")}
    eventually(lambda: service.room() == 9, "/stats follows", within_s=EFFECT_S)
    tab_to(page, "slider 2")
    took_s["failures"] = effect_s(page, "ArrowRight", "failures 0 →")
    assert service.setting("payment_failure_rate") == 0.05
    print("seconds from key to picture:", {name: round(s, 2) for name, s in took_s.items()})
    shoot(page, "cockpit-live")
    assert max(took_s.values()) < EFFECT_S

    tab_to(page, "Stop the load")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Start the load")).to_be_visible(timeout=15_000)
    expect(page.locator(".bp-cockpit")).to_contain_text(re.compile("(Goodput|served) .*"))
    shoot(page, "cockpit-over")
    eventually(lambda: not workshop.family.loading(), "no load generator sends")
    service.close()
    notebook.shut_down()
    eventually(lambda: is_free(service.port), "the port is free again")
    eventually(lambda: not workshop.family.named("ipykernel"), "the kernel has ended")
    assert journal.errors == []
    assert journal.other_hosts == set()
