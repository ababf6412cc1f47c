"""What other programs are told by variables does not reach the processes that we start."""

import os
import subprocess
import sys

import pytest

from bpdemo.core.environment import PACKAGE_PARENT, own_environment

FOREIGN = {
    "LOCUST_MASTER": "1",
    "LOCUST_SKIP_MONKEY_PATCH": "1",
    "GEVENT_RESOLVER": "no-such-resolver",
    "PROMETHEUS_MULTIPROC_DIR": "/no/such/folder",
    "prometheus_multiproc_dir": "/no/such/folder",
    "PGPORT": "1",
    "PGSSLMODE": "verify-full",
    "PGSERVICEFILE": "/no/such/file",
    "PYTHONSTARTUP": "/no/such/file",
    "PYTHONWARNINGS": "error",
    "PYTHONINSPECT": "1",
    "PYTHONASYNCIODEBUG": "1",
    "PYTHONIOENCODING": "ascii",
    "PYTHONUTF8": "0",
    "PIP_USER": "1",
    "JUPYTER_TOKEN": "another",
    "PLOTLY_RENDERER": "browser",
    "OTEL_PROPAGATORS": "b3",
    "OTEL_PYTHON_CONTEXT": "nope",
    "OTEL_SPAN_LINK_COUNT_LIMIT": "x",
}
MACHINE = {
    "PATH": "/usr/bin",
    "HOME": "/home/somebody",
    "LC_ALL": "C",
    "TMPDIR": "/tmp",
    "BPDEMO_WORKERS": "3",
    "OTEL_SERVICE_NAME": "tickets",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318",
    "HTTPS_PROXY": "http://proxy",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_meant_for_another_program_stays_outside(name, monkeypatch):
    """Whatever it says: a child gets our value, or none."""
    monkeypatch.setenv(name, FOREIGN[name])
    assert own_environment().get(name) != FOREIGN[name]


@pytest.mark.parametrize("name", MACHINE)
def test_what_belongs_to_the_machine_or_to_us_goes_through(name, monkeypatch):
    """A child lives in the same home, under the same limits, with the settings of ours."""
    monkeypatch.setenv(name, MACHINE[name])
    assert own_environment()[name] == MACHINE[name]


def test_a_child_finds_the_modules_of_its_owner(monkeypatch):
    """Ours first, and then what was given."""
    monkeypatch.setenv("PYTHONPATH", "/a/folder")
    assert own_environment()["PYTHONPATH"].split(os.pathsep) == [str(PACKAGE_PARENT), "/a/folder"]


def test_the_one_who_starts_the_child_has_the_last_word(monkeypatch):
    """A variable that is given is given, a foreign one too."""
    monkeypatch.setenv("PGPORT", "1")
    assert own_environment({"PGPORT": "2"})["PGPORT"] == "2"


@pytest.mark.process
def test_a_child_speaks_utf_8_and_ends_when_it_is_done(monkeypatch):
    """In a locale that knows ASCII alone, with an interpreter told to stay open and to fail."""
    for name, value in {**FOREIGN, "LC_ALL": "C"}.items():
        monkeypatch.setenv(name, value)
    code = "import sys, locale; print('×', locale.getpreferredencoding(False), sys.warnoptions)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=own_environment(), stdin=subprocess.DEVNULL, capture_output=True, check=True,
    )  # fmt: skip
    assert done.stdout.decode("utf-8").lower().split() == ["×", "utf-8", "[]"]
    assert done.stderr == b""
