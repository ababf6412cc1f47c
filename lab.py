"""Set up the workshop and open it in JupyterLab; needs Python 3.11+ and nothing else.

    python lab.py                 what `make lab` does, where there is no make
    python lab.py --setup-only    make or refresh .venv, and stop there

Everything lives in this folder: .venv (the environment) and my-work/ (your answers).
With a folder wheelhouse/ beside this file the setup needs no network.
"""
# Old Pythons must get as far as `check_machine`, so the syntax here is that of Python 3.6.

import argparse
import hashlib
import http.client
import importlib.util
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import webbrowser
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
STAMP = VENV / "bpdemo-setup.txt"
LOG = VENV / "bpdemo-setup.log"
REQUIREMENTS = ROOT / "requirements.txt"
WHEELHOUSE = ROOT / "wheelhouse"
START = "notebooks/00_start_here.ipynb"
PORT_MAX = 65535
OPEN_FILES = 10000  # as many as `bpdemo doctor` asks for
NO_NEWS = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}
}
FOUND = ("Collecting ", "Processing ")  # how pip begins a line for a package, or for its file
NETWORK_TROUBLE = ("connection", "proxyerror", "max retries", "timed out", "resolve", "sslerror")


def say(line: str) -> None:
    print(line.ljust(60), flush=True)  # the padding wipes out a progress line


def fail(what: str, what_next: str) -> None:
    """Say what went wrong and what to do about it, and end with exit code 2."""
    print(f"lab.py: {what}\n  What to do: {what_next}", file=sys.stderr, flush=True)
    raise SystemExit(2)


def check_python() -> None:
    if sys.version_info < (3, 11):
        have = "{}.{}".format(*sys.version_info)
        what = f"this is Python {have}; the workshop needs 3.11 or newer."
        fail(what, "install one from python.org, then run it by its name: python3.13 lab.py")


def check_machine() -> None:
    if not all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")):
        what = "this Python cannot make environments (its venv or ensurepip is missing)."
        fail(what, "Debian, Ubuntu: apt install python3-venv; elsewhere Python from python.org")
    try:
        tempfile.TemporaryFile(dir=str(ROOT)).close()
    except OSError as error:
        what = f"cannot write in {ROOT} ({error.strerror})."
        fail(what, "copy the folder to one of your own, in your home, and run it there")


# --- the environment


def fingerprint() -> str:
    """What the environment is made from; the folder too, for an environment cannot be moved."""
    made_from = REQUIREMENTS.read_bytes() + (ROOT / "pyproject.toml").read_bytes()
    return f"{ROOT}\n{hashlib.sha256(made_from).hexdigest()}\n"


def setup() -> None:
    """Make .venv as requirements.txt and pyproject.toml want it; nothing to do is quick."""
    stamp = STAMP.read_text(encoding="utf-8") if STAMP.exists() else ""
    if PYTHON.exists() and stamp == fingerprint():
        return
    check_machine()
    moved = bool(stamp) and stamp.splitlines()[0] != str(ROOT)
    if moved or not has_pip():
        make_venv()
    install()
    switch_off_news()
    STAMP.write_text(fingerprint(), encoding="utf-8")
    say("The environment is ready.")


def has_pip() -> bool:
    """An environment whose making was interrupted has a Python, but no pip."""
    probe = [str(PYTHON), "-m", "pip", "--version"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return PYTHON.exists() and subprocess.run(probe, check=False, **quiet).returncode == 0


def make_venv() -> None:
    say(f"Making the environment {VENV.name} with Python {sys.version.split()[0]} ...")
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=False)
    if made.returncode:
        what = "the environment could not be made; the reason stands above."
        fail(what, f"remove the folder {VENV.name}, look for free space on the disk, and try again")


def install() -> None:
    lines = REQUIREMENTS.read_text(encoding="utf-8").splitlines()
    wanted = sum(bool(line) and not line.lstrip().startswith("#") for line in lines)
    where = "wheelhouse/, with no network" if WHEELHOUSE.is_dir() else "the package index"
    say(f"Installing up to {wanted} packages from {where}; a minute or two, once ...")
    pip("-r", str(REQUIREMENTS))
    pip("--no-deps", "--no-build-isolation", "-e", str(ROOT))


def pip(*arguments: str) -> None:
    """Run `pip install` in .venv, tell how far it is, and keep its words in the log."""
    source = ["--no-index", "--find-links", str(WHEELHOUSE)] if WHEELHOUSE.is_dir() else []
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check"]
    command += ["--no-input", "--progress-bar", "off", *source, *arguments]
    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "universal_newlines": True}
    with LOG.open("w", encoding="utf-8") as log:
        process = subprocess.Popen(command, errors="replace", **pipe)
        found = 0
        for line in process.stdout:
            log.write(line)
            found += line.startswith(FOUND)
            report(line, found)
    if process.wait():
        explain(LOG.read_text(encoding="utf-8"))


def report(line: str, found: int) -> None:
    live = sys.stdout.isatty()
    if line.startswith(FOUND) and (live or found % 20 == 0):
        name = Path(line.split()[1]).name[:30]
        print(f"  {found} found, now {name}".ljust(60), end="\r" if live else "\n", flush=True)
    elif line.startswith("Installing collected packages") and "," in line:
        say(f"  unpacking {line.count(',') + 1}; this is silent for a while ...")
    elif "Retrying" in line:
        say("  the package index does not answer, trying again ...")


def explain(output: str) -> None:
    """Turn pip's failure into one sentence and a next step."""
    errors = [line[7:] for line in output.splitlines() if line.lower().startswith("error: ")]
    reason = errors[-1] if errors else (output.splitlines() or ["pip gave no reason"])[-1]
    if WHEELHOUSE.is_dir():
        python = "{}.{}".format(*sys.version_info)
        hint = f"make wheelhouse/ again for this system and Python {python}, or move it away"
    elif any(word in output.lower() for word in NETWORK_TROUBLE):
        reason = "the package index cannot be reached"
        hint = "check the network; behind a proxy set HTTPS_PROXY; or bring a folder wheelhouse/"
    else:
        hint = "the packages are made for 64-bit Python 3.11, 3.12 and 3.13: try one of them"
    fail(f"installing failed: {reason}.", f"{hint} (all of pip's words: {LOG})")


def switch_off_news() -> None:
    """JupyterLab asks about news at its first start; in a workshop that is in the way."""
    overrides = VENV / "share" / "jupyter" / "lab" / "settings" / "overrides.json"
    overrides.parent.mkdir(parents=True, exist_ok=True)
    overrides.write_text(json.dumps(NO_NEWS, indent=2) + "\n", encoding="utf-8")


# --- JupyterLab


def hand_out_exercises() -> None:
    """Copy into my-work/ what is not there yet; what the learner has is never touched."""
    source = ROOT / "exercises"
    for path in source.rglob("*"):
        target = ROOT / "my-work" / path.relative_to(source)
        if path.is_file() and ".ipynb_checkpoints" not in path.parts and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(str(path), str(target))


def free_port(preferred: int) -> int:
    for port in (*range(preferred, min(preferred + 20, PORT_MAX + 1)), 0):
        try:
            with socket.create_server(("127.0.0.1", port)) as server:
                return server.getsockname()[1]
        except OSError:
            continue
    return preferred


def has_display() -> bool:
    windowed = sys.platform in ("win32", "darwin")
    return windowed or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def launch(port: int, browser: bool) -> int:
    """Run JupyterLab until it is stopped, and give its exit code."""
    token = secrets.token_hex(24)
    page = f"/tree/{START}" if (ROOT / START).exists() else ""
    address = f"http://127.0.0.1:{port}/lab{page}?token={token}"
    say("Starting JupyterLab ...")
    server = start_jupyter(port, token)
    wait_until_ready(server, port)
    say(f"\nThe workshop is open at\n\n    {address}\n\nCtrl-C here closes it.\n")
    if browser:
        webbrowser.open(address)
    return server.wait()


def raise_open_files() -> None:
    """A storm of ten times capacity needs more sockets than many systems allow at first."""
    if os.name == "nt":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def start_jupyter(port: int, token: str) -> "subprocess.Popen":
    raise_open_files()  # kernels inherit it
    # The token goes by the environment, where other users of the machine cannot read it.
    env = {**os.environ, "JUPYTER_TOKEN": token, "VIRTUAL_ENV": str(VENV)}
    env["PATH"] = str(BIN) + os.pathsep + env.get("PATH", "")  # `bpdemo` in Lab's terminals
    command = [str(PYTHON), "-m", "jupyterlab", "--no-browser", "-y", "--log-level=WARN"]
    command += ["--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"]
    command += ["--ServerApp.port_retries=0", f"--ServerApp.root_dir={ROOT}"]
    command += ["--allow-root"] if getattr(os, "geteuid", lambda: 1)() == 0 else []
    server = subprocess.Popen(command, cwd=str(ROOT), env=env)

    def stop(*_: object) -> None:
        if os.name != "nt":  # there the console has told the server already
            server.terminate()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    return server


def wait_until_ready(server: "subprocess.Popen", port: int) -> None:
    give_up_at = time.monotonic() + 60
    while time.monotonic() < give_up_at:
        if server.poll() is not None:
            raise SystemExit(server.returncode)  # it has said why, or was stopped
        try:
            probe = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
            probe.request("GET", "/api")
            probe.getresponse().read()
            return
        except OSError:
            time.sleep(0.1)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="lab.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--setup-only", action="store_true", help="only make or refresh .venv")
    parser.add_argument("--port", type=int, default=8888, help="the port to try first (8888)")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    options = parser.parse_args()
    if not 0 <= options.port <= PORT_MAX:
        parser.exit(2, f"lab.py: --port {options.port} is none from 0 to {PORT_MAX}\n")
    check_python()
    setup()
    if options.setup_only:
        return 0
    hand_out_exercises()
    return launch(free_port(options.port), has_display() and not options.no_browser)


if __name__ == "__main__":
    sys.exit(main())
