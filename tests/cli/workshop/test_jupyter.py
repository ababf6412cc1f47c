"""What JupyterLab is started with: folders, a token and limits of the workshop's own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bpdemo.cli.workshop import jupyter
from bpdemo.core.open_files import OPEN_FILES, raise_open_files

OWN = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")


@pytest.mark.parametrize("place", ["beside the course", "in the folder's own environment"])
def test_its_folders_are_its_own(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None that the machine's other Jupyters have, and no token, address or path of theirs."""
    own = tmp_path / ".jupyter"
    if place != "beside the course":
        monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
        own = tmp_path / ".venv" / "jupyter"
    for name in (*OWN, "JUPYTER_TOKEN", "JUPYTER_PATH", "JUPYTER_CONFIG_PATH", "PYTHONSTARTUP"):
        monkeypatch.setenv(name, "theirs")
    given = jupyter.jupyter_environment(tmp_path, "secret")
    assert {Path(given[name]).parent for name in OWN} == {own}
    assert all(Path(given[name]).is_dir() for name in OWN)
    assert given["JUPYTER_TOKEN"] == "secret"
    assert "theirs" not in given.values()


@pytest.mark.parametrize("path", [None, "", "/usr/bin"])
def test_terminals_find_the_command(
    path: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The programs of this Python come first, whatever the machine's PATH is."""
    if path is None:
        monkeypatch.delenv("PATH")
    else:
        monkeypatch.setenv("PATH", path)
    found = jupyter.jupyter_environment(tmp_path, "secret")["PATH"].split(os.pathsep)
    assert found == [str(Path(sys.executable).parent), *([path] if path else [])]


def test_the_limit_on_open_files_is_raised_before_it_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its kernels inherit it. The token is no word of the command, which others can read."""
    events: list[Any] = []
    monkeypatch.setattr(jupyter, "raise_open_files", lambda: events.append("raised"))
    monkeypatch.setattr(subprocess, "Popen", lambda command, **how: events.append((command, how)))
    jupyter.start_jupyter(tmp_path, 8888, "secret")
    assert events[0] == "raised"
    command, how = events[1]
    assert how["env"]["JUPYTER_TOKEN"] == "secret"
    assert not any("secret" in word for word in command)
    assert f"--ServerApp.root_dir={tmp_path}" in command


@pytest.mark.skipif(sys.platform == "win32", reason="no such limit there")
@pytest.mark.parametrize(("soft", "hard"), [(256, -1), (1024, 4096), (20_000, -1), (-1, -1)])
def test_a_limit_is_raised_and_never_lowered(
    soft: int, hard: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To what a storm needs, or to the hard limit if that is lower."""
    import resource

    raised: list[int] = []
    monkeypatch.setattr(resource, "RLIM_INFINITY", -1)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: raised.append(limits[0]))
    was, now = raise_open_files()
    wanted = OPEN_FILES if hard == -1 else hard
    assert raised == ([wanted] if 0 <= soft < wanted else [])
    assert (was, now) == ((None, None) if soft == -1 else (soft, max(soft, wanted)))


def test_jupyterlab_asks_nothing_about_news_and_saves_often(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """JupyterLab's own reader of settings finds it in the folder, in both ways in."""
    from jupyterlab_server.settings_utils import _get_overrides

    from bpdemo.lab.jupyter_alone import set_defaults

    monkeypatch.setenv("JUPYTER_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("JUPYTER_NO_CONFIG", "")
    plugin = "@jupyterlab/apputils-extension:notification"
    (tmp_path / "settings").mkdir()
    before, _ = _get_overrides(str(tmp_path / "settings"))
    set_defaults()
    overrides, error = _get_overrides(str(tmp_path / "settings"))
    assert not error
    assert plugin not in before
    assert overrides[plugin] == {"fetchNews": "false", "checkForUpdates": False}
    assert 0 < overrides["@jupyterlab/docmanager-extension:plugin"]["autosaveInterval"] <= 30
    # Else the names of all lessons are cut.
    assert not overrides["@jupyterlab/filebrowser-extension:browser"]["showLastModifiedColumn"]
    written = list(tmp_path.rglob("*.json"))
    assert [json.loads(path.read_text("utf-8")) for path in written] == [overrides]


def test_jupyter_reads_no_configuration_of_the_whole_system(tmp_path: Path) -> None:
    """/etc/jupyter has no variable that would lead elsewhere."""
    code = (
        "from bpdemo.lab.jupyter_alone import forget_the_system, paths; forget_the_system();"
        "print(*paths.jupyter_config_path(), *paths.jupyter_path(), sep='\\n')"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"JUPYTER_CONFIG_DIR": str(tmp_path), "JUPYTER_DATA_DIR": str(tmp_path)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    folders = {Path(line) for line in shown.stdout.splitlines()}
    assert folders == {tmp_path, Path(sys.prefix, "etc/jupyter"), Path(sys.prefix, "share/jupyter")}
