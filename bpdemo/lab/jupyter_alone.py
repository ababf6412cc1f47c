"""JupyterLab without what the machine has configured for every Jupyter. Run by `python -m`.

The one who starts it gives it folders of its own by `JUPYTER_CONFIG_DIR` and the like. What is left
are the folders of the whole system, such as /etc/jupyter, for which Jupyter has no such variable.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
from pathlib import Path
from typing import Any, Final

from jupyter_core import paths

from bpdemo.lab.dress import rules_of
from bpdemo.lab.quiet import LOGGING

DEFAULTS: Final[dict[str, Any]] = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    # A page that is loaded again shows what was saved last: in two minutes, as JupyterLab has it,
    # a lesson's first loads are run and gone.
    # In its narrow column the names of all lessons were cut, beside a time that tells nobody much.
    "@jupyterlab/filebrowser-extension:browser": {"showLastModifiedColumn": False},
    "@jupyterlab/docmanager-extension:plugin": {"autosaveInterval": 20},
}
"""Of JupyterLab's own settings, by its names."""


def forget_the_system() -> None:
    """Emptied and not replaced: others may have these lists by now."""
    paths.SYSTEM_CONFIG_PATH.clear()
    paths.SYSTEM_JUPYTER_PATH.clear()


def dress() -> list[str]:
    """Lay the workshop's style where JupyterLab looks for it; the option that makes it look.

    Only in a folder of its own, never in the one of every Jupyter of this user.
    """
    folder = os.environ.get("JUPYTER_CONFIG_DIR")
    if not folder:
        return []
    try:
        target = Path(folder, "custom", "custom.css")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(rules_of("workshop") + rules_of("dark"), encoding="utf-8")
    except OSError:  # a full disk: the pages are there all the same, without it
        return []
    return ["--LabApp.custom_css=True"]


def set_defaults() -> None:
    """JupyterLab asks about news at its first start, and saves seldom; in a workshop that is in the
    way.

    By defaults in the folder of our own, so that a learner's own choice still counts.
    """
    folder = os.environ.get("JUPYTER_CONFIG_DIR")
    if not folder:
        return
    with contextlib.suppress(OSError):  # a full disk: then it does as ever
        target = Path(folder, "labconfig", "default_setting_overrides.json")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(DEFAULTS), encoding="utf-8")


def quieten() -> list[str]:
    """The options that keep off the terminal what no learner can act on; kernels are told by a file
    in the folder of our own."""
    if folder := os.environ.get("IPYTHONDIR"):
        with contextlib.suppress(OSError):  # a full disk: then they say it
            target = Path(folder, "profile_default", "ipython_kernel_config.py")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(f"c.IPKernelApp.logging_config = {LOGGING!r}\n", encoding="utf-8")
    return [f"--ServerApp.logging_config={LOGGING!r}"]


def main() -> None:
    # Python's warnings are what one library tells another's programmers: nothing for a learner. Not
    # by a filter, since one of Jupyter's extensions sets another.
    logging.captureWarnings(capture=True)
    forget_the_system()
    from jupyterlab import commands

    # Where there is a Node, JupyterLab runs it at its start to ask how Yarn is configured, in case
    # it has to build itself anew one day; and says so at length where that fails.
    commands._yarn_config = lambda _: {"yarn config": {}, "npm config": {}}
    from jupyterlab.labapp import main as run

    from bpdemo.lab.clean_notebooks import serve_clean_notebooks

    serve_clean_notebooks()
    sys.argv += dress() + quieten()
    set_defaults()
    sys.exit(run())


if __name__ == "__main__":
    main()
