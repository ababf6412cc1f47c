"""The files of the stack, read without an engine: what they name exists, and fits together."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.specifiers import SpecifierSet

from bpdemo.core.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PYPROJECT = (ROOT / "pyproject.toml").read_text("utf-8")


def test_the_compose_file_follows_the_specification():
    """By the schema that the specification's own project publishes."""
    checked = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec",
         str(ROOT / "docker-compose.yml")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout


def test_the_asked_for_parts_are_there():
    """Two replicas behind a balancer, two durable workers, and everything to look at them with."""
    assert {
        *("worker-1", "worker-2"),
        *("web-1", "web-2", "balancer", "postgres", "prometheus", "grafana", "collector"),
        *("jaeger", "locust-master", "locust-worker", "lab"),
    } == set(SERVICES)


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_depends_on_is_there(name):
    """And is healthy by a check that exists, where health is asked for."""
    wanted = SERVICES[name].get("depends_on", [])
    for other in wanted:
        assert other in SERVICES
        if isinstance(wanted, dict) and wanted[other]["condition"] == "service_healthy":
            assert "healthcheck" in SERVICES[other]


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_mounts_is_there(name):
    """A missing file would be mounted as an empty folder, by an engine that says nothing."""
    for volume in SERVICES[name].get("volumes", []):
        source = volume.split(":")[0]
        assert (ROOT / source).exists() if source.startswith("./") else source in COMPOSE["volumes"]


@pytest.mark.parametrize("name", SERVICES)
def test_every_variable_of_ours_is_a_setting(name):
    """A misspelt one would be ignored, and the default hold."""
    ours = [
        variable
        for variable in SERVICES[name].get("environment", {})
        if variable.startswith("BPDEMO_")
    ]
    fields = {f"BPDEMO_{field.upper()}" for field in Settings.model_fields}
    assert set(ours) <= fields
    assert ours or not name.startswith(("web", "worker"))


def test_the_values_of_the_replicas_are_settings_that_hold():
    """With the secrets filled in, the service would start with them."""
    given = SERVICES["web-1"]["environment"]
    filled = {
        name.removeprefix("BPDEMO_").lower(): re.sub(
            r"\$\{(\w+):[-?]([^}]*)\}",
            lambda m: m[2] if ":-" in m[0] else "a-secret-of-some-length",
            str(value),
        )
        for name, value in given.items()
        if name.startswith("BPDEMO_")
    }
    assert Settings(**filled).store == "postgres"


def test_no_secret_is_written_down_and_no_port_leaves_the_machine():
    """Secrets come from the environment; ports are published on loopback only."""
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if re.search("TOKEN|PASSWORD", variable):
                assert re.fullmatch(r"\$\{\w+:\?.+\}", value), (name, variable)
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_every_image_is_pinned():
    """What runs tomorrow is what ran today."""
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    images = [service["image"] for service in SERVICES.values()]
    images += re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    stages = set(re.findall(r"^FROM \S+ AS (\S+)", dockerfile, re.MULTILINE))
    for image in set(images) - {"bpdemo:local", "bpdemo-lab:local"} - stages:
        assert re.search(r":v?\d+\.\d+", image), image


def test_the_image_runs_as_nobody_and_serves():
    """Not as root; alive by its own check; drains on SIGTERM as the first process."""
    last = stage("service")
    assert (ROOT / "Dockerfile").read_text("utf-8").endswith(last)  # what is built unless told
    assert re.search(r"^USER (?!0|root)\S+", last, re.MULTILINE)
    assert "HEALTHCHECK" in last
    assert json.loads(re.search(r"^ENTRYPOINT (.+)", last, re.MULTILINE)[1]) == ["bpdemo"]
    assert json.loads(re.search(r"^CMD (.+)", last, re.MULTILINE)[1])[0] == "serve"


def test_what_serves_is_installed_at_the_pinned_versions_and_without_the_lab():
    """The service's image has the extras that it uses; the lab's is a stage of the same file."""
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    assert re.search(r"^ARG EXTRAS=(.+)", dockerfile, re.MULTILINE)[1] == "postgres,traces"
    installs = re.findall(r"pip install (.+?)(?: \\)?$", dockerfile, re.MULTILINE)
    assert all(re.match("--constraint requirements.txt|--no-deps .$", line) for line in installs)
    assert '".[${EXTRAS}]"' in stage("build")
    assert '".[lab]"' in stage("build-lab")
    assert "COPY --from=build-service /venv /venv" in stage("service")
    for name in ("locust-master", "locust-worker", "lab"):
        assert SERVICES[name]["build"]["target"] == "lab"
        assert SERVICES[name]["image"] == "bpdemo-lab:local"
    for name in ("web-1", "web-2", "worker-1", "worker-2"):
        assert SERVICES[name]["image"] == "bpdemo:local"


def stage(name: str) -> str:
    """Its lines of the Dockerfile."""
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    (told,) = re.findall(rf"^FROM \S+ AS {name}\n((?:(?!FROM ).*\n)+)", dockerfile, re.MULTILINE)
    return str(told)


def test_jupyterlab_keeps_its_token():
    """It asks for the one of the environment, without which the stack does not start."""
    lab = SERVICES["lab"]
    assert lab["environment"]["JUPYTER_TOKEN"].startswith("${JUPYTER_TOKEN:?")
    assert not {"entrypoint", "command"} & set(lab)
    said = stage("lab").rpartition("ENTRYPOINT")[2].lower()
    assert "jupyter" in said
    assert not any(word in said for word in ("token", "password", "allow-root", "disable_check"))


def test_no_part_has_more_rights_than_its_image_gives():
    """No root where the image has none, no machine's own network, no rights beyond a container."""
    for service in SERVICES.values():
        assert not {"privileged", "user", "cap_add", "network_mode", "pid"} & set(service)


def test_what_the_image_copies_is_there_and_is_sent_to_the_builder():
    """`.dockerignore` lets through exactly what the Dockerfile asks for."""
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    ignored = (ROOT / ".dockerignore").read_text("utf-8")
    for line in re.findall(r"^COPY (?!--from)(?:--\S+ )?(.+) \S+$", dockerfile, re.MULTILINE):
        for source in line.split():
            assert (ROOT / source).exists(), source
            assert f"!{source}" in ignored.splitlines(), source


@pytest.mark.haproxy
def test_the_balancers_configuration_is_valid():
    """HAProxy's own check, with the variables that the compose file gives it."""
    given = SERVICES["balancer"]["environment"]
    local = {name: re.sub(r"^[\w-]*:", "127.0.0.1:", value) for name, value in given.items()}
    checked = subprocess.run(
        ["haproxy", "-c", "-f", str(ROOT / "stack/haproxy/haproxy.cfg")],
        env=os.environ | local, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr


def test_prometheus_is_told_of_every_replica():
    """And of nothing else."""
    targets = json.loads((ROOT / "stack/prometheus/targets.json").read_text("utf-8"))
    told = {target.split(":")[0] for group in targets for target in group["targets"]}
    assert told == {name for name in SERVICES if name.startswith("web-")}


def test_the_collector_hands_on_what_it_takes():
    """Each part of its pipeline is defined, and it listens where the replicas send."""
    collector = yaml.safe_load((ROOT / "stack/otel/collector.yml").read_text("utf-8"))
    for pipeline in collector["service"]["pipelines"].values():
        for kind, names in pipeline.items():
            assert set(names) <= set(collector[kind])
    endpoint = SERVICES["web-1"]["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"]
    listens = collector["receivers"]["otlp"]["protocols"]["http"]["endpoint"]
    assert endpoint.rsplit(":", 1)[1] == listens.rsplit(":", 1)[1]
    assert endpoint.split("//")[1].split(":")[0] in SERVICES


def test_condas_environment_is_the_projects():
    """The same Python, and the pinned packages."""
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    python = next(d for d in environment["dependencies"] if str(d).startswith("python="))
    wanted = re.search(r'^requires-python = "(.+)"', PYPROJECT, re.MULTILINE)[1]
    assert python.split("=")[1] in SpecifierSet(wanted)
    pip = next(d["pip"] for d in environment["dependencies"] if isinstance(d, dict))
    assert "-r requirements.txt" in pip
    assert "-e ." in pip


@pytest.mark.parametrize("extra", ["", "--no-build-isolation"])
def test_condas_lines_for_pip_are_lines_of_a_requirements_file(extra, tmp_path):
    """conda writes them into one, beside the environment file, and has pip install it: so pip must
    be able to read it. The second case shows that it would say so."""
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    lines = next(d["pip"] for d in environment["dependencies"] if isinstance(d, dict))
    (tmp_path / "requirements.txt").symlink_to(ROOT / "requirements.txt")
    (tmp_path / "condaenv.txt").write_text("\n".join([*lines, extra]), "utf-8")
    # No network: this environment has the packages that are pinned, and what builds.
    tried = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--dry-run", "--no-deps", "--no-index",
         "--no-build-isolation", "-r", str(tmp_path / "condaenv.txt")],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={name: v for name, v in os.environ.items() if not name.startswith("PIP_")},
    )  # fmt: skip
    assert (tried.returncode == 0) == (extra == ""), tried.stderr
    assert ("no such option" in tried.stderr) == (extra != "")
