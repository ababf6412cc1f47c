"""Where the answer that was checked stands: its own file, or the notebook that asks."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

#: Jupyter's server puts the notebook's path here for each kernel that it starts.
SESSION: Final = "JPY_SESSION_NAME"
#: VS Code puts it among the notebook's names.
VS_CODE: Final = "__vsc_ipynb_file__"


def file_of(answer: Any) -> str:
    """The file that an answer names, alone or in a dict; else the running notebook. Empty where no
    such file is known, as in a plain Python."""
    named = [*answer.values()] if isinstance(answer, Mapping) else [answer]
    files = [Path(each) for each in named if isinstance(each, Path) or _is_python(each)]
    return next((str(file.absolute()) for file in files if file.is_file()), "") or _notebook()


def _is_python(named: object) -> bool:
    return isinstance(named, str) and named.endswith(".py")


def _notebook() -> str:
    names = getattr(sys.modules.get("__main__"), "__dict__", {})
    told = os.environ.get(SESSION) or names.get(VS_CODE) or ""
    # A notebook that was renamed, or a kernel in a console, has no file of that name.
    return told if Path(told).is_absolute() and Path(told).is_file() else ""
