"""What a load itself adds to the times that it tells, when nothing else goes on beside it."""

import numpy as np
import pytest

from bpdemo.load.loads import load
from tests.load.stub import Answer, StubServer
from tests.support.waiting import eventually

pytestmark = pytest.mark.load


def test_impatient_callers_really_hang_up() -> None:
    """The server sees the connection close; latency is the patience, counted from the send."""
    with StubServer(lambda n: Answer(after_s=5)) as server:
        run = load(server, rate=100, seconds=1, client_timeout_s=0.2)
        eventually(lambda: server.hung_up == server.orders, within_s=2)
    assert run.summary["late_per_s"] == run.summary["offered_per_s"]
    assert run.summary["p50_ms"] == pytest.approx(200, abs=20)


def test_a_slow_server_does_not_slow_the_load() -> None:
    """Open loop: with a server of one second, the offer is what was asked for."""
    with StubServer(lambda n: Answer(after_s=1.0)) as server:
        run = load(server, rate=300, seconds=2, client_timeout_s=2.5, seed=3)
    assert run.meta.sent == run.meta.planned
    assert run.summary["offered_per_s"] == pytest.approx(300, rel=0.1)
    # What the load itself adds, the quickest fifth tell on a busy machine, too.
    assert np.quantile(run.records.latency_s, 0.2) == pytest.approx(1.0, rel=0.05)
