"""`serve`: the real service, a line away."""

import importlib
import subprocess
import sys

import pytest

import bpdemo.lab
from bpdemo.core.errors import SettingsInvalid
from bpdemo.lab.services import service as service_module
from bpdemo.lab.services.service import ServiceFailed, serve
from bpdemo.lab.services.simulation import simulate
from bpdemo.load.loads import load

PROMISED = ("serve", "load", "simulate", "calibrate", "predict", "reveal", "stop_all", "LoadRun")
HEAVY = ("plotly", "pandas", "locust", "gevent", "fastapi")


@pytest.fixture(autouse=True)
def own_home(monkeypatch, tmp_path):
    monkeypatch.setenv("BPDEMO_HOME", str(tmp_path))


@pytest.mark.parametrize("where", ["thread", "process"])
def test_it_serves_and_stops(where):
    """Ready when it returns, and gone after the block; stopping twice does no harm."""
    with serve(where=where, workers=2) as service:
        assert service.post("/orders", {"item_id": 1, "quantity": 1}).status_code == 201
        assert service.capacity_per_s == pytest.approx(2 / 0.042)
        assert service.stats()["books"]["success"] == 1
        metrics = service.metrics()
        assert metrics.query("name == 'bpdemo_admitted_total'").value.item() == 1
        assert service.url in service._repr_html_()
    assert not service.is_running
    service.stop()


def test_one_worker_is_no_plural():
    """A slow machine has one, and then that is what the first lesson tells; live, too."""
    with serve(workers=1) as service:
        assert ", 1 worker, " in repr(service)
        service.tune(workers=2)
        assert ", 2 workers, " in repr(service)


def test_proxies_are_ignored(monkeypatch):
    """A laptop's proxy variables must not send requests to itself through a proxy."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with serve(workers=1) as service:
        assert service.get("/healthz").status_code == 200


def test_knobs_turn_all_or_none():
    """A knob that cannot be leaves the others as they were."""
    with serve(workers=2) as service:
        service.tune(workers=3, queue_capacity=5)
        assert service.stats()["workers"]["total"] == 3
        with pytest.raises(SettingsInvalid, match="queue_capacity"):
            service.tune(workers=4, queue_capacity=-7)
        assert service.stats()["workers"]["total"] == 3
        assert service.settings.queue_capacity == 5


def test_a_service_that_was_replaced_says_so_by_name():
    """A cell that was run out of order: a word on which one to run, and no picture of ruins."""
    first = serve(workers=1, name="till")
    with serve(workers=1, name="till"):
        for use in (lambda: first.tune(workers=2), first.stats, lambda: load(first, seconds=1)):
            with pytest.raises(ServiceFailed, match="'till' does not run any more"):
                use()


def test_running_a_cell_again_replaces_its_service_and_spares_others():
    """Two names live side by side; the same name is one service."""
    first = serve(workers=1, name="a")
    with serve(workers=1, name="b") as other, serve(workers=1, name="a") as second:
        assert not first.is_running
        assert second.url != other.url
        assert other.get("/healthz").status_code == 200


@pytest.mark.parametrize(
    ("arguments", "named"),
    [({"profile": "naive"}, "profile"), ({"where": "cloud"}, "where"), ({"workers": 0}, "workers"),
     ({"no_such_knob": 1}, "no_such_knob")],
)  # fmt: skip
def test_what_cannot_be_is_named(arguments, named):
    """In one line, before anything is started."""
    with pytest.raises(ValueError, match=named):
        serve(**arguments)


@pytest.mark.parametrize("where", ["thread", "process"])
def test_a_service_that_cannot_start_says_why(where):
    """An unreachable database, in a thread and in a process."""
    url = "postgresql://nobody@127.0.0.1:9/none"
    with pytest.raises(ServiceFailed, match="database_url"):
        serve(where=where, workers=1, store="postgres", database_url=url)


def test_the_lab_gives_what_it_promises():
    """Every name is what it says, also when its module was imported before."""
    importlib.import_module("bpdemo.load.loads")
    for name in PROMISED:
        assert callable(getattr(bpdemo.lab, name)), name
    assert bpdemo.lab.theory.mmck(1, 2, 1, 5).blocking_probability < 1
    with pytest.raises(AttributeError, match="no_such_thing"):
        _ = bpdemo.lab.no_such_thing


def test_importing_the_lab_is_cheap():
    """Children import it too: nothing heavy comes along, and never Locust."""
    code = f"import sys, bpdemo.lab; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("known", [1, 2, 3, 4, 12])
def test_what_fits_the_machine_is_protected_however_few_workers_that_is(monkeypatch, known):
    """At five times the capacity nearly everything possible is served. With 32 orders queued before
    one or two workers a tenth of it was: all the others waited longer than their callers."""
    monkeypatch.setattr(service_module, "workers", lambda: known)
    settings = service_module._settings("protected", {})
    assert settings.workers == known
    assert settings.queue_capacity == min(32, 8 * known)
    run = simulate(settings, times=5, seconds=10)
    assert run.summary["goodput_of_possible"] > 0.95


def test_a_queue_that_somebody_chose_stays(monkeypatch):
    """By a knob, by the environment, or together with the workers."""
    monkeypatch.setattr(service_module, "workers", lambda: 1)
    assert service_module._settings("protected", {"queue_capacity": 32}).queue_capacity == 32
    assert service_module._settings("protected", {"workers": 1}).queue_capacity == 32
    assert service_module._settings("unprotected", {}).queue_capacity == -1
    monkeypatch.setenv("BPDEMO_QUEUE_CAPACITY", "20")
    assert service_module._settings("protected", {}).queue_capacity == 20
