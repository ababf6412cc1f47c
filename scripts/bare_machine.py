"""Do what README says under *Start*, on a machine that has nothing: `make bare-machine`.

    python scripts/bare_machine.py
    python scripts/bare_machine.py --mirror http://mirror.example/debian

The machine is a fresh Debian in a folder, with Python 3.13, its venv and make, and no more. A user
without rights gets a copy of this folder, as git has it, and types `make lab`: JupyterLab must come
up, offer lesson 00, and end by Ctrl-C. Then they type `make demo`, which must end well.

Needs Linux, root and debootstrap. Leaves nothing but the archive of the Debian, in build/debian.
Exit code 0: both did. 1: one of them did not. 2: it cannot be tried here.
"""

from __future__ import annotations

import argparse
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from scripts import debian  # noqa: E402
from scripts.debian import Failed  # noqa: E402

LEARNER: Final = "learner"
LEARNER_ID: Final = 1000
LESSON: Final = "00_start_here.ipynb"
ADDRESS: Final = re.compile(r"(http://127\.0\.0\.1:\d+)/lab\S*\?token=(\w+)")
INSTALL_S: Final = 1800.0
STOP_S: Final = 60.0


class Typed:
    """A command as the learner types it, its lines as they come."""

    def __init__(self, command: Sequence[str], environment: dict[str, str]) -> None:
        self.said: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._began_s = time.monotonic()
        self._process = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, encoding="utf-8", errors="replace", start_new_session=True,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._lines.put(line)
        self._lines.put(None)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began_s

    def until(self, wanted: re.Pattern[str] | None, within_s: float) -> re.Match[str] | None:
        """The first line with what is wanted; None at its end. `Failed` if it takes longer."""
        give_up_s = time.monotonic() + within_s
        while True:
            try:
                line = self._lines.get(timeout=max(0.0, give_up_s - time.monotonic()))
            except queue.Empty as why:
                raise Failed(f"nothing came of it within {within_s:.0f} s\n{self.last}") from why
            if line is None:
                return None
            self.said.append(line)
            if wanted and (found := wanted.search(line)):
                return found

    @property
    def last(self) -> str:
        return "".join(self.said[-15:]).rstrip()

    def interrupt(self) -> None:
        """As Ctrl-C in a terminal does: all of them are told."""
        os.killpg(self._process.pid, signal.SIGINT)

    def over(self, within_s: float) -> int:
        self.until(None, within_s)
        return self._process.wait(within_s)

    def kill(self) -> None:
        """With the first process of its namespace end all others there."""
        self._process.kill()
        self._process.wait()
        self._reader.join(STOP_S)


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/bare_machine.py", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--mirror", default="", help="of Debian (the one debootstrap takes)")
    options = parser.parse_args(arguments)
    return debian.exit_code("bare_machine", lambda: attempt(options.mirror))


def attempt(mirror: str) -> None:
    debian.needs("a bare machine", "debootstrap", "unshare", "git")
    with debian.workplace("bare-machine") as folder:
        tried(folder, mirror)


def tried(folder: Path, mirror: str) -> None:
    began_s = time.monotonic()
    root = debian.unpack(debian.archive(mirror), folder / "root")
    version = in_root(root, "python3", "--version").strip()
    say(f"Debian {debian.RELEASE} with {version} after {time.monotonic() - began_s:.0f} s")
    hand_out(root)
    settings = debian.index_settings()
    environment = {
        "HOME": f"/home/{LEARNER}",
        "USER": LEARNER,
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        **debian.as_variables(settings, os.environ),
    }

    def typed(line: str) -> Typed:
        there = f"cd ~/bpdemo && {line}"
        return Typed(debian.as_user(root, LEARNER, there, debian.places_of(settings)), environment)

    lab_opens(typed("make lab"), "for the first time, with all that is installed")
    lab_opens(typed("make lab"), "for the second time")
    demo_ends_well(typed("make demo"))


def hand_out(root: Path) -> None:
    """The learner, and their copy of what git has of this folder, as it stands here."""
    in_root(root, "useradd", "--create-home", "--uid", str(LEARNER_ID), LEARNER)
    shutil.copy("/etc/hosts", root / "etc/hosts")
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    clone = root / "home" / LEARNER / "bpdemo"
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    for name in listed.rstrip("\0").split("\0"):
        if (ROOT / name).exists():  # it may be about to be removed
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, clone / name)
    subprocess.run(["chown", "-R", f"{LEARNER_ID}:{LEARNER_ID}", str(clone)], check=True)


def in_root(root: Path, *command: str) -> str:
    return subprocess.run(
        ["chroot", str(root), *command], capture_output=True, text=True, check=True
    ).stdout


def lab_opens(typed: Typed, which: str) -> None:
    """It tells its address; the lesson is there; Ctrl-C ends it."""
    try:
        found = typed.until(ADDRESS, INSTALL_S)
        if found is None:
            raise Failed(f"make lab ended:\n{typed.last}")
        seconds = typed.seconds
        ask(f"{found[1]}/api/contents/notebooks/{LESSON}?content=0&token={found[2]}")
        typed.interrupt()
        code = typed.over(STOP_S)
        # make tells an end by a signal as an error of its own.
        say(f"make lab, {which}: {LESSON} is there after {seconds:.0f} s; Ctrl-C ends it ({code})")
    finally:
        typed.kill()


def ask(address: str) -> None:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(address, timeout=30) as answer:
        answer.read()


def demo_ends_well(typed: Typed) -> None:
    try:
        code = typed.over(INSTALL_S)
        if code:
            raise Failed(f"make demo ended with {code}:\n{typed.last}")
        say(f"make demo: ended well after {typed.seconds:.0f} s")
        say("\n".join(f"    {line}" for line in typed.last.splitlines()[-6:]))
    finally:
        typed.kill()


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
