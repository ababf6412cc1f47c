"""JupyterLab without what the machine has configured for every Jupyter. Run by `python -m`.

The one who starts it gives it folders of its own by `JUPYTER_CONFIG_DIR` and the like. What is left
are the folders of the whole system, such as /etc/jupyter, for which Jupyter has no such variable.
"""

from __future__ import annotations

import logging
import sys

from jupyter_core import paths


def forget_the_system() -> None:
    """Emptied and not replaced: others may have these lists by now."""
    paths.SYSTEM_CONFIG_PATH.clear()
    paths.SYSTEM_JUPYTER_PATH.clear()


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

    sys.exit(run())


if __name__ == "__main__":
    main()
