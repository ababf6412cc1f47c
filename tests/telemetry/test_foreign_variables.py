"""What another program is told through OpenTelemetry's variables does not steer ours."""

import os
import subprocess
import sys

import pytest
from opentelemetry.sdk import environment_variables as of_the_sdk
from opentelemetry.sdk.trace import SpanLimits

from bpdemo.core.foreign_variables import OBEYED, foreign_variables_hidden
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
