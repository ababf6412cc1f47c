"""A service as a process, on a machine that is set up for other programs throughout."""

import json

import pytest

from bpdemo.cli.doctor import programs
from tests.downstream.test_address import HOSTILE
from tests.support.http import BODY
from tests.support.server import Command, Wire

OTHERS = HOSTILE | {
    "PROMETHEUS_MULTIPROC_DIR": "/no/such/folder",
    "PGQUEUER_PREFIX": "another_",
    "WEB_CONCURRENCY": "4",
    "FORWARDED_ALLOW_IPS": "*",
    "UVICORN_PORT": "1",
    "UVICORN_RELOAD": "1",
    "GEVENT_SUPPORT": "1",
    "PYDANTIC_DISABLE_PLUGINS": "1",
    "HTTP_PROXY": "http://192.0.2.1:1",
    "NO_COLOR": "1",
    "LC_ALL": "C",
    "PYTHONUTF8": "0",
    "PYTHONIOENCODING": "ascii",
}


@pytest.fixture
def home(tmp_path):
    (tmp_path / ".pgpass").write_text("*:*:*:*:wrong\n", "utf-8")
    return tmp_path


def test_it_serves_from_its_own_database(home):
    """Orders are sold and counted, and it ends in peace: no line tells of anything else."""
    variables = OTHERS | {"HOME": str(home), "BPDEMO_LOG_LEVEL": "warning"}
    with Command("serve", "--port", "0", "--set", "store=embedded", **variables) as command:
        with Wire(command.port()) as wire:
            assert wire.ask("POST", "/orders", BODY).status == 201
            metrics = wire.ask("GET", "/metrics").body.decode()
            forged = wire.ask("PATCH", "/settings", b'{"workers":2}', X_Forwarded_For="127.0.0.1")
        command.signal()
        assert command.wait() == 0
    assert "bpdemo_admitted_total 1.0" in metrics
    assert forged.status == 403
    assert [json.loads(line)["event"] for line in command.stderr.splitlines()] == []


def test_the_doctor_uses_the_database_as_the_service_does(home, monkeypatch):
    """And so would see what keeps the service from it."""
    for name, value in (HOSTILE | {"HOME": str(home)}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(programs, "POSTGRES_WITHIN_S", 60.0)  # a busy machine is not the question
    assert programs.postgres().grade == "ok"
