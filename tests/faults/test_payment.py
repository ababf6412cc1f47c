"""The payment fails, hangs or flaps in the middle of a sale."""

import pytest

from tests.faults.stand import RECOVERED_S, on_trial
from tests.support.waiting import eventually

pytestmark = [pytest.mark.load, pytest.mark.light]


FAULTS = (
    ({"payment_failure_rate": 1.0}, {"payment_failure_rate": 0.0}),
    ({"payment_outage": True}, {"payment_outage": False}),
    ({"payment_latency_s": 3600.0}, {"payment_latency_s": 0.02}),
)


def test_a_payment_that_is_no_help_is_survived():
    """Failing, down, without end: the circuit opens, and cured it sells as before."""
    with on_trial() as (server, crowd):
        for fault, cure in FAULTS:
            server.tune(**fault)
            eventually(lambda: server.stats["breakers"]["payment"] == "open", f"open by {fault}")
            refused = crowd.crowd.statuses[503]
            eventually(lambda refused=refused: crowd.crowd.statuses[503] > refused + 20)
            server.tune(**cure)
            crowd.until_selling(RECOVERED_S)


def test_a_flapping_payment_is_survived():
    """Down and half up again, four times, out of step with the breaker's own times."""
    with on_trial() as (server, crowd):
        for _ in range(4):
            server.tune(payment_outage=True)
            failed = crowd.crowd.statuses[503]
            eventually(lambda failed=failed: crowd.crowd.statuses[503] > failed + 5)
            server.tune(payment_outage=False, payment_failure_rate=0.5)
            sold = crowd.crowd.statuses[201]
            eventually(lambda sold=sold: crowd.crowd.statuses[201] > sold)
        server.tune(payment_failure_rate=0.0)
