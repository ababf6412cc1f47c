"""What a service is given by the environment and does not take, since it is the naive one."""

import pytest

from bpdemo.core.settings import NAIVE, Settings, overruled_in
from tests.support.command import Run

#: A value for each, other than the naive one.
GIVEN = {
    "queue_capacity": "8", "request_timeout_s": "1", "attempt_timeout_s": "0.5",
    "drop_on_disconnect": "true", "breaker_enabled": "true", "retry_budget_enabled": "true",
    "retry_base_s": "0.1", "retry_jitter": "equal",
}  # fmt: skip


@pytest.mark.parametrize("name", NAIVE)
def test_each_is_named_and_is_overruled_indeed(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """By the naive service; the protected one takes it, and so does one given it by hand."""
    variable = f"BPDEMO_{name.upper()}"
    monkeypatch.setenv(variable, GIVEN[name])
    assert getattr(Settings.unprotected(), name) == NAIVE[name]
    assert getattr(Settings(), name) != NAIVE[name]
    assert overruled_in({variable: GIVEN[name]}) == {variable: name}
    assert overruled_in({variable: GIVEN[name]}, {name}) == {}


def test_all_others_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """And none of them is named."""
    monkeypatch.setenv("BPDEMO_WORKERS", "3")
    assert Settings.unprotected().workers == 3
    others = Settings.model_fields.keys() - NAIVE.keys()
    assert overruled_in({f"BPDEMO_{name.upper()}": "1" for name in others}) == {}


@pytest.mark.parametrize(
    ("words", "is_told"),
    [
        (("--unprotected",), True),
        (("--unprotected", "--set", "queue_capacity=8"), False),
        ((), False),
    ],
    ids=["overruled", "given besides", "protected"],
)
@pytest.mark.parametrize(
    "command",
    [("simulate", "--seconds", "1", "--rate", "50"),
     ("margin", "--seeds", "1", "--at", "0.1", "--most-seconds", "0.1", "--retries", "0")],
    ids=["simulate", "margin"],
)  # fmt: skip
def test_the_command_line_tells(
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    command: tuple[str, ...],
    words: tuple[str, ...],
    is_told: bool,
) -> None:
    """One line, with what does set it."""
    monkeypatch.setenv("BPDEMO_QUEUE_CAPACITY", "8")
    code, _, err = run(*command, *words)
    assert code == 0
    told = "BPDEMO_QUEUE_CAPACITY sets nothing of the unprotected service; --set queue_capacity=…"
    assert err == (f"bpdemo: {told} does\n" if is_told else "")
