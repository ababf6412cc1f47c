"""Send an answer to a process of its own and wait for the verdict."""

from __future__ import annotations

import base64
import contextlib
import json
import linecache
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from bpdemo.lab.exercises.answered import is_blank
from bpdemo.lab.exercises.catalogue import EXERCISES
from bpdemo.lab.exercises.replies import NO_ANSWER
from bpdemo.lab.exercises.time_limit import longest_s
from bpdemo.lab.exercises.verdict import Verdict
from bpdemo.load.child import Child

START_S: Final = 20.0
"""How long the process may take to start; a laptop with a virus scanner takes its time."""
QUIET_S: Final = 2.0

BLANK: Final = {
    "state": "not tried",
    "says": [("", NO_ANSWER)],
}


def judge_answer(name: str, answer: Any, say: Callable[[str], object]) -> Verdict:
    """The verdict on an answer from this process. `say` hears of it if it takes long."""
    if answer is None or is_blank(answer):
        return _verdict(name, BLANK)
    import cloudpickle

    try:
        pickled = cloudpickle.dumps(answer)
    except Exception as error:
        told = (
            f"Your answer cannot be sent to the judging process ({type(error).__name__}: {error}). "
            "It may use something that belongs to this notebook, such as a running service: "
            "use only what the task gives you."
        )
        return _verdict(name, {"state": "could not judge", "says": [("", told)]})
    code = getattr(answer, "__code__", None)
    lines = linecache.getlines(code.co_filename) if code else []
    asked = {"pickled": base64.b64encode(pickled).decode(), "lines": lines}
    return _ask(name, asked, Path(), say)


def judge_source(
    name: str, imports: str, source: str, folder: Path, say: Callable[[str], object]
) -> Verdict:
    """The verdict on the answer that a cell with this source gives, run in that folder: the one
    of its notebook, as a kernel runs it."""
    asked = {"imports": imports, "source": source, "lines": source.splitlines()}
    return _ask(name, asked, folder, say)


def _ask(
    name: str, asked: Mapping[str, Any], folder: Path, say: Callable[[str], object]
) -> Verdict:
    heard: list[str] = []
    over = threading.Event()
    limit_s = EXERCISES[name].limit_s
    child = Child(
        [sys.executable, "-m", "bpdemo.lab.exercises.judge_child"],
        on_line=heard.append,
        on_exit=lambda _: over.set(),
    )
    try:
        asked = {"name": name, "limit_s": limit_s, "folder": _path_of(folder), **asked}
        child.say(json.dumps(asked))
        if not over.wait(QUIET_S):
            say(f"Judging {name}; your answer has {limit_s:g} s of processor time")
            over.wait(longest_s(limit_s) + START_S)
    finally:
        child.stop(0)
    try:
        return _verdict(name, json.loads(heard[0]))
    except (IndexError, ValueError):
        return _verdict(name, _lost(over.is_set(), child.stderr_tail))


def _path_of(folder: Path) -> str | None:
    with contextlib.suppress(OSError):  # a current folder that is gone has no path
        return str(folder.absolute())
    return None


def _verdict(name: str, told: Mapping[str, Any]) -> Verdict:
    return Verdict.of(name, EXERCISES[name].title, told)


def _lost(ended: bool, stderr: str) -> dict[str, Any]:
    """No report came: the process died, or it does not even watch its own time any more."""
    if not ended or "Timeout (" in stderr:
        return {
            "state": "not yet",
            "says": [
                ("Expected", "your code returns within a moment."),
                ("Seen", "it did not return in time: an endless loop, or one long calculation."),
                ("Where to look", "Which loop, or which call, could take as long as that?"),
            ],
        }
    last = stderr.strip().splitlines()[-1:] or ["it said nothing"]
    told = (
        f"The judging process ended without a verdict ({last[0]}). Check again; if it stays so, "
        "restart the kernel, or ask `bpdemo doctor` whether this machine is ready."
    )
    return {"state": "could not judge", "says": [("", told)]}
