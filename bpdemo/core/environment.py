"""The environment of a process that we start: ours, without what is meant for other programs.

A variable that a person set for a load test, a database client or an interpreter of their own must
not steer a child of this project. What remains is the machine's: paths, locale, home, and the
settings of ours.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bpdemo.core.foreign_variables import is_of_another_opentelemetry

#: The folder that `import bpdemo` looks into. A child of ours runs there, since a Python started
#: with `-m` imports what lies in its folder: not the notebooks, nor a file beside them.
PACKAGE_PARENT: Final = Path(__file__).resolve().parents[2]

#: Read by libraries that run in our children, whatever program the person meant.
FOREIGN: Final = (
    *("LOCUST_", "GEVENT", "PROMETHEUS_"),  # the load generator, its event loop, the counters
    *("PG", "PYTHON"),  # libpq and asyncpg; the interpreter
    *("PIP_", "JUPYTER", "IPYTHON", "PLOTLY_"),
)
#: Where Python finds its modules and keeps what it compiled: a child runs what its owner runs.
KEPT: Final = frozenset(
    (
        *("PYTHONPATH", "PYTHONHOME", "PYTHONUSERBASE", "PYTHONNOUSERSITE", "PYTHONPLATLIBDIR"),
        *("PYTHONPYCACHEPREFIX", "PYTHONDONTWRITEBYTECODE"),
    )
)


def own_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """For a Python of ours: it finds bpdemo, speaks UTF-8 whatever the locale, and writes without
    delay. `extra` has the last word.
    """
    kept = {name: value for name, value in os.environ.items() if not is_foreign(name)}
    paths = filter(None, (str(PACKAGE_PARENT), kept.get("PYTHONPATH")))
    ours = {"PYTHONPATH": os.pathsep.join(paths), "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"}
    return kept | ours | dict(extra or {})


def forget_foreign() -> None:
    """Take them from this process too, which must be ours alone: no notebook's kernel.

    Some libraries read theirs when they are imported, so this comes first.
    """
    for name in [name for name in os.environ if is_foreign(name)]:
        del os.environ[name]


def is_foreign(name: str) -> bool:
    """Whether a variable is meant for other programs. Names count as Windows has them: in capitals,
    and so does the old spelling `prometheus_multiproc_dir`."""
    name = name.upper()
    return is_of_another_opentelemetry(name) or (name.startswith(FOREIGN) and name not in KEPT)
