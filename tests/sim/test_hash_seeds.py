"""The same seed gives the same run in every process, whatever the order of its sets."""

import os
import subprocess
import sys

import pytest

RUN = """
from hashlib import sha256
from bpdemo.sim.play import play

knobs = {"workers": 4, "max_in_flight": 30, "client_max_in_flight": 5, "queue_discipline": "codel"}
knobs |= {"payment_failure_rate": 0.2, "store_failure_rate": 0.1, "queue_policy": "block"}
turns = [(1, {"workers": 2}), (1.5, {"workers": 6, "queue_discipline": "priority"})]
turns += [(2, {"payment_outage": True}), (2.5, {"payment_outage": False})]
played = play(
    knobs, times=2, seconds=3, seed=3, retries=2, backoff="exponential", send_keys=True,
    clients={"a": 3, "b": 1}, priorities={0: 1, 3: 1}, browse_per_s=20, changes=turns,
)
print(len(played.orders), sha256(repr([played.orders, played.samples]).encode()).hexdigest())
"""


@pytest.mark.process
def test_no_order_of_a_set_shows_in_a_run() -> None:
    """Clients, priorities, retries, failures of both dependencies, knobs that turn: under three
    seeds of Python's own hashes, each with other addresses too, the same to the last sample."""
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", RUN],
            env=os.environ | {"PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in ("0", "1", "4711")
    ]
    told = {run.communicate(timeout=120)[0] for run in runs}
    assert [run.returncode for run in runs] == [0, 0, 0]
    (only,) = told
    assert int(only.split()[0]) > 300
