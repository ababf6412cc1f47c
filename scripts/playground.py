"""Build the playground, a static page that runs `bpdemo.sim` in a browser: `make playground`.

    python scripts/playground.py             build it in build/playground/site
    python scripts/playground.py --serve     and serve it on a port of this machine, until Ctrl-C

Needs node and npm, which fetch Pyodide, plotly.js and axe-core, and pip for the wheels of Pyodide's
Python, in the versions of requirements.txt. What was fetched is kept in build/playground, and used
again.
Nothing that is fetched is committed; what is built may be copied to any static host.
"""

from __future__ import annotations

import argparse
import functools
import gzip
import http.server
import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bpdemo.sim.controls import controls  # noqa: E402
from bpdemo.sim.page import COLUMNS  # noqa: E402

SOURCE: Final = ROOT / "playground"
BUILD: Final = ROOT / "build" / "playground"
SITE: Final = BUILD / "site"
PAGE: Final = ("index.html", "playground.css", "playground.js", "address.mjs", "worker.mjs",
               "presets.json")  # fmt: skip
PYODIDE: Final = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip",
                  "pyodide-lock.json")  # fmt: skip
#: Shown by notebooks, too.
SHARED: Final = ROOT / "bpdemo" / "picture" / "requests.js"
#: All that `bpdemo.sim` reaches of other people's packages, and what those need.
WHEELS: Final = ("annotated-types", "cachetools", "pydantic", "pydantic-core", "pydantic-settings",
                 "python-dotenv", "tenacity", "typing-extensions", "typing-inspection")  # fmt: skip
PIN: Final = re.compile(r"^([\w.-]+)==([\w.]+)", re.MULTILINE)
#: Beside what npm fetched: the package.json that asked for it.
WANTED: Final = "asked-for.json"
#: What the page may weigh on its way to a visitor.
BUDGET_MB: Final = 10.0


class CannotBuild(Exception):
    """In a sentence, what is missing."""


class CannotFetch(CannotBuild):
    """There is no node, or what the page is made of is not to be had here."""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/playground.py", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--serve", action="store_true", help="serve it until Ctrl-C")
    parser.add_argument("--port", type=int, default=8080, help="the port to serve on (8080)")
    options = parser.parse_args(arguments)
    try:
        build(print)
    except CannotBuild as why:
        print(f"playground: {why}", file=sys.stderr)
        return 2
    if options.serve:
        serve(options.port)
    else:
        print('To look at it: make playground ARGS="--serve", or any server of static files.')
    return 0


def build(say: Callable[[str], object]) -> Path:
    """The folder with the page; CannotBuild where something is missing."""
    node = tool("node")
    BUILD.mkdir(parents=True, exist_ok=True)
    fetch_packages()
    fetch_wheels()
    shutil.rmtree(SITE, ignore_errors=True)
    (SITE / "pyodide").mkdir(parents=True)
    sources = BUILD / "sources.zip"
    with zipfile.ZipFile(sources, "w") as archive:
        for path in sorted((ROOT / "bpdemo").rglob("*.py")):
            archive.write(path, path.relative_to(ROOT))
    for name in ("bundle.mjs", "prints.mjs"):
        shutil.copy(SOURCE / name, BUILD)  # beside the node_modules that they import
    bundle = SITE / "bpdemo.zip"
    told = run(node, "bundle.mjs", str(BUILD / "wheels"), str(sources), str(bundle))
    for file in (*(SOURCE / name for name in PAGE), SHARED):
        shutil.copy(file, SITE)
    modules = BUILD / "node_modules"
    for name in PYODIDE:
        shutil.copy(modules / "pyodide" / name, SITE / "pyodide")
    plotly = modules / "plotly.js-basic-dist-min" / "plotly-basic.min.js"
    shutil.copy(plotly, SITE / "plotly.min.js")
    (SITE / "controls.json").write_text(json.dumps(controls()), "utf-8")
    (SITE / "columns.json").write_text(json.dumps(list(COLUMNS.values())), "utf-8")
    (SITE / "lessons.json").write_text("{}", "utf-8")  # the site knows of some
    weight_mb = weight(SITE)
    say(f"{SITE.relative_to(ROOT)}: {told.strip()}; the page weighs {weight_mb:.1f} MB gzipped")
    if weight_mb > BUDGET_MB:
        raise CannotBuild(f"the page weighs {weight_mb:.1f} MB gzipped, {BUDGET_MB:g} at most")
    return SITE


def fetch_packages() -> Path:
    """The folder with Pyodide, plotly.js and axe-core, fetched unless those versions are there.

    Several may call it at once: what has that name is whole."""
    wanted = (SOURCE / "package.json").read_text("utf-8")
    modules = BUILD / "node_modules"
    if _are_those(modules, wanted):
        return modules
    npm = tool("npm")
    BUILD.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=BUILD, prefix="fetching-") as name:
        fetching = Path(name)
        (fetching / "package.json").write_text(wanted, "utf-8")
        try:
            run(npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts",
                folder=fetching)  # fmt: skip
        except CannotBuild as why:
            raise CannotFetch(str(why)) from why
        (fetching / "node_modules" / WANTED).write_text(wanted, "utf-8")
        if not _are_those(modules, wanted):
            if modules.exists():
                modules.rename(fetching / "of-before")
            with suppress(OSError):  # there already: somebody else's, and as good
                (fetching / "node_modules").rename(modules)
    return modules


def _are_those(modules: Path, wanted: str) -> bool:
    """Whether what was asked for when they were fetched is what is asked for now."""
    told = modules / WANTED
    return told.exists() and told.read_text("utf-8") == wanted


def fetch_wheels() -> None:
    """The packages in the versions that are pinned, for the Python and the platform of Pyodide."""
    lock = json.loads((BUILD / "node_modules/pyodide/pyodide-lock.json").read_text("utf-8"))["info"]
    version, abi = lock["python"], lock["abi_version"]
    pins = dict(PIN.findall((ROOT / "requirements.txt").read_text("utf-8")))
    wishes = [f"{name}=={pins[name]}" for name in WHEELS]
    target = f"{version} pyemscripten_{abi} {' '.join(wishes)}"
    stamp, folder = BUILD / "wheels.txt", BUILD / "wheels"
    if stamp.exists() and stamp.read_text("utf-8") == target:
        return
    shutil.rmtree(folder, ignore_errors=True)
    short = ".".join(version.split(".")[:2])
    cpython = f"cp{short.replace('.', '')}"
    # Exact versions: pip would rather take an old dummy without a word than fail.
    try:
        run(
            sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:",
            "--platform", f"pyemscripten_{abi}_wasm32", "--python-version", short,
            "--implementation", "cp", "--abi", cpython, "--abi", "abi3", "--abi", "none",
            "--dest", str(folder), *wishes,
        )  # fmt: skip
    except CannotBuild as why:
        raise CannotFetch(str(why)) from why
    stamp.write_text(target, "utf-8")


def tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise CannotFetch(f"there is no {name} on this machine; the playground needs node and npm")
    return found


def run(*command: str, folder: Path = BUILD) -> str:
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if ran.returncode:
        last = "\n".join((ran.stderr or ran.stdout).strip().splitlines()[-5:])
        raise CannotBuild(f"{Path(command[0]).name} {command[1]} failed:\n{last}")
    return ran.stdout


def weight(folder: Path) -> float:
    """Megabytes of all files, each gzipped, as a visitor fetches them."""
    return sum(len(gzip.compress(p.read_bytes())) for p in folder.rglob("*") if p.is_file()) / 1e6


def serve(port: int) -> None:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(SITE))
    with http.server.ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        print(f"http://127.0.0.1:{server.server_port}/   Ctrl-C ends it", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
