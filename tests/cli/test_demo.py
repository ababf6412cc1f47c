"""The demo: one spike at two services, told in a terminal and in a report that needs no network."""

import os
import re
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass, replace
from io import StringIO
from pathlib import Path

import numpy as np
import psutil
import pytest
from rich.console import Console

from bpdemo.cli.demo import demo
from bpdemo.cli.demo.live_bar import BAR_WIDTH, shares_of, widths
from bpdemo.cli.demo.outcome import SpikeOutcome, recovery_s
from bpdemo.cli.demo.verdict import numbers, sentences
from bpdemo.core.environment import PACKAGE_PARENT
from bpdemo.lab.home import keep
from bpdemo.lab.services.machine import KEPT, Calibration, this_machine
from bpdemo.load.driver import LoadProgress
from bpdemo.load.run import LoadRun
from bpdemo.plan.fates import FAILED, LATE, OK, SHED
from bpdemo.results.meta import Meta
from bpdemo.results.records import Records, Samples
from bpdemo.results.sentence import comparison, percent


def run_of(name: str, fates: dict[tuple[float, float], int]) -> LoadRun:
    """A run of 12 s with 20 orders a second; `fates` by interval, else served."""
    t_s = np.arange(0, 12, 0.05)
    fate = np.full(len(t_s), OK)
    for (start_s, end_s), code in fates.items():
        fate[(t_s >= start_s) & (t_s < end_s)] = code
    latency_s = np.where(fate == LATE, 0.5, 0.1)
    meta = Meta(name=name, scenario="spike", seconds=12, capacity_per_s=20, planned=240, sent=240)
    meta = replace(meta, rate_per_s=100.0)
    return LoadRun(Records.of(t_s, latency_s, fate), Samples.none(), meta)


@pytest.mark.parametrize(
    ("fates", "recovered_s"),
    [
        ({}, 0),
        ({(4, 8): SHED}, 0),
        ({(4, 8.3): LATE}, 0.5),
        ({(4, 8.1): LATE, (9, 9.05): FAILED}, 1.25),
        ({(4, 12): LATE}, None),
        ({(11.9, 12): LATE}, None),
    ],
)
def test_recovery_is_when_it_sells_again_and_goes_on_to(
    fates: dict[tuple[float, float], int], recovered_s: float | None
) -> None:
    """To the quarter second; a relapse counts, and so does a run that ends badly."""
    assert recovery_s(run_of("x", fates), 8.0) == recovered_s


def outcomes() -> tuple[SpikeOutcome, SpikeOutcome]:
    naive = SpikeOutcome(run_of("unprotected", {(4.5, 12): LATE}), 70, 200)
    return naive, SpikeOutcome(run_of("protected", {(5, 8): SHED}), 0, 0)


def test_the_verdict_says_what_was_measured() -> None:
    """Goodput in the spike, p99, recovery, orders served, and what was charged in vain."""
    told = " ".join(sentences(*outcomes()))
    for words in (
        "goodput of the unprotected service was 12% of its capacity, that of the protected one 25%",
        "90 unprotected, 180 protected, 2.0 times as many",
        "shed 60 at once",
        "p99 of those it admitted during the spike was 100 ms",
        "unprotected one was still down 4.0 s after the spike, with 200 orders in its queue: 10 s",
        "The protected one was back to normal as soon as the spike was over",
        "charged 70 customers whose answer was late; the protected one 0",
    ):
        assert words in told


def test_one_figure_for_one_thing() -> None:
    """The shares of the verdict are those in the title of the picture and above each of its sides,
    in the sentence and in the table."""
    naive, safe = outcomes()
    shares = [percent(outcome.possible_share) for outcome in (naive, safe)]
    (title,) = re.findall(r"(\d+%) [^,]*, (\d+%)", comparison(naive.run, safe.run))
    assert list(title) == shares
    for outcome, share in zip((naive, safe), shares, strict=True):
        assert outcome.run.sentence.startswith(f"Goodput {share} of what was possible")
    (told,) = re.findall(r"whole load.* was (\d+%) .* (\d+%)", sentences(naive, safe)[1])
    assert list(told) == shares
    row = next(row for row in numbers(naive, safe) if row[0].endswith("possible"))
    assert list(row[1:]) == shares


def test_the_verdict_does_not_take_sides() -> None:
    """With the outcomes swapped it tells the opposite, and divides by no zero."""
    naive, safe = outcomes()
    told = " ".join(sentences(safe, naive))
    assert "180 unprotected, 90 protected, 0.5 times" in told
    assert "turned" not in told
    nothing = SpikeOutcome(run_of("unprotected", {(0, 12): FAILED}), 0, 0)
    told = " ".join(sentences(nothing, safe))
    assert "0 unprotected, 180 protected." in told
    rows = {row[0]: row[1:] for row in numbers(nothing, safe)}
    assert rows["p99 in the spike, of those admitted"] == ("nobody was admitted", "100 ms")


def progress(t_s: float, **counts: int) -> LoadProgress:
    fates = {"ok": 0, "late": 0, "shed": 0, "failed": 0} | counts
    return LoadProgress(t_s=t_s, seconds=12, offered=sum(fates.values()), waiting=0, **fates)


def test_the_live_bar_shows_the_last_second() -> None:
    """Not the whole past: a bar that remembers the calm hides the collapse."""
    recent = [progress(4.0, ok=400), progress(4.5, ok=410, late=30), progress(5, ok=410, late=90)]
    shares = shares_of(recent)
    assert shares == pytest.approx({"ok": 0.1, "late": 0.9, "shed": 0, "failed": 0})
    assert widths(list(shares.values())) == [5, 45, 0, 0]
    assert sum(widths([1 / 3, 1 / 3, 1 / 3, 0])) == BAR_WIDTH
    assert widths([0.0] * 4) == [0] * 4


# -- the real thing --------------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    code: int
    out: str
    err: str
    folder: Path


#: Few workers, so that a load of five times their capacity asks little of the machine.
KNOWN = Calibration(
    workers=4, capacity_per_s=100, send_rate_per_s=2000, timer_tick_s=0.001, loop_lag_p99_s=0.002,
    measured_at="now", machine=this_machine(),
)  # fmt: skip


def test_a_machine_is_measured_before_its_first_demo_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It says that it does, and how long that takes; what is known by then is not asked again."""
    monkeypatch.setenv("BPDEMO_HOME", str(tmp_path))
    times: list[Console] = []

    def measure(console: Console) -> None:
        times.append(console)
        keep(KEPT, asdict(KNOWN))

    monkeypatch.setattr(demo, "measured", measure)
    console = Console(file=StringIO())
    for _ in range(2):
        demo._calibrate(console)
    assert times == [console]
    assert console.file.getvalue().count("about eight seconds, once") == 1  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a machine that has been measured before."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("BPDEMO_HOME", str(home))
        keep(KEPT, asdict(KNOWN))
    return home


def start(home: Path, *words: object) -> "subprocess.Popen[str]":
    # The narrowest of consoles: neither UTF-8 nor a terminal.
    return subprocess.Popen(
        [sys.executable, "-m", "bpdemo", "demo", *map(str, words)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ
        | {"PYTHONPATH": str(PACKAGE_PARENT), "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
        | {"BPDEMO_HOME": str(home)},
    )


@pytest.fixture(scope="module")
def told(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Told:
    """The demo, run once, into a folder where an older one has been."""
    folder = tmp_path_factory.mktemp("report")
    (folder / "demo.html").write_text("of last time")
    command = start(home, "--seconds", 3, "--out", folder)
    out, err = command.communicate(timeout=100)
    return Told(command.returncode, out, err, folder)


@pytest.mark.load
@pytest.mark.light
def test_the_demo_tells_its_story_in_plain_lines(told: Told) -> None:
    """Progress of both services, numbers and words; 1 only if it says the machine was busy."""
    assert told.err == ""
    assert told.code == (1 if "this run proves nothing" in told.out else 0)
    assert "\x1b" not in told.out
    assert "\r" not in told.out
    for words in (
        *("unprotected: ", "protected: ", "served", "late", "shed", "failed"),
        *("of 3 s:", "The verdict", "back to normal after the spike", "Orders served in all"),
        str(told.folder / "demo.html"),
    ):
        assert words in told.out


@pytest.mark.load
@pytest.mark.light
def test_the_report_needs_nothing_from_elsewhere(told: Told) -> None:
    """No script, style, font, picture or link of another host; the runs lie beside it."""
    page = (told.folder / "demo.html").read_text(encoding="utf-8")
    assert re.findall(r"<script[^>]*\ssrc", page) == []
    words = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert re.findall(r"https?://|@import|url\(", words) == []
    for name in ("unprotected", "protected"):
        run = LoadRun.open(told.folder / f"{name}.json.gz")
        assert run.meta.scenario == "spike"
        assert f"{len(run.records):,}" in words


@pytest.mark.load
@pytest.mark.light
@pytest.mark.browser
def test_the_report_opens_without_a_network(told: Told, chromium_path: str) -> None:
    """In a real browser the picture is drawn, and nothing but the file is asked for."""
    from playwright.sync_api import sync_playwright

    asked: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium_path,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = browser.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.goto((told.folder / "demo.html").as_uri())
        page.wait_for_selector(".js-plotly-plot .main-svg")
        browser.close()
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []


@pytest.mark.load
@pytest.mark.light
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send")
def test_an_interrupted_demo_leaves_nothing_running(home: Path, tmp_path: Path) -> None:
    """Ctrl-C in the middle of a run: service and load generator are gone."""
    with start(home, "--seconds", 60, "--out", tmp_path) as command:
        assert command.stdout is not None
        lines = iter(command.stdout.readline, "")
        assert any("of 60 s:" in line for line in lines)
        children = psutil.Process(command.pid).children(recursive=True)
        command.send_signal(signal.SIGINT)
        try:
            _, err = command.communicate(timeout=30)
        finally:
            command.kill()  # if it did not obey: what stays would trouble the tests that follow
    assert command.returncode == 130
    assert "Traceback" not in err
    assert len(children) >= 2
    assert not psutil.wait_procs(children, timeout=3)[1]
