"""`--retries` and `--retry-policy`: what the command line asks of a load's clients."""

import json
from pathlib import Path
from typing import Any, NoReturn

import pytest

from bpdemo.cli import commands
from bpdemo.core.choices import RETRY_POLICIES, RetryPolicyName
from bpdemo.core.settings import Settings
from bpdemo.lab.services.simulation import simulate
from bpdemo.plan.plan import Plan
from tests.load.stub import StubServer
from tests.support.command import Run

STORM: tuple[Any, ...] = ("simulate", "--unprotected", "--set", "workers=2", "--rate", 60,
                         "--seconds", 6)  # fmt: skip
BUYERS = """
from locust import task
from bpdemo.load.open_loop import OpenLoopUser
class Buyer(OpenLoopUser):
    rate = 5
    @task
    def buy(self):
        pass
"""
ASKED: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((), {"retries": 0, "retry_policy": None}),
    (("--retries", 2), {"retries": 2, "retry_policy": None}),
    (("--retry-policy", "aws_bucket"), {"retries": 3, "retry_policy": "aws_bucket"}),
    (
        ("--retry-policy", "aws_bucket", "--retries", 1),
        {"retries": 1, "retry_policy": "aws_bucket"},
    ),
    (
        ("--retry-policy", "sre_throttling", "--retries", 0),
        {"retries": 0, "retry_policy": "sre_throttling"},
    ),
    (
        ("--retry-policy", "grpc_tokens", "--scenario", "retry_storm"),
        {"retries": 3, "retry_policy": "grpc_tokens"},
    ),
]


@pytest.mark.parametrize("policy", [None, *RETRY_POLICIES])
def test_a_simulation_has_the_policy_of_that_name(
    run: Run, tmp_path: Path, policy: RetryPolicyName | None
) -> None:
    """The run of Python's `retry_policy=`, to the last figure, with three retries."""
    file = tmp_path / "run.json"
    words = () if policy is None else ("--retry-policy", policy)
    code, out, err = run(*STORM, "--retries", 3, *words, "--json", file)
    assert (code, err) == (0, "")
    naive = Settings.unprotected(workers=2)
    same = simulate(naive, rate=60, seconds=6, retries=3, retry_policy=policy)
    written = json.loads(file.read_text("utf-8"))["summary"]
    assert written["goodput_per_s"] == pytest.approx(same.summary["goodput_per_s"])
    attempts = int(same.records.attempts.sum())
    assert f"{attempts / len(same.records):.2f} each" in out


def test_the_policies_differ(run: Run) -> None:
    """From one another and from none, or the test above would prove nothing."""
    told = [run(*STORM, "--retry-policy", policy)[1] for policy in RETRY_POLICIES]
    told += [run(*STORM, "--retries", 3)[1], run(*STORM)[1]]
    found = [next((row for row in page.splitlines() if "each" in row), "") for page in told]
    assert len(set(found)) == len(found)
    assert found[-1] == ""


@pytest.mark.parametrize(("words", "planned"), ASKED)
def test_a_load_is_planned_as_asked(
    run: Run, monkeypatch: pytest.MonkeyPatch, words: tuple[Any, ...], planned: dict[str, Any]
) -> None:
    """A policy without a number of retries is asked about three; a given number stands, be it 0."""
    plans: list[Plan] = []

    def drive(_: object, plan: Plan, *__: object) -> NoReturn:
        plans.append(plan)
        raise ValueError("planned")

    monkeypatch.setattr(commands, "_from_here", drive)
    with StubServer() as server:
        run("load", "--url", server.url, *words)
    [plan] = plans
    assert {name: getattr(plan, name) for name in planned} == planned


LOAD: tuple[Any, ...] = ("load", "--url", "http://127.0.0.1:9")


@pytest.mark.parametrize("command", [("simulate",), LOAD, ("margin",)], ids=lambda words: words[0])
def test_an_unknown_policy_is_told_with_the_choices(run: Run, command: tuple[Any, ...]) -> None:
    """In one line, before anything is sent or played."""
    code, out, err = run(*command, "--retry-policy", "finagle")
    assert (code, out) == (2, "")
    assert err == (
        f"bpdemo: --retry-policy must be one of {', '.join(RETRY_POLICIES)}, not 'finagle'\n"
    )


@pytest.mark.parametrize("command", [("simulate",), LOAD, ("margin",)], ids=lambda words: words[0])
@pytest.mark.parametrize("wrong", [-1, 21])
def test_too_many_retries_are_refused(run: Run, command: tuple[Any, ...], wrong: int) -> None:
    """By the name of the option."""
    code, out, err = run(*command, "--retries", wrong)
    assert (code, out) == (2, "")
    assert f"--retries must be a whole number from 0 to 20, not {wrong}" in err


@pytest.mark.parametrize("policy", RETRY_POLICIES)
@pytest.mark.parametrize("command", [("simulate",), LOAD, ("margin",)], ids=lambda words: words[0])
def test_a_policy_that_has_no_retry_to_speak_of_is_refused(
    run: Run, command: tuple[Any, ...], policy: str
) -> None:
    """In one line; but for the one that has a say in first attempts, too."""
    words = {
        "simulate": ("--seconds", 1),
        "margin": ("--set", "workers=1", "--at", 0.1, "--most-seconds", 0.05, "--seeds", 1),
    }
    code, _, err = run(
        *command, *words.get(command[0], ()), "--retry-policy", policy, "--retries", 0
    )
    told = f"bpdemo: --retries must be at least 1 with retry_policy {policy}, not 0: "
    assert err.startswith(told) is (policy != "sre_throttling")
    assert code == (2 if policy != "sre_throttling" or command == LOAD else 0)
    assert err.count("\n") <= 1


def test_a_retry_storm_has_retries_of_its_own(run: Run) -> None:
    """Three, though none are asked for: a policy has something to say about them."""
    words = ("--scenario", "retry_storm", "--retries", 0, "--retry-policy", "grpc_tokens")
    code, _, err = run("simulate", "--seconds", 1, *words)
    assert (code, err) == (0, "")


@pytest.mark.parametrize("words", [("--retries", 1), ("--retry-policy", "aws_bucket")])
def test_a_locust_file_says_itself_how_it_retries(
    run: Run, tmp_path: Path, words: tuple[Any, ...]
) -> None:
    """So the options are refused, and not passed over in silence."""
    file = tmp_path / "buyers.py"
    file.write_text(BUYERS, "utf-8")
    code, out, err = run(*LOAD, "--user", file, *words)
    assert (code, out) == (2, "")
    assert "a Locust file says itself what it sends" in err


@pytest.mark.parametrize("policy", RETRY_POLICIES)
def test_a_margin_is_found_under_a_policy(run: Run, tmp_path: Path, policy: str) -> None:
    """It is told on the terminal and in the file."""
    file = tmp_path / "margin.json"
    code, out, err = run(
        "margin", "--unprotected", "--set", "workers=2", "--seeds", 1, "--at", 0.4,
        "--most-seconds", 0.5, "--retry-policy", policy, "--json", file,
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert f"Clients retry 3 times, as {policy} lets them." in out
    assert json.loads(file.read_text("utf-8"))["retry_policy"] == policy
