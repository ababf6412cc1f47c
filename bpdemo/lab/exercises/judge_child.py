"""The process that judges one answer: `python -m bpdemo.lab.exercises.judge_child`.

A line of JSON comes by stdin: the exercise's name, the answer's processor time in seconds, the
learner's folder, and the answer either pickled or as the source of its cell. One goes back by
stdout: state, sentences, and what the answer printed.
An answer that loops for ever cannot take more down than this process.
"""

from __future__ import annotations

import base64
import contextlib
import importlib
import io
import json
import os
import pickle
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from bpdemo.lab.exercises.answered import NotTried
from bpdemo.lab.exercises.catalogue import EXERCISES
from bpdemo.lab.exercises.exercise import Exercise
from bpdemo.lab.exercises.learner_code import defined_in, forbid_sleep, place_in
from bpdemo.lab.exercises.replies import NO_ANSWER, Told, tell, tell_endless, tell_mistake
from bpdemo.lab.exercises.time_limit import TimeLimit
from bpdemo.lab.exercises.trial import Trial

PRINTED_MAX: Final = 1000


class Printed(io.StringIO):
    """Keeps the beginning of what is printed."""

    def write(self, text: str) -> int:
        return super().write(text[: max(0, PRINTED_MAX - self.tell())])


def main() -> None:
    told_to = os.dup(1)
    os.dup2(2, 1)  # whatever prints past sys.stdout must not mix with the report
    asked = json.loads(sys.stdin.readline())
    sys.stdout = printed = Printed()
    # An answer may name a file of the learner's. Only now: a Python that is started in their folder
    # would import what lies there.
    if asked["folder"] is not None:
        with contextlib.suppress(OSError):  # it is gone since
            os.chdir(asked["folder"])
    exercise = EXERCISES[asked["name"]]

    def report(told: Told) -> None:
        line = json.dumps(told | {"printed": printed.getvalue()}) + "\n"
        os.write(told_to, line.encode())
        os._exit(0)  # nothing that the answer or a load has started holds this process up

    report(judge(exercise, asked, report))


def judge(exercise: Exercise, asked: Mapping[str, Any], report: Callable[[Told], None]) -> Told:
    """Load the answer and try it out, under a watch."""
    lines = asked["lines"]
    for module in exercise.needs:
        importlib.import_module(module)
    forbid_sleep()
    with _watched(exercise, lines, asked["limit_s"], report) as trial:
        try:
            answer = _load(exercise, asked)
        except pickle.UnpicklingError as error:
            return tell("could not judge", ("", str(error)))
        except BaseException as error:
            return tell_mistake(error, lines, "your cell")
        try:
            return trial.judge(answer)
        finally:
            _stop_all()


def _load(exercise: Exercise, asked: Mapping[str, Any]) -> Any:
    if "pickled" in asked:
        try:
            return pickle.loads(base64.b64decode(asked["pickled"]))
        except Exception as error:
            raise pickle.UnpicklingError(
                f"Your answer needs something that the judging process does not have ({error}). "
                "Define what it uses in the notebook itself, run those cells, and check again."
            ) from error
    names: dict[str, Any] = {"__name__": "__main__"}
    for source in (asked["imports"], asked["source"]):
        exec(compile(source, f"answer-{asked['name']}", "exec"), names)
    if exercise.answer not in names:
        raise NotTried(_missing(exercise.answer, asked["source"]))
    return names[exercise.answer]


def _missing(answer: str, source: str) -> str:
    names = ", ".join(defined_in(source))
    return f"Your cell defines {names}; the check looks for {answer}." if names else NO_ANSWER


@contextlib.contextmanager
def _watched(
    exercise: Exercise, lines: Sequence[str], limit_s: float, report: Callable[[Told], None]
) -> Iterator[Trial]:
    """Ends the process when the time is over, telling where the answer was by then."""
    trial = Trial(exercise, lines)
    judging = threading.get_ident()

    def strike(spent_s: float) -> None:
        # After a mistake the service may never recover: then that is the news, not the time.
        where = place_in(sys._current_frames().get(judging), lines)
        report(trial.mistake or tell_endless(where, spent_s))

    with TimeLimit(limit_s, strike):
        yield trial


def _stop_all() -> None:
    if "bpdemo.lab.services.service" in sys.modules:  # only then can anything be running
        from bpdemo.lab.live.stopping import stop_all

        stop_all()


if __name__ == "__main__":
    main()
