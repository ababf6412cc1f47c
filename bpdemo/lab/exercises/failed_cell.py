"""A cell of the answer that did not run: what stood there before it must not be judged instead.

A notebook keeps a name's old value when the cell that was to give it a new one fails. A learner
who checks then sees a verdict below code that it is not about, and may pass by what is not there.
"""

from __future__ import annotations

import ast
import linecache
import re
from typing import Any

from bpdemo.core.box import shell_here
from bpdemo.lab.exercises.replies import Told, tell, tell_unreadable


def told_of_failed_cell(wanted: str, answer: Any) -> Told | None:
    """What to say if the newest cell that gives the answer has failed; None if it has run.

    `wanted` is what the exercise calls its answer.
    """
    shell = shell_here()
    name = getattr(answer, "__name__", wanted)
    if shell is None or shell.user_ns.get(name) is not answer:
        return None
    gives = re.compile(rf"^(async +def|def) +{re.escape(name)}\b|^{re.escape(name)} *=", re.M)
    newest = next((cell for cell in reversed(shell.user_ns["In"]) if gives.search(cell)), None)
    if newest is None:
        return None
    try:
        ast.parse(newest)
    except SyntaxError as error:
        return tell_unreadable(error)
    before = shell.last_execution_result  # of the cell before the one that checks
    raised = before and before.error_in_exec
    if not raised or newest.strip() != before.info.raw_cell.strip() or _is_from(newest, answer):
        return None
    return tell(
        "not yet",
        ("Expected", "the answer cell runs without an error."),
        ("Seen", f"it raised {type(raised).__name__}: {raised}."),
        ("Why it matters", f"`{name}` is still what it was before, and that is not what you see."),
        ("Where to look", "The error below that cell names the line. Run it again, then check."),
    )


def _is_from(cell: str, answer: Any) -> bool:
    """Whether the function was defined there all the same, before a later line of it failed."""
    code = getattr(answer, "__code__", None)
    return (
        code is not None and "".join(linecache.getlines(code.co_filename)).strip() == cell.strip()
    )
