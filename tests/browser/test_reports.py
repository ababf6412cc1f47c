"""Reports in one HTML file, as somebody reads them: on any screen, in any theme."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bpdemo.cli.demo.outcome import SpikeOutcome
from bpdemo.cli.demo.report import write_demo_report
from bpdemo.lab.predictions.own_page import album
from bpdemo.lab.predictions.predictions import reveal
from tests.picture.runs import RUNS
from tests.support.browser import SCREEN, Journal, Page, shoot
from tests.support.legible import faults_of_page, is_dark

pytestmark = [pytest.mark.browser, pytest.mark.light]


def demo_report(path: Path) -> Path:
    naive, safe = (SpikeOutcome(RUNS[name], 7, 3) for name in ("far beyond", "usual"))
    return write_demo_report(path, naive, safe)


def own_page(path: Path) -> Path:
    reveal("01a", RUNS["usual"])
    reveal("02a", RUNS["no limit, slow"])
    return album(path).path


@pytest.mark.parametrize("report", [demo_report, own_page])
def test_a_report_can_be_read_on_any_screen_and_in_any_theme(
    report: Callable[[Path], Path],
    page: Page,
    journal: Journal,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No text is cut, covered or pale, in the widest letters too, and no picture glares."""
    monkeypatch.setenv("BPDEMO_HOME", str(tmp_path))
    page.goto(report(tmp_path / "report.html").as_uri())
    page.wait_for_selector(".main-svg text")
    assert faults_of_page(page) == {}
    assert is_dark(page)
    page.set_viewport_size(SCREEN)
    page.locator(".main-svg").first.scroll_into_view_if_needed()
    shoot(page, f"{report.__name__}-dark")
    page.emulate_media(media="print")
    assert not is_dark(page)
    assert journal.errors == []
    assert journal.other_hosts == set()
