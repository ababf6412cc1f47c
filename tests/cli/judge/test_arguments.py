"""What cannot be judged is told in one line that names it, before any load is sent."""

from pathlib import Path

import pytest

from bpdemo.cli.judge.trials import Trials
from tests.load.stub import StubServer
from tests.support.command import Run

REQUEST = ("--request", "POST /pay")
OUT_OF_RANGE = "--client-timeout-ms must be a number from 1 to 3.6e+06, not"
UNNAMED = "neither an application, such as shop:app, nor an address, such as http://127.0.0.1:8000"
#: What is said instead of a target that is there, and of a service's own arguments.
TARGETS = [
    ("", f"target: '' is {UNNAMED}"),
    ("shop", f"target: 'shop' is {UNNAMED}"),
    (":app", f"target: ':app' is {UNNAMED}"),
    ("shop:", f"target: 'shop:' is {UNNAMED}"),
    ("shop.py:app:x", f"target: 'shop.py:app:x' is {UNNAMED}"),
    ("localhost:8000", f"target: 'localhost:8000' is {UNNAMED}"),
    ("127.0.0.1:8000", f"target: '127.0.0.1:8000' is {UNNAMED}"),
    ("ftp://127.0.0.1", f"target: 'ftp://127.0.0.1' is {UNNAMED}"),
    ("HTTP://127.0.0.1:1", "url: nothing answers at http://127.0.0.1:1"),
    ("http://127.0.0.1:99999", "url: 'http://127.0.0.1:99999' is not an address"),
    ("http://", "url: 'http://' is not an address"),
    ("http://[::1", "url: 'http://[::1' is not an address"),
    ("http://127.0.0.1:1?x=1", "url: 'http://127.0.0.1:1?x=1' is more than a service's address"),
    ("http://10.1.2.3", "10.1.2.3 is not on this machine"),
]
ARGUMENTS = [
    *[(("--client-timeout-ms", t), OUT_OF_RANGE) for t in ("0", "-1", "nan", "inf", "1e9")],
    (("--client-timeout-ms", "soon"), "--client-timeout-ms: 'soon' is not a number"),
    (("--out", "a_file"), "out: a_file is not a folder"),
    (("--out", "a_file/below"), "out: a_file/below cannot be written to (Not a directory)"),
    (("--request", ""), "request: '' is not a method and a path"),
    (("--request", "POST"), "request: 'POST' is not a method and a path"),
    (("--request", "POST pay"), "path: 'pay' must begin with /"),
    (("--request", "P@ST /pay"), "method: 'P@ST' cannot stand in a request"),
    (("--request", "GET /{id}"), "vary: {id} is asked for"),
    ((*REQUEST, "--json-body", "{"), "json-body: '{' is not JSON"),
    ((*REQUEST, "--json-body", "1", "--body-file", "a_file"), "--json-body or --body-file"),
    ((*REQUEST, "--body-file", "gone"), "gone: No such file or directory"),
    ((*REQUEST, "--header", "X"), "header: 'X' is not 'NAME: VALUE'"),
    ((*REQUEST, "--header", ": x"), "--header: '' cannot stand in a request"),
    ((*REQUEST, "--header", "Content-Length: 3"), "--header: Content-Length follows from the body"),
    (("--json-body", "{}"), "json-body: belongs to --request"),
    (("--header", "A: b"), "header: belongs to --request"),
    (("--nope",), "No such option: --nope"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _no_load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def went_on(trials: Trials) -> None:
        pytest.fail("a load would have been sent")

    monkeypatch.setattr(Trials, "run", went_on)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a_file").touch()


def require_one_line(told: tuple[int, str, str], words: str) -> None:
    code, _, err = told
    assert code == 2, err
    assert words in err
    assert err.startswith("bpdemo: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(("target", "words"), TARGETS)
def test_a_target_that_is_none(run: Run, target: str, words: str, tmp_path: Path) -> None:
    """Exit code 2, and no folder for a report."""
    require_one_line(run("judge", target, "--out", "r"), words)
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(("arguments", "words"), ARGUMENTS)
def test_an_argument_that_cannot_be(run: Run, arguments: tuple[str, ...], words: str) -> None:
    """Exit code 2, the argument and what is wrong with it."""
    with StubServer() as server:
        require_one_line(run("judge", server.url, *arguments), words)
        assert server.orders == 0
