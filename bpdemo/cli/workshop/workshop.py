"""The workshop from its first file to Ctrl-C: laid out, served, and opened in the browser."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bpdemo.cli.workshop.course import hand_out_exercises, lay_out
from bpdemo.cli.workshop.jupyter import free_port, start_jupyter

START: Final = "notebooks/00_start_here.ipynb"
START_S: Final = 60.0


def run_lab(
    folder: Path, port: int, browser: bool, in_place: bool, say: Callable[[str], object]
) -> int:
    """Lay the course out and serve it until it is stopped; the exit code of JupyterLab.

    `in_place`: the folder is the course already, and only its exercises are handed out.
    ValueError if the folder cannot be written.
    """
    try:
        if in_place:
            hand_out_exercises(folder / "exercises", folder / "my-work", say)
        else:
            lay_out(folder, say)
        return _serve(folder.resolve(), free_port(port), browser and has_display(), say)
    except OSError as error:
        where = error.filename or folder
        raise ValueError(f"folder: {where}: {error.strerror or error}") from None


def has_display() -> bool:
    """Whether a browser could open. Without one some systems open a text browser in its place,
    which takes the terminal."""
    windowed = sys.platform in ("win32", "darwin")
    return windowed or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _serve(folder: Path, port: int, browser: bool, say: Callable[[str], object]) -> int:
    token = secrets.token_hex(24)
    say("Starting JupyterLab ...")
    server = start_jupyter(folder, port, token)

    def stop(*_: object) -> None:
        if os.name != "nt":  # there the console has told the server already
            server.terminate()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    if _is_up(server, port):
        page = f"/tree/{START}" if (folder / START).exists() else ""
        address = f"http://127.0.0.1:{port}/lab{page}?token={token}"
        say(f"\nThe workshop is open at\n\n    {address}\n\nCtrl-C here closes it.\n")
        if browser:
            webbrowser.open(address)
    code = server.wait()
    return code if code >= 0 else 128 - code  # as a shell tells the end by a signal


def _is_up(server: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until it answers; False if it has ended. One that says nothing for a minute counts as
    up: its address is of more use than silence."""
    asked = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    give_up_s = time.monotonic() + START_S
    while server.poll() is None and time.monotonic() < give_up_s:
        try:
            with asked.open(f"http://127.0.0.1:{port}/api", timeout=2):
                break
        except (OSError, urllib.error.URLError):
            time.sleep(0.1)
    return server.poll() is None
