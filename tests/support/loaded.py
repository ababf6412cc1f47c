"""What a fresh interpreter has loaded after some code, by top-level name."""

import subprocess
import sys

from bpdemo.core.environment import own_environment

TELL = """
import sys
print("loaded", *sorted({name.partition(".")[0] for name in sys.modules}))
"""


def loaded_by(code: str) -> set[str]:
    """The modules that it has then, by the first part of their names."""
    told = subprocess.run(
        [sys.executable, "-c", code + TELL],
        env=own_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout.splitlines()
    return {*told[-1].split()[1:]}
