"""What `bpdemo.sim` reaches: in a fresh interpreter that has nothing else, and by its imports."""

import json
import subprocess
import sys
from typing import Any

import grimp
import pytest

from bpdemo.core.environment import own_environment
from bpdemo.sim.play import play

#: The libraries that a browser has, too, and what they need of their own.
LIBRARIES = ("pydantic", "pydantic_settings", "cachetools", "tenacity")
THEIRS = ("pydantic_core", "annotated_types", "typing_extensions", "typing_inspection", "dotenv")
#: Of the standard library, what would have to do with the machine.
MACHINE = ("concurrent", "multiprocessing", "signal", "socket", "ssl", "subprocess", "threading")

#: Begins a program: all but those libraries cannot be imported; no thread, process, socket or
#: signal handler is to be had.
ALONE = f"""
import sys
ALLOWED = set(sys.stdlib_module_names) | {{"bpdemo", *{LIBRARIES + THEIRS!r}}}
class Nothing:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in ALLOWED and not top.startswith("_sysconfigdata"):
            raise ModuleNotFoundError(f"no {{name}} in a browser", name=name)
sys.meta_path.insert(0, Nothing())
import _thread
def no_thread(*_, **__):
    raise AssertionError("a thread")
_thread.start_new_thread = _thread.start_joinable_thread = no_thread
import signal, threading
threading._start_new_thread = threading._start_joinable_thread = no_thread
def no_signal(*_):
    raise ValueError("a signal handler")
signal.signal = no_signal
def heard(event, _):
    if event in ("subprocess.Popen", "os.fork", "os.posix_spawn", "os.system") or (
        event.startswith("socket.")
    ):
        raise AssertionError(event)
sys.addaudithook(heard)
"""

PLAYS = """
import asyncio, json
from bpdemo.sim.play import play, prepare
from bpdemo.sim.virtual_time import Steps, VirtualTimeLoop
how = dict(times=2, seconds=6, seed=3, browse_per_s=5, retries=1, send_keys=True)
def facts(played):
    return [len(played.orders), hash(tuple(played.orders)), played.summary(), played.sentence,
            len(played.frame()["t_s"])]
whole = facts(play({"queue_capacity": 8}, **how))
async def in_a_page():
    within = facts(play({"queue_capacity": 8}, **how))
    played = prepare({"queue_capacity": 8}, **how)
    with Steps(played.run()) as steps:
        while not steps.advance(0.7):
            await asyncio.sleep(0)
    return within, facts(played)
# One with sockets is not to be had.
with asyncio.Runner(loop_factory=VirtualTimeLoop) as page:
    within, stepped = page.run(in_a_page())
assert whole == within == stepped, (whole, within, stepped)
print(json.dumps(whole[2:4]))
"""


def run_alone(code: str, begin: str = ALONE) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", begin + code],
        capture_output=True, text=True, check=False, timeout=60, env=own_environment(),
    )  # fmt: skip


def test_sim_plays_where_there_is_nothing_else() -> None:
    """As a whole, inside a loop that runs, and in pieces: the same run, and the one played here."""
    ran = run_alone(PLAYS)
    assert ran.returncode == 0, ran.stderr
    here = play(
        {"queue_capacity": 8},
        times=2, seconds=6, seed=3, browse_per_s=5, retries=1, send_keys=True,
    )  # fmt: skip
    assert json.loads(ran.stdout) == [here.summary(), here.sentence]


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("import numpy", "no numpy in a browser"),
        ("import bpdemo.results.records", "no numpy in a browser"),
        ("import threading; threading.Thread(target=print).start()", "a thread"),
        ("import subprocess; subprocess.run(['true'])", "subprocess.Popen"),
        ("import socket; socket.socket()", "socket"),
        ("import signal; signal.signal(2, print)", "a signal handler"),
    ],
)
def test_there_is_nothing_else_there(code: str, what: str) -> None:
    """Or the test above would prove nothing."""
    ran = run_alone(code)
    assert ran.returncode != 0
    assert what in ran.stderr


def test_nothing_that_sim_reaches_imports_more() -> None:
    """Imports in functions counted: no library but those, and of the standard library nothing that
    needs a machine, but for the one module that holds Ctrl-C back where it can come."""
    graph: Any = grimp.build_graph("bpdemo", include_external_packages=True, cache_dir=None)
    inside = {"bpdemo.sim", *graph.find_descendants("bpdemo.sim")}
    reached = inside.union(*(graph.find_upstream_modules(module) for module in inside))
    outside = {module for module in reached if not module.startswith("bpdemo")}
    assert "bpdemo.service.work" in reached
    assert outside - set(LIBRARIES) <= set(sys.stdlib_module_names)
    assert outside & set(MACHINE) == {"signal"}
    assert graph.find_modules_that_directly_import("signal") & reached == {
        "bpdemo.sim.virtual_time"
    }
