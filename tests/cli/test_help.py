"""Every help page as a newcomer reads it, in a terminal of 80 columns."""

import re
from typing import Any

import pytest
from typer.main import get_command

from bpdemo.cli.main import app
from bpdemo.core.choices import SCENARIOS
from tests.support.command import Run

COMMANDS: dict[str, Any] = get_command(app).commands  # type: ignore[attr-defined]
OPTIONS = [(name, option) for name, made in COMMANDS.items() for option in made.params]
IDS = [f"{name} {option.opts[-1]}" for name, option in OPTIONS]
#: The unit that an option with such a name must say.
UNITS = {"seconds": "second", "-ms": "millisecond", "within": "second", "rate": "per second"}
#: Words of a style that the course has left, and no field uses.
HOMELY = re.compile(r"\b(door|room full|sold|turned away|works? off|patience|nobody is told)\b")


def helped(name: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("COLUMNS", "80")
    code, out, err = run(name, "--help")
    assert (code, err) == (0, "")
    return out


@pytest.mark.parametrize(("name", "option"), OPTIONS, ids=IDS)
def test_every_option_says_what_it_is(name: str, option: Any) -> None:
    """In words; a quantity with its unit; a value by the name that usage errors have for it."""
    if option.hidden:
        return
    assert option.help, f"{name} {option.opts}"
    for part, unit in UNITS.items():
        if part in option.opts[-1].strip("-"):
            assert unit in option.help


@pytest.mark.parametrize("name", COMMANDS)
def test_a_page_fits_80_columns_and_speaks_the_fields_language(
    name: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its examples are not broken into two lines, and nothing homely is said."""
    page = helped(name, run, monkeypatch)
    assert max(map(len, page.splitlines())) <= 80
    assert not HOMELY.search(page)
    written = COMMANDS[name].help or ""
    for example in re.findall(r"^ *(bpdemo .*)$", written, re.MULTILINE):
        assert re.search(rf"^ +{re.escape(example)} *$", page, re.MULTILINE), example


@pytest.mark.parametrize("name", ["load", "simulate"])
def test_every_scenario_is_explained(name: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each by its name, and in a few words."""
    page = re.sub(r"[│\s]+", " ", helped(name, run, monkeypatch))
    assert all(re.search(rf"\b{scenario}\b( \(|;)", page) for scenario in SCENARIOS)


def test_a_default_request_is_the_one_that_is_sent(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`judge` sends GET / and `load` orders: neither page tells the other's."""
    assert "GET /)" in helped("judge", run, monkeypatch)
    assert "orders" not in helped("judge", run, monkeypatch)
    assert "POST /orders" in helped("load", run, monkeypatch)
