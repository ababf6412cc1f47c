"""What the command line itself finds wrong: the option, the value, and the range are told."""

from typing import Any

import pytest
from typer.main import get_command

from bpdemo.cli.main import app
from bpdemo.core.extras import lacking
from tests.support.command import Run

COMMANDS: dict[str, Any] = get_command(app).commands  # type: ignore[attr-defined]


def numbers() -> list[tuple[str, str, float | None, float | None]]:
    """Each option of each command that is a number: its least and its greatest."""
    found = []
    for command, made in COMMANDS.items():
        for option in made.params:
            asked = option.get_runtime_param()
            if getattr(asked, "annotation", None) in (int, float):
                info = asked.parameter_info
                found.append((command, option.opts[-1], info.min, info.max))
    return found


def test_there_are_numbers() -> None:
    """Else the next test looks at nothing."""
    assert len(numbers()) > 10


@pytest.mark.parametrize(("command", "option", "low", "high"), numbers())
def test_a_wrong_number_is_told_with_its_option_and_range(
    command: str, option: str, low: float | None, high: float | None, run: Run
) -> None:
    """A word, and whatever is out of the range."""
    wrong: list[str] = ["many"]
    wrong += [] if low is None else [f"{low - 1:g}"]
    wrong += [] if high is None else [f"{high + 1:g}"]
    for value in wrong:
        code, out, err = run(command, option, value)
        assert (code, out) == (2, "")
        assert err.startswith(f"bpdemo: {option}: {value!r} is not a")
        for bound in (low, high):
            assert bound is None or f"{bound:g}" in err
        assert err.endswith(f". Try: bpdemo {command} --help\n")


@pytest.mark.parametrize("text", ["workers", "=3", "", " =3"])
def test_what_is_no_setting_is_told_with_an_example(text: str, run: Run) -> None:
    code, _, err = run("simulate", "--set", text)
    assert code == 2
    assert err == f"bpdemo: set: {text!r} is not NAME=VALUE, such as queue_capacity=8\n"


def test_the_extras_are_here() -> None:
    """Else a command would name its extra instead."""
    assert not any(lacking("lab"))
