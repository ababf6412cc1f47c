"""Where the command line begins: its version is told before anything else is loaded.

Scripts and installers ask for it, and wait.
"""

import sys

from bpdemo import __version__
from bpdemo.cli.outlet import run_command


def main() -> None:
    """Run the command line; `main.py` has all of it."""
    if sys.argv[1:] == ["--version"]:
        run_command(_tell_version)
    from bpdemo.cli.main import main as run_all

    run_all()


def _tell_version() -> int:
    print(f"bpdemo {__version__}")
    return 0
