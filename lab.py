"""Set up the workshop and open it in JupyterLab; needs Python 3.11+ and nothing else.

    python lab.py                 what `make lab` does, where there is no make
    python lab.py --setup-only    make or refresh .venv, and stop there
    python lab.py --dev           the same, with the tools for changing the workshop

Everything lives in this folder: .venv (the environment) and my-work/ (your answers).
With a folder wheelhouse/ beside this file the setup needs no network; else uv installs the packages
where this machine has it, and pip where not. What this machine has
configured for other Pythons, Jupyters and pips is left aside; of pip's settings those are obeyed
that tell how to reach the package index.
"""
# Old Pythons must get as far as `check_machine`, so the syntax here is that of Python 3.6.

import argparse
import errno
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import typing
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
STAMP = VENV / "bpdemo-setup.txt"
LOG = VENV / "bpdemo-setup.log"
REQUIREMENTS = ROOT / "requirements.txt"
PYPROJECT = ROOT / "pyproject.toml"
REQUIREMENTS_DEV = ROOT / "requirements-dev.txt"
WHEELHOUSE = ROOT / "wheelhouse"
PORT_MAX = 65535
FOUND = ("Collecting ", "Processing ")  # how pip begins a line for a package, or for its file
UNPACKING = "Installing collected packages"
EVERY_S = 2.0  # how often a long step says on a terminal how far it is; in a log five times as long
#: How the names of variables begin that are meant for other programs.
FOREIGN = (
    "PYTHON",
    "PIP_",
    "UV_",
    "JUPYTER",
    "IPYTHON",
    "PLOTLY_",
    "LOCUST_",
    "GEVENT",
    "PROMETHEUS_",
    "PG",
)
#: The settings of pip that tell how the package index is reached; all others change what an
#: installation does, or where it goes.
REACHING = (
    *("index-url", "extra-index-url", "find-links", "no-index", "trusted-host", "proxy"),
    *(
        "cert",
        "client-cert",
        "keyring-provider",
        "retries",
        "timeout",
        "default-timeout",
        "cache-dir",
    ),
)
#: What of them uv takes, by its own name for it; a machine with any other is left to pip.
REACHING_UV = {
    "index-url": "UV_INDEX_URL",
    "extra-index-url": "UV_EXTRA_INDEX_URL",
    "trusted-host": "UV_INSECURE_HOST",
    "find-links": "UV_FIND_LINKS",
    "proxy": "ALL_PROXY",
    "cert": "SSL_CERT_FILE",
    "timeout": "UV_HTTP_TIMEOUT",
    "default-timeout": "UV_HTTP_TIMEOUT",
    "retries": "UV_HTTP_RETRIES",
}
#: What uv itself is told about that; the rest of its settings is for other environments.
OWN_OF_UV = (
    *("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_INSECURE_HOST"),
    *("UV_FIND_LINKS", "UV_HTTP_RETRIES"),
    *("UV_NATIVE_TLS", "UV_SYSTEM_CERTS", "UV_HTTP_TIMEOUT", "UV_KEYRING_PROVIDER"),
    "UV_CACHE_DIR",
)
#: Not by `pip config list`, which is itself steered by what it lists: `user = true` hides all the
#: rest. Newer pips tell the settings by file.
ASK_PIP = """
import json
from pip._internal.configuration import Configuration
configured, told = Configuration(isolated=False), {}
configured.load()
for name, value in configured.items():
    told.update(value if isinstance(value, dict) else {name: value})
print(json.dumps(told))
"""
DISK = "free some space on the disk, then run this again"
RIGHTS = "copy the folder to one of your own, in your home, and run it there"
#: What pip says, what it means, and what to do about it. The first that fits; the last one also
#: comes after each of the others that kept pip from reading the index.
CAUSES = (
    (
        ("no space left", "errno 28", "disk quota", "not enough space on the disk"),
        "the disk is full",
        DISK,
    ),
    (
        (
            "permission denied",
            "errno 13",
            "access is denied",
            "winerror 5",
            "read-only file system",
        ),
        "something in this folder may not be written",
        RIGHTS,
    ),
    (
        (
            *("401 client error", "403 client error", "407 client error", "401 unauthorized"),
            *("http error 401", "http error 403", "http error 407", "403 forbidden"),
            *("proxy authentication required", "tunnel connection failed: 40"),
        ),
        "the package index refuses to answer",
        "it wants a login, or a proxy forbids it: ask those who run it, or bring wheelhouse/",
    ),
    (
        ("certificate_verify_failed", "certificate verify failed", "sslcertverif"),
        "the package index shows a certificate that this machine does not trust",
        "name your network's own authority: PIP_CERT=/path/to/its.pem; or bring wheelhouse/",
    ),
    (
        (
            *("failed to establish a new connection", "max retries exceeded", "timed out"),
            *("name resolution", "getaddrinfo", "connection refused", "connection reset"),
            *("connection aborted", "connection broken", "cannot connect to proxy", "sslerror"),
            *("network is unreachable", "no route to host", "connectionerror", "connecttimeout"),
        ),
        "the package index cannot be reached",
        "check the network; behind a proxy set HTTPS_PROXY; or bring a folder wheelhouse/",
    ),
    (
        (" server error", "error responses", "http error 50"),
        "the package index is in trouble",
        "wait a while, and run this again; or bring a folder wheelhouse/",
    ),
    (
        ("do not match the hashes",),
        "a package arrived damaged",
        "run this again with PIP_CACHE_DIR set to an empty folder",
    ),
    (
        ("no matching distribution", "could not find a version", "not a supported wheel"),
        "",
        "the packages are made for 64-bit Python 3.11, 3.12 and 3.13: try one of them",
    ),
)


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


def own_environment(**extra: str) -> "dict[str, str]":
    """The environment of what is started here, without what is meant for other programs."""
    kept = {k: v for k, v in os.environ.items() if not k.upper().startswith(FOREIGN)}
    kept.update(PYTHONUTF8="1", VIRTUAL_ENV=str(VENV), **extra)
    if not os.path.isabs(os.path.expanduser("~")):  # a user without an entry, as in a container
        kept["HOME"] = str(VENV)
    kept["PATH"] = str(BIN) + os.pathsep + kept.get("PATH", "")  # `bpdemo` in Lab's terminals
    return kept


def check_machine() -> None:
    if not all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")):
        what = "this Python cannot make environments (its venv or ensurepip is missing)."
        fail(what, "Debian, Ubuntu: apt install python3-venv; elsewhere Python from python.org")
    try:
        tempfile.TemporaryFile(dir=str(ROOT)).close()
    except OSError as error:
        what = f"cannot write in {ROOT} ({error.strerror})."
        fail(what, RIGHTS)


# --- the environment


def fingerprint(dev: bool = False) -> str:
    """What the environment is made from; the folder too, for an environment cannot be moved.

    The tools come last: an environment that has them is good for a learner, too.
    """
    made_from = digest(wanted_lines(REQUIREMENTS)) + digest(wanted_lines(PYPROJECT))
    return f"{ROOT}\n{made_from}\n" + (f"{digest(wanted_lines(REQUIREMENTS_DEV))}\n" if dev else "")


def digest(lines: "list[str]") -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def setup(dev: bool = False) -> None:
    """Make .venv as requirements.txt and pyproject.toml want it; nothing to do is quick.

    `dev` adds what requirements-dev.txt pins: the tools of the tests and checks.
    """
    stamp = STAMP.read_text(encoding="utf-8") if STAMP.exists() else ""
    if PYTHON.exists() and stamp.startswith(fingerprint(dev)):
        return
    check_machine()
    moved = bool(stamp) and stamp.splitlines()[0] != str(ROOT)
    if moved or not has_pip():
        make_venv()
    install(REQUIREMENTS_DEV if dev else REQUIREMENTS)
    STAMP.write_text(fingerprint(dev), encoding="utf-8")
    say("The environment is ready.")


def has_pip() -> bool:
    """An environment whose making was interrupted has a Python, but no pip."""
    probe = [str(PYTHON), "-m", "pip", "--version"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": own_environment()}
    return PYTHON.exists() and subprocess.run(probe, check=False, **quiet).returncode == 0


def make_venv() -> None:
    say(f"Making the environment {VENV.name} with Python {sys.version.split()[0]} ...")
    command = [sys.executable, "-m", "venv", "--clear", str(VENV)]
    with SignOfLife(lambda: "making the environment"):
        if make_with_uv(command):
            return
        made = subprocess.run(command, env=own_environment(), check=False)
    if made.returncode:
        what = "the environment could not be made; the reason stands above."
        fail(what, f"remove the folder {VENV.name}, look for free space on the disk, and try again")


def make_with_uv(command: "list[str]") -> bool:
    """The same by uv, which unpacks in a moment the pip that this Python brings along; pip itself
    takes longer for it than for all else here. False where there is no uv, no such pip, or trouble.
    """
    program, brought = shutil.which("uv"), brought_pip()
    if program is None or brought is None:
        return False
    made = subprocess.run([*command, "--without-pip"], env=own_environment(), check=False)
    return not made.returncode and run_uv(program, {}, "--offline", "--no-index", str(brought))


def brought_pip() -> "Path | None":
    """The file from which this Python installs pip; none where it is kept elsewhere."""
    found = importlib.util.find_spec("ensurepip")
    places = found.submodule_search_locations if found else None
    wheels = [path for place in places or () for path in Path(place).glob("_bundled/pip-*.whl")]
    return wheels[0] if wheels else None


def install(requirements: Path) -> None:
    """Everything that the file pins, and the workshop itself."""
    lines = wanted_lines(requirements)
    wanted = sum(bool(line) and not line.lstrip().startswith("#") for line in lines)
    where = "wheelhouse/, with no network" if WHEELHOUSE.is_dir() else "the package index"
    say(f"Installing up to {wanted} packages from {where}; a minute or two, once ...")
    by_uv = uv("-r", str(requirements))
    if not by_uv:
        pip("-r", str(requirements))
    with tempfile.TemporaryDirectory() as folder:
        itself = ("--no-deps", "--force-reinstall", str(wheel_of_this_folder(Path(folder))))
        if not (by_uv and uv(*itself)):
            pip(*itself)


def wheel_of_this_folder(into: Path) -> Path:
    """What an editable install builds: a wheel that points here. Written by hand, since the program
    that builds it, and the network that pip would fetch that from, are nothing a learner needs."""
    import tomllib  # from Python 3.11 on, which has been asked for by now

    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    name, version = project["name"], project["version"]
    head = [("Metadata-Version", "2.1"), ("Name", name), ("Version", version)]
    head += [("Requires-Python", project["requires-python"])]
    head += [("Requires-Dist", wish) for wish in project["dependencies"]]
    for extra, wishes in project.get("optional-dependencies", {}).items():
        head += [("Provides-Extra", extra)]
        head += [("Requires-Dist", f'{wish}; extra == "{extra}"') for wish in wishes]
    scripts = "".join(f"{word} = {runs}\n" for word, runs in project["scripts"].items())
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.pth": f"{ROOT}\n",
        f"{info}/METADATA": "".join(f"{key}: {value}\n" for key, value in head),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{scripts}",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in (*files, f"{info}/RECORD"))
    path = into / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(str(path), "w") as wheel:
        for inside, text in files.items():
            wheel.writestr(inside, text)
    return path


def wanted_lines(path: Path) -> "list[str]":
    """The lines of a file of requirements, with those of the files that it names by `-r`."""
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        other = line[len("-r ") :].strip() if line.startswith("-r ") else ""
        lines += wanted_lines(path.parent / other) if other else [line]
    return lines


def uv(*arguments: str) -> bool:
    """The same by uv, in a fraction of the time. False where there is none, where it cannot be told
    how the index is reached, and where it fails: then pip finds its way, or tells what is wrong."""
    program = None if WHEELHOUSE.is_dir() else shutil.which("uv")
    settings = reaching_settings() if program else {}
    settings.pop("cache-dir", None)  # of pip
    if program is None or not set(settings) <= set(REACHING_UV):
        return False
    before = unpacked()
    with SignOfLife(lambda: f"{unpacked() - before} unpacked"):
        is_done = run_uv(program, settings, *arguments)
    if not is_done:
        say("  uv could not do it; pip installs them now ...")
    return is_done


def run_uv(program: str, settings: "dict[str, str]", *arguments: str) -> bool:
    """Run `uv pip install` for .venv, and keep its words in the log; False if it fails."""
    command = [program, "pip", "install", "--no-config", "--no-progress", "--python", str(PYTHON)]
    command += ["--index-strategy", "unsafe-best-match"]  # every version is pinned; so does pip
    try:
        with LOG.open("w", encoding="utf-8") as log:
            done = subprocess.run(
                [*command, *arguments], env=uv_environment(settings), check=False,
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
    except OSError:  # something else of that name, such as a file for another system
        return False
    return not done.returncode


def uv_environment(settings: "dict[str, str]") -> "dict[str, str]":
    """Its configuration, as variables; what uv itself was told goes before what pip was told."""
    told = {REACHING_UV[name]: value for name, value in settings.items()}
    if "UV_FIND_LINKS" in told:  # the one list that has commas
        told["UV_FIND_LINKS"] = ",".join(told["UV_FIND_LINKS"].split())
    told.update({k: v for k, v in os.environ.items() if is_told_uv(k.upper())})
    return own_environment(**told)


def is_told_uv(name: str) -> bool:
    """An index that has a name may have a user and a password, each in a variable of its own."""
    login = name.startswith("UV_INDEX_") and name.endswith(("_USERNAME", "_PASSWORD"))
    return login or name in OWN_OF_UV


def pip(*arguments: str) -> None:
    """Run `pip install` in .venv, tell how far it is, and keep its words in the log."""
    source = ["--no-index", "--find-links", str(WHEELHOUSE)] if WHEELHOUSE.is_dir() else []
    command = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check"]
    command += ["--no-input", "--progress-bar", "off", *source, *arguments]
    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "encoding": "utf-8"}
    running = subprocess.Popen(command, errors="replace", env=pip_environment(), **pipe)
    before = unpacked()
    with running as process, LOG.open("w", encoding="utf-8") as log:
        found, wanted = 0, 0
        with SignOfLife(lambda: progress_of(found, wanted, unpacked() - before)):
            for line in process.stdout:
                log.write(line)
                found += line.startswith(FOUND)
                wanted = line.count(",") + 1 if line.startswith(UNPACKING) else wanted
                report(line, found)
    code = process.returncode
    if code < 0:
        fail(f"pip was ended by signal {-code}.", "close other programs, for memory, and try again")
    if code:
        explain(LOG.read_text(encoding="utf-8"))


def unpacked() -> int:
    """How many packages .venv has."""
    places = ("lib/python3.*", "Lib")  # as Linux and macOS have it, as Windows has it
    return sum(len(list(VENV.glob(f"{place}/site-packages/*.dist-info"))) for place in places)


def progress_of(found: int, wanted: int, done: int) -> str:
    return f"{min(done, wanted)} of {wanted} unpacked" if wanted else f"{found} found"


class SignOfLife:
    """While a step takes long, says now and then how far it is and how long it has taken; nothing
    at all where the step is short."""

    def __init__(self, how_far: "typing.Callable[[], str]") -> None:
        self._how_far = how_far
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._tell, daemon=True)

    def __enter__(self) -> "SignOfLife":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _tell(self) -> None:
        live, began_s = sys.stdout.isatty(), time.monotonic()
        while not self._over.wait(EVERY_S if live else 5 * EVERY_S):
            line = f"  {self._how_far()}, after {time.monotonic() - began_s:.0f} s"
            print(line.ljust(60), end="\r" if live else "\n", flush=True)


def pip_environment() -> "dict[str, str]":
    """pip's whole configuration, as variables: its files are not read a second time."""
    reaching = {} if WHEELHOUSE.is_dir() else reaching_settings()
    named = {"PIP_" + name.upper().replace("-", "_"): value for name, value in reaching.items()}
    return own_environment(PIP_CONFIG_FILE=os.devnull, **named)


def reaching_settings() -> "dict[str, str]":
    """How pip is configured to reach the index, by its files and variables. Empty if it is not, or
    if its configuration cannot be read."""
    theirs = {k: v for k, v in os.environ.items() if k.upper().startswith("PIP_")}
    asked = subprocess.run(
        [str(PYTHON), "-c", ASK_PIP], env=own_environment(**theirs), check=False,
        encoding="utf-8", errors="replace", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    told = json.loads(asked.stdout or "{}")
    found = {}
    for section in ("global.", "install.", ":env:."):  # the later one wins, as with pip
        for name in REACHING:
            if told.get(section + name):
                found[name] = " ".join(str(told[section + name]).split())
    return found


def report(line: str, found: int) -> None:
    live = sys.stdout.isatty()
    if line.startswith(FOUND) and (live or found % 20 == 0):
        name = Path(line.split()[1]).name[:30]
        print(f"  {found} found, now {name}".ljust(60), end="\r" if live else "\n", flush=True)
    elif line.startswith(UNPACKING) and "," in line:
        say(f"  unpacking {line.count(',') + 1} ...")
    elif "Retrying" in line:
        say("  the package index does not answer, trying again ...")


def explain(output: str) -> None:
    """Turn pip's failure into one sentence and the cure for its cause, if there is one."""
    errors = decisive(output)
    reason = errors[-1] if errors else (output.splitlines() or ["pip gave no reason"])[-1]
    meaning, cure = "", ""
    for signs, what, what_next in CAUSES:
        if any(sign in line.lower() for line in errors for sign in signs):
            meaning, cure = what, what_next
            break
    if WHEELHOUSE.is_dir() and cure and cure not in (DISK, RIGHTS):
        python = "{}.{}".format(*sys.version_info)
        cure = f"make wheelhouse/ again for this system and Python {python}, or move it away"
    told = f"{meaning} ({reason})" if meaning else reason
    words = f"all of pip's words: {LOG}"
    fail(f"installing failed: {told.rstrip('.')}.", f"{cure} ({words})" if cure else words)


def decisive(output: str) -> "list[str]":
    """pip's errors, and what its tracebacks end with. Not their lines in between: those are code,
    and any word may stand in them.

    Warnings count where pip saw no version of a package at all: then it did not see the index.
    """
    errors, warnings, in_traceback = [], [], False
    for line in output.splitlines():
        if line.startswith("Traceback "):
            in_traceback = True
        elif in_traceback and line.strip() and not line.startswith(" "):
            in_traceback = False
            errors.append(line)
        elif line.lower().startswith("error: ") and line != "ERROR: Exception:":
            errors.append(line[7:])
        elif line.startswith("WARNING: "):
            warnings.append(line[9:])
    unseen = any("from versions: none" in line for line in errors)
    return warnings + errors if unseen else errors


# --- the workshop


def hand_over(port: int, browser: bool) -> int:
    """`bpdemo lab` in this folder: it hands out the exercises and runs JupyterLab until Ctrl-C."""
    command = [str(PYTHON), "-m", "bpdemo", "lab", "--in-place", "--port", str(port)]
    command += [] if browser else ["--no-browser"]
    os.chdir(str(ROOT))
    if os.name != "nt":  # the same process: signals reach it, and nothing waits behind it
        os.execve(command[0], command, own_environment())
    with subprocess.Popen(command, env=own_environment()) as workshop:
        while True:
            try:
                return workshop.wait()
            except KeyboardInterrupt:
                continue  # the console has told it, too: it ends when JupyterLab has


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="lab.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--setup-only", action="store_true", help="only make or refresh .venv")
    parser.add_argument("--dev", action="store_true", help="the same, and the tools of the tests")
    parser.add_argument("--port", type=int, default=8888, help="the port to try first (8888)")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    options = parser.parse_args()
    if not 0 <= options.port <= PORT_MAX:
        parser.exit(2, f"lab.py: --port {options.port} is none from 0 to {PORT_MAX}\n")
    check_python()
    try:
        setup(options.dev)
        if options.setup_only or options.dev:
            return 0
        return hand_over(options.port, not options.no_browser)
    except OSError as error:
        return stumble(error)
    except KeyboardInterrupt:
        return 130


def stumble(error: OSError) -> int:
    """What the system refused, in one line."""
    where = f"{error.filename}: " if error.filename else ""
    full = error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", None))
    refused = error.errno in (errno.EACCES, errno.EPERM, errno.EROFS)
    cure = DISK if full else RIGHTS if refused else "look whether the whole folder was copied"
    return fail(f"{where}{error.strerror or error}.", cure)


if __name__ == "__main__":
    sys.exit(main())
