"""The command line as a person meets it: what it prints, and what it exits with."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import psutil
import pytest

from bpdemo import __version__
from bpdemo.core.environment import PACKAGE_PARENT
from bpdemo.load.target import ask_service
from tests.load.stub import Answer, StubServer
from tests.support.command import Run

COMMANDS = (
    "serve",
    "load",
    "load-worker",
    "judge",
    "simulate",
    "margin",
    "demo",
    "check",
    "hint",
    "progress",
    "score",
    "board",
    "doctor",
)


def start(*words: object, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "bpdemo", *map(str, words)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(PACKAGE_PARENT)} | environment,
    )


def test_it_tells_its_version(run: Run) -> None:
    """One line with the version of the package."""
    assert run("--version") == (0, f"bpdemo {__version__}\n", "")


@pytest.mark.parametrize("words", [(), ("--help",)])
def test_without_a_command_it_tells_what_there_is(run: Run, words: tuple[str, ...]) -> None:
    """All commands, exit code 0."""
    code, out, _ = run(*words)
    assert code == 0
    assert all(command in out for command in COMMANDS)


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("serve", ("--host", "--port", "--set")),
        ("load", ("--url", "--scenario", "--rate", "--seconds", "--processes", "--json", "--seed")),
        ("load", ("--expect", "--listen", "--join-within", "no authentication", "on loopback")),
        ("judge", ("TARGET", "--request", "--client-timeout-ms", "--out", "--i-run-this-service")),
        (
            "load",
            (
                "--user",
                "--request",
                "--json-body",
                "--body-file",
                "--header",
                "--i-run-this-service",
            ),
        ),
        ("load-worker", ("--join", "--processes", "--join-within", "join only a machine")),
        ("simulate", ("--scenario", "--rate", "--seconds", "--set", "--unprotected", "--json")),
        ("margin", ("--retries", "--set", "--unprotected", "--at", "--seeds", "--json", "--html")),
        ("demo", ("--seconds", "--out")),
        ("doctor", ()),
    ],
)
def test_every_command_explains_itself(run: Run, command: str, options: tuple[str, ...]) -> None:
    """Its help names each option, and never the hidden one."""
    code, out, _ = run(command, "--help")
    assert code == 0
    assert all(option in out for option in options)
    assert "until-stdin" not in out


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


LOAD = ("load", "--url", "http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("sell",), "No such command 'sell'. Try: bpdemo --help"),
        (("load",), "Missing option '--url'. Try: bpdemo load --help"),
        ((*LOAD, "--rate", "many"), "--rate"),
        ((*LOAD, "--rate", "-1"), "--rate must be a number from"),
        ((*LOAD, "--seconds", "0"), "seconds must be a number from"),
        ((*LOAD, "--scenario", "flood"), "scenario must be one of steady, ramp, spike"),
        ((*LOAD, "--processes", "0"), "--processes"),
        ((*LOAD, "--json", "/no/such/folder/run.json"), "json: /no/such/folder/run.json"),
        (("load", "--url", "127.0.0.1:8000"), "is not an address such as http://"),
        (("load", "--url", f"http://127.0.0.1:{free_port()}"), "nothing answers at http://127"),
        (("judge", "http://10.1.2.3"), "--i-run-this-service"),
        (("judge", "shop"), "neither an application, such as shop:app, nor an address"),
        (("judge", "a:b", "--client-timeout-ms", "0"), "--client-timeout-ms must be"),
        (("judge", "a:b", "--out", __file__), "is not a folder"),
        (("judge", "a:b", "--json-body", "{}"), "json-body: belongs to --request"),
        ((*LOAD, "--user", "/no/file.py"), "user: there is no file /no/file.py"),
        ((*LOAD, "--request", "pay"), "request: 'pay' is not a method and a path"),
        ((*LOAD, "--request", "GET pay"), "path: 'pay' must begin with /"),
        ((*LOAD, "--json-body", "{}"), "json-body: belongs to --request"),
        ((*LOAD, "--header", "A: 1"), "header: belongs to --request"),
        ((*LOAD, "--request", "PUT /", "--json-body", "{"), "json-body: '{' is not JSON"),
        ((*LOAD, "--request", "PUT /", "--header", "A"), "header: 'A' is not 'NAME: VALUE'"),
        ((*LOAD, "--request", "PUT /", "--body-file", "/no/file"), "/no/file: No such file"),
        (("load", "--url", "http://10.1.2.3:8000"), "--i-run-this-service"),
        (("load", "--url", "http://127.0.0.1@10.1.2.3"), "leave out the user"),
        (("simulate", "--rate", "0"), "--rate must be a number"),
        (("simulate", "--scenario", "flood"), "scenario must be one of"),
        (("simulate", "--set", "retry_jitter=foo"), "retry_jitter"),
        (("serve", "--set", "workers=0"), "workers"),
        (("serve", "--set", "workers"), "is not NAME=VALUE"),
        (("serve", "--set", "no_such_knob=1"), "there is no such setting"),
        (("serve", "--set", "queue_capcity=8"), "did you mean queue_capacity?"),
        (("serve", "--host", "0.0.0.0"), "admin_token"),
        (("serve", "--port", "70000"), "--port"),
        (("demo", "--seconds", "1"), "seconds must be a number from 3"),
    ],
)
def test_what_the_user_got_wrong_is_one_line(run: Run, words: tuple[str, ...], told: str) -> None:
    """Exit code 2, one line on standard error that names it, nothing on standard output."""
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert told in err
    assert err.startswith("bpdemo: ")
    assert err.count("\n") == 1


def test_a_misspelt_variable_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulation runs all the same, and one line names what was meant."""
    monkeypatch.setenv("BPDEMO_WORKRS", "2")
    code, out, err = run("simulate", "--seconds", "1")
    assert (code, "served" in out) == (0, True)
    assert err == "bpdemo: BPDEMO_WORKRS sets nothing; did you mean BPDEMO_WORKERS?\n"


def test_a_port_in_use_is_one_line(run: Run) -> None:
    """The address is named; no traceback."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, _, err = run("serve", "--port", port)
    assert code == 2
    assert f"127.0.0.1:{port}" in err
    assert "--port 0 for any free one" in err
    assert err.count("\n") == 1


def test_a_report_needs_a_folder_that_can_be_made(run: Run, tmp_path: Path) -> None:
    """Told before anything is driven."""
    (tmp_path / "file").write_text("in the way")
    code, _, err = run("demo", "--out", tmp_path / "file" / "folder")
    assert code == 2
    assert "cannot write a report" in err


@pytest.mark.load
@pytest.mark.light
def test_a_load_shows_rows_and_a_verdict_and_writes_them(run: Run, tmp_path: Path) -> None:
    """Plain where there is no terminal; the file holds summary and a row for each bin."""
    file = tmp_path / "run.json"
    with StubServer() as server:
        code, out, _ = run(
            *("load", "--url", server.url, "--rate", 200, "--seconds", 1.5, "--seed", 3),
            *("--processes", 2, "--json", file),
        )
    assert code == 0
    assert "\x1b" not in out
    for word in ("offered", "served", "late", "shed", "failed", "p99", "of requests served"):
        assert word in out
    assert sum(line.lstrip().startswith(("0.0 ", "0.5 ", "1.0 ")) for line in out.split("\n")) == 3
    written = json.loads(file.read_text())
    assert written["summary"]["served_share"] == 1
    assert written["summary"]["capacity_per_s"] is None
    assert [row["t_s"] for row in written["frame"]] == [0, 0.5, 1.0]
    assert sum(row["ok_per_s"] for row in written["frame"]) / 2 == server.orders
    assert written["meta"]["seed"] == 3


@pytest.mark.load
@pytest.mark.light
def test_a_load_of_any_request(run: Run, tmp_path: Path) -> None:
    """Method, path, header and body as given; nothing is said of a box office."""
    body = tmp_path / "body"
    body.write_bytes(b"\x00{id}")
    with StubServer(lambda n: Answer(200)) as server:
        words = ("load", "--url", server.url, "--rate", 50, "--seconds", 0.5)
        request = ("--request", "put /pay?a=1", "--header", "X-A: b:c", "--body-file", body)
        code, out, _ = run(*words, *request)
    assert code == 0
    assert "box office" not in out
    assert set(server.lines) == {"PUT /pay?a=1"}
    assert set(server.bodies) == {b"\x00{id}"}
    assert {seen["x-a"] for seen in server.seen} == {"b:c"}


@pytest.mark.load
@pytest.mark.light
def test_a_load_that_is_refused_has_run_all_the_same(run: Run) -> None:
    """Exit code 0 whatever the service answered."""
    with StubServer(lambda n: Answer(503, "queue_full", retry_after_s=1)) as server:
        code, out, _ = run("load", "--url", server.url, "--rate", 50, "--seconds", 1)
    assert code == 0
    assert "100% of requests were shed" in out


@pytest.mark.load
@pytest.mark.light
def test_what_is_no_box_office_is_told_before_the_load(run: Run) -> None:
    """The load is sent all the same, and the verdict says what broke most of the orders."""
    with StubServer(lambda n: Answer(404)) as server:
        code, out, _ = run("load", "--url", server.url, "--rate", 50, "--seconds", 1)
    assert code == 0
    assert "(GET /settings: 200, but no settings)" in out.splitlines()[0]
    assert "status 404" in out


def test_a_box_office_tells_its_capacity() -> None:
    """It is the service that knows: nothing is worked out here from the names of its settings.

    Another server tells nothing, and a box office of another edition is doubted by what it lacks.
    """

    class BoxOffice(StubServer):
        stats: ClassVar[dict[str, Any]] = {"nominal_capacity": 200.0}

        def _page(self, path: str) -> object:
            knobs = {"workers": 1, "payment_latency_s": 1.0, "store_latency_s": 0.0}
            settings = {name: {"value": value} for name, value in knobs.items()}
            return {"settings": settings} if path == "/settings" else self.stats

    class Older(BoxOffice):
        stats: ClassVar[dict[str, Any]] = {"queue": {}}

    with BoxOffice() as server:
        told = ask_service(server.url)
        assert (told.capacity_per_s, told.doubt) == (pytest.approx(200), "")
    with Older() as server:
        assert "GET /stats: 200, but no nominal capacity" in ask_service(server.url).doubt
    with StubServer() as server:
        assert ask_service(server.url).capacity_per_s is None


@pytest.mark.load
@pytest.mark.light
def test_a_generator_that_dies_is_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit code 1: nothing the user got wrong, nothing the service answered."""
    dying = [sys.executable, "-c", "raise SystemExit('no memory')"]
    monkeypatch.setattr("bpdemo.load.driver.command_for", lambda url: dying)
    with StubServer() as server:
        code, _, err = run("load", "--url", server.url, "--rate", 50, "--seconds", 1)
    assert code == 1
    assert "ended early" in err
    assert "no memory" in err
    assert err.count("\n") == 1


@pytest.mark.load
@pytest.mark.light
def test_a_console_that_knows_only_ascii_is_enough() -> None:
    """As on Windows: signs it does not have become question marks, not tracebacks."""
    with StubServer() as server:
        command = start(
            *("load", "--url", server.url, "--rate", 50, "--seconds", 0.5),
            PYTHONIOENCODING="ascii",
            PYTHONUTF8="0",
        )
        out, err = command.communicate(timeout=30)
    assert (command.returncode, err) == (0, "")
    assert "served" in out


@pytest.mark.load
@pytest.mark.light
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT to send")
def test_an_interrupted_load_leaves_nothing_running() -> None:
    """Ctrl-C: exit code 130, and the load generator is gone."""
    with (
        StubServer() as server,
        start("load", "--url", server.url, "--rate", 50, "--seconds", 60) as command,
    ):
        assert command.stdout is not None
        command.stdout.readline()  # that the stub is no box office
        command.stdout.readline()  # rows come: the load runs
        children = psutil.Process(command.pid).children(recursive=True)
        command.send_signal(signal.SIGINT)
        try:
            _, err = command.communicate(timeout=20)
        finally:
            command.kill()
    assert command.returncode == 130
    assert "Traceback" not in err
    assert children
    assert not psutil.wait_procs(children, timeout=3)[1]


def test_a_simulation_tells_how_fast_time_went(run: Run, tmp_path: Path) -> None:
    """The same table, and virtual seconds, real seconds, customers a second; the same JSON."""
    file = tmp_path / "run.json"
    words: tuple[Any, ...] = ("simulate", "--rate", 400, "--seconds", 20, "--seed", 5)
    code, out, _ = run(*words, "--set", "workers=8", "--json", file)
    assert code == 0
    for word in ("offered", "shed", "virtual seconds", "customers per real second"):
        assert word in out
    assert "busy" not in out.split("virtual seconds")[1]
    again = tmp_path / "again.json"
    run(*words, "--set", "workers=8", "--json", again)
    assert file.read_text() == again.read_text()
    assert json.loads(file.read_text())["meta"]["virtual"] is True
