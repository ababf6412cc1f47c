"""What another program is told through OpenTelemetry's variables does not steer ours."""

import os
import subprocess
import sys

import pytest
from opentelemetry.exporter.otlp.proto.http import trace_exporter
from opentelemetry.sdk import environment_variables as of_the_sdk
from opentelemetry.sdk.trace import SpanLimits
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from bpdemo.core.errors import SettingsInvalid
from bpdemo.core.foreign_variables import (
    CERTIFICATES,
    OBEYED,
    PROVIDERS,
    foreign_variables_hidden,
    not_obeyed,
    require_providers,
)
from bpdemo.telemetry.otel import LIMITS
from bpdemo.telemetry.tracer import make_tracer

#: Every one that the library knows, by its own list.
KNOWN = {value for name, value in vars(of_the_sdk).items() if name.startswith("OTEL_")} | {
    "OTEL_PROPAGATORS",
    "OTEL_PYTHON_CONTEXT",
    "OTEL_PYTHON_TRACER_PROVIDER",
    "OTEL_PYTHON_METER_PROVIDER",
    "OTEL_PYTHON_LOGGER_PROVIDER",
    "OTEL_PYTHON_ID_GENERATOR",
}
#: What a service must bear: a name that is not installed, no number, none at all, and off.
VALUES = ("b3", "jaeger", "x", "0", "-1", "true", "always_off")
#: What stands in for something that there is not yet, as werkzeug has it.
PROXY = "class P:\n  def __getattribute__(self, _): raise RuntimeError\np = P()"
IMPORTS_ALL = """
import os
before = dict(os.environ)
import bpdemo.telemetry.tracer, bpdemo.assembly.app
from opentelemetry import propagate
assert dict(os.environ) == before
print(sorted(propagate.get_global_textmap().fields))
"""


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        monkeypatch.delenv(name)


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("kind", ["memory", "otlp"])
def test_no_value_of_a_foreign_variable_changes_a_tracer(kind, value, monkeypatch, caplog):
    """All at once, and nothing is said: spans are recorded as if none were set."""
    for name in KNOWN - OBEYED:
        monkeypatch.setenv(name, value)
    tracer = make_tracer(kind, lambda: 0.0)
    assert os.environ["OTEL_PROPAGATORS"] == value
    if kind == "memory":
        with tracer.span("work", **{f"a{i}": "text" * 9 for i in range(100)}):
            assert tracer.recorded_trace_id()
        (span,) = tracer.finished()
        assert len(span.attributes) == 100
        assert set(span.attributes.values()) == {"text" * 9}
    tracer.shutdown()
    assert not caplog.records


@pytest.mark.parametrize("value", ["b3", "none"])
def test_the_first_import_is_undisturbed(value):
    """In a shell or a kernel that is not ours: it neither fails nor tells of another's names, and
    the environment is as it was."""
    others = dict.fromkeys(KNOWN - OBEYED, value)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", IMPORTS_ALL],
        env=os.environ | others, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == "['baggage', 'traceparent', 'tracestate']"


def test_what_is_obeyed_stays_and_the_rest_comes_back_after_an_error(monkeypatch):
    """Inside only the documented ones are seen."""
    for name in KNOWN:
        monkeypatch.setenv(name, "x")

    def seen() -> set[str]:
        return {name for name in os.environ if name.startswith("OTEL_")}

    def failing_inside() -> None:
        with foreign_variables_hidden():
            assert seen() == OBEYED
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing_inside()
    assert seen() == KNOWN


def test_the_limits_that_we_say_are_those_of_the_library():
    """So nothing changes for those who set no variable."""
    assert vars(SpanLimits(**LIMITS)) == vars(SpanLimits())


@pytest.mark.parametrize("name", CERTIFICATES)
def test_a_certificate_that_cannot_be_read_is_told_at_the_start(name, tmp_path, monkeypatch):
    """By its variable and its file: the library would lose every span, and say so to nobody."""
    for path, why in ((tmp_path / "none.pem", "No such file"), (tmp_path, "Is a directory")):
        monkeypatch.setenv(name, str(path))
        with pytest.raises(SettingsInvalid, match=f"^{name}: {path}: {why}"):
            make_tracer("otlp", lambda: 0.0)
    make_tracer("memory", lambda: 0.0).shutdown()  # which sends nothing, and needs none


@pytest.mark.parametrize("signal", ["", "TRACES_"])
def test_the_exporter_takes_the_certificates(signal, tmp_path, monkeypatch):
    """Of the collector, and of ours: they say how it is reached, as its address does."""
    file = tmp_path / "a.pem"
    file.write_text("of some authority", "utf-8")
    for kind in ("CERTIFICATE", "CLIENT_CERTIFICATE", "CLIENT_KEY"):
        monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{signal}{kind}", str(file))
    taken = {}

    def exporter(**_: object) -> InMemorySpanExporter:
        taken.update({name: os.environ.get(name) for name in CERTIFICATES})
        return InMemorySpanExporter()

    monkeypatch.setattr(trace_exporter, "OTLPSpanExporter", exporter)
    make_tracer("otlp", lambda: 0.0).shutdown()
    assert list(taken.values()).count(str(file)) == 3


def test_what_exporters_are_told_in_vain_is_named():
    """Of spans alone, and only where they are exported: nobody wonders why it has no effect."""
    told = ("OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_BSP_SCHEDULE_DELAY", "OTEL_TRACES_SAMPLER")
    silent = ("OTEL_METRICS_EXPORTER", "OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "OTEL_PROPAGATORS")
    variables = dict.fromkeys((*told, *silent, *OBEYED), "1")
    assert not_obeyed(variables) == sorted(told)


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_provider_that_is_not_installed_is_told(name, monkeypatch):
    """By its variable, with those that there are; one that is installed is none of our business."""
    monkeypatch.setenv(name, "nope")
    with pytest.raises(ValueError, match=rf"^{name} is 'nope', and no such provider .*sdk_"):
        require_providers()
    kind = name.removeprefix("OTEL_PYTHON_").lower()
    monkeypatch.setenv(name, f"sdk_{kind}")
    require_providers()


@pytest.mark.slow
@pytest.mark.parametrize("uses", ["from opentelemetry.trace import get_tracer", PROXY])
def test_a_guest_with_such_a_provider_says_so_at_its_start(uses, tmp_path):
    """Not with every request; and one that does not use OpenTelemetry is served."""
    (tmp_path / "shop.py").write_text(
        f"{uses}\nasync def app(scope, receive, send): ...\n", "utf-8"
    )
    done = subprocess.run(
        [sys.executable, "-m", "bpdemo.assembly.guest_process", "shop:app", str(tmp_path)],
        env=os.environ | {"OTEL_PYTHON_METER_PROVIDER": "nope"}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    last = done.stderr.strip().splitlines()[-1:]
    assert any("OTEL_PYTHON_METER_PROVIDER is 'nope'" in line for line in last) == (uses != PROXY)
