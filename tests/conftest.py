"""What a test may need from the machine, and what happens where it is missing.

A test marked `browser`, `haproxy`, `pgbouncer` or `prometheus` is skipped, with the reason, where
the tool is not there. `BPDEMO_REQUIRE=browser,haproxy,pgbouncer,prometheus` turns every skip of
such a test into a failure: CI installs the tools, so a skip there would hide a test that never ran.
`postgres` does the same for the tests that need the PostgreSQL which comes with the package.
"""

import gc
import importlib.util
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from bpdemo.core.late_grammar import build_grammar_late
from tests.support.command import Run
from tests.support.examples import examples
from tests.support.repeatable import REPEATABLE, draw_without_constants
from tests.support.required import required_words
from tests.untimed import is_untimed

#: Fixtures with a real PostgreSQL behind them.
DATABASES = {"postgres_server", "database_url"}
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")

# A shared laptop stalls now and then, and what runs beside the loads stands still for seconds: an
# example that was slow falsifies nothing, and one that was slow to draw tells of no bad strategy.
USUAL: dict[str, Any] = {
    "deadline": None,
    "max_examples": examples(),
    "suppress_health_check": [hypothesis.HealthCheck.too_slow],
}
hypothesis.settings.register_profile("bpdemo", **USUAL)
hypothesis.settings.register_profile("ci", **USUAL, **REPEATABLE)
# People draw at random, and find something new now and then. CI must find the same each time.
if os.environ.get("CI"):
    draw_without_constants()
    hypothesis.settings.load_profile("ci")
else:
    hypothesis.settings.load_profile("bpdemo")


#: nbformat has JSON schemas compiled, and plotly looks for nbformat: a second in each process of
#: tests, for two formats that nothing here checks.
build_grammar_late()


def find_chromium() -> str | None:
    return next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


def browser_missing() -> str | None:
    if find_chromium() is None:
        return f"no Chromium in PATH (looked for {', '.join(CHROMIUM_NAMES)})"
    if importlib.util.find_spec("playwright") is None:
        return "the package playwright is not installed"
    return None


def prometheus_missing() -> str | None:
    return None if shutil.which("prometheus") else "no prometheus binary in PATH"


def pgbouncer_missing() -> str | None:
    return None if shutil.which("pgbouncer") else "no pgbouncer binary in PATH"


def haproxy_missing() -> str | None:
    return None if shutil.which("haproxy") else "no haproxy binary in PATH"


MISSING: dict[str, Callable[[], str | None]] = {
    "browser": browser_missing,
    "haproxy": haproxy_missing,
    "pgbouncer": pgbouncer_missing,
    "prometheus": prometheus_missing,
}


def required() -> frozenset[str]:
    words, known = required_words(), {*MISSING, "postgres"}
    if unknown := sorted(words - known):
        raise pytest.UsageError(f"BPDEMO_REQUIRE: unknown {unknown}, known are {sorted(known)}")
    return words


#: Finding ten thousand tests and playing time make many objects and hardly a circle: at the usual
#: 700 a quarter of either is the collector's. The next two stay near the usual.
COLLECTED_AT = 50_000, 20, 20


def pytest_configure(config: pytest.Config) -> None:
    required()  # a misspelt word must end the run, not weaken it
    gc.set_threshold(*COLLECTED_AT)
    # A shell that starts this in the background has it ignore Ctrl-C, and so would all that tests
    # start and interrupt.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if told := os.environ.get("BPDEMO_OUTCOMES_TO"):
        # Of processes side by side, each finds all tests; the one that has no tests tells outcomes.
        worker: dict[str, str] | None = getattr(config, "workerinput", None)
        if worker is None:
            config.pluginmanager.register(Outcomes(Path(told)))
        if worker is None or worker["workerid"] == "gw0":
            config.pluginmanager.register(LoadFiles(Path(told).with_name(LoadFiles.NAME)))


class LoadFiles:
    """Keeps in a file where tests are that are marked `load` or `browser`, chosen or not.

    By their kind: `light`, `whole`, or "" for the others. To find all tests takes longer than some
    of them: the runs of loads need look nowhere else.
    """

    NAME = "load-files.json"

    def __init__(self, path: Path) -> None:
        self._path = path

    @pytest.hookimpl(tryfirst=True)  # before those that were not chosen are left out
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        files: dict[str, dict[str, None]] = {}
        for item in items:
            markers = {marker.name for marker in item.iter_markers()}
            if markers & {"load", "browser"}:
                kind = next((kind for kind in ("light", "whole") if kind in markers), "")
                files.setdefault(kind, {})[item.nodeid.partition("::")[0]] = None
        told = {kind: list(names) for kind, names in files.items()}
        self._path.write_text(json.dumps(told), encoding="utf-8")


class Outcomes:
    """Keeps in a file which tests failed and which passed, for `scripts/suite.py`.

    `whole` is false where the run stopped before its last test.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._failed: dict[str, None] = {}
        self._passed: dict[str, None] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failed[report.nodeid] = None
        elif report.passed and report.when == "call":
            self._passed[report.nodeid] = None

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        told = {
            "whole": not (session.shouldfail or session.shouldstop),
            "failed": list(self._failed),
            "passed": [name for name in self._passed if name not in self._failed],
        }
        self._path.write_text(json.dumps(told), encoding="utf-8")


def pytest_collection_finish() -> None:
    """What is imported by now stays; nobody need look at it again."""
    gc.collect()
    gc.freeze()


#: A run that does not count is made again, up to four times, with a wait in between.
MEASURED_S = 600


@pytest.hookimpl(tryfirst=True)  # before markers decide what is chosen
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if DATABASES & set(getattr(item, "fixturenames", ())):  # a server waits in real time
            item.add_marker(pytest.mark.process)
        if is_untimed(item.nodeid, {marker.name for marker in item.iter_markers()}):
            item.add_marker(pytest.mark.untimed)
        if item.get_closest_marker("load") and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(MEASURED_S))


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker, missing in MISSING.items():
        if item.get_closest_marker(marker) and (reason := missing()):
            pytest.skip(f"{marker}: {reason}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a skipped test whose marker is required, no matter who skipped it and why."""
    report = yield
    needs = sorted(name for name in required() if item.get_closest_marker(name))
    if report.skipped and needs and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        reason = call.excinfo.value if call.excinfo else "skipped"
        report.longrepr = f"BPDEMO_REQUIRE={','.join(needs)}, but the test was skipped: {reason}"
    return report


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The executable to give playwright's `chromium.launch(executable_path=...)`."""
    return find_chromium() or pytest.skip("browser: no Chromium in PATH")


@pytest.fixture(scope="session")
def prometheus_path() -> str:
    return shutil.which("prometheus") or pytest.skip("prometheus: no binary in PATH")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `bpdemo` with these words: exit code, standard output, standard error."""

    from bpdemo.cli.start import main

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["bpdemo", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return int(str(ended.value.code)), told.out, told.err

    return call
