"""`bpdemo lab`: the course in a folder of the learner's, opened in JupyterLab."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Final

import bpdemo
from bpdemo.core.environment import own_environment

PACKAGE: Final = Path(bpdemo.__file__).parent
START: Final = "notebooks/00_start_here.ipynb"
#: What is laid out: the folder of the course, and the learner's own name for it.
LAID_OUT: Final = {"notebooks": "notebooks", "exercises": "my-work"}
START_S: Final = 60.0


def run_lab(
    folder: Path, port: int, browser: bool, in_place: bool, say: Callable[[str], object]
) -> int:
    """Lay the course out, unless `in_place`, and serve it until it is stopped; the exit code of
    JupyterLab. ValueError if the folder cannot be written."""
    try:
        if not in_place:
            lay_out(folder)
        return _serve(folder.resolve(), free_port(port), browser, say)
    except OSError as error:
        raise ValueError(f"folder: {folder}: {error.strerror or error}") from None


def lay_out(folder: Path) -> None:
    """Copy what is not there yet. What is there already is never touched."""
    for name, own_name in LAID_OUT.items():
        source = course_home() / name
        for path in sorted(source.rglob("*")):
            inside = path.relative_to(source)
            target = folder / own_name / inside
            if not path.is_file() or target.exists() or _is_hidden(inside):
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            # Half a copy, on a full disk, would be taken for the learner's own the next time.
            whole = target.with_name(f"{target.name}.part")
            shutil.copyfile(path, whole)
            whole.replace(target)


def course_home() -> Path:
    """Inside the package, as the wheel has it; in a checkout beside the package."""
    packed = PACKAGE / "course"
    return packed if packed.is_dir() else PACKAGE.parent


def free_port(preferred: int) -> int:
    """That one or one of the twenty after it, else any."""
    for port in (*range(preferred, min(preferred + 20, 65536)), 0):
        try:
            with socket.create_server(("127.0.0.1", port)) as server:
                return int(server.getsockname()[1])
        except OSError:
            continue
    return preferred


def jupyter_environment(folder: Path, token: str) -> dict[str, str]:
    """Jupyter's and IPython's folders are the workshop's own, so that the machine's other Jupyters
    neither steer it nor are changed. The token goes by the environment, where others cannot see
    it."""
    own = folder / ".jupyter"
    folders = {
        "JUPYTER_CONFIG_DIR": own / "config",
        "JUPYTER_DATA_DIR": own / "data",
        "JUPYTER_RUNTIME_DIR": own / "runtime",
        "IPYTHONDIR": own / "ipython",
    }
    for each in folders.values():
        each.mkdir(parents=True, exist_ok=True)
    named = {name: str(path) for name, path in folders.items()}
    return own_environment(named | {"JUPYTER_TOKEN": token, "JUPYTER_PREFER_ENV_PATH": "1"})


def _serve(folder: Path, port: int, browser: bool, say: Callable[[str], object]) -> int:
    token = secrets.token_hex(24)
    command = [sys.executable, "-m", "bpdemo.lab.jupyter_alone", "--no-browser", "-y"]
    command += ["--log-level=WARN", "--LabApp.log_level=WARN", "--ServerApp.port_retries=0"]
    command += ["--LanguageServerManager.autodetect=False"]
    command += ["--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"]
    command += [f"--ServerApp.root_dir={folder}"]
    command += ["--allow-root"] if getattr(os, "geteuid", lambda: 1)() == 0 else []
    say("Starting JupyterLab ...")
    server = subprocess.Popen(command, cwd=folder, env=jupyter_environment(folder, token))

    def stop(*_: object) -> None:
        if os.name != "nt":  # there the console has told the server already
            server.terminate()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    if _answers(server, port):
        page = f"/tree/{START}" if (folder / START).exists() else ""
        address = f"http://127.0.0.1:{port}/lab{page}?token={token}"
        say(f"\nThe workshop is open at\n\n    {address}\n\nCtrl-C here closes it.\n")
        if browser:
            webbrowser.open(address)
    return server.wait()


def _answers(server: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until it answers; False if it has ended, or says nothing for a minute."""
    asked = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    give_up_s = time.monotonic() + START_S
    while server.poll() is None and time.monotonic() < give_up_s:
        try:
            with asked.open(f"http://127.0.0.1:{port}/api", timeout=2):
                return True
        except (OSError, urllib.error.URLError):
            time.sleep(0.1)
    return False


def _is_hidden(inside: Path) -> bool:
    return any(part.startswith(".") for part in inside.parts)
