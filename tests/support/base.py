"""An environment that has the base of the package and no extra, out of what is installed here."""

import os
import re
import subprocess
import sys
import tomllib
import venv
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]


def base_distributions() -> dict[str, Distribution]:
    """What `pip install bpdemo` would bring: its dependencies, and theirs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    # Each with the extras for which the package that wants it was asked.
    wanted = [(Requirement(text), {""}) for text in project["dependencies"]]
    found: dict[str, Distribution] = {}
    while wanted:
        wish, extras = wanted.pop()
        if wish.marker and not any(wish.marker.evaluate({"extra": extra}) for extra in extras):
            continue
        name = re.sub(r"[-_.]+", "-", wish.name).lower()
        if name not in found or wish.extras:
            found[name] = distribution(name)
            theirs = map(Requirement, found[name].requires or ())
            wanted += [(each, {"", *wish.extras}) for each in theirs]
    return found


class BaseEnvironment:
    """A virtual environment in `folder`, into which the files of those packages are linked."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder, with_pip=False)
        scripts = "Scripts" if os.name == "nt" else "bin"
        self.python = folder / scripts / Path(sys.executable).name
        packages = next(folder.glob("[Ll]ib/**/site-packages"))
        for installed in base_distributions().values():
            for file in installed.files or ():
                if ".." not in file.parts and "__pycache__" not in file.parts:
                    link = packages / file
                    link.parent.mkdir(parents=True, exist_ok=True)
                    link.symlink_to(str(file.locate()))
        (packages / "bpdemo.pth").write_text(f"{ROOT}\n", "utf-8")

    def run(self, *words: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
        """`bpdemo …`, in that environment."""
        return self.python_runs("-m", "bpdemo", *words, cwd=cwd, **env)

    def python_runs(self, *words: str, cwd: Path, **env: str) -> subprocess.CompletedProcess[str]:
        own = {k: v for k, v in os.environ.items() if not k.startswith(("BPDEMO_", "PYTHON"))}
        return subprocess.run(
            [str(self.python), *words], cwd=cwd, env=own | {"PYTHONDONTWRITEBYTECODE": "1"} | env,
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
