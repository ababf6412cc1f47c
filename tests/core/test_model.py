"""The words everything else is said in."""

from datetime import UTC, datetime

import pytest

from bpdemo.core.events import OUTCOMES
from bpdemo.core.model import Order, OrderRequest, PaymentBook
from bpdemo.core.ports import NullTracer, SilentObserver, hears
from bpdemo.service.books import Books


@pytest.mark.parametrize(
    ("wanted", "same"),
    [(OrderRequest(1, 2), True), (OrderRequest(1, 1), False), (OrderRequest(2, 2), False)],
)
def test_a_repeat_asks_for_the_same_item_and_quantity(wanted: OrderRequest, same: bool) -> None:
    """That is all a body says."""
    order = Order("id", 1, 2, 9000, datetime(2026, 1, 1, tzinfo=UTC), key="k")
    assert order.asks_for(wanted) is same


def test_every_outcome_has_its_column_in_the_books() -> None:
    """One name for one end, in metrics and books."""
    assert set(OUTCOMES) <= set(Books.__slots__)


def test_a_payment_book_starts_empty() -> None:
    """Nothing charged, nothing refunded."""
    assert PaymentBook() == PaymentBook(charged=0, refunded=0)


def test_only_the_silent_observer_hears_nothing() -> None:
    """One that is made of it and listens is told."""

    class Listens(SilentObserver):
        def observe(self, event: object, /) -> None:
            raise AssertionError(event)

    assert not hears(SilentObserver())
    assert hears(Listens())


def test_the_do_nothing_parts_do_nothing() -> None:
    """A service without telemetry still has an observer and a tracer to talk to."""
    SilentObserver().observe(None)
    tracer = NullTracer()
    with tracer.span("a", b=1), tracer.span("inner"):
        tracer.record("c", 0.0, 1.0, d="e")
    with pytest.raises(ZeroDivisionError), tracer.span("a"):
        raise ZeroDivisionError
