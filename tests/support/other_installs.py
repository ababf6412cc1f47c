"""Commands as an installation with fewer extras runs them.

    python -m tests.support.other_installs EXTRA[,EXTRA] FOLDER    (`base` for none)

What the other extras bring cannot be imported in this process. It reads commands as JSON, and runs
each in a fork of its own; what came of it is printed as a line of JSON.
"""

import json
import os
import re
import sys
import traceback
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def brought_by(extras: Iterable[str]) -> set[str]:
    """The distributions that `pip install 'bpdemo[EXTRAS]'` would bring."""
    wanted = [(Requirement(f"bpdemo[{','.join(extras)}]"), frozenset({""}))]
    seen: set[tuple[str, frozenset[str]]] = set()
    while wanted:
        wish, active = wanted.pop()
        if wish.marker and not any(wish.marker.evaluate({"extra": extra}) for extra in active):
            continue
        key = (plain(wish.name), frozenset({"", *wish.extras}))
        if key not in seen:
            seen.add(key)
            try:
                theirs = distribution(wish.name).requires or ()
            except PackageNotFoundError:  # of another system
                continue
            wanted += [(Requirement(text), key[1]) for text in theirs]
    return {name for name, _ in seen}


class Absent:
    """A finder that finds the modules of no other distribution. It comes first, and says no."""

    def __init__(self, here: set[str]) -> None:
        self._absent = {
            module
            for module, names in packages_distributions().items()
            if not any(plain(name) in here for name in names)
        } - {"bpdemo", "tests"}
        # Of a module that several distributions share, each brings a part.
        self._parts = () if "opentelemetry-sdk" in here else ("sdk", "exporter")

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        first, _, rest = name.partition(".")
        shared = first == "opentelemetry" and rest.partition(".")[0] in self._parts
        if first in self._absent or shared:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def run(words: list[str], folder: Path) -> dict[str, Any]:
    """A command in a fork of this process: exit code, standard output, standard error."""
    pages = [folder / "out.txt", folder / "err.txt"]
    if not (pid := os.fork()):
        os.chdir(folder)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number, page in enumerate(pages, 1):
            os.dup2(os.open(page, os.O_CREAT | os.O_WRONLY | os.O_TRUNC), number)
        os._exit(code_of(words))
    _, status = os.waitpid(pid, 0)
    out, err = (page.read_text("utf-8") for page in pages)
    return {"code": os.waitstatus_to_exitcode(status), "out": out, "err": err}


def code_of(words: list[str]) -> int:
    sys.argv = ["bpdemo", *words]
    try:
        from bpdemo.cli.main import main

        main()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 70


def main() -> None:
    extras = [extra for extra in sys.argv[1].split(",") if extra != "base"]
    sys.meta_path.insert(0, Absent(brought_by(extras)))
    for words in json.load(sys.stdin):
        print(json.dumps(run(words, Path(sys.argv[2]))), flush=True)


if __name__ == "__main__":
    main()
