"""Orders by hand: a real service's answers, and what each says."""

import pytest

from bpdemo.lab import serve, stop_all
from bpdemo.lab.lessons.single_orders import send_at_once


@pytest.fixture(autouse=True)
def nothing_left(monkeypatch, tmp_path):
    monkeypatch.setenv("BPDEMO_HOME", str(tmp_path))
    yield
    stop_all()


def test_every_caller_gets_his_own_answer():
    """A row each in the order given; a sale has no reason, a refusal has all three."""
    service = serve(workers=1, queue_capacity=0, client_max_in_flight=1, payment_latency_s=0.4)
    answers = send_at_once(service, ["greedy"] * 3 + ["anna"])
    assert list(answers.client) == ["greedy"] * 3 + ["anna"]
    assert (answers.status == 201).sum() == 1
    refused = answers[answers.status != 201]
    assert set(refused.reason) <= {"client_limit", "queue_full"}
    assert (refused["Retry-After"].astype(int) >= 1).all()
    assert refused.detail.str.len().min() > 0
    assert (answers[answers.status == 201].reason == "").all()


def test_they_come_in_order_though_none_waits_for_an_answer():
    """The first has the only place, the second is over its share, the third finds no place."""
    service = serve(workers=1, queue_capacity=0, client_max_in_flight=1, payment_latency_s=0.4)
    answers = send_at_once(service, ["greedy", "greedy", "anna"])
    assert list(answers.reason) == ["", "client_limit", "queue_full"]
