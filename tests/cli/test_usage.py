"""What the command line itself finds wrong: the option, the value, and the range are told."""

from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from bpdemo.cli import main as command_line
from bpdemo.cli.main import app
from bpdemo.core.extras import lacking
from bpdemo.core.settings import Settings
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
    assert err == f"bpdemo: --set: {text!r} is not NAME=VALUE, such as queue_capacity=8\n"


def test_the_extras_are_here() -> None:
    """Else a command would name its extra instead."""
    assert not any(lacking("lab"))


@pytest.mark.parametrize(
    ("module", "told"),
    [
        ("numpy", "pip install 'bpdemo[load]'"),
        ("opentelemetry.sdk.trace", "pip install 'bpdemo[traces]'"),
        ("IPython", "pip install 'bpdemo[lab]'"),  # of a package that an extra brings
        ("anything.else", "pip install 'bpdemo[lab]'"),
    ],
)
def test_a_module_that_is_missing_is_told_with_what_brings_it(
    module: str, told: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence, wherever in a command it comes up; never a traceback."""

    def absent(*_: object, **__: object) -> None:
        raise ModuleNotFoundError(f"No module named {module!r}", name=module)

    monkeypatch.setattr(command_line, "lacking", lambda _: ["jupyterlab"])
    monkeypatch.setattr(command_line, "app", absent)
    code, out, err = run("simulate")
    assert (code, out) == (2, "")
    assert err.endswith(f"{told}\n")
    assert err.count("\n") == 1


def test_a_broken_base_is_told_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """With every extra here, what is missing is of the base; a module of ours is our error."""

    def absent(name: str) -> None:
        def call(*_: object, **__: object) -> None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

        monkeypatch.setattr(command_line, "app", call)

    monkeypatch.setattr(command_line, "lacking", lambda _: [])
    absent("anything")
    code, _, err = run("simulate")
    assert (code, "install bpdemo again" in err) == (2, True)
    absent("bpdemo.nowhere")
    with pytest.raises(ModuleNotFoundError):
        command_line.main()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("simulate", "--rate", "0"), "--rate must be a number from"),
        (("simulate", "--rate", "1.5", "--scenario", "closed"), "--rate of a closed load"),
        (("simulate", "--seconds", "0"), "--seconds must be a number from"),
        (("simulate", "--scenario", "flood"), "--scenario must be one of"),
        (("simulate", "--json", "/no/such/folder/run.json"), "--json: /no/such/folder"),
        (("simulate", "--set", "seed=abc"), "seed: "),
        (("load", "--url", "http://127.0.0.1:1", "--user", "/no/file.py"), "--user: there is no"),
        (("load", "--url", "127.0.0.1:8000"), "--url: "),
        (("load", "--url", "http://127.0.0.1:1", "--json-body", "{}"), "--json-body: belongs to"),
        (("judge", "a:b", "--client-timeout-ms", "0"), "--client-timeout-ms must be"),
        (("demo", "--seconds", "1"), "--seconds must be a number from 3"),
        (("worker", "--name", "a"), "database_url: a worker needs the address of the database"),
        (("worker", "--name", "\n", "--set", "database_url=postgresql://h/d"), "--name: "),
        (("simulat",), "No such command 'simulat'. Did you mean 'simulate'? Try: bpdemo --help"),
    ],
)
def test_an_error_begins_with_the_option_as_it_is_typed(
    words: tuple[str, ...], told: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not with the name that it has within; what is a setting keeps its own."""
    monkeypatch.delenv("BPDEMO_DATABASE_URL", raising=False)
    monkeypatch.delenv("BPDEMO_STORE", raising=False)
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert err.startswith(f"bpdemo: {told}")


def test_an_unknown_setting_is_answered_with_all_names(run: Run) -> None:
    """No service need run to ask it for them."""
    code, _, err = run("simulate", "--set", "zzz=1")
    assert code == 2
    assert "GET" not in err
    assert all(name in err for name in Settings.model_fields)


def test_an_application_that_is_not_here_is_a_wrong_argument(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told where to run the judge instead."""
    monkeypatch.chdir(tmp_path)
    code, _, err = run("judge", "no_such_shop:app")
    assert code == 2
    assert err.startswith("bpdemo: target: there is no module 'no_such_shop' in ")
    assert err.endswith("run it in the folder where no_such_shop.py is\n")
