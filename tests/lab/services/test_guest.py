"""Any ASGI application: how it starts, what it is told, and that nothing of it is left."""

import os
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from fastapi import FastAPI

from bpdemo.lab import load, serve, stop_all
from bpdemo.lab.services.guest import GuestService
from bpdemo.lab.services.host import ServiceFailed
from tests.support.waiting import eventually

LIFE: list[str] = []


@asynccontextmanager
async def life(app: FastAPI) -> AsyncIterator[dict[str, str]]:
    LIFE.append("up")
    yield {"told": "by lifespan"}
    LIFE.append("down")


def make_app() -> FastAPI:
    app = FastAPI(lifespan=life)

    @app.get("/hello")
    async def hello() -> dict[str, str]:
        return {"hello": "world"}

    @app.get("/fails")
    async def fails() -> None:
        raise RuntimeError("for the log")

    return app


async def bare(scope: Any, receive: Any, send: Any) -> None:
    """Knows no lifespan: uvicorn at its defaults serves it all the same."""
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


class Old:
    """An application of the second version of ASGI."""

    def __init__(self, scope: Any) -> None:
        self.scope = scope

    async def __call__(self, receive: Any, send: Any) -> None:
        await bare(self.scope, receive, send)


SHOP = """
import os
from fastapi import FastAPI
app = FastAPI()
print("a word of the shop")

@app.get("/where")
async def where():
    return {"folder": os.getcwd(), "pid": os.getpid(), "mine": os.environ.get("PGMINE")}

number = 7

def wsgi(environ, start_response):
    return []

async def failing(scope, receive, send):
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no\\ndatabase is up"})
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "shop.py").write_text(SHOP)
    (tmp_path / "broken.py").write_text("def f(:\n")
    (tmp_path / "leaves.py").write_text("raise SystemExit('not today')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PGMINE", "kept")
    return tmp_path


def test_it_runs_in_a_thread_with_its_lifespan() -> None:
    """Up before the first request, down at the end; its capacity is not known."""
    LIFE.clear()
    before = threading.active_count()
    with serve(app=make_app()) as service:
        assert isinstance(service, GuestService)
        assert service.get("/hello").json() == {"hello": "world"}
        assert (service.capacity_per_s, service.pid, LIFE) == (None, os.getpid(), ["up"])
        assert "capacity unknown" in repr(service)
        assert service.get("/fails").status_code == 500
        # It is logged once the answer has left.
        eventually(lambda: any("for the log" in line for line in service.logs))
        url = service.url
    assert LIFE == ["up", "down"]
    assert not service.is_running
    assert threading.active_count() <= before
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, trust_env=False)
    with pytest.raises(ServiceFailed, match="does not run any more"):
        service.get("/hello")


@pytest.mark.parametrize("app", [bare, Old])
def test_it_runs_what_knows_no_lifespan(app: Any) -> None:
    """Of either version of ASGI."""
    with serve(app=app) as service:
        assert service.get("/").status_code == 204


def test_it_runs_in_a_process(shop: Path) -> None:
    """Looked up from the current folder, with the environment it was given; what it prints is in
    its log. Nothing of it is left at the end."""
    with serve(app="shop:app", where="process", capacity_per_s=50) as service:
        told = service.get("/where").json()
        assert told == {"folder": str(shop.resolve()), "pid": service.pid, "mine": "kept"}
        assert service.pid != os.getpid()
        assert service.capacity_per_s == 50
        assert "a word of the shop" in service.logs
    assert not psutil.pid_exists(service.pid)


def test_the_name_is_taken_over() -> None:
    """The same cell again replaces the application, and no box office of another name."""
    with serve(workers=1) as office:
        first = serve(app=bare)
        second = serve(app=bare)
        assert (first.is_running, second.is_running, office.is_running) == (False, True, True)
        other = serve(app=bare, name="other")
        assert (second.is_running, other.is_running) == (True, True)
        stop_all()
        assert not any(service.is_running for service in (second, other, office))


def test_a_caller_that_stays_does_not_keep_it() -> None:
    """A request that never ends is cut at the stop."""

    async def endless(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
            while (await receive())["type"] != "http.disconnect":
                pass

    with serve(app=endless) as service, httpx.Client(trust_env=False) as client:
        with client.stream("GET", service.url):
            began_s = time.monotonic()
            service.stop()
        assert time.monotonic() - began_s < 4
        assert not service.is_running


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"app": "shop:app"}, 'give where="process"'),
        ({"app": bare, "where": "process"}, 'needs "module:app"'),
        ({"app": "shop", "where": "process"}, 'needs "module:app"'),
        ({"app": ":app", "where": "process"}, 'needs "module:app"'),
        ({"app": 7}, "app is no ASGI application but int"),
        ({"app": lambda environ, start_response: []}, "WSGI application"),
        ({"app": bare, "workers": 8}, "workers: is a setting of the box office"),
        ({"app": bare, "capacity_per_s": 0}, "capacity_per_s must be"),
        ({"app": bare, "where": "cloud"}, "where"),
        ({"capacity_per_s": 5}, "capacity_per_s: the box office's"),
    ],
)
def test_what_cannot_be_served_is_told(arguments: dict[str, Any], told: str) -> None:
    """Before anything runs, and before anything that runs is stopped."""
    with serve(app=bare) as kept:
        with pytest.raises(ValueError, match=told):
            serve(**arguments)
        assert kept.is_running


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("shop:none", 'Attribute "none" not found'),
        ("nowhere:app", 'Could not import module "nowhere"'),
        ("broken:app", "SyntaxError: .*broken.py, line 1"),
        ("leaves:app", "SystemExit: not today"),
        ("shop:number", "shop:number is no ASGI application but int"),
        ("shop:wsgi", "WSGI application"),
        ("shop:failing", "database is up"),
    ],
)
def test_a_failing_start_is_one_line(shop: Path, place: str, told: str) -> None:
    """Of whatever kind: the reason, and nothing is left running."""
    with pytest.raises(ServiceFailed, match=told) as failed:
        serve(app=place, where="process")
    assert "\n" not in str(failed.value)
    assert not [p for p in psutil.Process().children() if "guest_process" in " ".join(p.cmdline())]


def test_a_failing_lifespan_is_one_line_in_a_thread_too() -> None:
    """The last line of what it said, which is the error itself."""

    @asynccontextmanager
    async def fails(app: FastAPI) -> AsyncIterator[None]:
        raise RuntimeError("the database is down")
        yield

    before = threading.active_count()
    with pytest.raises(ServiceFailed, match="did not start: RuntimeError: the database is down"):
        serve(app=FastAPI(lifespan=fails))
    assert threading.active_count() <= before


def test_times_of_an_unknown_capacity_is_told() -> None:
    """It names the two ways on; nothing is measured silently."""
    with serve(app=bare) as service:
        either: list[dict[str, Any]] = [{"times": 2}, {}]
        for arguments in either:
            with pytest.raises(ValueError, match=r"(?s)rate.*capacity_of"):
                load(service, **arguments)
        service.capacity_per_s = 100.0
        with pytest.raises(ValueError, match="seconds"):
            load(service, times=2, seconds=-1)
