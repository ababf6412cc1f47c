"""A learner's Locust file: the `OpenLoopUser`s in it.

As a child, by `python -m bpdemo.load.generator.user_file FILE`, it tells its owner in one JSON line
what there is, or why it cannot be used.
"""

from __future__ import annotations

# Before all others, which it patches.
import locust  # noqa: F401  # isort: skip

import importlib.util
import json
import os
import sys
from pathlib import Path

from bpdemo.load.open_loop import OpenLoopUser, require_open_loop

MODULE = "bpdemo_user_file"


def users_in(path: Path) -> list[type[OpenLoopUser]]:
    """Its users of an open loop, in the order in which they stand. ValueError if it has none, or
    one that cannot be; raises whatever the file does."""
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(MODULE, path)
    if spec is None or spec.loader is None:
        raise ValueError("it is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[MODULE] = module
    spec.loader.exec_module(module)
    found = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, OpenLoopUser) and not value.abstract
    ]
    if not found:
        raise ValueError("it has no OpenLoopUser (from bpdemo.load.open_loop import OpenLoopUser)")
    for user in found:
        require_open_loop(user)
    return found


def main(path: str) -> None:
    to_owner = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    os.chdir(os.environ["BPDEMO_LOAD_FOLDER"])
    try:
        rate_per_s = sum(user.rate for user in users_in(Path(path)))
        told: dict[str, object] = {"rate_per_s": rate_per_s}
    except BaseException as error:  # a file may do anything, sys.exit too
        kind = "" if isinstance(error, ValueError) else f"{type(error).__name__}: "
        told = {"why": kind + " ".join(str(error).split())}
    print(json.dumps(told), file=to_owner, flush=True)
    os._exit(0)  # whatever greenlets and threads the file has started


if __name__ == "__main__":
    main(sys.argv[1])
