"""Who the spans say they are of, and what a person may say about that."""

import io
import json

import pytest
from opentelemetry.semconv._incubating.attributes import deployment_attributes
from opentelemetry.semconv.attributes import service_attributes

from bpdemo import __version__
from bpdemo.telemetry.tracer import make_tracer

NAME, VERSION = service_attributes.SERVICE_NAME, service_attributes.SERVICE_VERSION
ENVIRONMENT = deployment_attributes.DEPLOYMENT_ENVIRONMENT_NAME
UNTOLD = {NAME: "bpdemo", VERSION: __version__, ENVIRONMENT: "development"}


@pytest.mark.parametrize(
    ("variables", "changed"),
    [
        ({}, {}),
        ({"OTEL_SERVICE_NAME": "tickets"}, {NAME: "tickets"}),
        ({"OTEL_RESOURCE_ATTRIBUTES": "service.name=sale"}, {NAME: "sale"}),
        (
            {
                "OTEL_SERVICE_NAME": "tickets",
                "OTEL_RESOURCE_ATTRIBUTES": (
                    "service.name=sale,deployment.environment.name=stage,service.version=7,team=a"
                ),
            },
            {NAME: "tickets", ENVIRONMENT: "stage", VERSION: "7", "team": "a"},
        ),
        ({"OTEL_RESOURCE_ATTRIBUTES": "nonsense"}, {}),
    ],
)
def test_the_variables_of_opentelemetry_have_the_last_word(variables, changed, monkeypatch):
    """The name beats the attributes, as its specification says; what cannot be read changes
    nothing."""
    for name in ("OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    stream = io.StringIO()
    with make_tracer("console", lambda: 0.0, stream=stream).span("work"):
        pass
    told = json.loads(stream.getvalue())["resource"]["attributes"]
    assert told.items() >= (UNTOLD | changed).items()
