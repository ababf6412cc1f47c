"""Look up what the workshop and its tests pin in the list of known vulnerabilities, by pip-audit.

Exit code 0: all were looked up, none has one. 1: some have. 2: not all could be looked up, which
says nothing about them.
"""

import json
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
# An environment of its own: what pip-audit needs is not what it is to look at.
VENV = ROOT / ".venv-audit"
PYTHON = VENV / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
PIP_AUDIT = "pip-audit==2.10.1"
PINNED = ROOT / "requirements-dev.txt"  # and by that requirements.txt
WHAT_TO_DO = (
    "Nothing is known about them: run it again where the Python Package Index (its JSON pages, "
    "which a mirror of packages may lack) can be reached, or ask another service: "
    "make audit ARGS='--vulnerability-service osv'"
)


class Findings(NamedTuple):
    """Packages by what came of them; `vulnerable` in words."""

    clean: list[str]
    vulnerable: list[str]
    skipped: list[str]


def main(arguments: list[str]) -> int:
    try:
        prepare()
    except (OSError, subprocess.CalledProcessError) as error:
        return tell(2, f"{PIP_AUDIT} cannot be installed: {error}")
    asked = subprocess.run(
        [str(PYTHON), "-m", "pip_audit", "--requirement", str(PINNED), "--no-deps",
         "--disable-pip", "--progress-spinner", "off", "--format", "json", *arguments],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    try:
        found = read(json.loads(asked.stdout))
    except ValueError:
        said = asked.stderr.strip().splitlines() or ["pip-audit said nothing"]
        return tell(2, said[-1][:300], WHAT_TO_DO)
    return judge(found)


def prepare() -> None:
    """The environment with the pinned pip-audit in it; made once."""
    has = [str(PYTHON), "-c", "import importlib.metadata as m; print(m.version('pip-audit'))"]
    if PYTHON.exists():
        version = subprocess.run(has, capture_output=True, text=True, check=False).stdout.strip()
        if PIP_AUDIT.endswith(f"=={version}"):
            return
    venv.create(VENV, clear=True, with_pip=True)
    pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, PIP_AUDIT], check=True)


def read(report: dict[str, Any]) -> Findings:
    """Of pip-audit's report."""
    found = Findings([], [], [])
    for package in report["dependencies"]:
        name = f"{package['name']} {package.get('version', '')}".strip()
        if "skip_reason" in package:
            found.skipped.append(name)
        elif package["vulns"]:
            found.vulnerable.extend(f"{name}: {told(vuln)}" for vuln in package["vulns"])
        else:
            found.clean.append(name)
    return found


def told(vulnerability: dict[str, Any]) -> str:
    fixed = ", ".join(vulnerability["fix_versions"]) or "no version yet"
    return f"{vulnerability['id']}, fixed in {fixed}"


def judge(found: Findings) -> int:
    """Say it, in a few lines; the exit code."""
    total = sum(map(len, found))
    if found.vulnerable:
        return tell(1, f"{len(found.vulnerable)} known vulnerabilities:", *found.vulnerable)
    if found.skipped or not total:
        return tell(2, f"{len(found.skipped)} of {total} packages not looked up.", WHAT_TO_DO)
    return tell(0, f"No known vulnerability in {total} packages.")


def tell(code: int, *lines: str) -> int:
    print("\n  ".join(lines), file=sys.stderr if code else sys.stdout)
    return code


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
