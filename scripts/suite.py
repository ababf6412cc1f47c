"""The tests, as many at once as proves something: what `make test` and `make test-all` call.

    python scripts/suite.py          what a change can break: a quarter of an hour on two cores
    python scripts/suite.py --long   the rest: long loads, and every lesson in the browser

Five runs of pytest. One is of what needs no process, no socket and no real time (`untimed`, see
tests/untimed.py): it goes on beside the others, at the lowest priority that the system has, and
takes what they leave of the processor. Those are tests with processes and servers, one more at a
time than there are cores, since they often wait, and then what plays a load or opens a browser, but
judges no speed (`light`), three at a time. At last come the loads, and nothing goes on beside them,
not even what yields: two virtual processors are often one real one. First the others one at a time,
then those that need all of the machine (`whole`).

What has a clock of the machine's own, all but the first run, can be disturbed by the machine,
which is no fault of the service: what fails there, if it is little, is judged once more, alone and
when it is quiet. What fails again fails, and what held only the second time is named at the end.

Unless BPDEMO_EXAMPLES says `all`, as `make test-all` has it, hypothesis tries few examples.

With --long the notebooks follow. Those that a browser, or a test in a kernel, has just run to their
end, cell by cell and none with an error, have been executed; nbval runs all others, and always one
lesson as well.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tests.support.measured import await_quiet  # noqa: E402
from tests.untimed import UNTIMED  # noqa: E402

LIGHT = "(load or browser) and light"
LOADS = "(load or browser) and not light and not whole"
WHOLE = "(load or browser) and whole and not light"
OTHERS = "not (load or browser or untimed)"
#: The lowest of a user's priorities, and of a group of processes that Linux schedules as one.
LOWEST = 19
#: More at a time, and the starts of their processes get into one another's way.
LIGHT_AT_ONCE = 3
#: A test that runs beside the others may have to wait for most of that time.
ASIDE_S = 1000
FAILED, NO_TESTS = 1, 5
#: A test in which a browser ran this lesson, all of its cells and none with an error.
WALKED = re.compile(r"tests/browser/test_lessons\.py::test_a_lesson_runs_to_its_end\[(\w+)\]")
#: A test in which a kernel ran all cells of these solutions, none with an error.
SOLVED = re.compile(
    r"tests/lab/exercises/test_exercises\.py::test_a_learners_kernel_judges_alike\[(\w+)\.ipynb\]"
)
#: The notebook that nbval runs even so: what it would find in a lesson is found in this one.
ALWAYS = "00_start_here"
#: Each run tells what took longest, so that nobody has to measure where the minutes go.
TELLS = ("--durations=15", "--durations-min=5")
#: Were there more, the machine is not the reason; what plays no load is seldom disturbed.
AGAIN_MOST = 12
OTHERS_AGAIN_MOST = 3
AGAIN_TRIES = 3
QUIET_S = 60.0


@dataclass(frozen=True)
class Run:
    """A run of pytest that is over. `whole`: it came to its last test, and said so."""

    code: int
    whole: bool = False
    failed: tuple[str, ...] = ()
    passed: tuple[str, ...] = ()
    #: The files with loads or browsers among all that it found, chosen or not: `light`, `whole`,
    #: and the others under "".
    load_files: dict[str, list[str]] = field(default_factory=dict)


class Started:
    """A run of pytest that goes on."""

    def __init__(self, folder: Path, *arguments: str, aside: bool = False) -> None:
        """`aside`: at the lowest priority, and what it says is kept until it is over."""
        self._told = Path(tempfile.mkdtemp(dir=folder)) / "outcomes.json"
        self._said = self._told.with_name("said.txt") if aside else None
        with self._said.open("wb") if self._said else nullcontext() as said:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "pytest", *TELLS, *arguments],
                cwd=ROOT,
                env=environment() | {"BPDEMO_OUTCOMES_TO": str(self._told)},
                stdout=said,
                stderr=subprocess.STDOUT if aside else None,
                start_new_session=aside,
                creationflags=getattr(subprocess, "IDLE_PRIORITY_CLASS", 0) if aside else 0,
            )
        self._run: Run | None = None
        if aside:
            yield_to_others(self._process.pid)

    def wait(self) -> Run:
        """What came of it, once it is over; what it has said is told the first time."""
        if self._run is None:
            self._run = self._over(self._process.wait())
        return self._run

    def _over(self, code: int) -> Run:
        if self._said:
            print(f"\nBeside the others:\n{self._said.read_text('utf-8', 'replace')}", flush=True)
        if not self._told.exists():  # it died: what it would have found nobody knows
            return Run(code or FAILED)
        outcomes = json.loads(self._told.read_text("utf-8"))
        found = self._told.with_name("load-files.json")
        files = json.loads(found.read_text("utf-8")) if found.exists() else {}
        failed, passed = tuple(outcomes["failed"]), tuple(outcomes["passed"])
        return Run(code, outcomes["whole"], failed, passed, files)

    def give_up(self) -> None:
        """End it, and all that it has started. Does nothing once it is over."""
        if self._process.poll() is None:
            with suppress(OSError):
                if hasattr(os, "killpg"):
                    os.killpg(self._process.pid, signal.SIGTERM)
                else:
                    self._process.terminate()
            self._process.wait()


def environment() -> dict[str, str]:
    """That of the tests. Where no compiled files may be kept, each process compiles all that it
    imports and rewrites every assert: a third and more of what it takes to find the tests."""
    given = {"BPDEMO_EXAMPLES": "few"} | os.environ
    given.pop("PYTHONDONTWRITEBYTECODE", None)
    return given


def yield_to_others(pid: int) -> None:
    """Leave the processor to everybody else, as far as the system knows how to."""
    with suppress(OSError):  # Linux: sessions share the processor as one, whatever is in them
        Path(f"/proc/{pid}/autogroup").write_text(str(LOWEST), "ascii")
    with suppress(OSError, AttributeError):  # and within a session: only what nobody else wants
        os.setpriority(os.PRIO_PROCESS, pid, LOWEST)
        os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))


def pytest(folder: Path, *arguments: str) -> Run:
    return Started(folder, *arguments).wait()


@contextmanager
def aside(folder: Path, *arguments: str) -> Iterator[Started]:
    """A run beside what happens in the block."""
    started = Started(folder, *arguments, aside=True)
    try:
        yield started
    finally:
        started.give_up()


def main(arguments: list[str]) -> int:
    length = "long" if "--long" in arguments else "not long"
    chosen = [word for word in arguments if word != "--long"]
    began_s = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        verdict = play(Path(folder), length, chosen)
    verb = "failed" if verdict else "hold"
    print(f"tests ({length}): they {verb}, after {time.monotonic() - began_s:.0f} s", flush=True)
    return verdict


def play(folder: Path, length: str, chosen: list[str]) -> int:
    """All five runs, and the second judgement; the exit code of what failed, or 0."""
    cores = max(2, os.cpu_count() or 1)
    # What says that it needs no process and no port must not start one, nor listen.
    untimed = ["-p", "tests.support.in_process", "-m", f"untimed and {length}"]
    untimed += [f"--timeout={ASIDE_S}"]
    with aside(folder, *at_once(cores), *untimed, *(chosen or UNTIMED)) as beside:
        others = pytest(folder, *at_once(cores + 1), "-m", f"{OTHERS} and {length}", *chosen)
        of_light = [*at_once(LIGHT_AT_ONCE, by="loadfile"), "-m", f"{LIGHT} and {length}"]
        light = loads_of(folder, others, "light", of_light, chosen)
        untimed_run = beside.wait()
    loads = loads_of(folder, others, "", ["-m", f"{LOADS} and {length}"], chosen)
    whole = loads_of(folder, others, "whole", ["-m", f"{WHOLE} and {length}"], chosen)
    codes = [untimed_run.code, *disturbed(folder, others, light, loads, whole)]
    if set(codes) == {NO_TESTS}:
        return NO_TESTS  # a misspelt choice proves nothing
    if length == "long":
        codes.append(notebooks((*others.passed, *loads.passed, *whole.passed)))
    # That one of them had nothing to do is no failure.
    return next((code for code in codes if code not in (0, NO_TESTS)), 0)


def at_once(number: int, by: str = "worksteal") -> list[str]:
    """So many processes of pytest. `by` file, one service or browser serves all tests of it."""
    return [] if number == 1 else ["-n", str(number), "--dist", by]


def loads_of(folder: Path, found: Run, kind: str, how: list[str], chosen: list[str]) -> Run:
    """Run the loads of that kind, where `found` has found them, unless something was chosen."""
    where = chosen or found.load_files.get(kind, [])
    return pytest(folder, *how, *where) if where else Run(NO_TESTS, whole=True)


def notebooks(passed: tuple[str, ...]) -> int:
    """Run the notebooks that none of these tests has run; the exit code."""
    walked = {found[1] for name in passed if (found := WALKED.fullmatch(name))} - {ALWAYS}
    solved = {found[1] for name in passed if (found := SOLVED.fullmatch(name))}
    if walked:
        print(f"Run in the browser, to the end: {', '.join(sorted(walked))}", flush=True)
    if solved:
        print(f"Run in a kernel, to the end: {', '.join(sorted(solved))}", flush=True)
    left = [
        str(path.relative_to(ROOT))
        for folder, run in (("notebooks", walked), ("solutions", solved))
        for path in sorted((ROOT / folder).glob("*.ipynb"))
        if path.stem not in run
    ]
    command = [sys.executable, "scripts/run_notebooks.py", *left]
    return subprocess.run(command, check=False, cwd=ROOT).returncode


def disturbed(folder: Path, others: Run, *loads: Run) -> list[int]:
    """The exit codes of these runs, once what failed in them was judged again."""
    runs = (others, *loads)
    failed = tuple(name for run in loads for name in run.failed)
    doubtful = [run.code == FAILED and run.whole and bool(run.failed) for run in runs]
    doubtful[0] = doubtful[0] and len(others.failed) <= OTHERS_AGAIN_MOST
    if not any(doubtful) or len(failed) > AGAIN_MOST:
        return [run.code for run in runs]
    waiting = tuple(
        n for run, again in zip(runs, doubtful, strict=True) if again for n in run.failed
    )
    code = judged_again(folder, waiting)
    return [code if again else run.code for run, again in zip(runs, doubtful, strict=True)]


def judged_again(folder: Path, failed: tuple[str, ...]) -> int:
    """Play these tests once more; 0 if each of them passed, and not only was skipped.

    Only a machine that is not quiet by then is a reason for yet another time.
    """
    waiting = failed
    for _ in range(AGAIN_TRIES):
        quiet = await_quiet(QUIET_S)
        print(f"\nOnce more: {', '.join(waiting)}", flush=True)
        run = pytest(folder, *waiting)
        waiting = tuple(name for name in waiting if name not in run.passed)
        if not waiting:
            print(f"\nHeld only when played once more: {', '.join(failed)}", flush=True)
            return 0
        if quiet:
            break
    return FAILED


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
