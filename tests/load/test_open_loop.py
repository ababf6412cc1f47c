"""`OpenLoopUser`, three ways: in a load, from the command line, and under plain Locust."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from bpdemo.core.environment import PACKAGE_PARENT
from bpdemo.load.loads import load
from bpdemo.load.user_file import rate_in
from bpdemo.plan.request import Request
from tests.load.stub import Answer, StubServer
from tests.support.command import Run
from tests.support.waiting import eventually

SHOP = """
from locust import HttpUser, constant, task
from bpdemo.load.open_loop import OpenLoopUser

class Shopper(OpenLoopUser):
    rate = 50

    def on_start(self):
        self.basket = "shared"

    @task(3)
    def buy(self):
        self.client.post("/orders", json={"basket": self.basket})

    @task
    def look(self):
        self.client.get("/look", name="/look")

class Ordinary(HttpUser):
    wait_time = constant(0)

    @task
    def buy(self):
        self.client.post("/orders", json={})
"""


def locust(file: Path, server: StubServer, until: Callable[[], bool], *words: object) -> str:
    """Plain Locust, as one calls it, until then. What it printed in the end.

    (Its own run time is short by as much as it took to start.)
    """
    command = (
        sys.executable,
        "-m",
        "locust",
        "-f",
        file,
        "--headless",
        "--host",
        server.url,
        *words,
    )
    process = subprocess.Popen(
        [*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=os.environ | {"PYTHONPATH": str(PACKAGE_PARENT)}, cwd=file.parent,
    )  # fmt: skip
    try:
        eventually(lambda: until() or process.poll() is not None, within_s=40)
        process.send_signal(signal.SIGINT)  # as Ctrl-C: a SIGTERM writes no HTML
        return process.communicate(timeout=20)[0]
    finally:
        process.kill()


def sent_for(server: StubServer, seconds: float) -> bool:
    """Whether that long has passed since its first order."""
    return bool(server.times_s) and time.monotonic() - server.times_s[0] > seconds


def rows(path: Path) -> dict[str, dict[str, str]]:
    with path.open() as lines:
        return {row["Name"]: row for row in csv.DictReader(lines)}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    file = tmp_path / "shop.py"
    file.write_text(SHOP)
    return file


def never(n: int) -> Answer:
    """In half a minute."""
    return Answer(after_s=30)


def slow(n: int) -> Answer:
    """Falls to a second after the first twenty."""
    return Answer(after_s=0.0 if n <= 20 else 1.0)


@pytest.mark.load
@pytest.mark.light
def test_its_offer_stays_when_the_server_slows_down(shop: Path, run: Run, tmp_path: Path) -> None:
    """All three ways offer what the rate says, and tell the second that each waits; an ordinary
    user beside it sends a tenth of that, and its overload is hidden. All at once, for none of them
    asks much of the machine."""
    report = ("--csv", tmp_path / "open", "--html", tmp_path / "open.html")
    with StubServer(slow) as plain, StubServer(slow) as closed, ThreadPoolExecutor() as pool:
        opened = pool.submit(
            locust, shop, plain, lambda: plain.orders > 200, "-u", 1, *report, "Shopper"
        )
        ordinary = pool.submit(
            locust, shop, closed, lambda: sent_for(closed, 4), "-u", 5, "-r", 5, "Ordinary"
        )
        with StubServer(slow) as server:
            loaded = load(server, user=shop, seconds=3, client_timeout_s=2.0, seed=1)
            offered = loaded.summary["offered_per_s"]
            assert offered == pytest.approx(50, rel=0.25)
            assert len(loaded.records) == server.orders == loaded.meta.sent
            assert loaded.summary["served_share"] == 1
            assert np.quantile(loaded.records.latency_s, 0.3) == pytest.approx(1.0, rel=0.1)
            assert set(server.lines) == {"POST /orders", "GET /look"}
            buys = server.lines.count("POST /orders") / len(server.lines)
            assert buys == pytest.approx(0.75, abs=0.15)
            assert server.bodies[server.lines.index("POST /orders")] == b'{"basket": "shared"}'
            assert {seen["user-agent"] for seen in server.seen} == {"bpdemo-load"}

        with StubServer(slow) as server:
            file = tmp_path / "run.json"
            words = ("load", "--url", server.url, "--user", shop, "--seconds", 2, "--json", file)
            code, out, _ = run(*words)
            assert (code, "box office" in out) == (0, False)
            told = json.loads(file.read_text())
            assert told["meta"]["sent"] == server.orders == pytest.approx(100, abs=40)

        done = opened.result()
        stats = rows(tmp_path / "open_stats.csv")
        assert plain.orders_per_s == pytest.approx(50, rel=0.25), done
        assert float(stats["/orders"]["Median Response Time"]) == pytest.approx(1000, rel=0.1)
        assert "/look" in (tmp_path / "open.html").read_text()

        ordinary.result()
        assert closed.orders_per_s < 20


@pytest.mark.load
@pytest.mark.light
def test_users_add_up_and_what_has_no_place_is_unsent(tmp_path: Path) -> None:
    """Two users of 40 are 80 a second; with ten places each, those who come later are failures."""
    file = tmp_path / "shop.py"
    file.write_text(
        SHOP.replace("rate = 50", "rate = 40; max_waiting = 10").replace("@task(3)", "@task(30)")
    )
    words = ("-u", 2, "-r", 2)
    with StubServer(never) as full, StubServer() as server, ThreadPoolExecutor() as pool:
        both = pool.submit(locust, file, server, lambda: sent_for(server, 3), *words, "Shopper")
        report = (*words, "--csv", tmp_path / "x", "Shopper")
        done = locust(file, full, lambda: sent_for(full, 4), *report)
        assert full.orders == 20, done
        both.result()
        assert server.orders_per_s == pytest.approx(80, rel=0.25)
    # What Locust prints at the end is complete; its CSV is a little older.
    unsent = re.search(r"^(\d+) +TASK unsent", done, re.MULTILINE)
    assert unsent is not None
    assert int(unsent[1]) == pytest.approx(80 * 4 - 20, rel=0.3)
    with (tmp_path / "x_failures.csv").open() as lines:
        assert {row["Error"] for row in csv.DictReader(lines)} == {"Unsent('unsent')"}


TWO = """
import time, gevent
from locust import task
from bpdemo.load.open_loop import OpenLoopUser

class Late(OpenLoopUser):
    rate = 20

    @task
    def two(self):
        gevent.sleep(0.3)
        self.client.get("/first")
        with self.client.get("/second", catch_response=True) as response:
            if self.environment.host and response.status_code == 404:
                response.success()
"""


@pytest.mark.load
@pytest.mark.light
def test_the_first_request_counts_from_the_intended_send(tmp_path: Path) -> None:
    """The second from its own; and `success()` has the last word on an answer."""
    file = tmp_path / "late.py"
    file.write_text(TWO)

    def found_first(at: StubServer) -> Callable[[int], Answer]:
        return lambda n: Answer(404 if at.lines[-1].endswith("second") else 200)

    with StubServer() as server, StubServer() as other, ThreadPoolExecutor() as pool:
        server.answer, other.answer = found_first(server), found_first(other)
        words = ("-u", 1, "--csv", tmp_path / "two")
        plain = pool.submit(locust, file, server, lambda: sent_for(server, 3), *words)
        run = load(other, user=file, rate=30, seconds=1.5, client_timeout_s=1.0)
        assert run.summary["served_share"] == 1
        assert run.summary["offered_per_s"] == pytest.approx(30, rel=0.5)
        late = load(other, user=file, seconds=1, client_timeout_s=0.2)
        assert late.summary["late_per_s"] == late.summary["offered_per_s"]
        plain.result()
        stats = rows(tmp_path / "two_stats.csv")
        assert float(stats["/first"]["Min Response Time"]) >= 300
        assert float(stats["/second"]["Median Response Time"]) < 100
        assert int(stats["/second"]["Failure Count"]) == 0


@pytest.mark.load
@pytest.mark.light
def test_a_task_is_ok_if_every_request_in_it_was(tmp_path: Path) -> None:
    """One of two that fails decides, by its status; an error of the task's own is a failure."""
    file = tmp_path / "shop.py"
    file.write_text(
        TWO.replace("gevent.sleep(0.3)", "pass").replace(
            "            if self.env", "            if 0 and self.env"
        )
    )
    answers = {"first": Answer(200), "second": Answer(503, "queue_full")}
    with StubServer() as server:
        server.answer = lambda n: answers[server.lines[-1].rpartition("/")[2]]
        run = load(server, user=file, seconds=1)
    assert run.summary["shed_per_s"] == run.summary["offered_per_s"]
    assert set(run.reasons) == {"queue_full"}
    assert server.orders == 2 * len(run.records)
    file.write_text(TWO.replace("gevent.sleep(0.3)", "raise RuntimeError('mine')"))
    with StubServer() as server:
        run = load(server, user=file, seconds=1)
    assert set(run.reasons) == {"RuntimeError"}
    assert run.summary["failed_per_s"] == run.summary["offered_per_s"]


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("x = 1", "it has no OpenLoopUser"),
        ("class (:", "SyntaxError"),
        ("raise SystemExit('no')", "SystemExit: no"),
        ("class A(OpenLoopUser): pass", "A has no @task"),
        ("class A(OpenLoopUser):\n  rate = 0\n  @task\n  def t(self): pass", "A: rate must be"),
        ("class A(OpenLoopUser):\n  rate = '5'\n  @task\n  def t(self): pass", "A: rate must be"),
        (
            "class T(TaskSet):\n  tasks = [print]\nclass A(OpenLoopUser):\n  tasks = [T]",
            "A: T is a TaskSet",
        ),
        (
            "class A(OpenLoopUser):\n  @task\n  class T(SequentialTaskSet):\n"
            "    @task\n    def t(self): pass",
            "A: T is a TaskSet",
        ),
    ],
)
def test_a_file_that_is_none_is_told_before_the_load(
    tmp_path: Path, source: str, told: str
) -> None:
    """In one line that names the file; Locust's patches stay in another process."""
    file = tmp_path / "shop.py"
    head = "from locust import *\nfrom bpdemo.load.open_loop import OpenLoopUser\n"
    file.write_text(head + source)
    with StubServer() as server, pytest.raises(ValueError, match=told) as wrong:
        load(server, user=file)
    assert str(wrong.value).startswith(f"user: {file}: ")
    assert "\n" not in str(wrong.value)
    assert not any(name.split(".")[0] in ("locust", "gevent") for name in sys.modules)


def test_the_rate_of_a_file_is_that_of_all_its_users(tmp_path: Path) -> None:
    """Of those of an open loop; what it prints does not matter."""
    file = tmp_path / "shop.py"
    more = "class Other(Shopper):\n    rate = 7.5\nprint('hello')\nprint('{}')\n"
    file.write_text(textwrap.dedent(SHOP) + more)
    assert rate_in(file) == 57.5
    with pytest.raises(ValueError, match="user: there is no file"):
        rate_in(tmp_path / "none.py")


def test_what_goes_with_no_file(shop: Path) -> None:
    """What the file says itself cannot be said beside it."""
    with StubServer() as server:
        with pytest.raises(ValueError, match="request or user, not both"):
            load(server, user=shop, request=Request("GET", "/"))
        with pytest.raises(ValueError, match="retries: a Locust file says itself"):
            load(server, user=shop, retries=2)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "latin-1"])
def test_a_locust_file_that_python_cannot_run_says_how_to_save_it(encoding: str, tmp_path: Path):
    """One line, before any process is started."""
    file = tmp_path / "crowd.py"
    file.write_bytes("rate = 5  # é\n".encode(encoding))
    with pytest.raises(ValueError, match=r"^user: .*crowd\.py is .*: save it as UTF-8$"):
        rate_in(file)
