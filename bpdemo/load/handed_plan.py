"""A plan on its way to a child: in its environment, or in a file where that would be too long.

Systems bound a variable's length, some to 32 KiB, and a plan holds the body of its request.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from bpdemo.plan.plan import Plan

VARIABLE: Final = "BPDEMO_LOAD_PLAN"
IN_FILE: Final = "BPDEMO_LOAD_PLAN_FILE"
LONGEST: Final = 30_000


def handed(plan: Plan) -> tuple[dict[str, str], Path | None]:
    """The variables that carry it, and the file that its owner must remove in the end, if any."""
    text = plan.to_json()
    if len(text) <= LONGEST:
        return {VARIABLE: text}, None
    descriptor, name = tempfile.mkstemp(prefix="bpdemo-plan-", suffix=".json")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
    return {IN_FILE: name}, Path(name)


def taken(environ: Mapping[str, str] = os.environ) -> Plan:
    """The plan that this process was handed."""
    if name := environ.get(IN_FILE):
        return Plan.from_json(Path(name).read_text("utf-8"))
    return Plan.from_json(environ[VARIABLE])
