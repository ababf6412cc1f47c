"""The doctor: each line says how it stands and, if it does not stand well, how to fix it."""

import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from bpdemo.cli.doctor import doctor
from bpdemo.cli.doctor import folders as checks_of_folders
from bpdemo.cli.doctor import machine as checks_of_machine
from bpdemo.cli.doctor import network as checks_of_network
from bpdemo.cli.doctor import programs as checks_of_programs
from bpdemo.cli.doctor import python as checks_of_python
from bpdemo.cli.doctor.doctor import CHECKS
from bpdemo.cli.doctor.finding import Check, Finding, looked_at
from bpdemo.core.settings import Settings
from bpdemo.lab.services import calibration
from bpdemo.lab.services import machine as machine_facts
from bpdemo.lab.services.host import ServiceFailed
from bpdemo.lab.services.machine import Calibration, learn, recalled, this_machine
from bpdemo.load.driver import LoadFailed, LoadSilent
from bpdemo.results.validity import NotMeasured

STARTS_SOMETHING = (checks_of_programs.locust, checks_of_programs.postgres)
QUICK = tuple(
    check for check in CHECKS if check not in (*STARTS_SOMETHING, checks_of_network.open_files)
)  # fmt: skip


@pytest.mark.parametrize("check", QUICK, ids=lambda check: check.__name__)
def test_every_check_tells_what_it_saw(check: Check) -> None:
    """Something was seen, and whatever is not ok says how to fix it."""
    finding = check()
    assert finding.seen
    assert finding.grade in ("ok", "warn", "FAIL")
    assert bool(finding.mend) == (finding.grade != "ok")


@pytest.mark.load
@pytest.mark.light
@pytest.mark.parametrize("check", STARTS_SOMETHING, ids=lambda check: check.__name__)
def test_what_is_started_is_stopped(check: Check) -> None:
    """Locust and PostgreSQL start here, and leave no process behind."""
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    finding = check()
    after = {process.pid for process in psutil.Process().children(recursive=True)}
    assert finding.grade == "ok", finding.seen
    assert after <= before


def test_an_error_nobody_foresaw_is_a_finding() -> None:
    """No check ends the doctor."""

    def odd_check() -> Finding:
        raise ZeroDivisionError("by chance")

    finding = looked_at(odd_check)
    assert (finding.name, finding.grade) == ("odd check", "warn")
    assert "by chance" in finding.seen


def test_an_old_python_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """So does one with 32 bits: there are no wheels for it."""
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    assert checks_of_python.python().grade == "FAIL"
    monkeypatch.undo()
    monkeypatch.setattr(sys, "maxsize", 2**31 - 1)
    assert checks_of_python.python().grade == "FAIL"
    assert "64-bit" in checks_of_python.python().mend


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that brings it."""
    monkeypatch.setattr(checks_of_python, "BASE", ("json", "no_such_package"))
    finding = checks_of_python.packages()
    assert finding.grade == "FAIL"
    assert "no_such_package" in finding.seen
    assert "json" not in finding.seen
    assert "make install" in finding.mend


def test_a_folder_that_cannot_be_written_fails(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    """The folder is named, and the variable that names another."""
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("BPDEMO_HOME", str(tmp_path / "file" / "home"))
    finding = checks_of_folders.write_access()
    assert finding.grade == "FAIL"
    assert str(tmp_path) in finding.seen
    assert "BPDEMO_HOME" in finding.mend


@pytest.mark.parametrize(
    ("free", "grade"), [(5_000_000_000, "ok"), (500_000_000, "warn"), (1_000_000, "FAIL")]
)
def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch, free: int, grade: str) -> None:
    """A little room is a warning, hardly any a failure."""
    monkeypatch.setattr("shutil.disk_usage", lambda place: SimpleNamespace(free=free))
    assert checks_of_folders.disk_space().grade == grade


@pytest.mark.parametrize(
    ("variables", "grade"),
    [
        ({}, "ok"),
        ({"HTTP_PROXY": "http://proxy:3128"}, "warn"),
        ({"https_proxy": "http://proxy:3128", "no_proxy": "example.org"}, "warn"),
        ({"http_proxy": "http://proxy:3128", "NO_PROXY": "localhost, 127.0.0.1"}, "ok"),
    ],
)
def test_proxies_are_a_warning_unless_this_machine_is_spared(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], grade: str
) -> None:
    """And it says that bpdemo itself ignores them here."""
    for name in (*checks_of_network.PROXY_VARIABLES, "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    finding = checks_of_network.proxy_variables()
    assert finding.grade == grade
    assert not variables or "ignores them" in finding.seen


def test_a_loopback_that_is_blocked_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a security tool would do it."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("not allowed")

    monkeypatch.setattr("socket.create_server", refuse)
    finding = checks_of_network.loopback()
    assert finding.grade == "FAIL"
    assert "not allowed" in finding.seen
    assert "firewall" in finding.mend


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
@pytest.mark.parametrize(
    ("soft", "hard", "grade", "raised_to"),
    [
        (20_000, 20_000, "ok", None),
        (-1, -1, "ok", None),
        (256, 1_000_000, "warn", 10_000),
        (256, -1, "warn", 10_000),
        (1024, 4096, "warn", 4096),
        (4096, 4096, "warn", None),
    ],
)
def test_the_soft_limit_on_open_files_is_raised(
    monkeypatch: pytest.MonkeyPatch, soft: int, hard: int, grade: str, raised_to: int | None
) -> None:
    """As far as the hard one lets it, and it says so."""
    import resource

    raised: list[int] = []
    monkeypatch.setattr(resource, "RLIM_INFINITY", -1)
    monkeypatch.setattr(resource, "getrlimit", lambda kind: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda kind, limits: raised.append(limits[0]))
    finding = checks_of_network.open_files()
    assert finding.grade == grade
    assert raised == ([] if raised_to is None else [raised_to])
    assert (str(raised_to) in finding.seen) if raised_to else True


@pytest.mark.parametrize(
    ("battery", "grade"),
    [
        (None, "ok"),
        (SimpleNamespace(percent=80, power_plugged=True), "ok"),
        (SimpleNamespace(percent=80, power_plugged=False), "warn"),
        (SimpleNamespace(percent=80, power_plugged=None), "ok"),
    ],
)
def test_a_battery_is_a_warning(monkeypatch: pytest.MonkeyPatch, battery: Any, grade: str) -> None:
    """Only while it is what feeds the machine."""
    monkeypatch.setattr(psutil, "sensors_battery", lambda: battery, raising=False)
    assert checks_of_machine.mains_power().grade == grade


def test_one_processor_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """Service and load would share it."""
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: {0}, raising=False)
    assert checks_of_machine.processors().grade == "warn"


def test_a_coarse_timer_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows at its worst: 15.6 ms for a sleep of one."""
    monkeypatch.setattr(checks_of_machine, "_slept_s", lambda seconds: 0.0156)
    finding = checks_of_machine.timer_tick()
    assert finding.grade == "warn"
    assert "15.6 ms" in finding.seen


def test_a_lagging_loop_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """One odd turn is not held against the machine; several are."""

    async def lags(*values: float) -> list[float]:
        return list(values)

    monkeypatch.setattr(checks_of_machine, "_lags_s", lambda: lags(0.001, 0.5, 0.001))
    assert checks_of_machine.event_loop_lag().grade == "ok"
    monkeypatch.setattr(checks_of_machine, "_lags_s", lambda: lags(0.001, 0.5, 0.5))
    assert checks_of_machine.event_loop_lag().grade == "warn"


def test_without_postgres_the_lessons_fall_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A warning: one lesson is poorer, none is lost."""
    from bpdemo.downstream.embedded import EmbeddedPostgres

    async def refuse(self: EmbeddedPostgres) -> str:
        raise OSError("not on this machine")

    monkeypatch.setattr(EmbeddedPostgres, "start", refuse)
    finding = checks_of_programs.postgres()
    assert finding.grade == "warn"
    assert "not on this machine" in finding.seen
    assert "memory" in finding.mend


def machine(send_rate_per_s: float, workers: int = 8) -> Any:
    return SimpleNamespace(
        workers=workers, capacity_per_s=23.8 * workers, send_rate_per_s=send_rate_per_s
    )


def test_a_machine_that_cannot_drive_ten_times_is_a_warning() -> None:
    """Ten times capacity must need at most half of what it can send."""
    assert doctor.judged(machine(4000), 3.0).grade == "ok"
    assert doctor.judged(machine(3000), 3.0).grade == "warn"
    assert doctor.judged(machine(1000, workers=2), 3.0).grade == "warn"
    assert doctor.judged(machine(1000, workers=1), 3.0).seen.startswith("1 worker, ")


@pytest.mark.parametrize(
    ("grades", "code", "told"),
    [
        (("ok", "ok"), 0, "Ready."),
        (("ok", "warn"), 0, "Ready, with 1 thing to know about."),
        (("FAIL", "warn"), 1, "Not ready: 1 line says FAIL."),
    ],
)
def test_only_a_failure_makes_it_fail(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    grades: tuple[Any, ...],
    code: int,
    told: str,
) -> None:
    """Each finding is a plain line, with a line on how to fix it unless it is ok."""

    def check(grade: Any) -> Callable[[], Finding]:
        def look() -> Finding:
            return Finding("thing", grade, "seen [so]", "do that" if grade != "ok" else "")

        return look

    monkeypatch.setattr(doctor, "CHECKS", tuple(map(check, grades)))
    monkeypatch.setattr(doctor, "calibration", check("ok"))
    assert doctor.run_doctor() == code
    out = capsys.readouterr().out
    assert told in out
    assert "\x1b" not in out
    assert out.count("seen [so]") == len(grades) + 1
    assert out.count("fix: do that") == sum(grade != "ok" for grade in grades)


@pytest.mark.parametrize(
    ("capacity_per_s", "descriptors", "grade"),
    [
        (190.0, 20_000, "ok"),
        (190.0, 1024, "warn"),
        (3_000.0, 1_000_000, "ok"),
        (4_000, 20_000, "warn"),
    ],
)
def test_too_few_connections_for_the_largest_load_are_a_warning(
    monkeypatch: pytest.MonkeyPatch, capacity_per_s: float, descriptors: int, grade: str
) -> None:
    """Ten times capacity, each until its client's timeout, must fit into what a service has."""
    machine = SimpleNamespace(capacity_per_s=capacity_per_s)
    monkeypatch.setattr(doctor, "recalled", lambda: machine)
    monkeypatch.setattr(doctor, "reachable_limit", lambda: descriptors)
    finding = doctor.connections()
    assert finding.grade == grade
    assert f"{10 * capacity_per_s * 0.5:,.0f}" in finding.seen


def test_without_a_calibration_no_figure_is_made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """How many connections a load holds is not known then, and it is not 0."""
    monkeypatch.setattr(doctor, "recalled", lambda: None)
    monkeypatch.setattr(doctor, "reachable_limit", lambda: 20_000)
    finding = doctor.connections()
    assert finding.grade == "ok"
    assert "holds" not in finding.seen
    assert "once it is calibrated" in finding.seen


@pytest.mark.parametrize(
    ("shares", "is_kept"),
    [((0.0, 0.1), True), ((0.9, 0.1), False), ((0.1, 0.9), False), ((1.0, 1.0), False)],
)
def test_a_busy_machine_keeps_what_was_measured_at_rest(shares, is_kept, monkeypatch, tmp_path):
    """Busy before it, or after: the lessons go on with the older calibration, and the line says
    so."""
    monkeypatch.setenv("BPDEMO_HOME", str(tmp_path))
    before, found = (
        Calibration(8, 180.0, rate, 0.001, 0.002, "today", this_machine()) for rate in (5000, 4000)
    )
    monkeypatch.setattr(machine_facts, "_latest", [])  # what this process knows
    learn(before, keeps=True)
    in_use = iter(shares)
    monkeypatch.setattr(doctor, "share_in_use", lambda: next(in_use))
    for name, told in {
        "timer_tick_s": lambda: found.timer_tick_s,
        "loop_lag_p99_s": lambda: found.loop_lag_p99_s,
        "send_rate_per_s": lambda: float(found.send_rate_per_s),
        "measured_capacity_per_s": lambda _: found.capacity_per_s,
    }.items():
        monkeypatch.setattr(calibration, name, told)
    finding = doctor.calibration()
    kept = recalled()
    assert kept is not None
    assert kept.send_rate_per_s == (4000 if is_kept else 5000)
    assert finding.grade == ("ok" if is_kept else "warn")
    assert ("not kept" in finding.seen) != is_kept


class NotAnsweringTimeout(Exception):
    """Of a library of our own choice."""


@pytest.mark.parametrize(
    "error",
    [
        TimeoutError(),
        subprocess.TimeoutExpired("postgres", 10),
        NotAnsweringTimeout("no answer"),
        LoadSilent("said nothing for 15 s"),
        LoadFailed("the generator ended"),
        ServiceFailed("it was not ready within 15 s"),
        NotMeasured(["p99 of send lag was 80 ms"]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_busy_machine_is_no_fault_to_report(error: Exception) -> None:
    """Whatever came too late: close other programs, and try again."""

    def check() -> Finding:
        raise error

    finding = looked_at(check)
    assert finding.grade == "warn"
    assert "close other programs" in finding.mend
    assert "report" not in finding.mend


def test_a_setting_of_the_environment_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is neither a busy machine nor an error of the program."""
    monkeypatch.setenv("BPDEMO_WORKERS", "many")

    def check() -> Finding:
        raise AssertionError(Settings())

    finding = looked_at(check)
    assert "BPDEMO_WORKERS" in finding.mend
    assert "report" not in finding.mend
