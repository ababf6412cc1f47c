"""Secrets stay where they were put: nothing the service says has one in it, whatever happens."""

import asyncio
import json
import pickle
import traceback
from base64 import b64encode
from collections.abc import Iterator
from urllib.parse import quote, urlsplit, urlunsplit

import psutil
import pytest

from bpdemo.assembly.app import create_app
from bpdemo.core.errors import SettingsInvalid
from bpdemo.core.settings import Settings
from bpdemo.lab.services.service import serve
from tests.support.http import BODY
from tests.support.postgres import connected
from tests.support.server import Command, Reply, Wire
from tests.support.waiting import eventually

TOKEN = "tok3n/Zq+ü of the admin"
PASSWORD = "passw0rd/Zq+x"
WRONG = "a-wr0ng-token-of-somebody"
SECRETS = {"admin_token": TOKEN, "database_url": f"postgresql://me:{PASSWORD}@127.0.0.1:1/x"}


def spellings(secret: str) -> Iterator[str]:
    """As it is, and as it might come out: for URLs, for JSON, as bytes, in base64."""
    yield secret
    yield quote(secret, safe="")
    yield json.dumps(secret)[1:-1]
    yield repr(secret.encode())[2:-1]
    yield b64encode(secret.encode()).decode().rstrip("=")[:-2]


def assert_nowhere(*texts: str) -> None:
    for secret in (TOKEN, PASSWORD, WRONG):
        for spelling in spellings(secret):
            assert not any(spelling in text for text in texts), spelling


def everything(reply: Reply) -> str:
    return f"{reply.headers} {reply.body.decode()}"


def with_password(url: str) -> str:
    """The same address, as one gives it to a database that asks who one is."""
    parts = urlsplit(url)
    user = parts.username or "postgres"
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(PASSWORD, safe='')}@"))


def ask_everything(port: int) -> str:
    """Each route, as it should be asked and as it should not; all that was answered."""
    right, wrong = f"Bearer {TOKEN}", f"Bearer {WRONG}"
    reads = (
        "/",
        "/healthz",
        "/readyz",
        "/metrics",
        "/stats",
        "/settings",
        "/docs",
        "/openapi.json",
    )
    said = ""
    with Wire(port) as wire:
        for path in (*reads, "/items", "/items/1", "/items/x", "/orders/x", "/nothing"):
            said += everything(wire.ask("GET", path))
            said += everything(wire.ask("GET", path, Authorization=right))
        for token in (right, wrong, f"Basic {WRONG}", ""):
            for body in (b"{}", b'{"workers":0}', b"{", *own_secrets()):
                said += everything(wire.ask("PATCH", "/settings", body, Authorization=token))
        for body in (BODY, b"{}", b'{"item_id":1,"quantity":101}', b"[" * 9000):
            said += everything(wire.ask("POST", "/orders", body, Authorization=wrong))
        said += everything(wire.ask("POST", "/orders", BODY, X_Client_Id="\x01"))
    with Wire(port) as wire:
        wire.send(f"GET / HTTP/9\r\nAuthorization: {wrong}\r\n\r\n".encode())
        said += everything(wire.reply())
    return said


def own_secrets() -> list[bytes]:
    """Knobs that are none: what was sent must not come back either."""
    return [
        json.dumps({"admin_token": WRONG}).encode(),
        json.dumps({"database_url": f"postgresql://me:{WRONG}@db/x"}).encode(),
    ]


@pytest.mark.parametrize("log_format", ["json", "console"])
async def test_nothing_that_is_said_tells_a_secret(database_url, log_format):
    """Answers, metrics, log, spans and tracebacks: in good times, and when the store breaks."""
    environment = {
        "BPDEMO_ADMIN_TOKEN": TOKEN,
        "BPDEMO_DATABASE_URL": with_password(database_url),
        "BPDEMO_STORE": "postgres",
        "BPDEMO_TRACES": "console",
        "BPDEMO_LOG_LEVEL": "debug",
        "BPDEMO_LOG_FORMAT": log_format,
    }
    with Command("serve", "--port", "0", **environment) as command:
        port = await asyncio.to_thread(command.port)
        said = await asyncio.to_thread(ask_everything, port)
        assert "confirmed" in said
        async with connected(database_url) as admin:
            await admin.execute("DROP TABLE items CASCADE")
        said += await asyncio.to_thread(ask_everything, port)
        assert "internal_error" in said
        await asyncio.to_thread(eventually, lambda: "UndefinedTable" in command.stderr)
        command.signal()
        assert await asyncio.to_thread(command.wait) == 0
        assert command.process.stdout is not None
        assert "POST /orders" in command.stderr  # the spans
        assert_nowhere(said, command.stderr, command.process.stdout.read())


STARTS = {
    "nobody there": ("serve",),
    "nobody there for a worker": ("worker",),
    "a range": ("serve", "--set", "workers=0"),
    "a name": ("serve", "--set", "admin_tokens=x"),
    "sizes": ("serve", "--set", "pool_min=9"),
    "an address of another machine": ("serve", "--host", "192.0.2.1"),
}


@pytest.mark.parametrize("arguments", STARTS.values(), ids=STARTS)
def test_a_start_that_fails_tells_no_secret(arguments):
    """One line, exit 2; what the environment holds besides is not in it."""
    environment = {f"BPDEMO_{name.upper()}": value for name, value in SECRETS.items()}
    port = ("--port", "0") if arguments[0] == "serve" else ()
    with Command(*arguments, *port, BPDEMO_STORE="postgres", **environment) as command:
        assert command.wait(30) == 2
        assert command.process.stdout is not None
        assert len(command.stderr.splitlines()) == 1
        assert_nowhere(command.stderr, command.process.stdout.read())


BROKEN = {
    "no address": {"database_url": PASSWORD, "store": "memory", "workers": 0},
    "no text": {"admin_token": 12345678901, "workers": 8},
    "a list": {"database_url": [PASSWORD]},
    "sizes": {"pool_min": 9},
}


@pytest.mark.parametrize("knobs", BROKEN.values(), ids=BROKEN)
def test_settings_that_do_not_hold_tell_no_secret(knobs):
    """The error names the field and not what was given, where that may be a secret."""
    with pytest.raises(SettingsInvalid) as caught:
        Settings(**(SECRETS | knobs))
    shown = "".join(traceback.format_exception(caught.value))
    assert_nowhere(shown, repr(caught.value))
    assert "12345678901" not in shown


def test_settings_hide_their_secrets_from_whoever_prints_them():
    """As a text, as JSON, and where a service that has them is printed."""
    settings = Settings(**SECRETS)
    app = create_app(settings)
    parts = [settings, app, app.state.assembly, vars(app.state.assembly), app.state.telemetry]
    assert_nowhere(settings.model_dump_json(), *(f"{part!r}{part}" for part in parts))
    assert pickle.loads(pickle.dumps(settings)) == settings


def test_a_service_of_a_notebook_hands_secrets_on_unseen():
    """A process of its own gets them by its environment: `ps` shows its arguments to everybody."""
    with serve(where="process", admin_token=TOKEN) as service:
        assert service.tune(workers=3).stats()["workers"]["total"] == 3
        assert_nowhere(" ".join(psutil.Process(service.pid).cmdline()), repr(service))
        assert_nowhere(*service.logs, service.get("/settings").text)
